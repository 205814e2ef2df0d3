# SPDX-License-Identifier: Apache-2.0
"""Transactions: alone with the card, nested, waited for, and what a program's end does to them."""

import time

import pytest
from conversation_programs import EMBEDDED, embedded_rungs_only, only_where

from vreader.winscard.codes import SCARD, Disposition, ShareMode, Win32
from vreader.winscard.profile import Check, Operation

SHARED, EXCLUSIVE = ShareMode.SHARED, ShareMode.EXCLUSIVE
REMEMBER, TELL = "00d0000001aa", "00b00000"
ECHO, ECHOED = "00a40400", "00a404009000"


def two(world):
    """Two programs connected to one card; the second does not wait for the first."""
    card = world.insert()
    one, other = world.program(), world.program(blocking=False)
    return card, one, one.connect(), other, other.connect()


def test_others_are_refused_while_a_transaction_lasts(world, refused):
    card, one, first, other, second = two(world)
    one.begin(first)
    before = len(card.calls)
    for row, call in (
        ("transmit", lambda: other.transmit(second, ECHO)),
        ("status", lambda: other.status(second)),
        ("reconnect", lambda: other.reconnect(second)),
        ("control", lambda: other.control(second, 0x42000D48)),
        ("attribute", lambda: other.get_attrib(second, 0x00090303)),
        ("attribute", lambda: other.set_attrib(second, 0x00090303, b"\0")),
        ("end", lambda: other.end(second, Disposition.RESET)),
        ("end", lambda: other.end(second)),
    ):
        if Check.SHARING in world.rm.checks[row]:
            with refused(SCARD.E_SHARING_VIOLATION):
                call()
    assert len(card.calls) == before
    assert one.transmit(first, ECHO) == ECHOED
    one.end(first)
    assert other.transmit(second, ECHO) == ECHOED


def test_transactions_nest(world, refused):
    _, one, first, other, second = two(world)
    one.begin(first)
    one.begin(first)
    one.end(first)
    with refused(SCARD.E_SHARING_VIOLATION):
        other.transmit(second, ECHO)
    one.end(first)
    other.begin(second)
    with refused(SCARD.E_SHARING_VIOLATION):
        one.end(first)
    other.end(second)
    with refused(SCARD.E_NOT_TRANSACTED):
        one.end(first)


@pytest.mark.wdk("rm.transaction.waits")
def test_a_waiting_begin_has_its_turn(world):
    _, one, first, _, _ = two(world)
    third = world.program()
    waiting = third.connect()
    one.begin(first)
    begun = third.later("begin", waiting)
    one.transmit(first, REMEMBER)
    assert not begun.done()
    assert one.transmit(first, TELL) == "aa9000"
    one.end(first)
    begun.result(10)
    third.end(waiting)


def test_a_call_waits_for_the_transaction(world):
    _, one, first, _, _ = two(world)
    third = world.program()
    waiting = third.connect()
    one.begin(first)
    answer = third.later("transmit", waiting, ECHO)
    assert one.transmit(first, ECHO) == ECHOED
    assert not answer.done()
    one.end(first)
    assert answer.result(10) == ECHOED


def test_connect_waits_for_the_transaction(world):
    _, one, first, _, _ = two(world)
    one.begin(first)
    third = world.program()
    connected = third.later("connect")
    one.transmit(first, ECHO)
    assert not connected.done()
    one.end(first)
    assert third.transmit(connected.result(10), ECHO) == ECHOED


def test_disconnect_with_reset_waits_for_the_transaction(world):
    card, one, first, other, second = two(world)
    one.begin(first)
    gone = other.later("disconnect", second, Disposition.RESET)
    one.transmit(first, ECHO)
    assert not gone.done()
    assert card.resets() == 0
    one.end(first)
    gone.result(10)
    assert card.resets() == 1


def test_disconnect_with_eject_waits_for_the_transaction(world):
    _, one, first, other, second = two(world)
    one.begin(first)
    gone = other.later("disconnect", second, Disposition.EJECT)
    one.transmit(first, ECHO)
    one.transmit(first, ECHO)
    assert not gone.done()
    one.end(first)
    gone.result(10)


