# SPDX-License-Identifier: Apache-2.0
"""A trace filtered by debug bits: which bits an event belongs to, and levels as people write them.

The bits are those of the smart card driver library (:mod:`vreader.smclib.debug`): an event is shown
when one of its bits is in the level. Events of rooms not known here are outside of the driver, and
belong to DEBUG_TRACE.
"""

from vreader.errors import UsageError
from vreader.events import Event, Sink
from vreader.reader.events import (
    ApduEvent,
    CardEvent,
    CardFaultEvent,
    FaultEvent,
    PinEvent,
    TpduEvent,
)
from vreader.smclib.debug import (
    DEBUG_ATR,
    DEBUG_BITS,
    DEBUG_DRIVER,
    DEBUG_ERROR,
    DEBUG_IOCTL,
    DEBUG_PERF,
    DEBUG_PROTOCOL,
    DEBUG_TRACE,
)
from vreader.smclib.events import DebugEvent, DriverLogEvent, StateEvent
from vreader.trace.events import TraceOpened
from vreader.wdm.events import DeviceEvent, IrpEvent

_ALWAYS = 0xFFFFFFFF
_BITS: dict[type[Event], int] = {
    TraceOpened: _ALWAYS,
    IrpEvent: DEBUG_IOCTL,
    StateEvent: DEBUG_DRIVER,
    DeviceEvent: DEBUG_DRIVER,
    CardEvent: DEBUG_DRIVER,
    PinEvent: DEBUG_DRIVER,
    ApduEvent: DEBUG_PROTOCOL | DEBUG_PERF,
    TpduEvent: DEBUG_PROTOCOL,
    DriverLogEvent: DEBUG_ERROR,
    CardFaultEvent: DEBUG_ERROR,
    FaultEvent: DEBUG_DRIVER | DEBUG_ERROR,
}


def bits_of(event: Event) -> int:
    """Return the debug bits an event belongs to."""
    if isinstance(event, DebugEvent):
        return event.bits
    bits = _BITS.get(type(event), DEBUG_TRACE)
    if isinstance(event, CardEvent) and event.atr:
        bits |= DEBUG_ATR
    if isinstance(event, IrpEvent) and event.status != "STATUS_SUCCESS":
        bits |= DEBUG_ERROR
    # Events of the doors are known by what they carry: a fault's traceback, a problem's words.
    if getattr(event, "problem", "") or getattr(event, "traceback", ""):
        bits |= DEBUG_ERROR
    return bits


def filtered(sink: Sink, level: int, always: tuple[type[Event], ...] = ()) -> Sink:
    """Return a sink that hands on to ``sink`` the events of a level, and some classes always."""

    def hand_on(event: Event) -> None:
        if bits_of(event) & level or isinstance(event, always):
            sink(event)

    return hand_on


def parse_level(text: str) -> int:
    """Read a debug level: names of bits with commas between, or a number.

    ``ioctl,atr``, ``all``, ``0x21``.

    Raises:
        UsageError: it is none.
    """
    level = 0
    for word in text.lower().split(","):
        word = word.strip().removeprefix("debug_")
        bits = DEBUG_BITS.get(word)
        if bits is None and word.isascii() and word.isalnum():
            try:
                bits = int(word, 0)
            except ValueError:
                bits = None
        if bits is None or not 0 < bits <= _ALWAYS:
            raise UsageError(
                f"{text!r} is no debug level", hint=f"names with commas: {', '.join(DEBUG_BITS)}"
            )
        level |= bits
    return level
