# SPDX-License-Identifier: Apache-2.0
"""The transaction in which nobody calls, and what a reset does to transactions."""

import pytest
from winscard_desk import Card

from vreader.card import CardMute
from vreader.winscard import operations
from vreader.winscard.codes import SCARD, Disposition, ScardError, ShareMode
from vreader.winscard.events import TransactionExpired
from vreader.winscard.profile import PCSCLITE, WINDOWS, WINDOWS_7


def status(desk, handle):
    return desk.host.run(operations.status, desk.rm, handle)


def code_of(call, *args):
    with pytest.raises(ScardError) as caught:
        call(*args)
    return caught.value.code


@pytest.fixture
def begun(desk):
    """A desk, its card, and two connections of which the first holds a transaction."""
    card = desk.insert()
    one, two = desk.connect(), desk.connect()
    desk.do("begin_transaction", one)
    return desk, card, one, two


@pytest.mark.wdk("rm.transaction.timer", "rm.clock")
def test_five_idle_seconds_cost_the_card_a_reset(begun):
    desk, card, one, two = begun
    desk.pass_time(4.999)
    assert card.log == ["on"]
    assert desk.reader.owner is one
    desk.pass_time(0.001)
    assert card.log == ["on", "reset"]
    assert desk.reader.owner is None
    assert [event.reader for event in desk.told if isinstance(event, TransactionExpired)] == [
        desk.slot.name
    ]
    for handle in (one, two):
        assert code_of(desk.transmit, handle) == SCARD.W_RESET_CARD
    assert code_of(desk.do, "end_transaction", one, 0) == SCARD.W_RESET_CARD
    desk.do("reconnect", two, 2, 3, 0)
    desk.do("begin_transaction", two)


@pytest.mark.wdk("rm.transaction.timer")
@pytest.mark.parametrize(
    "call",
    [
        ("transmit", 2, b"\0\0\0\0", 300),
        ("control", 0x42000D48, b"", 300),
        ("get_attribute", 0x00090303),
        ("begin_transaction",),
    ],
    ids=lambda call: call[0],
)
def test_any_call_starts_the_timer_anew(begun, call):
    desk, card, one, _ = begun
    name, *arguments = call
    for _ in range(3):
        desk.pass_time(4)
        desk.do(name, one, *arguments)
    desk.pass_time(4.999)
    assert "reset" not in card.log
    desk.pass_time(0.001)
    assert card.log[-1] == "reset"


def test_status_is_a_call_too(begun):
    desk, card, one, two = begun
    for handle in (one, two):
        desk.pass_time(4)
        assert status(desk, handle).name == desk.slot.name
    desk.pass_time(4)
    assert "reset" not in card.log


def test_whoever_waits_does_not_keep_it_alive(begun):
    desk, card, _, two = begun
    desk.pass_time(4)
    waiting = desk.start("begin_transaction", two)
    desk.pass_time(1)
    assert card.log[-1] == "reset"
    assert code_of(waiting.result) == SCARD.W_RESET_CARD


def test_a_card_at_work_is_not_idle(begun):
    desk, card, one, _ = begun

    def slow(c_apdu):
        desk.pass_time(60)
        return b"\x90\x00"

    card.transmit = slow
    assert desk.transmit(one) == b"\x90\x00"
    assert "reset" not in card.log
    desk.pass_time(4.999)
    assert "reset" not in card.log
    desk.pass_time(0.001)
    assert card.log[-1] == "reset"


def test_a_transaction_that_ended_in_time_starts_no_clock_of_the_next(begun):
    desk, card, one, two = begun
    desk.pass_time(4)
    desk.do("end_transaction", one, 0)
    desk.do("begin_transaction", two)
    desk.pass_time(4)
    desk.do("end_transaction", two, 0)
    desk.pass_time(60)
    assert "reset" not in card.log
    assert desk.reader.transaction_timer is None


def test_a_nested_transaction_ends_with_the_outer_one(begun):
    desk, card, one, _ = begun
    desk.do("begin_transaction", one)
    desk.do("end_transaction", one, 0)
    desk.pass_time(5)
    assert card.log[-1] == "reset"
    assert desk.reader.lock_count == 0


