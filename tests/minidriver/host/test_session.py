# SPDX-License-Identifier: Apache-2.0
"""The transaction around calls, its end, resets, removals; loading and unloading."""

import threading

import pytest
from memory_card import ATR, CARD_ID, PIN, MemoryCard

from vreader.errors import VreaderError
from vreader.minidriver.abi.codes import KeySpec
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.callbacks import ALL_CALLBACKS
from vreader.minidriver.host.policy import KSP_KEY
from vreader.minidriver.module import DllReason
from vreader.winscard.codes import SCARD, Disposition

DATA = b"data"


@pytest.fixture
def provider(desk):
    made = desk.open()
    made.generate(KeySpec.ECDSA_P256)
    desk.wait()
    desk.module.called.clear()
    return made


def owner(desk):
    return next(iter(desk.host.rm.readers.values())).owner


def code(call, *args):
    with pytest.raises(MinidriverError) as caught:
        call(*args)
    return caught.value.code


def test_one_transaction_spans_calls_and_ends_when_idle(desk, provider):
    provider.sign(DATA)
    first = owner(desk)
    desk.clock.advance(1.4)
    provider.sign(DATA)
    desk.clock.advance(1.4)
    assert owner(desk) is first
    assert "CardDeauthenticateEx" not in desk.module.called
    desk.clock.advance(0.1)
    assert owner(desk) is None
    assert desk.module.called[-1] == "CardDeauthenticateEx"
    assert not desk.card.authenticated


def test_the_time_is_an_administrators(desk):
    desk.policy(KSP_KEY, TransactionTimeoutMilliseconds=100)
    provider = desk.open()
    provider.containers()
    desk.clock.advance(0.09)
    assert owner(desk) is not None
    desk.clock.advance(0.02)
    assert owner(desk) is None


def test_without_authentication_nothing_is_logged_out(desk, provider):
    provider.containers()
    desk.wait()
    assert owner(desk) is None
    assert "CardDeauthenticateEx" not in desk.module.called


@pytest.mark.parametrize(
    ("without", "called", "resets"),
    [
        ((), "CardDeauthenticateEx", 0),
        (("CardDeauthenticateEx",), "CardDeauthenticate", 0),
        (("CardDeauthenticateEx", "CardDeauthenticate"), "CardSignData", 1),
    ],
)
def test_how_a_transaction_ends(desk, without, called, resets):
    desk.module.without = frozenset(without)
    provider = desk.open()
    provider.generate(KeySpec.ECDSA_P256)
    provider.sign(DATA)
    desk.wait()
    assert desk.module.called[-1] == called
    assert desk.card.resets == resets
    assert provider.sign(DATA)


def test_a_card_that_cannot_log_out_is_reset(desk, provider):
    def refuse(name):
        if name.startswith("CardDeauthenticate"):
            raise MinidriverError(SCARD.E_UNSUPPORTED_FEATURE)

    desk.module.before = refuse
    provider.sign(DATA)
    desk.wait()
    assert desk.card.resets == 1
    assert provider.sign(DATA)


def test_a_reset_by_another_is_noticed(desk, provider):
    provider.sign(DATA)
    desk.wait()
    context = desk.api.SCardEstablishContext()
    handle, _ = desk.api.SCardConnect(context, desk.slot.name)
    desk.api.SCardDisconnect(handle, Disposition.RESET)
    desk.module.called.clear()
    assert provider.sign(DATA)
    assert "CardAcquireContext" not in desk.module.called
    assert "CardAuthenticateEx" in desk.module.called


def test_a_reset_in_the_middle_of_a_call_has_it_made_again(desk, provider):
    provider.sign(DATA)
    pending = [True]

    def reset(name):
        if name == "CardSignData" and pending:
            pending.clear()
            desk.card.authenticated.clear()
            raise MinidriverError(SCARD.W_RESET_CARD)

    desk.module.before = reset
    assert provider.sign(DATA)
    assert not pending


