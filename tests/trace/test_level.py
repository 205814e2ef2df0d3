# SPDX-License-Identifier: Apache-2.0
"""Which events a debug level shows."""

import pytest

from vreader.bridge.pcsclite.events import DoorFaultEvent
from vreader.errors import UsageError
from vreader.reader.events import ApduEvent, CardEvent, CardFaultEvent, TpduEvent
from vreader.smclib.debug import (
    DEBUG_ALL,
    DEBUG_ATR,
    DEBUG_DRIVER,
    DEBUG_ERROR,
    DEBUG_IOCTL,
    DEBUG_PERF,
    DEBUG_PROTOCOL,
    DEBUG_TRACE,
)
from vreader.smclib.events import DebugEvent, DriverLogEvent, StateEvent
from vreader.trace.events import TraceOpened
from vreader.trace.level import bits_of, filtered, parse_level
from vreader.wdm.events import DeviceEvent, IrpEvent
from vreader.winscard.events import ReaderChangeEvent


@pytest.mark.wdk(
    "debug.ioctl", "debug.atr", "debug.protocol", "debug.driver", "debug.trace", "debug.error",
    "debug.perf",
)  # fmt: skip
@pytest.mark.parametrize(
    ("event", "bits"),
    [
        (IrpEvent("r", "DEVICE_CONTROL", 1, "STATUS_SUCCESS", 0), DEBUG_IOCTL),
        (IrpEvent("r", "DEVICE_CONTROL", 1, "STATUS_NO_MEDIA", 0), DEBUG_IOCTL | DEBUG_ERROR),
        (CardEvent("r", "inserted"), DEBUG_DRIVER),
        (CardEvent("r", "cold reset", b"\x3b\0"), DEBUG_DRIVER | DEBUG_ATR),
        (CardEvent("r", "cold reset", b"", "mute"), DEBUG_DRIVER | DEBUG_ERROR),
        (ApduEvent("r", b"", b"", (), (), "", 0.1), DEBUG_PROTOCOL | DEBUG_PERF),
        (TpduEvent("r", "T=1", True, "", b"", 0), DEBUG_PROTOCOL),
        (StateEvent("r", "A", "x", "B"), DEBUG_DRIVER),
        (DeviceEvent("r", "arrival"), DEBUG_DRIVER),
        (DriverLogEvent("r", "x", "y"), DEBUG_ERROR),
        (CardFaultEvent("r", "x"), DEBUG_ERROR),
        (DebugEvent("r", 0x1234, "x"), 0x1234),
        (ReaderChangeEvent("r", "ABSENT", 0, 0, False), DEBUG_TRACE),
        (DoorFaultEvent(1, "traceback"), DEBUG_TRACE | DEBUG_ERROR),
        (TraceOpened("0", "x", False), 0xFFFFFFFF),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_bits_of_an_event(event, bits):
    assert bits_of(event) == bits


def test_a_filter_lets_through_what_is_in_the_level():
    heard = []
    sink = filtered(heard.append, DEBUG_ATR | DEBUG_ERROR)
    reset, gone = CardEvent("r", "cold reset", b"\x3b\0"), CardEvent("r", "removed")
    for event in (reset, gone, DriverLogEvent("r", "x", "y")):
        sink(event)
    assert heard == [reset, DriverLogEvent("r", "x", "y")]


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("ioctl", 1), ("IOCTL, Atr", 3), ("DEBUG_ERROR", 0x20), ("all", DEBUG_ALL), ("0x21", 0x21),
        ("16", 16), ("all,perf", 0x1000FFFF), ("break", 0x80000000),
    ],
)  # fmt: skip
def test_levels_as_people_write_them(text, level):
    assert parse_level(text) == level


@pytest.mark.parametrize("text", ["", "ioctl,", "atx", "0", "-1", "0x100000000", "08", "1_0"])
def test_what_is_no_level(text):
    with pytest.raises(UsageError, match="no debug level") as error:
        parse_level(text)
    assert "ioctl, atr, protocol" in error.value.hint
