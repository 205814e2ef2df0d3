# SPDX-License-Identifier: Apache-2.0
"""The state table, cell by cell."""

from itertools import product

import pytest

from vreader.smclib.events import StateEvent
from vreader.smclib.ioctl import Protocol
from vreader.smclib.library import next_state, set_state
from vreader.smclib.profile import CONTACT, NFC, DriverProfile
from vreader.smclib.states import TRANSITIONS, CardState, Option, ReaderEvent
from vreader.wdm import NTSTATUS

CELLS = [
    pytest.param(state, event, id=f"{state.name}-{event.name}")
    for state, event in product(CardState, ReaderEvent)
]
PSCR = DriverProfile("pscr", insertion_state=CardState.PRESENT, power_down_state=CardState.PRESENT)


@pytest.mark.wdk(
    "state.unknown",
    "state.absent",
    "state.present",
    "state.swallowed",
    "state.powered",
    "state.negotiable",
    "state.specific",
    "state.order",
)
def test_numbers_of_winsmcrd_h():
    assert [(state.name, state.value) for state in CardState] == [
        ("UNKNOWN", 0),
        ("ABSENT", 1),
        ("PRESENT", 2),
        ("SWALLOWED", 3),
        ("POWERED", 4),
        ("NEGOTIABLE", 5),
        ("SPECIFIC", 6),
    ]


def test_the_table_is_total_and_says_nothing_else():
    assert list(TRANSITIONS) == list(CardState)
    for row in TRANSITIONS.values():
        assert set(row) == set(ReaderEvent)
        for outcome in row.values():
            assert isinstance(outcome, CardState | Option | NTSTATUS)


@pytest.mark.wdk(
    "state.refusal",
    "transition.negotiable.set-protocol",
    "transition.specific.transmit",
    "transition.specific.power-down",
)
@pytest.mark.parametrize(("state", "event"), CELLS)
def test_an_event_moves_the_reader_or_is_refused_and_changes_nothing(bench, state, event):
    capabilities, card = bench.ext.ReaderCapabilities, bench.ext.CardCapabilities
    capabilities.CurrentState = state
    card.ATR = b"kept"
    card.Protocol.Selected = Protocol.T1
    outcome = TRANSITIONS[state][event]
    status = set_state(bench.ext, event)
    if isinstance(outcome, NTSTATUS):
        assert status is outcome is not NTSTATUS.SUCCESS
        assert capabilities.CurrentState is state
        assert card is bench.ext.CardCapabilities
        assert card.Protocol.Selected is Protocol.T1
        assert bench.events == [e for e in bench.events if not isinstance(e, StateEvent)]
    else:
        assert status is NTSTATUS.SUCCESS
        expected = CardState.SWALLOWED if isinstance(outcome, Option) else outcome
        assert capabilities.CurrentState is expected
        selected = Protocol.T1 if expected >= CardState.NEGOTIABLE else Protocol.UNDEFINED
        assert card.Protocol.Selected is selected
    assert card.ATR == b"kept"


@pytest.mark.parametrize(("state", "event"), CELLS)
@pytest.mark.parametrize("profile", [CONTACT, NFC, PSCR], ids=lambda p: p.name)
def test_every_profile_answers_every_cell(make_bench, profile, state, event):
    bench = make_bench(profile)
    bench.ext.ReaderCapabilities.CurrentState = state
    outcome = next_state(bench.ext, event)
    assert isinstance(outcome, CardState | NTSTATUS)
    assert bench.state is state  # looking it up is not doing it


@pytest.mark.wdk("transition.any.removal")
@pytest.mark.parametrize("state", CardState)
def test_removal_always_ends_in_absent(bench, state):
    bench.ext.ReaderCapabilities.CurrentState = state
    assert set_state(bench.ext, ReaderEvent.REMOVED) is NTSTATUS.SUCCESS
    assert bench.state is CardState.ABSENT


@pytest.mark.wdk(
    "transition.no-card-first",
    "transition.unpowered.card-operation",
    "status.no-media-not-in-device",
)
@pytest.mark.parametrize("state", [CardState.UNKNOWN, CardState.ABSENT])
@pytest.mark.parametrize("event", ReaderEvent)
def test_without_a_card_everything_but_its_coming_is_no_media(state, event):
    if event not in (ReaderEvent.INSERTED, ReaderEvent.REMOVED):
        assert TRANSITIONS[state][event] is NTSTATUS.NO_MEDIA


@pytest.mark.wdk(
    "transition.absent.insertion",
    "transition.reset.negotiable",
    "transition.specific.power-down",
    "transition.reset.failed",
)
@pytest.mark.parametrize(
    ("profile", "inserted", "reset", "down"),
    [
        (CONTACT, CardState.SWALLOWED, CardState.NEGOTIABLE, CardState.SWALLOWED),
        (NFC, CardState.SWALLOWED, CardState.SPECIFIC, CardState.SWALLOWED),
        (PSCR, CardState.PRESENT, CardState.NEGOTIABLE, CardState.PRESENT),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_profile_options(make_bench, profile, inserted, reset, down):
    bench = make_bench(profile)
    story = []
    for event in (ReaderEvent.INSERTED, ReaderEvent.RESET_NEGOTIABLE, ReaderEvent.POWER_DOWN):
        assert set_state(bench.ext, event) is NTSTATUS.SUCCESS
        story.append(bench.state)
    assert story == [inserted, reset, down]
    set_state(bench.ext, ReaderEvent.RESET_FAILED)
    assert bench.state is down


def test_a_change_is_an_event_and_standing_still_is_none(bench):
    bench.events.clear()
    set_state(bench.ext, ReaderEvent.INSERTED)
    set_state(bench.ext, ReaderEvent.INSERTED)
    set_state(bench.ext, ReaderEvent.TRANSMIT)
    assert bench.events == [StateEvent("bench0", "ABSENT", "card inserted", "SWALLOWED")]
