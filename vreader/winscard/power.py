# SPDX-License-Identifier: Apache-2.0
"""Powering a card up and down on the manager's account: on insertion, on connect, when idle.

The connect sequence is the documented loop on GET_STATE: PRESENT → SWALLOW, SWALLOWED → cold reset,
POWERED → warm reset, NEGOTIABLE → read the ATR, SPECIFIC → read ATR and protocol (WDK "Smart Card
Reader example sequence").
"""

from typing import TYPE_CHECKING, Any

from vreader.smclib.ioctl import IO_REQUEST_SIZE, Attr, Ioctl, Power, Protocol
from vreader.smclib.states import CardState
from vreader.wdm import NTSTATUS, RtlNtStatusToDosError
from vreader.wdm.irp import BugCheck
from vreader.winscard.access import enter_gate, leave
from vreader.winscard.call import Io, Operation
from vreader.winscard.codes import SCARD, ScardError
from vreader.winscard.model import Reader
from vreader.winscard.profile import Operation as Op

if TYPE_CHECKING:
    from vreader.winscard.manager import ResourceManager

ATR_LENGTH = 33
_MAX_STEPS = 8
_OUTPUT = {Power.POWER_DOWN: 0, Power.COLD_RESET: ATR_LENGTH, Power.WARM_RESET: ATR_LENGTH}


# ------------------------------------------------------------------ the two tables of errors


def failure(rm: "ResourceManager", operation: Op, status: NTSTATUS) -> ScardError:
    """Return the error an application sees for a driver's ``status``: the two tables of errors."""
    win32 = RtlNtStatusToDosError(status)
    if win32 in SCARD._value2member_map_:  # what the first table has made a code of ours already
        return ScardError(SCARD(win32))
    code = rm.profile.errors[operation].get(win32)
    if code is None:
        raise BugCheck(0xC9, f"no SCARD code for {status!s} ({win32}) in {operation.value}")
    return ScardError(code)


def left(rm: "ResourceManager", reader: Reader, operation: Op) -> ScardError:
    """Return the error of a request during which the card has left, or the reader with it."""
    away = reader.gone or reader.away
    return failure(rm, operation, NTSTATUS.NO_SUCH_DEVICE if away else NTSTATUS.NO_MEDIA)


# ------------------------------------------------------------------ requests


def ask_power(reader: Reader, minor: Power) -> Operation[tuple[NTSTATUS, bytes]]:
    """IOCTL_SMARTCARD_POWER; the gate must be held."""
    data = minor.to_bytes(4, "little")
    answer: tuple[NTSTATUS, bytes] = yield Io(
        reader.device, Ioctl.SMARTCARD_POWER, data, _OUTPUT[minor]
    )
    return answer


def ask_attribute(reader: Reader, tag: int, room: int = 64) -> Operation[tuple[NTSTATUS, bytes]]:
    """IOCTL_SMARTCARD_GET_ATTRIBUTE; the gate must be held."""
    answer: tuple[NTSTATUS, bytes] = yield Io(
        reader.device, Ioctl.SMARTCARD_GET_ATTRIBUTE, tag.to_bytes(4, "little"), room
    )
    return answer


def ask_state(reader: Reader) -> Operation[tuple[NTSTATUS, CardState]]:
    """IOCTL_SMARTCARD_GET_STATE; UNKNOWN where the driver does not say."""
    status, output = yield Io(reader.device, Ioctl.SMARTCARD_GET_STATE, b"", 4)
    number = int.from_bytes(output, "little")
    return status, CardState(number) if number <= CardState.SPECIFIC else CardState.UNKNOWN


# ------------------------------------------------------------------ up


def make_ready(rm: "ResourceManager", reader: Reader, operation: Op) -> Operation[bytes]:
    """Bring the card to NEGOTIABLE or SPECIFIC and return its ATR; the gate must be held.

    Raises:
        ScardError: no card, a mute card, a reader that left.
    """
    for _step in range(_MAX_STEPS):
        status, state = yield from ask_state(reader)
        if status is not NTSTATUS.SUCCESS:
            raise failure(rm, operation, status)
        if state <= CardState.ABSENT:
            raise failure(rm, operation, NTSTATUS.NO_MEDIA)
        if state >= CardState.NEGOTIABLE:
            return (yield from read_card(rm, reader, operation, state))
        if state is CardState.PRESENT:
            status, _ = yield Io(reader.device, Ioctl.SMARTCARD_SWALLOW)
            # A reader without mechanics cannot swallow, and may report PRESENT all the same.
            if status is NTSTATUS.NOT_SUPPORTED:
                status, _ = yield from ask_power(reader, Power.COLD_RESET)
        else:
            minor = Power.WARM_RESET if state is CardState.POWERED else Power.COLD_RESET
            status, _ = yield from ask_power(reader, minor)
        if status is not NTSTATUS.SUCCESS:
            raise failure(rm, operation, status)
    raise failure(rm, operation, NTSTATUS.IO_TIMEOUT)


