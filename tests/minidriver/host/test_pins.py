# SPDX-License-Identifier: Apache-2.0
"""Every policy of a PIN: when somebody is asked, what is kept and for how long."""

import pytest
from memory_card import PIN, pin_info

from vreader.minidriver.abi.codes import KeySpec
from vreader.minidriver.abi.pins import PinCache, PinInfoFlag, SecretType
from vreader.minidriver.abi.returncodes import NTE, MinidriverError
from vreader.minidriver.host import NoPin
from vreader.winscard.codes import SCARD

DATA = b"data"
USER = 1


@pytest.fixture
def start(desk):
    """Return a program on a card with one key, whose user PIN has that information."""

    def start(info=None, **options):
        desk.open().generate(KeySpec.ECDSA_P256)
        desk.wait()
        desk.prompt.requests.clear()
        if info is not None:
            desk.module.infos[USER] = info
            access, counters = desk.card.files["", "cardcf"]
            desk.card.files["", "cardcf"] = access, b"\0\1" + counters[2:]
        return desk.open(**options)

    return start


def code(call, *args, **kwargs):
    with pytest.raises(MinidriverError) as caught:
        call(*args, **kwargs)
    return caught.value.code


def with_cache(policy, **more):
    return pin_info(purpose=5, cache=policy, **more)


def test_a_normal_pin_is_asked_for_once_and_presented_in_each_transaction(desk, start):
    provider = start()
    for _ in range(2):
        provider.sign(DATA)
        provider.sign(DATA)
        desk.wait()
    assert desk.prompt.asked == 1
    assert desk.module.called.count("CardAuthenticateEx") == 3  # one by start


def test_a_normal_pin_belongs_to_process_and_logon(desk, start):
    process = desk.process()
    start(process=process).sign(DATA)
    desk.open(process=process).sign(DATA)
    assert desk.prompt.asked == 1
    desk.open().sign(DATA)
    assert desk.prompt.asked == 2
    process.logon = "another"
    desk.open(process=process).sign(DATA)
    assert desk.prompt.asked == 3


def test_a_timed_pin_expires_when_it_is_used(desk, start):
    provider = start(with_cache(PinCache.TIMED, seconds=60))
    provider.sign(DATA)
    desk.wait(59.9)
    provider.sign(DATA)
    assert desk.prompt.asked == 1
    desk.wait(0.1)
    provider.sign(DATA)  # the transaction that it opened is still there
    assert desk.prompt.asked == 1
    desk.wait()
    provider.sign(DATA)
    assert desk.prompt.asked == 2


def test_a_pin_that_is_not_cached_lasts_for_the_transaction(desk, start):
    provider = start(with_cache(PinCache.NONE))
    provider.sign(DATA)
    provider.sign(DATA)
    assert desk.prompt.asked == 1
    desk.wait()
    provider.sign(DATA)
    assert desk.prompt.asked == 2
    desk.wait()
    provider.set_pin(PIN)
    provider.sign(DATA)
    assert desk.prompt.asked == 2
    assert code(provider.set_pin, "0000") is SCARD.W_WRONG_CHV


def test_always_prompt_asks_and_verifies_before_each_call(desk, start):
    provider = start(with_cache(PinCache.ALWAYS_PROMPT))
    provider.set_pin("never looked at")
    desk.module.called.clear()
    provider.sign(DATA)
    provider.sign(DATA)
    assert desk.prompt.asked == 2
    assert desk.module.called.count("CardAuthenticateEx") == 2
    silent = desk.open(silent=True)
    silent.set_pin(PIN)
    assert code(silent.sign, DATA) is NTE.SILENT_CONTEXT


def test_the_pin_of_a_card_without_identifier_is_not_kept(desk, start):
    del desk.card.files["", "cardid"]
    provider = start()
    for _ in range(2):
        provider.sign(DATA)
        desk.wait()
    assert desk.prompt.asked == 2


def test_an_empty_pin_is_neither_asked_for_nor_presented(desk, start):
    provider = start(pin_info(SecretType.EMPTY))
    desk.module.before = lambda name: desk.card.authenticated.add(USER)
    desk.module.called.clear()
    provider.sign(DATA)
    assert desk.prompt.asked == 0
    assert "CardAuthenticateEx" not in desk.module.called


def test_a_silent_context_never_asks_but_may_be_told(desk, start):
    provider = start(silent=True)
    assert code(provider.sign, DATA) is NTE.SILENT_CONTEXT
    provider.set_pin(PIN)
    assert provider.sign(DATA)
    desk.wait()
    assert provider.sign(DATA)
    assert desk.prompt.asked == 0


def test_nobody_to_ask(start):
    assert code(start(prompt=None).sign, DATA) is SCARD.E_NO_PIN_CACHE


@pytest.mark.parametrize(
    ("answer", "expected"),
    [(NoPin.CANCELLED, SCARD.W_CANCELLED_BY_USER), (NoPin.TIMED_OUT, SCARD.E_TIMEOUT)],
)
def test_prompts_that_end_without_a_pin(desk, start, answer, expected):
    provider = start()
    desk.prompt.answers = [answer]
    assert code(provider.sign, DATA) is expected


