# SPDX-License-Identifier: Apache-2.0
"""What SCardStatus and SCardGetStatusChange tell of a reader on Windows."""

import pytest
from scard_place import ATR, ECHO, Card, code_of, until

from vreader.smclib.ioctl import Protocol
from vreader.smclib.states import CardState
from vreader.winscard.codes import (
    INFINITE,
    PNP_NOTIFICATION,
    SCARD,
    Disposition,
    ReaderFlag,
    ShareMode,
)
from vreader.winscard.status_change import ReaderState

F = ReaderFlag
DIRECT = ShareMode.DIRECT


@pytest.mark.wdk("rm.state.status")
def test_status_is_the_readers_state(place):
    api = place.api
    direct = place.connect(DIRECT, 0)
    assert api.SCardStatus(direct).state is CardState.ABSENT
    place.slot.insert(Card())
    assert code_of(api.SCardTransmit, direct, 2, ECHO) == SCARD.E_PROTO_MISMATCH
    assert api.SCardStatus(direct).state is CardState.NEGOTIABLE
    assert api.SCardReconnect(direct) == Protocol.T1
    assert api.SCardStatus(direct)[1:] == (CardState.SPECIFIC, Protocol.T1, ATR)
    api.SCardDisconnect(direct, Disposition.UNPOWER)
    direct = place.connect(DIRECT, 0)
    assert api.SCardStatus(direct).state is CardState.PRESENT
    api.SCardReconnect(direct)
    api.SCardDisconnect(direct)
    place.host.run(place.clock.advance, 5)
    direct = place.connect(DIRECT, 0)
    assert api.SCardStatus(direct).state is CardState.SWALLOWED


@pytest.mark.wdk("rm.state.flags", "rm.status-change")
def test_what_a_reader_shows(place):
    assert place.look() == F.CHANGED | F.EMPTY
    direct = place.connect(DIRECT, 0)
    assert place.look() == F.CHANGED | F.EMPTY  # exclusive is told with a card only
    place.slot.insert(Card())
    assert place.look() == 1 << 16 | F.CHANGED | F.PRESENT | F.EXCLUSIVE
    place.api.SCardDisconnect(direct)
    assert place.look() == 1 << 16 | F.CHANGED | F.PRESENT
    hcard = place.connect()
    assert place.look() == 1 << 16 | F.CHANGED | F.PRESENT | F.INUSE
    place.api.SCardDisconnect(hcard)
    place.host.run(place.clock.advance, 5)
    assert place.look() == 1 << 16 | F.CHANGED | F.PRESENT | F.UNPOWERED


def test_an_idle_card_that_loses_its_power_is_a_change(place, pool):
    place.slot.insert(Card())
    asked = [ReaderState(place.name, place.look() & ~int(F.CHANGED))]
    waiting = pool.submit(place.api.SCardGetStatusChange, place.context, INFINITE, asked)
    until(lambda: place.host.rm._listeners)
    place.host.run(place.clock.advance, 5)
    (state,) = waiting.result(10)
    assert state.event_state & F.UNPOWERED


@pytest.mark.wdk("rm.pnp-notification")
def test_the_pseudo_reader_counts_readers(place, pool):
    assert place.look(PNP_NOTIFICATION) == 1 << 16 | F.CHANGED
    asked = [ReaderState(PNP_NOTIFICATION, 1 << 16)]
    assert code_of(place.api.SCardGetStatusChange, place.context, 0, asked) == SCARD.E_TIMEOUT
    waiting = pool.submit(place.api.SCardGetStatusChange, place.context, INFINITE, asked)
    until(lambda: place.host.rm._listeners)
    second = place.host.add_reader("Second Reader")
    (state,) = waiting.result(10)
    assert state.event_state == 2 << 16 | F.CHANGED
    second.unplug()
    assert place.look(PNP_NOTIFICATION, 2 << 16) == 1 << 16 | F.CHANGED


def test_a_reader_that_left_while_it_was_watched(place, pool):
    second = place.host.add_reader("Second Reader")
    asked = [ReaderState(second.name, place.look(second.name) & ~int(F.CHANGED))]
    waiting = pool.submit(place.api.SCardGetStatusChange, place.context, INFINITE, asked)
    until(lambda: place.host.rm._listeners)
    second.unplug()
    (state,) = waiting.result(10)
    assert state.event_state == F.CHANGED | F.UNKNOWN | F.IGNORE
