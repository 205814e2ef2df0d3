# SPDX-License-Identifier: Apache-2.0
"""What a reset by another and a removal do to everybody's connections."""

import pytest

from vreader.card import CardGone
from vreader.winscard.codes import SCARD, Disposition, ShareMode, Win32
from vreader.winscard.profile import Operation

EXCLUSIVE, DIRECT = ShareMode.EXCLUSIVE, ShareMode.DIRECT
REMEMBER, TELL = "00d0000001aa", "00b00000"
ECHO, ECHOED = "00a40400", "00a404009000"
LEAVE, RESET, UNPOWER = Disposition.LEAVE, Disposition.RESET, Disposition.UNPOWER


@pytest.fixture
def shared(world):
    card = world.insert()
    one, other = world.program(), world.program()
    return card, one, one.connect(), other, other.connect()


@pytest.mark.wdk("rm.other-handles.reset")
def test_reconnect_with_reset_is_told_to_the_others(world, shared, refused):
    card, one, first, other, second = shared
    one.transmit(first, REMEMBER)
    one.reconnect(first, initialization=RESET)
    assert card.resets() == 1
    assert one.transmit(first, TELL) == "9000"  # who asked for it knows
    with refused(SCARD.W_RESET_CARD):
        other.transmit(second, ECHO)
    with refused(SCARD.W_RESET_CARD):
        other.transmit(second, ECHO)  # until it reconnects
    with refused(world.rm.errors[Operation.CONTROL][Win32.INVALID_FUNCTION]):
        other.control(second, 0x42000001)  # Control does not look
    other.reconnect(second)
    assert other.transmit(second, ECHO) == ECHOED


def test_reconnect_with_unpower_is_a_power_cycle(world, shared, refused):
    card, one, first, other, second = shared
    one.reconnect(first, initialization=UNPOWER)
    assert card.calls[-2:] == ["power off", "power on"]
    with refused(SCARD.W_RESET_CARD):
        other.status(second)


def test_reconnect_alone_leaves_the_card(world, shared):
    card, one, first, other, second = shared
    one.transmit(first, REMEMBER)
    one.reconnect(first)
    assert other.transmit(second, TELL) == "aa9000"
    assert card.resets() == 0


@pytest.mark.wdk("rm.disposition", "rm.other-handles.reset")
def test_disconnect_with_reset_is_told_to_the_others(world, shared, refused):
    card, one, first, other, second = shared
    one.disconnect(first, RESET)
    assert card.resets() == 1
    with refused(SCARD.W_RESET_CARD):
        other.transmit(second, ECHO)


@pytest.mark.wdk("rm.disposition")
def test_disconnect_with_unpower_takes_the_power(world, shared, refused):
    card, one, first, other, second = shared
    one.disconnect(first, UNPOWER)
    world.wait_for_power_down()
    with refused(world.rm.unpower_code):
        other.transmit(second, ECHO)
    third = world.program()
    hcard = third.connect()
    assert card.calls[-1] == "power on"
    assert third.transmit(hcard, ECHO) == ECHOED


def test_reconnect_gives_an_unpowered_card_its_power_back(world, shared):
    card, one, first, other, second = shared
    one.disconnect(first, UNPOWER)
    other.reconnect(second)
    if world.differs("reconnect-without-power"):
        return
    assert card.calls[-1] == "power on"
    assert other.transmit(second, ECHO) == ECHOED


@pytest.mark.wdk("rm.other-handles.removed")
def test_removal_is_told_to_everybody(world, shared, refused):
    _, one, first, other, second = shared
    one.begin(first)
    world.remove()
    for program, hcard in ((one, first), (other, second)):
        for call in ("begin", "end", "status"):
            with refused(SCARD.W_REMOVED_CARD):
                getattr(program, call)(hcard)
        with refused(SCARD.W_REMOVED_CARD):
            program.transmit(hcard, ECHO)
        no_card = world.rm.no_card.get("reconnect", SCARD.E_NO_SMARTCARD)
        with refused(no_card):
            program.reconnect(hcard)
        with refused(no_card):
            program.reconnect(hcard, DIRECT)
    one.disconnect(first)
    other.disconnect(second)
    assert world.connections() == 0