def test_exclusive_use_alone_is_no_transaction(desk):
    card = desk.insert()
    handle = desk.connect(share=ShareMode.EXCLUSIVE)
    desk.pass_time(60)
    assert "reset" not in card.log
    desk.do("begin_transaction", handle)
    desk.pass_time(5)
    assert card.log[-1] == "reset"
    assert desk.reader.owner is handle  # it has the card to itself all the same
    desk.do("reconnect", handle, ShareMode.EXCLUSIVE, 3, 0)
    desk.do("begin_transaction", handle)
    desk.do("end_transaction", handle, 0)
    desk.pass_time(60)
    assert card.log.count("reset") == 1


@pytest.mark.parametrize("gone", ["remove", "mute"])
def test_when_the_time_is_over_for_a_card_that_cannot_be_reset(begun, gone):
    desk, card, one, two = begun
    if gone == "remove":
        desk.slot.remove()
        desk.pass_time(10)
        assert "reset" not in card.log
        assert code_of(desk.do, "begin_transaction", two) == SCARD.W_REMOVED_CARD
        return

    def mute():
        raise CardMute

    card.reset = mute
    desk.pass_time(5)
    assert desk.reader.owner is None
    assert code_of(desk.do, "reconnect", one, 2, 3, 0) == SCARD.W_UNRESPONSIVE_CARD


def test_a_transaction_that_begins_while_the_card_is_reset_has_a_timer_of_its_own(make_desk):
    desk = make_desk(WINDOWS_7)  # where BeginTransaction does not look at the reset
    card = desk.insert()
    one, two = desk.connect(), desk.connect()
    desk.do("begin_transaction", one)

    def slow():
        card.reset = lambda: card.log.append("again") or card.atr
        assert code_of(desk.do, "end_transaction", one, 0) == SCARD.W_RESET_CARD
        desk.do("begin_transaction", two)
        return card.atr

    card.reset = slow
    desk.pass_time(5)
    assert desk.reader.owner is two
    desk.pass_time(4)
    assert "again" not in card.log
    desk.pass_time(1)
    assert card.log[-1] == "again"
    assert desk.reader.owner is None


def test_pcscd_waits_for_ever(make_desk):
    desk = make_desk(PCSCLITE)
    card = desk.insert()
    handle = desk.connect()
    desk.do("begin_transaction", handle)
    desk.pass_time(3600)
    assert "reset" not in card.log
    assert desk.reader.owner is handle


@pytest.mark.wdk("rm.transaction.reset")
@pytest.mark.parametrize("profile", [WINDOWS, WINDOWS_7], ids=lambda profile: profile.name)
def test_begin_after_a_reset_by_another(make_desk, profile):
    desk = make_desk(profile)
    desk.insert()
    one, two = desk.connect(), desk.connect()
    desk.do("reconnect", one, 2, 3, Disposition.RESET)
    if profile is WINDOWS:
        assert code_of(desk.do, "begin_transaction", two) == SCARD.W_RESET_CARD
    else:  # it is learnt from SCardStatus
        desk.do("begin_transaction", two)
        assert code_of(status, desk, two) == SCARD.W_RESET_CARD
        # The transaction is released all the same.
        assert code_of(desk.do, "end_transaction", two, 0) == SCARD.W_RESET_CARD
    assert desk.reader.owner is None


def test_before_windows_7_a_reset_did_not_release_the_transaction(make_desk):
    desk = make_desk(WINDOWS_7._replace(reset_ends_transaction=False))
    desk.insert()
    one, two = desk.connect(), desk.connect()
    desk.do("begin_transaction", one)
    desk.pass_time(5)
    assert code_of(desk.do, "end_transaction", one, 0) == SCARD.W_RESET_CARD
    waiting = desk.start("begin_transaction", two)
    assert not waiting.done
    desk.do("disconnect", one, 0)
    waiting.result()


def test_a_card_that_is_exchanged_has_no_old_transaction(begun):
    desk, _, one, _ = begun
    desk.slot.remove()
    card = desk.insert(Card())
    desk.do("reconnect", one, 2, 3, 0)
    desk.pass_time(60)
    assert "reset" not in card.log
