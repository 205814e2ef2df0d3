# SPDX-License-Identifier: Apache-2.0
"""Connect, Reconnect, Disconnect, and what becomes of connections when a program ends."""

from typing import TYPE_CHECKING

from vreader.smclib.ioctl import Attr, Ioctl, Power, Protocol
from vreader.smclib.states import CardState
from vreader.wdm import NTSTATUS
from vreader.winscard import negotiation, power
from vreader.winscard.access import dismiss, end_lock, enter, leave, release_lock
from vreader.winscard.call import Io, Operation
from vreader.winscard.codes import SCARD, Disposition, ScardError, ShareMode
from vreader.winscard.model import CardHandle, Context, Reader
from vreader.winscard.profile import Operation as Op

if TYPE_CHECKING:
    from vreader.winscard.manager import ResourceManager

# Connections of one context, as in pcscd: a program that never stops connecting harms itself alone.
MAX_HANDLES = 200
_TAKES_POWER = (Disposition.RESET, Disposition.UNPOWER)


def connect(
    rm: "ResourceManager",
    context: Context,
    name: str,
    share: int,
    preferred: int,
    *,
    patient: bool = True,
) -> Operation[tuple[CardHandle, Protocol]]:
    """SCardConnect: return the new handle and the active protocol (UNDEFINED with DIRECT).

    Where ``patient`` is false the host may let it give up waiting for another's transaction.
    """
    if not context.valid:
        raise ScardError(context.failure)
    wanted = negotiation.wanted(rm, share, preferred)
    _check_share(share)
    reader = rm.find_reader(name)
    if reader is None:
        raise ScardError(SCARD.E_UNKNOWN_READER)
    if reader.sharing < 0:
        raise ScardError(SCARD.E_SHARING_VIOLATION)
    handle = CardHandle(0, context, reader, share)
    turn = yield from enter(rm, "connect", handle, patient=patient)
    try:
        power.cancel_idle(reader)
        yield from _make_ready(rm, reader, "connect", share, wanted)
        if not context.valid:  # released by another thread while this call waited
            raise ScardError(context.failure)
        _join(rm, handle)
        if abs(reader.sharing) == 1:
            yield from _tell_in_use(rm, reader)
    finally:
        leave(reader, turn)
        power.watch_idle(rm, reader)
    rm.changed(reader)
    return handle, reader.protocol


def _check_share(share: int) -> None:
    if share not in ShareMode._value2member_map_:
        raise ScardError(SCARD.E_INVALID_VALUE)


def _is_alone(rm: "ResourceManager", share: int) -> bool:
    """Whether nobody else may be connected beside a connection of this mode."""
    return share == ShareMode.EXCLUSIVE or (
        share == ShareMode.DIRECT and rm.profile.direct_is_exclusive
    )


def _join(rm: "ResourceManager", handle: CardHandle) -> None:
    """Enter a new handle into every table; SHARING_VIOLATION where it must be alone and is not."""
    reader, alone = handle.reader, _is_alone(rm, handle.share)
    if reader.sharing and (alone or reader.sharing < 0):
        raise ScardError(SCARD.E_SHARING_VIOLATION)
    if len(handle.context.handles) >= MAX_HANDLES:
        raise ScardError(SCARD.E_NO_MEMORY)
    handle.id = rm.unique_id(rm.handles)
    if alone:
        reader.sharing, reader.owner, reader.lock_count = -1, handle, 1
    else:
        reader.sharing += 1
    rm.handles[handle.id] = handle
    reader.handles[handle.id] = handle
    handle.context.handles[handle.id] = handle


def _make_ready(
    rm: "ResourceManager", reader: Reader, call: str, share: int, wanted: Protocol
) -> Operation[None]:
    """Have a card with power and a protocol in force, or with DIRECT what there is."""
    insertion, direct = reader.insertion, share == ShareMode.DIRECT
    try:
        if not (direct or reader.card_in):
            raise _no_card(rm, reader, call)
        if not (direct or reader.powered):
            yield from power.make_ready(rm, reader, Op.POWER)
        yield from negotiation.negotiate(rm, reader, share, wanted)
    except ScardError:
        if reader.insertion == insertion:
            raise
    if reader.insertion != insertion and not direct:
        raise _no_card(rm, reader, call)


def _no_card(rm: "ResourceManager", reader: Reader, call: str) -> ScardError:
    if reader.gone or reader.away:
        return ScardError(SCARD.E_READER_UNAVAILABLE)
    return ScardError(rm.profile.no_card.get(call, SCARD.E_NO_SMARTCARD))


def _tell_in_use(rm: "ResourceManager", reader: Reader) -> Operation[None]:
    """Let the driver know whether anybody is connected; the gate must be held."""
    if rm.profile.tells_in_use and not (reader.gone or reader.away):
        in_use = int(reader.sharing != 0)
        data = Attr.DEVICE_IN_USE.to_bytes(4, "little") + in_use.to_bytes(4, "little")
        yield Io(reader.device, Ioctl.SMARTCARD_SET_ATTRIBUTE, data)


# ------------------------------------------------------------------ reconnect


def reconnect(
    rm: "ResourceManager", handle: CardHandle, share: int, preferred: int, initialization: int
) -> Operation[Protocol]:
    """SCardReconnect: return the active protocol."""
    wanted = negotiation.wanted(rm, share, preferred)
    if initialization not in (Disposition.LEAVE, *_TAKES_POWER):
        raise ScardError(SCARD.E_INVALID_VALUE)
    _check_share(share)
    reader = handle.reader
    turn = yield from enter(rm, "reconnect", handle)
    try:
        yield from _initialize(rm, reader, initialization)
        yield from _make_ready(rm, reader, "reconnect", share, wanted)
        _change_sharing(rm, handle, share)
        handle.event = None
    finally:
        if rm.profile.reconnect_ends_transaction and reader.owner is handle:
            end_lock(reader)
        leave(reader, turn)
    rm.changed(reader)
    return reader.protocol