def read_card(
    rm: "ResourceManager", reader: Reader, operation: Op, state: CardState
) -> Operation[bytes]:
    """Learn the ATR of a card that was reset, and in SPECIFIC the protocol the driver uses."""
    insertion = reader.insertion
    status, atr = yield from ask_attribute(reader, Attr.ATR_STRING)
    if reader.insertion != insertion:
        raise left(rm, reader, operation)
    if status is not NTSTATUS.SUCCESS:
        raise failure(rm, operation, status)
    forget_protocol(reader)
    if state is CardState.SPECIFIC:
        status, selected = yield from ask_attribute(reader, Attr.CURRENT_PROTOCOL_TYPE)
        if status is NTSTATUS.SUCCESS:
            take_protocol(reader, selected)
    reader.powered = True
    reader.atr = atr
    reader.state = CardState.NEGOTIABLE
    return atr


def greet_card(
    rm: "ResourceManager", reader: Reader, insertion: int, *, counts: bool
) -> Operation[None]:
    """Power up a card that has just come, and publish it together with its ATR.

    Args:
        rm: the manager.
        reader: where it came.
        insertion: which insertion this is.
        counts: False for a card that was there before the reader came: that is no event.
    """
    yield from enter_gate(reader)
    try:
        if reader.insertion != insertion:
            return  # it has left again
        try:
            if not reader.powered:  # else a Connect was faster
                yield from make_ready(rm, reader, Op.POWER)
        except ScardError as error:
            if error.code is SCARD.E_NO_SMARTCARD or reader.insertion != insertion:
                return  # it is leaving; the tracking request is about to say so, or has
            reader.powered = False
            reader.state = CardState.SWALLOWED
    finally:
        leave(reader)
    if counts:
        reader.counter = (reader.counter + 1) & 0xFFFF
    rm.changed(reader)
    watch_idle(rm, reader)


# ------------------------------------------------------------------ down and again


def power_down(rm: "ResourceManager", reader: Reader) -> Operation[None]:
    """Take the card's power; the gate must be held."""
    if reader.powered:
        yield from ask_power(reader, Power.POWER_DOWN)
        reader.powered = False
    forget_protocol(reader)


def lost(rm: "ResourceManager", reader: Reader) -> None:
    """Publish a card that is there without power, in the slot or in its mouth."""
    reader.powered = False
    forget_protocol(reader)
    flag(rm, reader, rm.profile.unpower_code)
    reader.state = CardState.PRESENT
    rm.changed(reader)


def forget_protocol(reader: Reader) -> None:
    """Forget what was negotiated: the card was reset, lost its power or left."""
    reader.protocol, reader.pci = Protocol.UNDEFINED, b""


def take_protocol(reader: Reader, selected: bytes) -> None:
    """Note the protocol the driver has in force, as it says it."""
    if any(selected):
        reader.pci = selected + IO_REQUEST_SIZE.to_bytes(4, "little")


def reset(rm: "ResourceManager", reader: Reader, minor: Power) -> Operation[None]:
    """Reset the card for everybody; the gate must be held.

    Every handle learns W_RESET_CARD. Raises ScardError where no card answers.
    """
    insertion = reader.insertion
    flag(rm, reader, SCARD.W_RESET_CARD)
    forget_protocol(reader)
    status, atr = yield from ask_power(reader, minor)
    if reader.insertion != insertion:
        raise left(rm, reader, Op.RESET)
    if status is not NTSTATUS.SUCCESS:
        if status is not NTSTATUS.NO_MEDIA:
            reader.powered = False
            reader.state, reader.atr = CardState.SWALLOWED, b""
            rm.changed(reader)
        raise failure(rm, Op.RESET, status)
    reader.powered = True
    reader.state, reader.atr = CardState.NEGOTIABLE, atr
    rm.changed(reader)


def flag(rm: "ResourceManager", reader: Reader, code: SCARD) -> None:
    """Let every handle learn what has happened to the card."""
    keep = SCARD.W_REMOVED_CARD if not rm.profile.reset_hides_removal else None
    for handle in reader.handles.values():
        if handle.event is None or handle.event is not keep:
            handle.event = code


# ------------------------------------------------------------------ automatic power-off


def watch_idle(rm: "ResourceManager", reader: Reader) -> None:
    """Take the card's power after a while if nobody is connected."""
    seconds = rm.profile.auto_power_off_s
    if seconds is None or reader.sharing or not reader.powered or reader.gone:
        return
    cancel_idle(reader)

    def due() -> None:
        reader.idle_timer = None
        rm.start(_power_off_if_idle(rm, reader))

    reader.idle_timer = reader.clock.call_at(reader.clock.now() + seconds, due)


def cancel_idle(reader: Reader) -> None:
    """Somebody connected, or the card left."""
    if reader.idle_timer is not None:
        reader.idle_timer.cancel()
        reader.idle_timer = None


def _power_off_if_idle(rm: "ResourceManager", reader: Reader) -> Operation[Any]:
    """GET_STATE; a card that has power loses it (WDK "Smart Card Reader example sequence")."""
    yield from enter_gate(reader)
    try:
        if reader.sharing or reader.gone or reader.away:
            return
        _, state = yield from ask_state(reader)
        if state >= CardState.POWERED:
            yield from ask_power(reader, Power.POWER_DOWN)
        reader.powered = False
        forget_protocol(reader)
    finally:
        leave(reader)
    if rm.profile.status.tells_unpowered and not reader.gone:
        rm.changed(reader)
