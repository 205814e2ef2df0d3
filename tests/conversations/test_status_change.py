# SPDX-License-Identifier: Apache-2.0
"""SCardGetStatusChange: insertion, removal, sharing, readers, cancel and timeouts."""

import time
from contextlib import nullcontext, suppress

import pytest
from conversation_programs import EMBEDDED, embedded_rungs_only, only_where

from vreader.winscard.codes import (
    INFINITE,
    PNP_NOTIFICATION,
    SCARD,
    ReaderFlag,
    ScardError,
    ShareMode,
)

F = ReaderFlag
FLAGS = 0xFFFF


def known(state):
    """What a program gives back the next time; an IntFlag's complement would lose the counter."""
    return state & ~int(F.CHANGED)


@pytest.mark.wdk("rm.state.flags")
def test_the_first_look_tells_everything(world):
    program = world.program()
    state, atr = program.look()
    assert (state & FLAGS, atr) == (F.CHANGED | F.EMPTY, b"")
    card = world.insert()
    state, atr = program.look()
    assert (state & FLAGS, atr) == (F.CHANGED | F.PRESENT, card.atr)


@pytest.mark.wdk("rm.status-change", "rm.readers-as-devices")
def test_insertion_and_removal_wake_a_waiting_program(world):
    program = world.program()
    state, _ = program.look()
    waiting = program.later("status_change", INFINITE, [(world.reader, known(state))])
    card = world.insert()
    ((state, atr),) = waiting.result(10)
    assert state & F.PRESENT
    assert state & F.CHANGED
    assert atr == card.atr
    counter = state >> 16
    waiting = program.later("status_change", INFINITE, [(world.reader, known(state))])
    world.remove()
    ((state, atr),) = waiting.result(10)
    assert (state & FLAGS, atr) == (F.CHANGED | F.EMPTY, b"")
    assert state >> 16 == counter + 1


def test_nothing_happens_in_time(world, refused):
    world.insert()
    program = world.program()
    state, _ = program.look()
    for timeout_ms in (0, 30):
        with refused(SCARD.E_TIMEOUT):
            program.status_change(timeout_ms, [(world.reader, known(state))])


def test_a_swap_shows_in_the_counter_alone(world, refused):
    world.insert()
    program = world.program()
    state, _ = program.look()
    world.remove()
    world.insert()
    if not world.status_rules.counter_always:
        with refused(SCARD.E_TIMEOUT):  # who gives no counter does not see it
            program.status_change(0, [(world.reader, F.PRESENT)])
    after, _ = program.look(current=known(state))
    assert after & F.CHANGED
    assert (after >> 16) - (state >> 16) == 2


def test_connections_show(world):
    world.insert()
    program, other = world.program(), world.program()
    hcard = other.connect()
    state, _ = program.look()
    assert state & FLAGS == F.CHANGED | F.PRESENT | F.INUSE
    waiting = program.later("status_change", INFINITE, [(world.reader, known(state))])
    if world.differs("short-connections"):
        time.sleep(1)
    other.disconnect(hcard)
    ((state, _),) = waiting.result(10)
    assert state & FLAGS == F.CHANGED | F.PRESENT
    other.connect(ShareMode.EXCLUSIVE)
    state, _ = program.look()
    assert state & FLAGS == F.CHANGED | F.PRESENT | F.EXCLUSIVE


def test_a_connection_that_appears(world, refused):
    world.insert()
    program, other = world.program(), world.program()
    state, _ = program.look()
    waiting = program.later("status_change", 400, [(world.reader, known(state))])
    other.connect()
    if F.INUSE in world.status_rules.compared:
        ((state, _),) = waiting.result(10)
        assert state & FLAGS == F.CHANGED | F.PRESENT | F.INUSE
    else:
        with refused(SCARD.E_TIMEOUT):
            waiting.result(10)


def test_an_empty_reader_is_not_in_use(world):
    program, other = world.program(), world.program()
    other.connect(ShareMode.DIRECT, 0)
    flags = F.CHANGED | F.EMPTY
    if world.connections() < 0 and not world.status_rules.sharing_needs_card:
        flags |= F.EXCLUSIVE
    assert program.look()[0] & FLAGS == flags


def test_unknown_reader(world, refused):
    with refused(SCARD.E_UNKNOWN_READER):
        world.program().look("Nobody's Reader 00 00")


def test_nothing_to_look_at(world):
    program = world.program()
    assert program.status_change(INFINITE, []) == []
    program.status_change(INFINITE, [("Nobody's Reader 00 00", F.IGNORE)])


def test_ignored_readers_are_left_alone(world):
    world.insert()
    program = world.program()
    found = program.status_change(0, [(world.reader, F.IGNORE), (world.reader, F.UNAWARE)])
    assert found[0][0] == 0
    assert found[1][0] & F.PRESENT


def test_cancel_ends_the_wait(world, refused):
    program = world.program()
    state, _ = program.look()
    for _ in range(3):
        waiting = program.later("status_change", INFINITE, [(world.reader, known(state))])
        while not waiting.done():  # there is no telling from outside when the wait has begun
            with suppress(ScardError) if world.differs("cancel-too-early") else nullcontext():
                program.cancel()
        with refused(SCARD.E_CANCELLED):
            waiting.result(10)
    assert program.readers()


def test_cancel_without_a_wait_does_nothing(world):
    program = world.program()
    program.cancel()
    assert program.look()[0] & F.EMPTY


def test_a_reset_by_another_is_no_change_of_state(world, refused):
    world.insert()
    program, other = world.program(), world.program()
    hcard = other.connect()
    state, _ = program.look()
    waiting = program.later("status_change", 300, [(world.reader, known(state))])
    other.reconnect(hcard, initialization=1)
    with refused(SCARD.E_TIMEOUT):
        waiting.result(10)


@pytest.mark.wdk("rm.pnp-notification", "rm.readers-as-devices")
@embedded_rungs_only  # vpcd's readers neither come nor go
def test_a_reader_that_arrives_and_leaves(world):
    program = world.program()
    readers = 1 if world.status_rules.pnp_counts_readers else 0
    waiting = program.later("status_change", INFINITE, [(PNP_NOTIFICATION, readers << 16)])
    world.wait_until_somebody_waits()
    second = world.host.add_reader("Second Reader")
    ((state, _),) = waiting.result(10)
    assert state & F.CHANGED
    assert program.readers() == [world.reader, second.name]
    state, _ = program.look(second.name)
    waiting = program.later("status_change", INFINITE, [(second.name, known(state))])
    world.wait_until_somebody_waits()
    second.unplug()
    ((state, _),) = waiting.result(10)
    assert state & FLAGS == F.CHANGED | world.status_rules.left
    assert program.readers() == [world.reader]


@only_where("stops_without_readers", False, EMBEDDED)
def test_a_reader_leaves_with_everything(world, refused):
    world.insert()
    program = world.program(blocking=False)
    hcard = program.connect()
    program.begin(hcard)
    world.slot.unplug()
    with refused(SCARD.E_READER_UNAVAILABLE):
        program.status(hcard)
    with refused(SCARD.E_INVALID_VALUE):
        program.transmit(hcard, "00a40400")
    with refused(SCARD.E_INVALID_VALUE):
        program.begin(hcard)
    program.disconnect(hcard)
    with refused(SCARD.E_UNKNOWN_READER):
        program.connect()