def test_a_new_card_needs_reconnect(world, shared, refused):
    _, one, first, other, second = shared
    world.remove()
    card = world.insert()
    with refused(SCARD.W_REMOVED_CARD):
        one.transmit(first, ECHO)
    one.reconnect(first)
    assert one.transmit(first, ECHO) == ECHOED
    with refused(SCARD.W_REMOVED_CARD):
        other.begin(second)
    assert card.resets() == 0


def test_a_reset_after_the_removal(world, shared, refused):
    _, one, first, other, second = shared
    world.remove()
    world.insert()
    one.reconnect(first, initialization=RESET)
    hidden = world.rm.reset_hides_removal
    with refused(SCARD.W_RESET_CARD if hidden else SCARD.W_REMOVED_CARD):
        other.transmit(second, ECHO)


def test_exclusive_connection_after_removal(world, refused):
    world.insert()
    program, other = world.program(), world.program()
    hcard = program.connect(EXCLUSIVE)
    world.remove()
    world.insert()
    with refused(SCARD.W_REMOVED_CARD):
        program.transmit(hcard, ECHO)
    with refused(SCARD.E_SHARING_VIOLATION):
        other.connect()
    program.reconnect(hcard, EXCLUSIVE)
    assert program.transmit(hcard, ECHO) == ECHOED
    program.begin(hcard)
    if world.differs("exclusive-lock-lost"):
        with refused(SCARD.E_NOT_TRANSACTED):
            program.end(hcard)
    else:
        program.end(hcard)
    program.disconnect(hcard)
    other.connect()


def test_removal_ends_the_wait_for_a_transaction(world, shared, refused):
    _, one, first, other, second = shared
    one.begin(first)
    begun = other.later("begin", second)
    one.transmit(first, ECHO)
    world.remove()
    with refused(SCARD.W_REMOVED_CARD):
        begun.result(10)


def test_a_card_pulled_out_in_the_middle_of_a_command(world, shared, refused):
    card, one, first, other, second = shared
    card.may_answer.clear()
    answer = one.later("transmit", first, "000c0000")
    assert card.working.wait(10)
    world.slot.remove()
    card.may_answer.set()
    if world.differs("empty-reply"):
        assert answer.result(10) == ""
    else:
        with refused(world.rm.errors[Operation.TRANSMIT][Win32.NO_MEDIA_IN_DRIVE]):
            answer.result(10)
    world.wait_until(lambda state: state.state == 1)
    with refused(SCARD.W_REMOVED_CARD):
        other.transmit(second, ECHO)


def test_a_card_that_leaves_by_itself_in_the_middle_of_a_command(world, shared, refused):
    card, one, first, other, second = shared

    def leave(c_apdu):
        raise CardGone

    card.transmit = leave
    if world.differs("empty-reply"):
        assert one.transmit(first, ECHO) == ""
    else:
        with refused(world.rm.errors[Operation.TRANSMIT][Win32.NO_MEDIA_IN_DRIVE]):
            one.transmit(first, ECHO)
    world.wait_until(lambda state: state.state == 1)
    with refused(SCARD.W_REMOVED_CARD):
        other.transmit(second, ECHO)


@pytest.mark.wdk("rm.state.counter")
def test_counter_counts_insertions_and_removals(world):
    program = world.program()
    counters = [program.look()[0] >> 16]
    for _ in range(2):
        world.insert()
        counters.append(program.look()[0] >> 16)
        world.remove()
        counters.append(program.look()[0] >> 16)
    assert [after - counters[0] for after in counters] == [0, 1, 2, 3, 4]
