# SPDX-License-Identifier: Apache-2.0
"""Debug bits: the level of a computer, what it lets through, and who is told."""

import gc
import sys
import weakref

import pytest

from vreader.smclib import debug
from vreader.smclib.debug import (
    DEBUG_ALL,
    DEBUG_ATR,
    DEBUG_BITS,
    DEBUG_BREAK,
    DEBUG_DRIVER,
    DEBUG_ERROR,
    DEBUG_IOCTL,
    SmartcardDebug,
    SmartcardGetDebugLevel,
    SmartcardSetDebugLevel,
)
from vreader.smclib.events import DebugEvent
from vreader.smclib.library import SmartcardExit, SmartcardInitialize
from vreader.smclib.structs import RDF, SMARTCARD_EXTENSION, SMCLIB_VERSION
from vreader.wdm import NTSTATUS


@pytest.mark.wdk(
    "debug.ioctl", "debug.atr", "debug.protocol", "debug.driver", "debug.trace", "debug.error",
    "debug.perf", "debug.t1-test", "debug.break", "debug.all",
)  # fmt: skip
@pytest.mark.parametrize(
    ("name", "bit"),
    [
        ("IOCTL", 1), ("ATR", 2), ("PROTOCOL", 4), ("DRIVER", 8), ("TRACE", 0x10),
        ("ERROR", 0x20), ("INFO", 0x20), ("PERF", 0x10000000), ("T1_TEST", 0x40000000),
        ("BREAK", 0x80000000), ("ALL", 0xFFFF),
    ],
)  # fmt: skip
def test_the_bits_are_those_of_the_header(name, bit):
    assert getattr(debug, f"DEBUG_{name}") == bit
    assert DEBUG_BITS[name.lower()] == bit


@pytest.mark.wdk("debug.level-set", "debug.level-get")
def test_the_level_is_that_of_the_computer(bench):
    driver = bench.fdo.DriverObject
    assert SmartcardGetDebugLevel(bench.ext) == 0
    SmartcardSetDebugLevel(DEBUG_IOCTL | DEBUG_ATR, driver)
    levels = [SmartcardGetDebugLevel(of) for of in (bench.ext, driver, driver.io)]
    assert levels == [DEBUG_IOCTL | DEBUG_ATR] * 3
    SmartcardSetDebugLevel(1 << 40, bench.ext)
    assert SmartcardGetDebugLevel(driver.io) == 0


@pytest.mark.wdk("debug.macro")
def test_a_message_is_output_when_one_of_its_bits_is_set(bench):
    def said(level, bits):
        SmartcardSetDebugLevel(level, bench.ext)
        before = len(bench.events)
        SmartcardDebug(bits, "text", bench.ext)
        return bench.events[before:]

    message = DebugEvent("bench0", DEBUG_DRIVER | DEBUG_ERROR, "text")
    assert said(DEBUG_ALL, DEBUG_DRIVER | DEBUG_ERROR) == [message]
    assert said(DEBUG_ERROR, DEBUG_DRIVER | DEBUG_ERROR) == [message]
    assert said(DEBUG_IOCTL, DEBUG_DRIVER | DEBUG_ERROR) == []
    assert said(0, DEBUG_ALL) == []
    SmartcardSetDebugLevel(DEBUG_ALL, bench.ext)
    driver = bench.fdo.DriverObject
    SmartcardDebug(DEBUG_DRIVER, "loaded", driver)
    assert bench.events[-1] == DebugEvent(driver.name, DEBUG_DRIVER, "loaded")


@pytest.mark.wdk("debug.break")
def test_break_stops_in_the_debugger(bench, monkeypatch):
    stopped = []
    monkeypatch.setattr(sys, "breakpointhook", lambda: stopped.append(True))
    SmartcardSetDebugLevel(DEBUG_ALL, bench.ext)
    SmartcardDebug(DEBUG_BREAK | DEBUG_ERROR, "x", bench.ext)
    assert stopped == []
    SmartcardSetDebugLevel(DEBUG_BREAK, bench.ext)
    SmartcardDebug(DEBUG_ERROR, "x", bench.ext)
    assert stopped == []
    SmartcardDebug(DEBUG_BREAK | DEBUG_ERROR, "x", bench.ext)
    assert stopped == [True]


def test_a_computer_that_nobody_has_shut_down_is_forgotten_all_the_same(make_bench):
    bench = make_bench()
    SmartcardSetDebugLevel(DEBUG_ATR, bench.ext)
    io = weakref.ref(bench.io)
    del bench
    gc.collect()
    assert io() is None


@pytest.mark.wdk("callback.debug-level")
def test_readers_are_told_of_a_new_level(bench):
    told = []

    def DebugLevel(ext):
        told.append((ext, SmartcardGetDebugLevel(ext)))
        return NTSTATUS.SUCCESS

    bench.ext.ReaderFunction[RDF.DEBUG_LEVEL] = DebugLevel
    SmartcardSetDebugLevel(DEBUG_ATR, bench.ext)
    assert told == [(bench.ext, DEBUG_ATR)]
    later = SMARTCARD_EXTENSION(Version=SMCLIB_VERSION)
    later.ReaderFunction[RDF.DEBUG_LEVEL] = DebugLevel
    assert SmartcardInitialize(later, bench.fdo) is NTSTATUS.SUCCESS
    assert told[1:] == [(later, DEBUG_ATR)]
    SmartcardExit(later)
    SmartcardSetDebugLevel(0, bench.ext)
    assert told[2:] == [(bench.ext, 0)]
