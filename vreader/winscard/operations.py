# SPDX-License-Identifier: Apache-2.0
"""The calls on readers and card handles: Connect, Reconnect, Disconnect, transactions, I/O.

Each is an operation (:mod:`vreader.winscard.call`): it checks in the order the profile says, asks
the driver, and returns a value or raises ScardError. Order of waiting: first for another's
transaction where the call waits for it, then for the driver.
"""

from typing import TYPE_CHECKING

from vreader.smclib.ioctl import IO_REQUEST_SIZE, Attr, Ioctl, Power, Protocol
from vreader.smclib.states import CardState
from vreader.wdm import NTSTATUS
from vreader.winscard import negotiation, power
from vreader.winscard.call import Io, Operation, WaitQueue
from vreader.winscard.codes import SCARD, Disposition, ScardError, ShareMode
from vreader.winscard.model import CardEvent, CardHandle, Context, Reader, ReaderStatus
from vreader.winscard.profile import Check
from vreader.winscard.profile import Operation as Op

if TYPE_CHECKING:
    from vreader.winscard.manager import ResourceManager

_STANDARD_IOCTLS = frozenset(Ioctl)
# Enum members looked up once: each costs more than the comparison it is for.
_NO_EVENT, _ABSENT, _SUCCESS = CardEvent.NONE, CardState.ABSENT, NTSTATUS.SUCCESS
_TRANSMIT = int(Ioctl.SMARTCARD_TRANSMIT)


def check(rm: "ResourceManager", call: str, handle: CardHandle) -> None:
    """Look at the preconditions of ``call`` in the profile's order; raises ScardError."""
    reader = handle.reader
    if not handle.open:
        raise ScardError(SCARD.E_INVALID_HANDLE)
    if reader.gone:
        raise ScardError(rm.profile.dead_handle)
    for precondition in rm.profile.checks[call]:
        if precondition is Check.SHARING:
            if reader.owner is not None and reader.owner is not handle:
                raise ScardError(SCARD.E_SHARING_VIOLATION)
        elif precondition is Check.EVENT:
            if handle.event is CardEvent.RESET:
                raise ScardError(SCARD.W_RESET_CARD)
            if handle.event is CardEvent.REMOVED:
                raise ScardError(SCARD.W_REMOVED_CARD)
        elif precondition is Check.READER:
            if reader.state is CardState.UNKNOWN:
                raise ScardError(SCARD.E_READER_UNAVAILABLE)
        elif reader.state <= CardState.ABSENT:
            raise ScardError(SCARD.E_NO_SMARTCARD)


def _wait_for_transaction(reader: Reader, handle: CardHandle | None, context: Context,
                          queue: WaitQueue) -> Operation[None]:  # fmt: skip
    """Wait in ``queue`` until nobody else holds the transaction.

    A holder in the same context cannot let go while this call is on its way, so that is a
    SHARING_VIOLATION at once instead of a deadlock.
    """
    while reader.owner is not None and reader.owner is not handle:
        if reader.owner.context is context:
            raise ScardError(SCARD.E_SHARING_VIOLATION)
        yield queue


# ------------------------------------------------------------------ connections


def connect(
    rm: "ResourceManager", context: Context, name: str, share: int, preferred: int
) -> Operation[tuple[CardHandle, Protocol]]:
    """SCardConnect: return the new handle and the active protocol (UNDEFINED with DIRECT)."""
    wanted = negotiation.wanted(rm, share, preferred)
    if share not in ShareMode._value2member_map_:
        raise ScardError(SCARD.E_INVALID_VALUE)
    reader = rm.readers.get(name)
    if reader is None:
        raise ScardError(SCARD.E_UNKNOWN_READER)
    if reader.sharing < 0:
        raise ScardError(SCARD.E_SHARING_VIOLATION)
    handle = CardHandle(0, context, reader, share)
    yield from _wait_for_transaction(reader, None, context, reader.connecting)
    yield from power.enter(reader)
    try:
        if reader.gone:
            raise ScardError(SCARD.E_READER_UNAVAILABLE)
        check(rm, "connect", handle)
        power.cancel_idle(reader)
        if share != ShareMode.DIRECT:
            yield from _power_up(rm, reader)
        yield from negotiation.negotiate(rm, reader, share, wanted)
        if not context.valid:  # released by another thread while this call waited
            raise ScardError(SCARD.E_INVALID_HANDLE)
        if reader.sharing and (share == ShareMode.EXCLUSIVE or reader.sharing < 0):
            raise ScardError(SCARD.E_SHARING_VIOLATION)
        handle.id = rm.unique_id(rm.handles)
        if share == ShareMode.EXCLUSIVE:
            reader.sharing, reader.owner, reader.lock_count = -1, handle, 1
        else:
            reader.sharing += 1
        rm.handles[handle.id] = handle
        reader.handles[handle.id] = handle
        context.handles[handle.id] = handle
    finally:
        power.leave(reader)
        power.watch_idle(rm, reader)
    rm.changed(reader)
    return handle, reader.protocol