def test_a_card_that_is_always_reset_is_given_up(desk, provider):
    def reset(name):
        if name == "CardSignData":
            raise MinidriverError(SCARD.W_RESET_CARD)

    desk.module.before = reset
    assert code(provider.sign, DATA) is SCARD.W_RESET_CARD
    assert desk.module.called.count("CardSignData") == 2


def test_a_removed_card_ends_the_context(desk, provider):
    provider.sign(DATA)
    desk.slot.remove()
    assert code(provider.sign, DATA) is SCARD.E_NO_SMARTCARD
    assert desk.module.called[-1] == "CardDeleteContext"
    assert code(provider.sign, DATA) is SCARD.E_NO_SMARTCARD
    desk.slot.insert(desk.card)
    assert provider.sign(DATA)
    desk.wait()
    desk.slot.remove()
    desk.slot.insert(MemoryCard())  # another one: the module still has the first one's objects
    assert provider.containers()
    provider.close()
    provider.close()


def test_a_card_removed_in_the_middle_of_a_call(desk, provider):
    def remove(name):
        if name == "CardSignData":
            desk.slot.remove()
            desk.api.SCardTransmit(0, 2, b"")

    desk.module.before = remove
    assert code(provider.sign, DATA) is SCARD.E_INVALID_HANDLE
    desk.module.before = lambda name: None
    desk.slot.insert(desk.card)
    assert provider.sign(DATA)


def test_the_card_is_free_while_a_person_thinks(desk, provider):
    def think(request):
        assert owner(desk) is None
        desk.clock.advance(60)
        return PIN

    provider.csp._prompt = think
    provider.csp.process.forget_pin(CARD_ID, 1)
    assert provider.sign(DATA)
    assert desk.card.resets == 0


def test_a_card_taken_out_while_a_person_thinks(desk, provider):
    def think(request):
        desk.slot.remove()
        return PIN

    provider.csp._prompt = think
    provider.csp.process.forget_pin(CARD_ID, 1)
    assert code(provider.sign, DATA) is SCARD.W_REMOVED_CARD


def test_a_bug_at_the_end_leaves_no_transaction(desk, provider):
    def bug(name):
        if name == "CardDeauthenticateEx":
            raise ZeroDivisionError

    provider.sign(DATA)
    desk.module.before = bug
    with pytest.raises(ZeroDivisionError):
        desk.wait()
    assert owner(desk) is None
    assert desk.card.resets == 1


def test_another_program_waits_for_the_end_of_the_transaction(desk, provider):
    provider.sign(DATA)
    context = desk.api.SCardEstablishContext()
    desk.wait()
    handle, _ = desk.api.SCardConnect(context, desk.slot.name)
    desk.api.SCardBeginTransaction(handle)
    assert code(provider.sign, DATA) is SCARD.E_SHARING_VIOLATION
    desk.api.SCardEndTransaction(handle, Disposition.LEAVE)
    assert provider.sign(DATA)


def test_a_module_is_loaded_once_a_process_and_unloaded_with_it(desk):
    process = desk.process()
    for _ in range(2):
        provider = desk.open(process=process)
        provider.containers()
        provider.close()
    assert desk.module.reasons == ["PROCESS_ATTACH"]
    process.close()
    assert desk.module.reasons == ["PROCESS_ATTACH", "PROCESS_DETACH"]
    desk.open().close()
    assert desk.module.reasons[2:] == ["PROCESS_ATTACH", "PROCESS_DETACH"]


def test_a_module_that_refuses_to_be_loaded(desk):
    desk.module.DllMain = lambda reason: False
    with pytest.raises(VreaderError, match="DllMain"):
        desk.open()