def test_a_wrong_pin_is_asked_for_again_with_the_attempts_left(desk, start):
    provider = start()
    desk.prompt.answers = ["0000", "0001", PIN.decode()]
    assert provider.sign(DATA)
    assert [request.attempts for request in desk.prompt.requests] == [None, 2, 1]


def test_a_wrong_pin_blocks_in_the_end(desk, start):
    provider = start()
    desk.prompt.answers = ["0000"]
    assert code(provider.sign, DATA) is SCARD.W_CHV_BLOCKED
    assert desk.prompt.asked == 3
    assert code(provider.sign, DATA) is SCARD.W_CHV_BLOCKED


def test_a_minidriver_that_miscounts_does_not_hold_the_host_forever(desk, start):
    provider = start()

    def wrong(name):
        if name == "CardAuthenticateEx":
            raise MinidriverError(SCARD.W_WRONG_CHV, attempts=7)

    desk.module.before = wrong
    assert code(provider.sign, DATA) is SCARD.W_WRONG_CHV
    assert desk.prompt.asked < 20


def test_a_pin_that_is_changed_elsewhere_is_asked_for_again(desk, start):
    provider = start()
    provider.sign(DATA)
    desk.open().change_pin(PIN, "4321")
    desk.wait()
    desk.prompt.answers = ["4321"]
    assert provider.sign(DATA)
    assert [request.attempts for request in desk.prompt.requests] == [None, 2]
    provider.change_pin("4321", "5555")
    desk.wait()
    assert provider.sign(DATA)  # its own change it knows
    assert desk.prompt.asked == 2


@pytest.mark.parametrize(
    "info",
    [
        pin_info(SecretType.EXTERNAL, purpose=1),
        pin_info(purpose=1, flags=PinInfoFlag.REQUIRE_SECURE_ENTRY),
    ],
    ids=["external", "secure entry"],
)
def test_an_external_pin_is_typed_at_the_reader(desk, start, info):
    provider = start(info, window=0x1234, text="Ü")
    desk.module.typed = PIN
    provider.sign(DATA)
    assert desk.prompt.asked == 0
    assert desk.module.properties == [
        ("Parent Window", bytes.fromhex("3412000000000000")),
        ("PIN Context String", "Ü\0".encode("utf-16-le")),
    ]
    desk.module.typed = b"0000"
    desk.wait()
    assert code(provider.sign, DATA) is SCARD.W_CHV_BLOCKED


def test_session_pins_are_kept_in_place_of_the_pin(desk, start):
    desk.module.session_pins = True
    process = desk.process()
    provider = start(process=process)
    provider.sign(DATA)
    (kept,) = process._pins.values()
    assert kept.session
    assert kept.value != PIN
    desk.wait()
    provider.sign(DATA)
    assert desk.prompt.asked == 1
    desk.card.sessions.clear()  # a cold reset ends them
    desk.wait()
    provider.sign(DATA)
    assert desk.prompt.asked == 2


def test_session_pins_of_a_pinpad_are_kept_too(desk, start):
    desk.module.session_pins = True
    provider = start(pin_info(SecretType.EXTERNAL))
    desk.module.typed = PIN
    provider.sign(DATA)
    desk.module.typed = b"nobody types"
    desk.wait()
    assert provider.sign(DATA)


def test_containers_of_other_pins_ask_for_those(desk, start):
    provider = start()
    made = provider.generate(KeySpec.ECDSA_P256, pin_id=3)
    desk.prompt.requests.clear()
    desk.prompt.answers = ["3333"]
    provider.sign(DATA, made.number)
    (request,) = desk.prompt.requests
    assert (request.pin_id, request.purpose) == (3, "Please enter your digital signature PIN.")


def test_the_csp_always_asks_for_the_users_pin_where_keys_come_and_go(desk, start):
    provider = start(ksp=False)
    provider.generate(KeySpec.SIGNATURE, name="a")
    provider.sign(DATA, "a")
    assert desk.prompt.asked == 1
    provider.generate(KeySpec.SIGNATURE, name="b")
    provider.delete("b")
    assert desk.prompt.asked == 3


def test_what_is_authenticated(desk, start):
    provider = start()
    provider.sign(DATA)
    assert provider.csp.run(provider.csp.pins.authenticated) == (USER,)


@pytest.mark.parametrize(("version", "expected"), [(5, (1, 2)), (7, (1, 2, 3, 4))])
def test_which_pins_there_are(desk, version, expected):
    provider = desk.open(version=version)
    assert provider.csp.run(provider.csp.pins.listed) == expected


def test_letters_that_ansi_has_not(desk, start):
    assert code(start().set_pin, "пин") is SCARD.E_INVALID_CHV


def test_a_pin_that_is_typed_at_the_reader_is_changed_there(desk, start):
    provider = start(pin_info(SecretType.EXTERNAL), text="change it")
    changes = []

    def change(*given):
        changes.append(given)

    provider.csp.run(lambda: None)
    provider.csp.session.minidriver.CardChangeAuthenticatorEx = change
    provider.change_pin(None, None)
    assert changes == [(2, USER, None, USER, None, 0)]
    assert dict(desk.module.properties)["PIN Context String"] == "change it\0".encode("utf-16-le")
    for given in (("1234", "4321"), (None, "4321"), ("1234", None)):
        assert code(provider.change_pin, *given) is SCARD.E_INVALID_PARAMETER
