# SPDX-License-Identifier: Apache-2.0
"""The reader states and what changes them, as a table that is data.

Theory of operation. A reader is in one of seven states, whose order matters (``> ABSENT`` means a
card is there). An *event* is something that has happened (a card came, a reset succeeded) or a
request whose turn it is. For every state and event the table holds either the next state or the
NTSTATUS with which the request is refused; a refusal leaves the state untouched. Two targets are
not the same in every reader, because Microsoft's pages and samples differ: they are named options
of the driver profile. Nothing else assigns a reader's state; the diagram in the documentation is
drawn from this table.

Sources: WDK "Smart Card Reader States"; 1998 DDK; the NFC and pscr sample drivers.
"""

from enum import Enum, IntEnum

from vreader.wdm import NTSTATUS


class CardState(IntEnum):
    """SCARD_UNKNOWN … SCARD_SPECIFIC of winsmcrd.h."""

    UNKNOWN = 0
    ABSENT = 1
    PRESENT = 2
    SWALLOWED = 3
    POWERED = 4
    NEGOTIABLE = 5
    SPECIFIC = 6


class ReaderEvent(Enum):
    """What can happen to a reader."""

    INSERTED = "card inserted"
    REMOVED = "card removed"
    RESET_NEGOTIABLE = "reset, card negotiates"
    RESET_SPECIFIC = "reset, TA2 fixes the protocol"
    RESET_FAILED = "reset failed"
    POWER_DOWN = "power down"
    SET_PROTOCOL = "protocol set"
    TRANSMIT = "transmit"
    SWALLOW = "swallow"
    EJECT = "eject"
    CONFISCATE = "confiscate"


class Option(Enum):
    """A target that the driver profile names."""

    INSERTION_STATE = "insertion state"
    POWER_DOWN_STATE = "power-down state"


Outcome = CardState | Option | NTSTATUS

_S, _E = CardState, ReaderEvent

_NO_CARD: dict[ReaderEvent, Outcome] = {
    _E.INSERTED: Option.INSERTION_STATE,
    _E.REMOVED: _S.ABSENT,
    _E.RESET_NEGOTIABLE: NTSTATUS.NO_MEDIA,
    _E.RESET_SPECIFIC: NTSTATUS.NO_MEDIA,
    _E.RESET_FAILED: NTSTATUS.NO_MEDIA,
    _E.POWER_DOWN: NTSTATUS.NO_MEDIA,
    _E.SET_PROTOCOL: NTSTATUS.NO_MEDIA,
    _E.TRANSMIT: NTSTATUS.NO_MEDIA,
    _E.SWALLOW: NTSTATUS.NO_MEDIA,
    _E.EJECT: NTSTATUS.NO_MEDIA,
    _E.CONFISCATE: NTSTATUS.NO_MEDIA,
}


def _card_in(state: CardState, **changes: Outcome) -> dict[ReaderEvent, Outcome]:
    """Return the row of a state with a card in the reader: what they share, then ``changes``."""
    row: dict[ReaderEvent, Outcome] = {
        _E.INSERTED: state,  # already there
        _E.REMOVED: _S.ABSENT,
        _E.RESET_NEGOTIABLE: _S.NEGOTIABLE,
        _E.RESET_SPECIFIC: _S.SPECIFIC,
        _E.RESET_FAILED: Option.POWER_DOWN_STATE,
        _E.POWER_DOWN: Option.POWER_DOWN_STATE,
        _E.SET_PROTOCOL: NTSTATUS.INVALID_DEVICE_STATE,
        _E.TRANSMIT: NTSTATUS.INVALID_DEVICE_STATE,
        _E.SWALLOW: state,  # already in position
        _E.EJECT: _S.PRESENT,  # moved to the slot's mouth, where it can be taken or swallowed
        _E.CONFISCATE: _S.ABSENT,  # kept inside, out of reach of contacts and people
    }
    return row | {_E[name]: outcome for name, outcome in changes.items()}


TRANSITIONS: dict[CardState, dict[ReaderEvent, Outcome]] = {
    _S.UNKNOWN: _NO_CARD,
    _S.ABSENT: _NO_CARD,
    _S.PRESENT: _card_in(_S.PRESENT, SWALLOW=_S.SWALLOWED, POWER_DOWN=_S.PRESENT),
    _S.SWALLOWED: _card_in(_S.SWALLOWED, POWER_DOWN=_S.SWALLOWED),
    _S.POWERED: _card_in(_S.POWERED),
    _S.NEGOTIABLE: _card_in(_S.NEGOTIABLE, SET_PROTOCOL=_S.SPECIFIC),
    _S.SPECIFIC: _card_in(_S.SPECIFIC, SET_PROTOCOL=_S.SPECIFIC, TRANSMIT=_S.SPECIFIC),
}
