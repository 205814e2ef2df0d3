# SPDX-License-Identifier: Apache-2.0
"""What counts as a change, row by row."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vreader.smclib.ioctl import Protocol
from vreader.smclib.states import CardState
from vreader.winscard.codes import PNP_NOTIFICATION, ReaderFlag
from vreader.winscard.model import ReaderStatus
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


@given(st.integers(0, 0xFFFFFFFF), STATUSES)
def test_who_knows_what_is_true_is_not_woken(known, now):
    told = event_state(known, now)
    again = event_state(told & ~int(F.CHANGED), now)
    # All zero would be a caller that is unaware.
    if told & ~int(F.CHANGED):
        assert again == told & ~int(F.CHANGED)
