# SPDX-License-Identifier: Apache-2.0
"""Debug bits and the library's debug level (smclib.h; WDK "Smart Card Driver Debugging").

The level is one for all readers of a computer. A message is output only when one of its bits is set
in the level; it goes where the trace is written. Setting the level calls RDF_DEBUG_LEVEL of every
reader that has it, and so does a new reader while a level is set: no page says when it is called.
"""

from collections.abc import Mapping
from typing import Final

from vreader.smclib.events import DebugEvent
from vreader.smclib.structs import RDF, SMARTCARD_EXTENSION
from vreader.wdm import DriverObject, IoManager

DEBUG_IOCTL: Final = 0x00000001
DEBUG_ATR: Final = 0x00000002
DEBUG_PROTOCOL: Final = 0x00000004
DEBUG_DRIVER: Final = 0x00000008
DEBUG_TRACE: Final = 0x00000010
DEBUG_ERROR: Final = 0x00000020
DEBUG_INFO: Final = DEBUG_ERROR
DEBUG_ALL: Final = 0x0000FFFF  # 0x7FFFFFFF in the 1998 DDK
DEBUG_PERF: Final = 0x10000000
DEBUG_T1_TEST: Final = 0x40000000
DEBUG_BREAK: Final = 0x80000000

DEBUG_BITS: Final[Mapping[str, int]] = {
    "ioctl": DEBUG_IOCTL,
    "atr": DEBUG_ATR,
    "protocol": DEBUG_PROTOCOL,
    "driver": DEBUG_DRIVER,
    "trace": DEBUG_TRACE,
    "error": DEBUG_ERROR,
    "info": DEBUG_INFO,
    "perf": DEBUG_PERF,
    "t1_test": DEBUG_T1_TEST,
    "break": DEBUG_BREAK,
    "all": DEBUG_ALL,
}


class _Library:
    """What the library of one computer knows."""

    __slots__ = ("level", "readers")

    def __init__(self) -> None:
        self.level = 0
        self.readers: list[SMARTCARD_EXTENSION] = []


def _library(io: IoManager) -> _Library:
    library: _Library = io.libraries.setdefault("smclib", _Library())
    return library


def _io(of: "IoManager | DriverObject | SMARTCARD_EXTENSION") -> IoManager:
    if isinstance(of, IoManager):
        return of
    driver = of if isinstance(of, DriverObject) else of.OsData.DeviceObject.DriverObject
    return driver.io


def SmartcardSetDebugLevel(
    DebugLevel: int, of: "IoManager | DriverObject | SMARTCARD_EXTENSION"
) -> None:
    """Set the debug bits of a computer's driver library, and tell every reader.

    Args:
        DebugLevel: DEBUG_* bits.
        of: the computer's I/O manager, or a driver or reader of it.
    """
    library = _library(_io(of))
    library.level = DebugLevel & 0xFFFFFFFF
    for ext in tuple(library.readers):
        _tell(ext)


def SmartcardGetDebugLevel(of: "IoManager | DriverObject | SMARTCARD_EXTENSION") -> int:
    """Return the debug bits that are set."""
    return _library(_io(of)).level


def SmartcardDebug(
    DebugLevel: int, Message: str, of: "IoManager | DriverObject | SMARTCARD_EXTENSION"
) -> None:
    """Output a message if one of its bits is set in the level; DEBUG_BREAK stops in the debugger.

    Args:
        DebugLevel: the DEBUG_* bits of the message.
        Message: one line; nothing secret belongs into it.
        of: the reader it is about, or the driver.
    """
    io = _io(of)
    bits = DebugLevel & _library(io).level
    if not bits:
        return
    if io.events:
        name = of.name if isinstance(of, DriverObject) else ""
        if isinstance(of, SMARTCARD_EXTENSION):
            name = of.OsData.DeviceObject.bottom.name
        io.events.emit(DebugEvent(name, DebugLevel & 0xFFFFFFFF, Message))
    if bits & DEBUG_BREAK:
        breakpoint()


def add_reader(ext: SMARTCARD_EXTENSION) -> None:
    """Know a reader from SmartcardInitialize on."""
    library = _library(_io(ext))
    library.readers.append(ext)
    if library.level:
        _tell(ext)


def forget_reader(ext: SMARTCARD_EXTENSION) -> None:
    """Forget a reader in SmartcardExit."""
    library = _library(_io(ext))
    library.readers = [other for other in library.readers if other is not ext]


def _tell(ext: SMARTCARD_EXTENSION) -> None:
    callback = ext.ReaderFunction[RDF.DEBUG_LEVEL]
    if callback is not None:
        callback(ext)