def test_disconnect_without_reset_does_not_wait(world):
    _, one, first, other, second = two(world)
    one.begin(first)
    other.disconnect(second)
    assert one.transmit(first, ECHO) == ECHOED
    one.end(first)


# pcscd and libpcsclite between them wait for ever
@only_where("threads_share_contexts", False, EMBEDDED)
def test_a_begin_of_the_same_program_is_not_waited_for(world, refused):
    world.insert()
    program = world.program(blocking=False)
    first = program.connect()
    second = program.connect()
    program.begin(first)
    if world.rung != "libpcsclite":  # which never gives up a BeginTransaction
        started = time.monotonic()
        with refused(SCARD.E_SHARING_VIOLATION):
            program.begin(second)
        assert time.monotonic() - started < 0.4  # it did not wait half a second
    for call in (program.connect, lambda: program.disconnect(second, Disposition.RESET)):
        with refused(SCARD.E_SHARING_VIOLATION):
            call()
    program.end(first)


def test_disconnect_ends_the_transaction(world):
    _, one, first, other, second = two(world)
    one.begin(first)
    one.begin(first)
    one.disconnect(first)
    other.begin(second)
    other.end(second)


def test_exclusive_is_a_lock_of_its_own(world, refused):
    world.insert()
    program = world.program()
    hcard = program.connect(EXCLUSIVE)
    with refused(SCARD.E_NOT_TRANSACTED):
        program.end(hcard)
    program.begin(hcard)
    program.end(hcard)
    with refused(SCARD.E_NOT_TRANSACTED):
        program.end(hcard)
    assert program.transmit(hcard, ECHO) == ECHOED


def test_end_without_begin(world, refused):
    _, one, first, _, _ = two(world)
    with refused(SCARD.E_NOT_TRANSACTED):
        one.end(first)


@only_where("reconnect_ends_transaction", True)
def test_transaction_ends_with_reconnect(world, refused):
    _, one, first, other, second = two(world)
    one.begin(first)
    one.begin(first)
    one.reconnect(first)
    assert other.transmit(second, ECHO) == ECHOED
    with refused(SCARD.E_NOT_TRANSACTED):
        one.end(first)


@only_where("reconnect_ends_transaction", False)
def test_transaction_survives_reconnect(world, refused):
    _, one, first, other, second = two(world)
    one.begin(first)
    one.reconnect(first, initialization=Disposition.RESET)
    with refused(SCARD.E_SHARING_VIOLATION):
        other.transmit(second, ECHO)
    one.end(first)
    with refused(SCARD.W_RESET_CARD):
        other.transmit(second, ECHO)


@only_where("reconnect_ends_transaction", False)
def test_transaction_survives_a_change_of_the_share_mode(world, refused):
    world.insert()
    program = world.program()
    hcard = program.connect()
    program.begin(hcard)
    for share in (EXCLUSIVE, SHARED):
        program.reconnect(hcard, share)
        program.begin(hcard)
        program.end(hcard)
    program.end(hcard)
    with refused(SCARD.E_NOT_TRANSACTED):
        program.end(hcard)


def test_reset_at_the_end_is_told_to_everybody(world, refused):
    card, one, first, other, second = two(world)
    one.begin(first)
    one.transmit(first, REMEMBER)
    one.end(first, Disposition.RESET)
    assert card.resets() == 1
    for program, hcard in ((one, first), (other, second)):
        for call in ("begin", "status", "end"):
            with refused(SCARD.W_RESET_CARD):
                getattr(program, call)(hcard)
        with refused(SCARD.W_RESET_CARD):
            program.transmit(hcard, TELL)
        program.reconnect(hcard)
        assert program.transmit(hcard, TELL) == "9000"
    other.begin(second)  # the transaction has ended all the same
    other.end(second)