def _power_up(rm: "ResourceManager", reader: Reader) -> Operation[None]:
    if not reader.card_in:
        raise ScardError(SCARD.E_NO_SMARTCARD)
    if reader.powered:
        return
    insertion = reader.insertion
    yield from power.make_ready(rm, reader, Op.POWER)
    if reader.insertion != insertion:
        raise power.failure(rm, Op.POWER, NTSTATUS.NO_MEDIA)


def reconnect(
    rm: "ResourceManager", handle: CardHandle, share: int, preferred: int, initialization: int
) -> Operation[Protocol]:
    """SCardReconnect: return the active protocol. A transaction survives it."""
    wanted = negotiation.wanted(rm, share, preferred)
    if initialization not in (Disposition.LEAVE, Disposition.RESET, Disposition.UNPOWER):
        raise ScardError(SCARD.E_INVALID_VALUE)
    if share not in ShareMode._value2member_map_:
        raise ScardError(SCARD.E_INVALID_VALUE)
    reader = handle.reader
    check(rm, "reconnect", handle)  # who holds the transaction may keep the driver busy for long
    yield from power.enter(reader)
    try:
        check(rm, "reconnect", handle)
        yield from _initialize(rm, reader, initialization)
        if share != ShareMode.DIRECT:
            yield from _power_up(rm, reader)
        yield from negotiation.negotiate(rm, reader, share, wanted)
        _change_sharing(reader, handle, share)
        handle.event = CardEvent.NONE
    finally:
        power.leave(reader)
    rm.changed(reader)
    return reader.protocol


def _initialize(rm: "ResourceManager", reader: Reader, initialization: int) -> Operation[None]:
    """Do to the card what Reconnect asks for; the gate must be held."""
    if initialization == Disposition.LEAVE:
        if reader.card_in and reader.state is CardState.SWALLOWED:
            raise ScardError(SCARD.W_UNRESPONSIVE_CARD)
    elif not reader.card_in:
        power.flag_reset(reader)
    elif initialization == Disposition.RESET:
        yield from power.reset(rm, reader, Power.WARM_RESET)
    else:
        yield from power.power_down(rm, reader)
        yield from power.reset(rm, reader, Power.COLD_RESET)
    if not reader.card_in:
        raise ScardError(SCARD.E_NO_SMARTCARD)


def _change_sharing(reader: Reader, handle: CardHandle, share: int) -> None:
    if share == ShareMode.EXCLUSIVE:
        if reader.sharing not in (1, -1):
            raise ScardError(SCARD.E_SHARING_VIOLATION)
        if reader.sharing == 1:
            reader.sharing, reader.owner, reader.lock_count = -1, handle, 1
    elif reader.sharing < 0:
        reader.sharing = 1
        release_lock(reader)
    handle.share = share


def disconnect(rm: "ResourceManager", handle: CardHandle, disposition: int) -> Operation[None]:
    """SCardDisconnect. A reader that left is no error."""
    if disposition not in Disposition._value2member_map_:
        raise ScardError(SCARD.E_INVALID_VALUE)
    reader = handle.reader
    if not reader.gone and disposition in (Disposition.RESET, Disposition.UNPOWER):
        yield from _wait_for_transaction(reader, handle, handle.context, reader.connecting)
    yield from power.enter(reader)
    try:
        if not reader.gone:
            yield from _dispose(rm, reader, disposition)
    except ScardError:
        pass  # a card that cannot be reset any more does not keep the application connected
    finally:
        forget_handle(rm, handle)
        power.leave(reader)
    power.watch_idle(rm, reader)
    rm.changed(reader)


