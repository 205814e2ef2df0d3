# SPDX-License-Identifier: Apache-2.0
"""What counts as a change, row by row."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vreader.smclib.ioctl import Protocol
from vreader.smclib.states import CardState
from vreader.winscard.codes import PNP_NOTIFICATION, ReaderFlag
from vreader.winscard.model import ReaderStatus
from vreader.winscard.profile import PCSCLITE, WINDOWS
from vreader.winscard.status_change import (
    ReaderState,
    event_state,
    is_pnp,
    observe,
    observe_pnp,
)

F, S = ReaderFlag, CardState
ATR = bytes.fromhex("3B00")
EMPTY = F.EMPTY
CARD = F.PRESENT
MUTE = F.PRESENT | F.MUTE


def status(state=S.ABSENT, sharing=0, counter=0):
    return ReaderStatus("Reader", state, counter, sharing, ATR, Protocol.UNDEFINED)


@pytest.mark.wdk("rm.state.flags", "rm.status-change")
@pytest.mark.parametrize(
    ("known", "state", "sharing", "flags", "changed"),
    [
        # unaware: everything is news
        (F.UNAWARE, S.ABSENT, 0, EMPTY, True),
        (F.UNAWARE, S.NEGOTIABLE, 0, CARD, True),
        # as known
        (EMPTY, S.ABSENT, 0, EMPTY, False),
        (CARD, S.NEGOTIABLE, 0, CARD, False),
        (CARD, S.SPECIFIC, 0, CARD, False),
        (CARD, S.PRESENT, 0, CARD, False),
        (MUTE, S.SWALLOWED, 0, MUTE, False),
        # what comes and goes
        (EMPTY, S.NEGOTIABLE, 0, CARD, True),
        (CARD, S.ABSENT, 0, EMPTY, True),
        (CARD, S.SWALLOWED, 0, MUTE, True),
        (MUTE, S.NEGOTIABLE, 0, CARD, True),
        (MUTE, S.ABSENT, 0, EMPTY, True),
        (F.MUTE, S.ABSENT, 0, EMPTY, False),
        # sharing: to appear is no news, to end is
        (CARD, S.NEGOTIABLE, 1, CARD | F.INUSE, False),
        (CARD | F.INUSE, S.NEGOTIABLE, 3, CARD | F.INUSE, False),
        (CARD | F.INUSE, S.NEGOTIABLE, 0, CARD, True),
        (CARD, S.NEGOTIABLE, -1, CARD | F.EXCLUSIVE, False),
        (CARD | F.EXCLUSIVE, S.NEGOTIABLE, 0, CARD, True),
        (CARD | F.EXCLUSIVE, S.NEGOTIABLE, 1, CARD | F.INUSE, True),
        (CARD | F.INUSE, S.NEGOTIABLE, -1, CARD | F.EXCLUSIVE, True),
        (EMPTY, S.ABSENT, 1, EMPTY, False),
        (EMPTY | F.EXCLUSIVE, S.ABSENT, 1, EMPTY, False),
        (EMPTY | F.INUSE, S.ABSENT, 1, EMPTY, False),
        # a reader in a bad state
        (CARD, S.UNKNOWN, 0, F.UNAVAILABLE, True),
        (F.UNAVAILABLE, S.UNKNOWN, 0, F.UNAVAILABLE, False),
        (F.UNAVAILABLE, S.ABSENT, 0, EMPTY, True),
        # a reader that is back
        (F.UNKNOWN | F.UNAVAILABLE, S.ABSENT, 0, EMPTY, True),
        (F.UNKNOWN, S.NEGOTIABLE, 0, CARD, True),
        # CHANGED, given back, means nothing
        (CARD | F.CHANGED, S.NEGOTIABLE, 0, CARD, False),
    ],
)
def test_flags(known, state, sharing, flags, changed):
    found = event_state(int(known), status(state, sharing))
    assert found == flags | (F.CHANGED if changed else 0)


@pytest.mark.wdk("rm.state.flags", "rm.status-change")
@pytest.mark.parametrize(
    ("known", "state", "sharing", "powered", "flags", "changed"),
    [
        (F.UNAWARE, S.ABSENT, 0, False, EMPTY, True),
        (EMPTY, S.ABSENT, 0, False, EMPTY, False),
        (CARD, S.NEGOTIABLE, 0, True, CARD, False),
        # power
        (CARD, S.NEGOTIABLE, 0, False, CARD | F.UNPOWERED, True),
        (CARD | F.UNPOWERED, S.NEGOTIABLE, 0, False, CARD | F.UNPOWERED, False),
        (CARD | F.UNPOWERED, S.NEGOTIABLE, 0, True, CARD, True),
        (CARD, S.PRESENT, 0, False, CARD | F.UNPOWERED, True),
        (CARD, S.SWALLOWED, 0, False, MUTE, True),
        (MUTE, S.SWALLOWED, 0, False, MUTE, False),
        # sharing is told with a card only, and every change of it is news
        (CARD, S.NEGOTIABLE, 1, True, CARD | F.INUSE, True),
        (CARD | F.INUSE, S.NEGOTIABLE, 2, True, CARD | F.INUSE, False),
        (CARD | F.INUSE, S.NEGOTIABLE, -1, True, CARD | F.EXCLUSIVE, True),
        (CARD | F.EXCLUSIVE, S.NEGOTIABLE, 0, True, CARD, True),
        (EMPTY, S.ABSENT, -1, False, EMPTY, False),
        (EMPTY | F.EXCLUSIVE, S.ABSENT, -1, False, EMPTY, True),
        # a reader that cannot be reached
        (CARD, S.UNKNOWN, -1, False, F.UNAVAILABLE, True),
        (F.UNAVAILABLE, S.UNKNOWN, 1, False, F.UNAVAILABLE, False),
        # what a card is, is not the reader's state
        (CARD | F.ATRMATCH, S.NEGOTIABLE, 0, True, CARD, False),
    ],
)
def test_flags_of_windows(known, state, sharing, powered, flags, changed):
    now = status(state, sharing, counter=3)._replace(powered=powered)
    found = event_state(3 << 16 | int(known), now, WINDOWS.status)
    if known == F.UNAWARE:
        found = event_state(0, now, WINDOWS.status)
    assert found == 3 << 16 | int(flags) | (int(F.CHANGED) if changed else 0)


@pytest.mark.wdk("rm.state.counter")
@pytest.mark.parametrize(
    ("known", "counter", "changed"), [(0, 5, True), (0, 0, False), (5, 5, False), (4, 5, True)]
)
def test_windows_compares_the_counter_always(known, counter, changed):
    now = status(S.NEGOTIABLE, counter=counter)
    found = event_state(known << 16 | F.PRESENT, now, WINDOWS.status)
    assert bool(found & F.CHANGED) is changed


def test_a_reader_that_has_left_windows():
    gone = F.UNKNOWN | F.IGNORE
    assert event_state(int(CARD), None, WINDOWS.status) == gone | F.CHANGED
    assert event_state(int(gone), None, WINDOWS.status) == gone


@pytest.mark.wdk("rm.pnp-notification")
@pytest.mark.parametrize(("known", "now", "changed"), [(0, 0, False), (0, 1, True), (2, 2, False)])
def test_windows_counts_readers(known, now, changed):
    asked = ReaderState(PNP_NOTIFICATION, known << 16)
    found = observe_pnp(asked, 9, now, 99, WINDOWS.status)
    assert bool(found.event_state & F.CHANGED) is changed
    assert found.event_state >> 16 == now


def test_a_reader_that_has_left():
    gone = F.UNKNOWN | F.UNAVAILABLE
    assert event_state(int(CARD), None) == gone | F.CHANGED
    assert event_state(0, None) == gone | F.CHANGED
    assert event_state(int(gone), None) == gone


@pytest.mark.wdk("rm.state.counter")
@pytest.mark.parametrize(
    ("known", "counter", "changed"), [(0, 5, False), (5, 5, False), (4, 5, True), (5, 0, True)]
)
def test_the_counter_is_compared_where_it_is_given(known, counter, changed):
    found = event_state(known << 16 | F.PRESENT, status(S.NEGOTIABLE, counter=counter))
    assert bool(found & F.CHANGED) is changed
    assert found >> 16 == counter


def test_the_atr_is_that_of_a_card_inside():
    asked = ReaderState("Reader")
    assert observe(asked, status(S.NEGOTIABLE)).atr == ATR
    assert observe(asked, status(S.ABSENT)).atr == b""
    assert observe(asked, None).atr == b""


@pytest.mark.parametrize("name", [PNP_NOTIFICATION, PNP_NOTIFICATION.upper()])
def test_the_pseudo_reader(name):
    assert is_pnp(name)
    assert not is_pnp("Reader")


@pytest.mark.wdk("rm.pnp-notification")
@pytest.mark.parametrize(
    ("known", "before", "now", "events", "changed"),
    [
        (0, 1, 1, 2, False),
        (0, 1, 2, 3, True),
        (0, 1, 0, 3, True),
        (2 << 16, 1, 1, 2, False),
        (2 << 16, 1, 1, 4, True),  # one came and one left before the wait began
    ],
)
def test_readers_that_come_and_go(known, before, now, events, changed):
    found = observe_pnp(ReaderState(PNP_NOTIFICATION, known), before, now, events)
    assert bool(found.event_state & F.CHANGED) is changed
    assert found.event_state >> 16 == events


STATUSES = (
    st.builds(status, st.sampled_from(list(S)), st.integers(-1, 3), st.integers(0, 0xFFFF))
    | st.none()
)


@given(st.integers(0, 0xFFFFFFFF), STATUSES, st.sampled_from([PCSCLITE, WINDOWS]))
def test_who_knows_what_is_true_is_not_woken(known, now, profile):
    told = event_state(known, now, profile.status)
    again = event_state(told & ~int(F.CHANGED), now, profile.status)
    # All zero would be a caller that is unaware.
    if told & ~int(F.CHANGED):
        assert again == told & ~int(F.CHANGED)
