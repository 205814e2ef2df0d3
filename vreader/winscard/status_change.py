# SPDX-License-Identifier: Apache-2.0
"""What SCardGetStatusChange compares: pure functions from two states to event flags.

The rules are a value: LITE has those of libpcsclite, which compares in the client and not in the
daemon. How to wait until something is different stands elsewhere.
"""

from typing import NamedTuple

from vreader.smclib.states import CardState
from vreader.winscard.codes import PNP_NOTIFICATION, ReaderFlag
from vreader.winscard.model import ReaderStatus

_F = ReaderFlag
_COUNTER_SHIFT = 16


class StatusRules(NamedTuple):
    """How a resource manager tells of readers.

    Attributes:
        compared: flags whose appearance is a change. That a flag disappears always is one.
        counter_always: the event counter is compared also where the caller gave none (0).
        tells_unpowered: a card without power shows UNPOWERED, and SWALLOWED in SCardStatus.
        sharing_needs_card: EXCLUSIVE is shown only with a card, as INUSE is.
        left: the flags of a reader that is not there any more.
        pnp_counts_readers: the counter of the pseudo reader is the number of readers, compared
            always; else it counts arrivals and departures.
    """

    compared: ReaderFlag = _F.MUTE | _F.UNAVAILABLE
    counter_always: bool = False
    tells_unpowered: bool = False
    sharing_needs_card: bool = False
    left: ReaderFlag = _F.UNKNOWN | _F.UNAVAILABLE
    pnp_counts_readers: bool = False


LITE = StatusRules()


class ReaderState(NamedTuple):
    """SCARD_READERSTATE: one reader, what the caller knows of it, and what is true.

    Attributes:
        reader: its name, or PNP_NOTIFICATION for readers coming and going.
        current_state: ReaderFlag bits as known to the caller; the high word is the event counter,
            0 for one who does not care.
        event_state: ReaderFlag bits as they are, CHANGED where they differ; the high word is the
            event counter.
        atr: the card's, empty without one.
    """

    reader: str
    current_state: int = _F.UNAWARE
    event_state: int = _F.UNAWARE
    atr: bytes = b""


def is_pnp(reader: str) -> bool:
    """Whether ``reader`` is the pseudo reader that stands for readers coming and going."""
    return reader.casefold() == PNP_NOTIFICATION.casefold()


def observe(
    asked: ReaderState, status: ReaderStatus | None, rules: StatusRules = LITE
) -> ReaderState:
    """Fill in what is true of a reader now; ``status`` is None for one that has left."""
    atr = status.atr if status is not None and status.state > CardState.ABSENT else b""
    return asked._replace(event_state=event_state(asked.current_state, status, rules), atr=atr)


def observe_pnp(
    asked: ReaderState, before: int, now: int, reader_events: int, rules: StatusRules = LITE
) -> ReaderState:
    """Fill in what is true of the set of readers.

    Args:
        asked: what the caller knows.
        before: how many readers there were when the caller began to wait.
        now: how many there are.
        reader_events: arrivals and departures so far.
        rules: which of these is the counter in the high word.
    """
    counter = asked.current_state >> _COUNTER_SHIFT
    if rules.pnp_counts_readers:
        told, differs = now, counter != now
    else:
        told = reader_events
        differs = now != before or (counter != 0 and counter != reader_events)
    flags = _F.CHANGED if differs else _F.UNAWARE
    return asked._replace(event_state=told << _COUNTER_SHIFT | int(flags), atr=b"")


def event_state(current: int, status: ReaderStatus | None, rules: StatusRules = LITE) -> int:
    """Return dwEventState for a reader: its flags, CHANGED, and the event counter above."""
    if status is None:
        return int(rules.left if current & _F.UNKNOWN else rules.left | _F.CHANGED)
    flags, stale = _flags(status, rules)
    counter = current >> _COUNTER_SHIFT
    appeared = flags & ~current & rules.compared
    counted = (counter or rules.counter_always) and counter != status.event_counter
    if current == _F.UNAWARE or current & stale or appeared or counted:
        flags |= _F.CHANGED
    return status.event_counter << _COUNTER_SHIFT | int(flags)


def _flags(status: ReaderStatus, rules: StatusRules) -> tuple[ReaderFlag, ReaderFlag]:
    """Return the flags that are true, and those a caller may hold that no longer are."""
    state, sharing = status.state, status.sharing
    flags, stale = _F.UNAWARE, _F.UNKNOWN
    if state is CardState.UNKNOWN:
        flags |= _F.UNAVAILABLE
    else:
        stale |= _F.UNAVAILABLE
    if state is CardState.ABSENT:
        flags |= _F.EMPTY
        stale |= _F.PRESENT
    elif state is CardState.SWALLOWED:
        flags |= _F.PRESENT | _F.MUTE
        stale |= _F.EMPTY
    elif state is not CardState.UNKNOWN:
        flags |= _F.PRESENT
        stale |= _F.EMPTY | _F.MUTE
    card = state > CardState.ABSENT
    if rules.tells_unpowered:
        unpowered = card and not status.powered and state is not CardState.SWALLOWED
        flags |= _F.UNPOWERED if unpowered else _F.UNAWARE
        stale |= _F.UNAWARE if unpowered else _F.UNPOWERED
    if sharing < 0 and (card or not rules.sharing_needs_card):
        flags |= _F.EXCLUSIVE
        stale |= _F.INUSE
    elif sharing <= 0:
        stale |= _F.INUSE | _F.EXCLUSIVE
    elif card:  # without a card nothing is in use
        flags |= _F.INUSE
        stale |= _F.EXCLUSIVE
    return flags, stale
