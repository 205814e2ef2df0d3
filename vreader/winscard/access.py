# SPDX-License-Identifier: Apache-2.0
"""Who may use a reader now: preconditions, turns, and the driver one call at a time.

Three things stand between a call and the driver. *Checks*, in the profile's order, refuse it. While
another handle holds a transaction some calls wait for their *turn*, in the order of asking: when
the transaction ends the first of them goes on, and until it is done no other begins one. The *gate*
lets one call at a time talk to the driver.
"""

from bisect import insort
from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING

from vreader.smclib.states import CardState
from vreader.winscard.call import Operation
from vreader.winscard.codes import SCARD, ScardError
from vreader.winscard.model import CardHandle, Place, Reader
from vreader.winscard.profile import Check

if TYPE_CHECKING:
    from vreader.winscard.manager import ResourceManager

# Calls that a client library makes again after SHARING_VIOLATION: they may give up waiting.
_ASKED_AGAIN = frozenset({"begin", "reconnect", "transmit"})
# Whoever asks again within this time keeps its place.
_KEEPS_PLACE_S = 1.0
_BY_ASKING = attrgetter("asked")
# Enum members looked up once: each costs more than the comparison it is for.
_WAIT, _SHARING, _RESET, _REMOVED, _READER, _CARD = (
    Check.WAIT,
    Check.SHARING,
    Check.RESET,
    Check.REMOVED,
    Check.READER,
    Check.CARD,
)
_RESET_CARD, _UNPOWERED_CARD, _REMOVED_CARD = (
    SCARD.W_RESET_CARD,
    SCARD.W_UNPOWERED_CARD,
    SCARD.W_REMOVED_CARD,
)
_UNKNOWN, _ABSENT = CardState.UNKNOWN, CardState.ABSENT


def check(rm: "ResourceManager", call: str, handle: CardHandle) -> None:
    """Look at the preconditions of ``call`` in the profile's order; raises ScardError.

    It never waits: WAIT is :func:`enter`'s affair.
    """
    reader = handle.reader
    if not handle.open:
        raise ScardError(SCARD.E_INVALID_HANDLE)
    if reader.gone:
        raise ScardError(_of_dead_reader(rm, handle))
    event = handle.event
    for precondition in rm.profile.checks[call]:
        if precondition is _SHARING:
            if reader.owner is not None and reader.owner is not handle:
                raise ScardError(SCARD.E_SHARING_VIOLATION)
        elif precondition is _RESET:
            if event is _RESET_CARD or event is _UNPOWERED_CARD:
                raise ScardError(event)
        elif precondition is _REMOVED:
            if event is _REMOVED_CARD:
                raise ScardError(event)
        elif precondition is _READER:
            if reader.state is _UNKNOWN:
                raise ScardError(SCARD.E_READER_UNAVAILABLE)
        elif precondition is _CARD and reader.state <= _ABSENT:
            raise ScardError(rm.profile.no_card.get(call, SCARD.E_NO_SMARTCARD))


def _of_dead_reader(rm: "ResourceManager", handle: CardHandle) -> SCARD:
    if not handle.context.valid:
        return handle.context.failure
    # A connection that is only being made has no number yet.
    return rm.profile.dead_handle if handle.id else SCARD.E_READER_UNAVAILABLE


# ------------------------------------------------------------------ turns


def is_taken(reader: Reader, handle: CardHandle) -> bool:
    """Whether another handle holds a transaction, or another call has its turn."""
    if reader.owner is not None:
        return reader.owner is not handle
    return reader.turn is not None


def wait_for_turn(
    rm: "ResourceManager", call: str, handle: CardHandle, *, patient: bool = True
) -> Operation[Place]:
    """Wait until everybody who asked before has had his turn; :func:`end_turn` must follow.

    Where ``patient`` is false the host may let the call give up, whichever it is.

    A holder of the transaction in the same serial context cannot let go while this call is on its
    way, so that is a SHARING_VIOLATION at once instead of a deadlock.
    """
    reader = handle.reader
    owner, context = reader.owner, handle.context
    if owner is not None and owner.context is context and context.serial:
        raise ScardError(SCARD.E_SHARING_VIOLATION)
    if not handle.asked or reader.clock.now() > handle.gave_up + _KEEPS_PLACE_S:
        reader.asked += 1
        handle.asked = reader.asked
        handle.gave_up = float("inf")
    place = Place(handle, patient=patient and call not in _ASKED_AGAIN)
    insort(reader.places, place, key=_BY_ASKING)
    try:
        yield place
    except ScardError:
        handle.gave_up = reader.clock.now()
        if reader.turn is place:
            end_turn(reader)
        else:
            reader.places.remove(place)
        raise
    handle.asked = 0
    return place


def dismiss(reader: Reader, belongs: Callable[[CardHandle], bool]) -> None:
    """End the waits for a turn of handles that another thread has closed."""
    for place in [place for place in reader.places if belongs(place.handle)]:
        for call in list(place.calls):
            call.give_up(SCARD.E_INVALID_HANDLE)


def end_turn(reader: Reader) -> None:
    """Let the next go on: the call whose turn it was is done."""
    reader.turn = None
    _pass_on(reader)


def release_lock(reader: Reader) -> None:
    """End the transaction, or exclusive use, and let the first waiting call go on."""
    reader.owner, reader.lock_count, reader.timed = None, 0, False
    if reader.places and reader.turn is None:
        _pass_on(reader)


def end_lock(reader: Reader) -> None:
    """End the transaction, nested ones too; exclusive use goes on."""
    if reader.sharing < 0:
        reader.lock_count, reader.timed = 1, False
    else:
        release_lock(reader)


def _pass_on(reader: Reader) -> None:
    if reader.places and reader.owner is None:
        reader.turn = reader.places.pop(0)
        reader.turn.wake_first()


# ------------------------------------------------------------------ the gate


def enter_gate(reader: Reader) -> Operation[None]:
    """Wait until no other call talks to the driver, then be the one that does."""
    while reader.busy:
        yield reader.gate
    reader.busy = True


def enter(
    rm: "ResourceManager", call: str, handle: CardHandle, *, patient: bool = True
) -> Operation[Place | None]:
    """Check, wait where the profile lets the call wait, and enter the gate.

    Returns:
        What :func:`leave` must be given: the turn this call has had to wait for.
    """
    reader = handle.reader
    waits = _WAIT in rm.profile.checks[call]
    turn: Place | None = None
    try:
        while True:
            check(rm, call, handle)
            if waits and turn is None and is_taken(reader, handle):
                turn = yield from wait_for_turn(rm, call, handle, patient=patient)
                check(rm, call, handle)
            if not reader.busy:
                reader.busy = True
                return turn
            yield from enter_gate(reader)
            # Somebody may have begun a transaction, or reset the card, meanwhile.
            if waits and turn is None and is_taken(reader, handle):
                leave(reader)
                continue
            try:
                check(rm, call, handle)
            except ScardError:
                leave(reader)
                raise
            return turn
    except ScardError:
        if turn is not None:
            end_turn(reader)
        raise


def leave(reader: Reader, turn: Place | None = None) -> None:
    """Let the next call talk to the driver, and end the turn."""
    reader.busy = False
    if reader.timed:
        reader.touched = reader.clock.now()
    if reader.gate.calls:
        reader.gate.wake_first()
    if turn is not None:
        end_turn(reader)