def _dispose(rm: "ResourceManager", reader: Reader, disposition: int) -> Operation[None]:
    """Do to the card what Disconnect or EndTransaction asks; the gate must be held."""
    if disposition == Disposition.LEAVE or not reader.card_in:
        return
    if disposition == Disposition.RESET:
        yield from power.reset(rm, reader, Power.WARM_RESET)
    elif disposition == Disposition.UNPOWER:
        power.flag_reset(reader)
        insertion = reader.insertion
        yield from power.power_down(rm, reader)
        if reader.insertion == insertion:
            reader.state = CardState.PRESENT
            rm.changed(reader)
    else:
        status, _ = yield Io(reader.device, Ioctl.SMARTCARD_EJECT)
        if status is not NTSTATUS.SUCCESS:  # NOT_SUPPORTED by a reader without mechanics
            raise power.failure(rm, Op.CONTROL, status)


def forget_handle(rm: "ResourceManager", handle: CardHandle) -> None:
    """Take a handle out of every table; its lock goes with it."""
    reader = handle.reader
    if reader.owner is handle:
        release_lock(reader)
    if not handle.open:
        return
    handle.open = False
    rm.handles.pop(handle.id)
    handle.context.handles.pop(handle.id)
    reader.handles.pop(handle.id)
    reader.sharing = 0 if reader.sharing < 0 else max(0, reader.sharing - 1)


def release_context(rm: "ResourceManager", context: Context) -> Operation[None]:
    """SCardReleaseContext, and what happens when an application dies.

    A handle that holds the lock (a transaction or exclusive use) and has no event pending resets
    the card; the others leave it alone.
    """
    if not context.valid:
        raise ScardError(SCARD.E_INVALID_HANDLE)
    context.valid = False
    for handle in list(context.handles.values()):
        holds = handle.reader.owner is handle and handle.event is CardEvent.NONE
        yield from disconnect(rm, handle, Disposition.RESET if holds else Disposition.LEAVE)
    rm.contexts.pop(context.id, None)


# ------------------------------------------------------------------ transactions


def begin_transaction(rm: "ResourceManager", handle: CardHandle) -> Operation[None]:
    """SCardBeginTransaction; may be nested."""
    reader = handle.reader
    check(rm, "begin", handle)
    while reader.owner is not None and reader.owner is not handle:
        yield from _wait_for_transaction(reader, handle, handle.context, reader.transactions)
        check(rm, "begin", handle)
    reader.owner = handle
    reader.lock_count += 1


def end_transaction(rm: "ResourceManager", handle: CardHandle, disposition: int) -> Operation[None]:
    """SCardEndTransaction; RESET and UNPOWER let every handle learn W_RESET_CARD, this one too."""
    if disposition not in Disposition._value2member_map_:
        raise ScardError(SCARD.E_INVALID_VALUE)
    reader = handle.reader
    check(rm, "end", handle)
    if reader.owner is not None and reader.owner is not handle:
        raise ScardError(SCARD.E_SHARING_VIOLATION)
    failed: ScardError | None = None
    if disposition != Disposition.LEAVE:
        yield from power.enter(reader)
        try:
            check(rm, "end", handle)
            yield from _dispose_and_repower(rm, reader, disposition)
        except ScardError as error:
            failed = error  # a card that does not come back ends the transaction all the same
        finally:
            power.leave(reader)
    exclusive = reader.sharing < 0
    if reader.owner is handle and reader.lock_count > exclusive:
        reader.lock_count -= 1
        if not reader.lock_count:
            release_lock(reader)
    elif failed is None:
        raise ScardError(SCARD.E_NOT_TRANSACTED)
    if failed is not None:
        raise failed


def _dispose_and_repower(
    rm: "ResourceManager", reader: Reader, disposition: int
) -> Operation[None]:
    """EndTransaction's UNPOWER is a power cycle: the card is up again afterwards."""
    if disposition == Disposition.UNPOWER and reader.card_in:
        yield from power.power_down(rm, reader)
        yield from power.reset(rm, reader, Power.COLD_RESET)
    else:
        yield from _dispose(rm, reader, disposition)


def release_lock(reader: Reader) -> None:
    """End the transaction and let the waiting calls go on."""
    reader.owner, reader.lock_count = None, 0
    reader.transactions.wake_all()
    reader.connecting.wake_all()