def test_unpower_at_the_end_takes_the_power(world, refused):
    card, one, first, other, second = two(world)
    one.begin(first)
    one.transmit(first, REMEMBER)
    one.end(first, Disposition.UNPOWER)
    if world.rm.end_unpower_cycles:
        assert card.calls[-2:] == ["power off", "power on"]
        lost = SCARD.W_RESET_CARD
    else:
        assert card.calls[-1] == "power off"
        lost = world.rm.unpower_code
    for program, hcard in ((one, first), (other, second)):
        with refused(lost):
            program.transmit(hcard, TELL)
    one.reconnect(first)
    assert one.transmit(first, TELL) == "9000"


def test_end_with_reset_but_without_begin_resets_all_the_same(world, refused):
    card, one, first, _, _ = two(world)
    with refused(SCARD.E_NOT_TRANSACTED):
        one.end(first, Disposition.RESET)
    assert card.resets() == 1


def test_a_reader_without_mechanics_cannot_eject(world, refused):
    card, one, first, other, second = two(world)
    one.begin(first)
    with refused(world.rm.errors[Operation.EJECT][Win32.NOT_SUPPORTED]):
        one.end(first, Disposition.EJECT)
    other.begin(second)  # the transaction has ended all the same
    other.end(second)
    assert one.transmit(first, ECHO) == ECHOED
    one.disconnect(first, Disposition.EJECT)
    assert card.resets() == 0


@embedded_rungs_only  # vpcd cannot express a card that is there and does not answer its reset
def test_a_card_that_dies_of_the_reset_at_the_end(world, refused):
    card, one, first, other, second = two(world)
    one.begin(first)
    card.mute = True
    with refused(SCARD.W_UNRESPONSIVE_CARD):
        one.end(first, Disposition.RESET)
    card.mute = False
    other.reconnect(second, initialization=Disposition.RESET)
    other.begin(second)  # nobody holds a transaction any more
    other.end(second)


def test_a_killed_program_that_held_a_transaction_resets_the_card(world, refused):
    card, one, first, other, second = two(world)
    one.begin(first)
    one.transmit(first, REMEMBER)
    one.kill()
    world.wait_until(lambda state: state.sharing == 1)
    with refused(SCARD.W_RESET_CARD):
        other.transmit(second, TELL)
    assert card.resets() == 1
    other.reconnect(second)
    assert other.transmit(second, TELL) == "9000"


def test_a_killed_program_without_a_transaction(world, refused):
    card, one, first, other, second = two(world)
    one.transmit(first, REMEMBER)
    one.kill()
    world.wait_until(lambda state: state.sharing == 1)
    if world.rm.exit_always_resets:
        with refused(SCARD.W_RESET_CARD):
            other.transmit(second, TELL)
        other.reconnect(second)
        assert other.transmit(second, TELL) == "9000"
    else:
        assert other.transmit(second, TELL) == "aa9000"
    assert card.resets() == world.rm.exit_always_resets


def test_a_killed_program_with_two_connections_resets_the_card_once(world):
    card, one, _, _, _ = two(world)
    one.connect()
    one.kill()
    world.wait_until(lambda state: state.sharing == 1)
    assert card.resets() == world.rm.exit_always_resets


def test_a_killed_exclusive_program_resets_the_card(world):
    card = world.insert()
    one, other = world.program(), world.program()
    one.connect(EXCLUSIVE)
    one.kill()
    world.wait_until(lambda state: state.sharing == 0)
    assert card.resets() == 1
    other.connect()


def test_a_killed_program_does_not_reset_a_card_reset_since(world):
    card, one, first, _, _ = two(world)
    one.begin(first)
    one.end(first, Disposition.RESET)
    one.kill()
    world.wait_until(lambda state: state.sharing == 1)
    assert card.resets() == 1


def test_releasing_the_context_ends_its_transaction(world, refused):
    card, one, first, other, second = two(world)
    one.begin(first)
    one.release()
    world.wait_until(lambda state: state.sharing == 1)
    assert card.resets() == 1
    with refused(SCARD.W_RESET_CARD):
        other.begin(second)
