# SPDX-License-Identifier: Apache-2.0
"""What SCardGetStatusChange compares: pure functions from two states to event flags.

The rules are those of libpcsclite, which compares in the client and not in the daemon. How to wait
until something is different stands elsewhere.
"""

from typing import NamedTuple

from vreader.smclib.states import CardState
from vreader.winscard.codes import PNP_NOTIFICATION, ReaderFlag
from vreader.winscard.model import ReaderStatus

_F = ReaderFlag
_COUNTER_SHIFT = 16


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


def observe(asked: ReaderState, status: ReaderStatus | None) -> ReaderState:
    """Fill in what is true of a reader now; ``status`` is None for one that has left."""
    atr = status.atr if status is not None and status.state > CardState.ABSENT else b""
    return asked._replace(event_state=event_state(asked.current_state, status), atr=atr)


def observe_pnp(asked: ReaderState, before: int, now: int, reader_events: int) -> ReaderState:
    """Fill in what is true of the set of readers.

    Args:
        asked: what the caller knows.
        before: how many readers there were when the caller began to wait.
        now: how many there are.
        reader_events: arrivals and departures so far, the counter in the high word.
    """
    counter = asked.current_state >> _COUNTER_SHIFT
    differs = now != before or (counter and counter != reader_events)
    flags = _F.CHANGED if differs else _F.UNAWARE
    return asked._replace(event_state=reader_events << _COUNTER_SHIFT | int(flags), atr=b"")


def event_state(current: int, status: ReaderStatus | None) -> int:
    """Return dwEventState for a reader: its flags, CHANGED, and the event counter above.

    A connection that appears changes nothing; one that ends does. The counter is compared only
    where the caller gave one.
    """
    if status is None:
        gone = _F.UNKNOWN | _F.UNAVAILABLE
        return int(gone if current & _F.UNKNOWN else gone | _F.CHANGED)
    flags, stale = _flags(status)
    counter = current >> _COUNTER_SHIFT
    appeared = flags & ~current & (_F.MUTE | _F.UNAVAILABLE)
    counted = counter and counter != status.event_counter
    if current == _F.UNAWARE or current & stale or appeared or counted:
        flags |= _F.CHANGED
    return status.event_counter << _COUNTER_SHIFT | int(flags)


def _flags(status: ReaderStatus) -> tuple[ReaderFlag, ReaderFlag]:
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
    if sharing < 0:
        flags |= _F.EXCLUSIVE
        stale |= _F.INUSE
    elif sharing == 0:
        stale |= _F.INUSE | _F.EXCLUSIVE
    elif state > CardState.ABSENT:  # without a card nothing is in use
        flags |= _F.INUSE
        stale |= _F.EXCLUSIVE
    return flags, stale