@pytest.mark.parametrize(
    ("version", "missing"),
    [(4, {"CspGetDHAgreement", "CspUnpadData"}), (6, {"CspUnpadData"}), (7, set())],
)
def test_what_card_data_is_filled_with(desk, version, missing):
    seen = []
    acquire = desk.module.CardAcquireContext

    def look(data, flags):
        seen.append(data)
        return acquire(data, flags)

    desk.module.CardAcquireContext = look
    desk.open(version=version).containers()
    (data,) = seen
    assert (data.version, data.atr, data.card_name) == (version, ATR, "Desk Card")
    assert data.context
    assert data.card
    assert data.callbacks == ALL_CALLBACKS - missing


def test_a_minidriver_that_does_not_know_the_card(desk):
    def refuse(data, flags):
        raise MinidriverError(SCARD.E_UNKNOWN_CARD)

    desk.module.CardAcquireContext = refuse
    provider = desk.open()
    assert code(provider.containers) is SCARD.E_UNKNOWN_CARD
    desk.wait()
    assert owner(desk) is None


def test_a_bug_at_the_end_leaves_nothing_open_when_a_provider_is_closed(desk, provider):
    ended = []
    provider._ended = lambda: ended.append(True)

    def bug(name):
        if name in ("CardDeauthenticateEx", "CardDeleteContext"):
            raise ZeroDivisionError

    provider.sign(DATA)
    desk.module.before = bug
    with pytest.raises(ZeroDivisionError):
        provider.close()
    assert owner(desk) is None
    assert not provider.csp.session.scard_context
    assert desk.module.reasons[-1] == "PROCESS_DETACH"
    assert ended
    provider.close()


def test_every_module_is_told_of_the_end_whatever_one_does(desk):
    process, told = desk.process(), []

    class Failing:
        def __init__(self, name):
            self.name = name

        def DllMain(self, reason):
            if reason == DllReason.PROCESS_DETACH:
                told.append(self.name)
                raise ZeroDivisionError
            return True

    process.load(Failing("first"))
    process.load(Failing("second"))
    with pytest.raises(ZeroDivisionError):
        process.close()
    assert told == ["second", "first"]
    process.close()
    assert len(told) == 2


def test_threads_come_and_go(desk):
    process = desk.process()
    with process.thread():
        desk.open(process=process).containers()
    with process.thread():
        assert desk.module.reasons[-1] == "THREAD_ATTACH"
    assert desk.module.reasons == [
        "PROCESS_ATTACH", "THREAD_DETACH", "THREAD_ATTACH", "THREAD_DETACH",
    ]  # fmt: skip


def test_an_idle_transaction_ends_on_a_thread_of_the_process(desk):
    ended = threading.Event()
    provider = desk.open(background=None)
    end = provider.csp.session._connection.end

    def end_and_tell(disposition):
        end(disposition)
        ended.set()

    provider.csp.session._connection.end = end_and_tell
    provider.containers()
    desk.wait()
    assert ended.wait(10)
    assert owner(desk) is None
    assert "THREAD_ATTACH" in desk.module.reasons


@pytest.mark.parametrize("function", ["CardGetProperty", "CardReadFile"])
def test_a_reset_while_the_context_is_made_has_it_made_again(desk, provider, function):
    pending = [True]

    def reset(name):
        if name == function and pending:
            pending.clear()
            raise MinidriverError(SCARD.W_RESET_CARD)

    other = desk.open()
    desk.module.before = reset
    assert other.containers()
    assert other.csp.cache.card == CARD_ID
    assert desk.module.called.count("CardDeleteContext") == 1


def test_a_service_that_was_started_anew_is_noticed(desk, provider):
    provider.sign(DATA)
    desk.wait()
    desk.api.SCardReleaseContext(provider.csp.session.scard_context)
    desk.module.called.clear()
    assert provider.sign(DATA)
    assert desk.module.called[0] == "CardDeleteContext"


def test_who_asks_for_a_pin_may_use_the_card(desk, provider):
    seen = []

    def look(request):
        seen.append(provider.certificate(0))
        seen.append(owner(desk))
        return PIN

    provider.csp._prompt = look
    provider.csp.process.forget_pin(CARD_ID, 1)
    assert provider.sign(DATA)
    assert seen[0] is None
    assert seen[1] is not None
