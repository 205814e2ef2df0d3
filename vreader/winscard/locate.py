# SPDX-License-Identifier: Apache-2.0
"""Finding cards by name: SCardListCards, SCardLocateCards, SCardLocateCardsByATR.

The first two have the card in a reader asked where nothing else tells its name (WDK "Smart Card
Discovery Process"). It is asked as by a program of its own: a shared connection, a transaction,
SELECT, and the card is left as it is. So it waits for another's transaction, that of the very
program included: SDK "SCardListCards" says that such a call resets the card of the transaction,
which is what becomes of a transaction in which nobody calls. Whoever waits no longer has an answer
without discovery.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from vreader.iso7816.atrmask import masked_equal
from vreader.registry.names import fold
from vreader.smclib.ioctl import Protocol
from vreader.winscard.call import Operation
from vreader.winscard.cardtypes import MAX_ATR_SIZE, CardType, CardTypes
from vreader.winscard.codes import (
    MAX_APDU_BUFFER,
    SCARD,
    Disposition,
    ReaderFlag,
    ScardError,
    ShareMode,
)
from vreader.winscard.connections import connect, disconnect, release_context
from vreader.winscard.discovery import (
    IDMP_CACHE,
    PIV_CACHE,
    AtrCache,
    Discovery,
    ProbeOrder,
    winscard_discovery,
)
from vreader.winscard.events import CardNameEvent
from vreader.winscard.exchange import transmit
from vreader.winscard.model import CardHandle, Context, Reader
from vreader.winscard.probing import Probe, drive
from vreader.winscard.status_change import ReaderState, is_pnp, observe, observe_pnp
from vreader.winscard.transactions import begin_transaction

if TYPE_CHECKING:
    from vreader.winscard.manager import ResourceManager

_SYSTEM = 2


class AtrMask(NamedTuple):
    """SCARD_ATRMASK: an ATR, already masked, and the bits that count, as many bytes."""

    atr: bytes
    mask: bytes


# ------------------------------------------------------------------ the name of a card


def discover(
    rm: "ResourceManager",
    types: CardTypes,
    atr: bytes,
    readers: Iterable[str],
    order: ProbeOrder = "list",
) -> Operation[Discovery]:
    """Find the name of the card with an ATR; what a card has answered is remembered.

    Args:
        rm: the manager.
        types: the card types that the caller sees.
        atr: the card's.
        readers: those that may have it: the first is asked that has and can be asked.
        order: in which the card is asked.

    Raises:
        ScardError: CANCELLED where whoever asked has gone, NO_SERVICE where the manager has.
    """
    piv, idmp = (
        AtrCache(rm.services, name, lambda: f"{rm.unique_id({}):08X}")
        for name in (PIV_CACHE, IDMP_CACHE)
    )
    found = drive(winscard_discovery(atr, types.list(), piv, idmp, "off"), _nobody)
    asked_in = ""
    for name in () if found.name else readers:
        reader = rm.readers.get(name)
        if not atr or reader is None or reader.atr != atr:  # it may have left meanwhile
            continue
        probe = winscard_discovery(atr, types.list(), piv, idmp, order)
        found = yield from _converse(rm, reader, atr, probe)
        asked_in = name if found.asked or found.problem else ""
        if not found.problem:
            break
    if found.cache:
        (piv if found.cache == PIV_CACHE else idmp).add(atr)
        found.steps.append(f"{found.cache}: the ATR is written there")
    if rm.events:
        rm.events.emit(CardNameEvent(asked_in, atr, found.name, found.source, tuple(found.steps)))
    return found


def _nobody(command: bytes) -> bytes:
    raise AssertionError("no card is asked")


def _converse(
    rm: "ResourceManager", reader: Reader, atr: bytes, probe: Probe[Discovery]
) -> Operation[Discovery]:
    """Have the card in a reader asked; a card that leaves, or is not to be had, is no error.

    Raises:
        ScardError: CANCELLED where whoever asked has gone, NO_SERVICE where the manager has.
    """
    context = rm.establish_context(_SYSTEM)
    handle: CardHandle | None = None
    gone: ScardError | None = None
    found: Discovery
    try:
        command = next(probe)
        handle, protocol = yield from connect(
            rm, context, reader.name, ShareMode.SHARED, Protocol.T0 | Protocol.T1, patient=False
        )
        yield from begin_transaction(rm, handle)
        if reader.atr != atr:  # another card by now
            raise ScardError(SCARD.W_REMOVED_CARD)
        while True:
            response = yield from transmit(rm, handle, protocol, command, MAX_APDU_BUFFER)
            command = probe.send(response)
    except StopIteration as stop:
        found = stop.value
    except ScardError as error:
        found = _thrown(probe, error)
        gone = error if error.code is SCARD.E_CANCELLED else None
    yield from _let_go(rm, context, handle)
    if gone is not None:
        raise gone
    if rm.closed:
        raise ScardError(SCARD.E_NO_SERVICE)
    return found


def _thrown(probe: Probe[Discovery], error: ScardError) -> Discovery:
    """Tell a probe that its card cannot be asked, and return what it makes of that."""
    try:
        probe.throw(error)
    except StopIteration as stop:
        found: Discovery = stop.value
        return found
    raise error  # a probe that asks on


def _let_go(rm: "ResourceManager", context: Context, handle: CardHandle | None) -> Operation[None]:
    """End the connection, the card left as it is; that it has gone does not matter."""
    if handle is not None:
        with suppress(ScardError):
            yield from disconnect(rm, handle, Disposition.LEAVE)
    yield from release_context(rm, context)


# ------------------------------------------------------------------ searches


def list_cards(
    rm: "ResourceManager",
    types: CardTypes,
    atr: bytes | None,
    interfaces: Sequence[UUID],
    order: ProbeOrder = "list",
) -> Operation[list[str]]:
    """SCardListCards: return names of cards that match an ATR and support all interfaces.

    A card that no entry matches may still have a name, that of its application.
    """
    if atr is None:
        return [entry.name for entry in types.list() if entry.supports(interfaces)]
    found = yield from discover(rm, types, atr, list(rm.readers), order)
    if found.source == "registry":
        entries = [entry for entry in types.list() if entry.matches(atr)]
    else:
        entries = [types.find(found.name) or CardType(found.name)] if found.name else []
    return [entry.name for entry in entries if entry.supports(interfaces)]


def locate_cards(
    rm: "ResourceManager",
    types: CardTypes,
    names: Iterable[str],
    states: Sequence[ReaderState],
    order: ProbeOrder = "list",
) -> Operation[list[ReaderState]]:
    """SCardLocateCards: say which readers have a card of one of these names (ATRMATCH).

    Names of unknown cards are ignored (MS-RDPESC LocateCardsA_Call).

    Raises:
        ScardError: UNKNOWN_READER, before any card is asked.
    """
    wanted = {fold(name) for name in names if name}
    _check_readers(rm, states)
    matching: set[bytes] = set()
    for atr, readers in _cards(rm, states).items():
        found = yield from discover(rm, types, atr, readers, order)
        known = {fold(entry.name) for entry in types.list() if entry.matches(atr)}
        if wanted & (known | {fold(found.name)}):
            matching.add(atr)
    return [_look(rm, state, lambda atr: atr in matching) for state in states]


def locate_by_atr(
    rm: "ResourceManager", masks: Sequence[AtrMask], states: Sequence[ReaderState]
) -> list[ReaderState]:
    """SCardLocateCardsByATR: say which readers have a card with one of these ATRs.

    No card is asked, and they are compared as entries of the database are: no page says otherwise.
    One of no bytes (MS-RDPESC LocateCards_ATRMask allows it) is no card's.

    Raises:
        ScardError: UNKNOWN_READER, INVALID_PARAMETER for ATRs of more than 36 bytes or a mask of
            another length.
    """
    for atr, mask in masks:
        if len(atr) > MAX_ATR_SIZE or len(mask) != len(atr):
            raise ScardError(SCARD.E_INVALID_PARAMETER)
    _check_readers(rm, states)

    def matches(atr: bytes) -> bool:
        return any(masked_equal(atr, *mask) for mask in masks)

    return [_look(rm, state, matches) for state in states]


def _check_readers(rm: "ResourceManager", states: Sequence[ReaderState]) -> None:
    for state in states:
        if rm.find_reader(state.reader) is None and not (
            is_pnp(state.reader) or state.current_state & ReaderFlag.IGNORE
        ):
            raise ScardError(SCARD.E_UNKNOWN_READER)


def _cards(rm: "ResourceManager", states: Sequence[ReaderState]) -> dict[bytes, list[str]]:
    """Return the ATRs of the cards in readers, and the readers of each."""
    found: dict[bytes, list[str]] = {}
    for state in states:
        reader = rm.find_reader(state.reader)
        if reader is not None and reader.atr and not state.current_state & ReaderFlag.IGNORE:
            found.setdefault(reader.atr, []).append(reader.name)
    return found


def _look(
    rm: "ResourceManager", state: ReaderState, matches: Callable[[bytes], bool]
) -> ReaderState:
    """Fill in what is true of a reader now."""
    if state.current_state & ReaderFlag.IGNORE:
        return state
    reader, rules = rm.find_reader(state.reader), rm.profile.status
    if reader is None and is_pnp(state.reader):
        count = len(rm.readers)
        return observe_pnp(state, count, count, rm.reader_events, rules)
    seen = observe(state, reader.status if reader is not None else None, rules)
    if seen.atr and matches(seen.atr):
        seen = seen._replace(event_state=seen.event_state | int(ReaderFlag.ATRMATCH))
    return seen