# ------------------------------------------------------------------ status and I/O


def status(rm: "ResourceManager", handle: CardHandle) -> ReaderStatus:
    """SCardStatus; never waits."""
    check(rm, "status", handle)
    return handle.reader.status


def transmit(
    rm: "ResourceManager", handle: CardHandle, protocol: int, command: bytes, reply_length: int
) -> Operation[bytes]:
    """SCardTransmit: one C-APDU; return the R-APDU, at most ``reply_length`` bytes (2 or more)."""
    reader = handle.reader
    if reader.busy:
        check(rm, "transmit", handle)  # whoever will be refused need not wait
        yield from power.enter(reader)
    reader.busy = True
    try:
        owner = reader.owner
        # The way of every APDU: where nothing is wrong, the order of checks does not matter.
        if (
            (owner is not handle and owner is not None)
            or handle.event is not _NO_EVENT
            or reader.state <= _ABSENT
            or not handle.open
        ):
            check(rm, "transmit", handle)
        if protocol != reader.protocol and protocol not in rm.any_protocol:
            raise ScardError(SCARD.E_PROTO_MISMATCH)
        if not reader.pci:
            yield from negotiation.set_any_protocol(reader)
        answer, output = yield Io(
            reader.device, _TRANSMIT, reader.pci + command, reply_length + IO_REQUEST_SIZE
        )
    finally:
        power.leave(reader)
    if answer is not _SUCCESS:
        raise power.failure(rm, Op.TRANSMIT, answer)
    response: bytes = output[IO_REQUEST_SIZE:]
    return response


def control(
    rm: "ResourceManager", handle: CardHandle, code: int, data: bytes, reply_length: int
) -> Operation[bytes]:
    """SCardControl: the code goes unchanged to the driver's unknown-IOCTL callback.

    A standard IOCTL_SMARTCARD_* code is refused: it would go behind the manager's back.
    """
    reader = handle.reader
    check(rm, "control", handle)
    yield from power.enter(reader)
    try:
        check(rm, "control", handle)
        if code in _STANDARD_IOCTLS:
            raise power.failure(rm, Op.CONTROL, NTSTATUS.NOT_SUPPORTED)
        answer, output = yield Io(reader.device, code, data, reply_length)
    finally:
        power.leave(reader)
    if answer is not NTSTATUS.SUCCESS:
        raise power.failure(rm, Op.CONTROL, answer)
    reply: bytes = output
    return reply


def get_attribute(rm: "ResourceManager", handle: CardHandle, tag: int) -> Operation[bytes]:
    """SCardGetAttrib; names are answered here, the rest by the driver."""
    reader = handle.reader
    check(rm, "attribute", handle)
    yield from power.enter(reader)
    try:
        check(rm, "attribute", handle)
        if tag in (Attr.DEVICE_FRIENDLY_NAME_A, Attr.DEVICE_SYSTEM_NAME_A):
            return reader.name.encode() + b"\0"
        if tag in (Attr.DEVICE_FRIENDLY_NAME_W, Attr.DEVICE_SYSTEM_NAME_W):
            return (reader.name + "\0").encode("utf-16-le")
        answer, output = yield Io(
            reader.device, Ioctl.SMARTCARD_GET_ATTRIBUTE, tag.to_bytes(4, "little"), 264
        )
    finally:
        power.leave(reader)
    if answer is not NTSTATUS.SUCCESS:
        raise power.failure(rm, Op.ATTRIBUTE, answer)
    value: bytes = output
    return value


def set_attribute(
    rm: "ResourceManager", handle: CardHandle, tag: int, value: bytes
) -> Operation[None]:
    """SCardSetAttrib; DEVICE_IN_USE is the manager's own and no application's."""
    reader = handle.reader
    check(rm, "attribute", handle)
    yield from power.enter(reader)
    try:
        check(rm, "attribute", handle)
        if tag == Attr.DEVICE_IN_USE:
            raise power.failure(rm, Op.ATTRIBUTE, NTSTATUS.NOT_SUPPORTED)
        answer, _ = yield Io(
            reader.device, Ioctl.SMARTCARD_SET_ATTRIBUTE, tag.to_bytes(4, "little") + value
        )
    finally:
        power.leave(reader)
    if answer is not NTSTATUS.SUCCESS:
        raise power.failure(rm, Op.ATTRIBUTE, answer)
