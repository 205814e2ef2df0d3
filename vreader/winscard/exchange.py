# SPDX-License-Identifier: Apache-2.0
"""Status, Transmit, Control and the attributes: what passes between application and driver."""

from typing import TYPE_CHECKING

from vreader.smclib.ioctl import IO_REQUEST_SIZE, Attr, Ioctl, Protocol
from vreader.smclib.states import CardState
from vreader.wdm import NTSTATUS
from vreader.winscard import negotiation, power
from vreader.winscard.access import check, enter, leave
from vreader.winscard.call import STANDARD_IOCTLS, Io, Operation
from vreader.winscard.codes import MAX_APDU_BUFFER, SCARD, ScardError
from vreader.winscard.model import CardHandle, Place, ReaderStatus
from vreader.winscard.profile import Operation as Op

if TYPE_CHECKING:
    from vreader.winscard.manager import ResourceManager

# Enum members looked up once: each costs more than the comparison it is for.
_ABSENT, _SUCCESS = CardState.ABSENT, NTSTATUS.SUCCESS
_TRANSMIT = int(Ioctl.SMARTCARD_TRANSMIT)


def status(rm: "ResourceManager", handle: CardHandle) -> ReaderStatus:
    """SCardStatus; never waits."""
    check(rm, "status", handle)
    reader = handle.reader
    if reader.timed:
        reader.touched = reader.clock.now()
    return reader.status


def transmit(
    rm: "ResourceManager", handle: CardHandle, protocol: int, command: bytes, reply_length: int
) -> Operation[bytes]:
    """SCardTransmit: one C-APDU; return the R-APDU, at most ``reply_length`` bytes (2 or more)."""
    reader = handle.reader
    owner = reader.owner
    turn: Place | None = None
    # The way of every APDU: where nothing is wrong, the order of checks does not matter.
    if (
        reader.busy
        or (owner is not handle and owner is not None)
        or handle.event is not None
        or reader.state <= _ABSENT
        or not handle.open
    ):
        turn = yield from enter(rm, "transmit", handle)
    reader.busy = True
    try:
        if protocol != reader.protocol and protocol not in rm.any_protocol:
            raise ScardError(SCARD.E_PROTO_MISMATCH)
        if not reader.pci:
            yield from negotiation.set_any_protocol(rm, reader)
        answer, output = yield Io(
            reader.device, _TRANSMIT, reader.pci + command, reply_length + IO_REQUEST_SIZE
        )
    finally:
        reader.busy = False
        if reader.gate.calls or reader.timed or turn is not None:  # else there is nothing to do
            leave(reader, turn)
    if answer is not _SUCCESS:
        raise power.failure(rm, Op.TRANSMIT, answer)
    response: bytes = output[IO_REQUEST_SIZE:]
    return response


# ------------------------------------------------------------------ control

_TRACKING = frozenset({Ioctl.SMARTCARD_IS_PRESENT, Ioctl.SMARTCARD_IS_ABSENT})
_MOVES_CARD = frozenset(
    {
        Ioctl.SMARTCARD_POWER,
        Ioctl.SMARTCARD_SET_PROTOCOL,
        Ioctl.SMARTCARD_EJECT,
        Ioctl.SMARTCARD_SWALLOW,
        Ioctl.SMARTCARD_CONFISCATE,
    }
)


def control(
    rm: "ResourceManager", handle: CardHandle, code: int, data: bytes, reply_length: int
) -> Operation[bytes]:
    """SCardControl: a code that is not standard goes unchanged to the unknown-IOCTL callback.

    A standard IOCTL_SMARTCARD_* code goes behind the manager's back: it is refused, or the manager
    asks the driver afterwards what has become of the card.
    """
    reader = handle.reader
    turn = yield from enter(rm, "control", handle)
    try:
        answer, output = NTSTATUS.NOT_SUPPORTED, b""
        if code in _TRACKING:
            answer = NTSTATUS.DEVICE_BUSY if rm.profile.standard_control else answer
        elif code not in STANDARD_IOCTLS or rm.profile.standard_control:
            room = min(reply_length, MAX_APDU_BUFFER)
            answer, output = yield Io(reader.device, code, data, room)
            if code in _MOVES_CARD and answer is _SUCCESS:
                yield from _look_again(rm, handle, code)
    finally:
        leave(reader, turn)
    if answer is not _SUCCESS:
        raise power.failure(rm, Op.CONTROL, answer)
    reply: bytes = output
    return reply


def _look_again(rm: "ResourceManager", handle: CardHandle, code: int) -> Operation[None]:
    """Learn what a request of an application's own has made of the card."""
    reader, insertion = handle.reader, handle.reader.insertion
    answer, state = yield from power.ask_state(reader)
    if answer is not _SUCCESS or state <= _ABSENT or reader.insertion != insertion:
        return
    knows = handle.event
    if state < CardState.POWERED:
        power.lost(rm, reader)
    else:
        if code == Ioctl.SMARTCARD_POWER:
            power.flag(rm, reader, SCARD.W_RESET_CARD)
        if state >= CardState.NEGOTIABLE:
            yield from power.read_card(rm, reader, Op.RESET, state)
            reader.protocol = Protocol(int.from_bytes(reader.pci[:4], "little"))
        reader.powered = True
        rm.changed(reader)
    handle.event = knows


# ------------------------------------------------------------------ attributes


def get_attribute(rm: "ResourceManager", handle: CardHandle, tag: int) -> Operation[bytes]:
    """SCardGetAttrib; names are answered here, the rest by the driver."""
    reader = handle.reader
    turn = yield from enter(rm, "attribute", handle)
    try:
        if tag in (Attr.DEVICE_FRIENDLY_NAME_A, Attr.DEVICE_SYSTEM_NAME_A):
            return reader.name.encode() + b"\0"
        if tag in (Attr.DEVICE_FRIENDLY_NAME_W, Attr.DEVICE_SYSTEM_NAME_W):
            return (reader.name + "\0").encode("utf-16-le")
        answer, value = yield from power.ask_attribute(reader, tag, 264)
    finally:
        leave(reader, turn)
    if answer is not _SUCCESS:
        raise power.failure(rm, Op.ATTRIBUTE, answer)
    return value


def set_attribute(
    rm: "ResourceManager", handle: CardHandle, tag: int, value: bytes
) -> Operation[None]:
    """SCardSetAttrib; DEVICE_IN_USE is the manager's own and no application's."""
    reader = handle.reader
    turn = yield from enter(rm, "attribute", handle)
    try:
        if tag == Attr.DEVICE_IN_USE:
            raise power.failure(rm, Op.ATTRIBUTE, NTSTATUS.NOT_SUPPORTED)
        answer, _ = yield Io(
            reader.device, Ioctl.SMARTCARD_SET_ATTRIBUTE, tag.to_bytes(4, "little") + value
        )
    finally:
        leave(reader, turn)
    if answer is not _SUCCESS:
        raise power.failure(rm, Op.ATTRIBUTE, answer)