def _initialize(rm: "ResourceManager", reader: Reader, initialization: int) -> Operation[None]:
    """Do to the card what Reconnect asks for; the gate must be held."""
    if initialization == Disposition.LEAVE:
        if reader.card_in and reader.state is CardState.SWALLOWED:
            raise ScardError(SCARD.W_UNRESPONSIVE_CARD)
    elif not reader.card_in:
        power.flag(rm, reader, SCARD.W_RESET_CARD)
    elif initialization == Disposition.RESET:
        yield from power.reset(rm, reader, Power.WARM_RESET)
    else:
        yield from power.power_down(rm, reader)
        yield from power.reset(rm, reader, Power.COLD_RESET)
    if not reader.card_in:
        raise _no_card(rm, reader, "reconnect")


def _change_sharing(rm: "ResourceManager", handle: CardHandle, share: int) -> None:
    reader = handle.reader
    if _is_alone(rm, share):
        if reader.sharing not in (1, -1):
            raise ScardError(SCARD.E_SHARING_VIOLATION)
        if reader.sharing == 1:  # a transaction of its own goes on
            reader.sharing, reader.owner, reader.lock_count = -1, handle, reader.lock_count + 1
    elif reader.sharing < 0:
        reader.sharing = 1
        reader.lock_count -= 1
        if not reader.lock_count:
            release_lock(reader)
    handle.share = share


# ------------------------------------------------------------------ disconnect


def disconnect(rm: "ResourceManager", handle: CardHandle, disposition: int) -> Operation[None]:
    """SCardDisconnect. A reader that left is no error."""
    if disposition not in Disposition._value2member_map_:
        raise ScardError(SCARD.E_INVALID_VALUE)
    reader = handle.reader
    call = "disconnect" if disposition == Disposition.LEAVE else "dispose"
    try:
        turn = yield from enter(rm, call, handle)
    except ScardError:
        if not (reader.gone and handle.open):
            raise
        forget_handle(rm, handle)
        return
    try:
        yield from dispose(rm, reader, disposition)
    except ScardError:
        pass  # a card that cannot be reset any more does not keep the application connected
    finally:
        forget_handle(rm, handle)
        if not reader.sharing:
            yield from _tell_in_use(rm, reader)
        leave(reader, turn)
    power.watch_idle(rm, reader)
    rm.changed(reader)


def dispose(rm: "ResourceManager", reader: Reader, disposition: int) -> Operation[None]:
    """Do to the card what Disconnect or EndTransaction asks; the gate must be held."""
    if disposition == Disposition.LEAVE or not reader.card_in or reader.away:
        return
    if disposition == Disposition.RESET:
        yield from power.reset(rm, reader, Power.WARM_RESET)
        return
    insertion = reader.insertion
    if disposition == Disposition.UNPOWER:
        yield from power.power_down(rm, reader)
    else:
        status, _ = yield Io(reader.device, Ioctl.SMARTCARD_EJECT)
        if status is not NTSTATUS.SUCCESS:  # NOT_SUPPORTED by a reader without mechanics
            raise power.failure(rm, Op.EJECT, status)
    if reader.insertion == insertion:
        power.lost(rm, reader)


def forget_handle(rm: "ResourceManager", handle: CardHandle) -> None:
    """Take a handle out of every table; its lock goes with it."""
    reader = handle.reader
    if not handle.open:
        return
    handle.open = False
    dismiss(reader, lambda waiting: waiting is handle)
    rm.handles.pop(handle.id)
    handle.context.handles.pop(handle.id)
    reader.handles.pop(handle.id)
    reader.sharing = 0 if reader.sharing < 0 else max(0, reader.sharing - 1)
    if reader.owner is handle:
        release_lock(reader)


def release_context(rm: "ResourceManager", context: Context) -> Operation[None]:
    """SCardReleaseContext, and what happens when an application dies.

    Connections without an event pending are ended with a reset of the card: those that held the
    lock (a transaction or exclusive use), or all, as the profile says. The others leave it alone.
    """
    if not context.valid:
        if context.failure is SCARD.E_INVALID_HANDLE:
            raise ScardError(context.failure)
        for handle in list(context.handles.values()):  # of a service that has stopped meanwhile
            forget_handle(rm, handle)
        context.failure = SCARD.E_INVALID_HANDLE
        del rm.contexts[context.id]
        return
    context.valid = False
    for reader in list(rm.readers.values()):
        dismiss(reader, lambda waiting: waiting.context is context)
    # Who holds a lock comes first: the others could not reset its card before.
    for handle in sorted(context.handles.values(), key=lambda h: h.reader.owner is not h):
        try:
            yield from disconnect(rm, handle, _last_disposition(rm, handle))
        except ScardError:  # another thread has closed it meanwhile, or the wait was interrupted
            forget_handle(rm, handle)
    rm.contexts.pop(context.id, None)


def _last_disposition(rm: "ResourceManager", handle: CardHandle) -> Disposition:
    reader = handle.reader
    holds = reader.owner is handle or rm.profile.exit_always_resets
    resets = holds and handle.event is None and reader.powered
    return Disposition.RESET if resets else Disposition.LEAVE
