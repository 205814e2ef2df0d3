# SPDX-License-Identifier: Apache-2.0
"""Powering a card up and down on the manager's account: on insertion, on connect, when idle.

The connect sequence is the documented loop on GET_STATE: PRESENT → SWALLOW, SWALLOWED → cold reset,
POWERED → warm reset, NEGOTIABLE → read the ATR, SPECIFIC → read ATR and protocol (WDK "Smart Card
Reader example sequence").
"""

from typing import TYPE_CHECKING, Any

from vreader.smclib.ioctl import Attr, Ioctl, Power, Protocol
from vreader.smclib.states import CardState
from vreader.wdm import NTSTATUS, RtlNtStatusToDosError
from vreader.wdm.irp import BugCheck
from vreader.winscard.call import Io, Operation
from vreader.winscard.codes import SCARD, ScardError
from vreader.winscard.model import CardEvent, Reader
from vreader.winscard.profile import Operation as Op

if TYPE_CHECKING:
    from vreader.winscard.manager import ResourceManager

ATR_LENGTH = 33
_MAX_STEPS = 8
_MINOR = {Power.POWER_DOWN: 0, Power.COLD_RESET: ATR_LENGTH, Power.WARM_RESET: ATR_LENGTH}


def failure(rm: "ResourceManager", operation: Op, status: NTSTATUS) -> ScardError:
    """Return the error an application sees for a driver's ``status``: the two tables of errors."""
    win32 = RtlNtStatusToDosError(status)
    code = rm.profile.errors[operation].get(win32)
    if code is None:
        raise BugCheck(0xC9, f"no SCARD code for {status!s} ({win32}) in {operation.value}")
    return ScardError(code)


def enter(reader: Reader) -> Operation[None]:
    """Wait until no other call talks to the driver, then be the one that does."""
    while reader.busy:
        yield reader.gate
    reader.busy = True


def leave(reader: Reader) -> None:
    """Let the next call talk to the driver."""
    reader.busy = False
    if reader.gate.calls:
        reader.gate.wake_first()


def ask_power(reader: Reader, minor: Power) -> Operation[tuple[NTSTATUS, bytes]]:
    """IOCTL_SMARTCARD_POWER; the gate must be held."""
    data = minor.to_bytes(4, "little")
    answer: tuple[NTSTATUS, bytes] = yield Io(
        reader.device, Ioctl.SMARTCARD_POWER, data, _MINOR[minor]
    )
    return answer


def make_ready(rm: "ResourceManager", reader: Reader, operation: Op) -> Operation[bytes]:
    """Bring the card to NEGOTIABLE or SPECIFIC and return its ATR; the gate must be held.

    Raises:
        ScardError: no card, a mute card, a reader that left.
    """
    for _step in range(_MAX_STEPS):
        status, output = yield Io(reader.device, Ioctl.SMARTCARD_GET_STATE, b"", 4)
        if status is not NTSTATUS.SUCCESS:
            raise failure(rm, operation, status)
        state = CardState(int.from_bytes(output, "little"))
        if state <= CardState.ABSENT:
            raise failure(rm, operation, NTSTATUS.NO_MEDIA)
        if state >= CardState.NEGOTIABLE:
            return (yield from _read_atr(rm, reader, operation))
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


def _read_atr(rm: "ResourceManager", reader: Reader, operation: Op) -> Operation[bytes]:
    status, atr = yield from _get_attribute(reader, Attr.ATR_STRING)
    if status is not NTSTATUS.SUCCESS:
        raise failure(rm, operation, status)
    forget_protocol(reader)
    reader.powered = True
    reader.atr = atr
    reader.state = CardState.NEGOTIABLE
    return atr


def _get_attribute(reader: Reader, tag: Attr) -> Operation[tuple[NTSTATUS, bytes]]:
    answer: tuple[NTSTATUS, bytes] = yield Io(
        reader.device, Ioctl.SMARTCARD_GET_ATTRIBUTE, tag.to_bytes(4, "little"), 64
    )
    return answer


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
    yield from enter(reader)
    try:
        if reader.insertion != insertion:
            return  # it has left again
        try:
            if not reader.powered:  # else a Connect was faster
                yield from make_ready(rm, reader, Op.POWER)
        except ScardError as error:
            if error.code is SCARD.E_NO_SMARTCARD:
                return  # it is leaving; the tracking request is about to say so
            reader.powered = False
            reader.state = CardState.SWALLOWED
    finally:
        leave(reader)
    if reader.insertion != insertion:
        # The removal was told while this card was not published yet: nothing to take back.
        reader.state, reader.atr, reader.powered = CardState.ABSENT, b"", False
        return
    if counts:
        reader.counter = (reader.counter + 1) & 0xFFFF
    rm.changed(reader)
    watch_idle(rm, reader)


def power_down(rm: "ResourceManager", reader: Reader) -> Operation[None]:
    """Take the card's power; the gate must be held."""
    if reader.powered:
        yield from ask_power(reader, Power.POWER_DOWN)
        reader.powered = False
    forget_protocol(reader)


def forget_protocol(reader: Reader) -> None:
    """Forget what was negotiated: the card was reset, lost its power or left."""
    reader.protocol, reader.pci = Protocol.UNDEFINED, b""


def reset(rm: "ResourceManager", reader: Reader, minor: Power) -> Operation[None]:
    """Reset the card for everybody; the gate must be held.

    Every handle learns W_RESET_CARD. Raises ScardError where no card answers.
    """
    insertion = reader.insertion
    flag_reset(reader)
    forget_protocol(reader)
    status, atr = yield from ask_power(reader, minor)
    if reader.insertion != insertion:
        raise failure(rm, Op.RESET, NTSTATUS.NO_MEDIA)
    if status is not NTSTATUS.SUCCESS:
        if status is not NTSTATUS.NO_MEDIA:
            reader.powered = False
            reader.state, reader.atr = CardState.SWALLOWED, b""
            rm.changed(reader)
        raise failure(rm, Op.RESET, status)
    reader.powered = True
    reader.state, reader.atr = CardState.NEGOTIABLE, atr
    rm.changed(reader)


def flag_reset(reader: Reader) -> None:
    """Let every handle learn that the card was reset, one that has a removal to learn of too."""
    for handle in reader.handles.values():
        handle.event = CardEvent.RESET


# ------------------------------------------------------------------ automatic power-off


def watch_idle(rm: "ResourceManager", reader: Reader) -> None:
    """Take the card's power after a while if nobody is connected."""
    seconds = rm.profile.auto_power_off_s
    if seconds is None or reader.sharing or not reader.powered or reader.gone:
        return
    cancel_idle(reader)
    clock = rm.io.clock

    def due() -> None:
        reader.idle_timer = None
        rm.start(_power_off_if_idle(rm, reader))

    reader.idle_timer = clock.call_at(clock.now() + seconds, due)


def cancel_idle(reader: Reader) -> None:
    """Somebody connected, or the card left."""
    if reader.idle_timer is not None:
        reader.idle_timer.cancel()
        reader.idle_timer = None


def _power_off_if_idle(rm: "ResourceManager", reader: Reader) -> Operation[Any]:
    yield from enter(reader)
    try:
        if not reader.sharing and not reader.gone:
            yield from power_down(rm, reader)
    finally:
        leave(reader)
