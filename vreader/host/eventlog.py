# SPDX-License-Identifier: Apache-2.0
"""The host's System event log: errors of reader drivers, and requests that drivers rejected.

An entry is kept as it happened and put into words when it is read. A driver's message is looked for
as Windows does: the registry names the source's message file (EventMessageFile), the file has a
text for the code, ``%1`` is the device's name and ``%2`` the insertion string. The resource
manager's event 610 is that of Windows' "Smart card events". It shows the first four bytes of what
was sent and never more, so no secret comes here.
"""

import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Final

from vreader.events import Emitter, Event
from vreader.registry import Registry
from vreader.smclib.events import DriverLogEvent
from vreader.winscard.events import IoctlRejectedEvent

MAX_ENTRIES: Final = 10_000
RESOURCE_MANAGER: Final = "SCardSvr"
IOCTL_REJECTED: Final = 610

# Severity, bits 31-30 of a code.
_LEVELS: Final = ("Information", "Information", "Warning", "Error")
_SOURCES: Final = r"HKLM\SYSTEM\CurrentControlSet\Services\EventLog\System"
_REJECTED: Final = (
    "Smart Card Reader '%2' rejected IOCTL %3: %1  If this error persists, your smart card or "
    "reader may not be functioning correctly.\n\nCommand Header: %4"
)


class LogEntry:
    """One entry.

    Attributes:
        number: counts the entries of the log, 1 being the first.
        time: seconds since 1970, UTC.
        source: who wrote it, a driver's service or ``SCardSvr``.
        level: ``Error``, ``Warning`` or ``Information``.
        event_id: the lower 16 bits of ``code``.
        code: the whole code, severity and facility included.
        text: the entry in words.
        strings: what stands for %1, %2, … in them.
        data: binary data of the entry: the dump data, little-endian.
    """

    __slots__ = ("code", "data", "event_id", "level", "number", "source", "strings", "text", "time")

    def __init__(
        self,
        number: int,
        seconds: float,
        source: str,
        level: str,
        code: int,
        text: str,
        strings: tuple[str, ...],
        data: bytes,
    ) -> None:
        self.number = number
        self.time = seconds
        self.source = source
        self.level = level
        self.event_id = code & 0xFFFF
        self.code = code
        self.text = text
        self.strings = strings
        self.data = data

    def record(self) -> dict[str, object]:
        """Return everything under plain names; the time in ISO 8601, bytes in hexadecimal."""
        from datetime import UTC, datetime

        when = datetime.fromtimestamp(self.time, UTC).isoformat(timespec="milliseconds")
        return {
            "number": self.number,
            "time": when,
            "source": self.source,
            "level": self.level,
            "event_id": self.event_id,
            "code": f"0x{self.code:08X}",
            "text": self.text,
            "strings": list(self.strings),
            "data": self.data.hex(" ").upper(),
        }


class EventLog:
    """The log of one host; when it is full the oldest entries go.

    Attributes:
        message_files: message texts by code, by the lower-case name of the file that holds them.

    Args:
        events: what it hears, an I/O manager's ``log``.
        registry: names the message files of the sources.
        reader_name: says what a device is called by the resource manager.
        now: seconds since 1970.
    """

    def __init__(
        self,
        events: Emitter,
        registry: Registry,
        reader_name: Callable[[str], str],
        now: Callable[[], float] = time.time,
    ) -> None:
        self.message_files: dict[str, Mapping[int, str]] = {}
        self._registry = registry
        self._reader_name = reader_name
        self._now = now
        self._count = 0
        self._kept: deque[tuple[int, float, Event, str]] = deque(maxlen=MAX_ENTRIES)
        events.subscribe(self._hear)

    def _hear(self, event: Event) -> None:
        # A reader's name may be another's by the time it is read.
        name = self._reader_name(event.device) if isinstance(event, IoctlRejectedEvent) else ""
        self._count += 1
        self._kept.append((self._count, self._now(), event, name))

    def entries(self) -> list[LogEntry]:
        """Return what is in the log, oldest first; call it under the host's lock."""
        return [self._entry(*kept) for kept in self._kept]

    def clear(self) -> None:
        """Forget all entries; numbers go on."""
        self._kept.clear()

    def _entry(self, number: int, seconds: float, event: Event, reader: str) -> LogEntry:
        if isinstance(event, DriverLogEvent):
            strings: tuple[str, ...] = (event.device, event.text)
            text = self._message(event.driver, event.code, strings)
            level = _LEVELS[event.code >> 30]
            data = event.dump.to_bytes(4, "little")
            return LogEntry(number, seconds, event.driver, level, event.code, text, strings, data)
        assert isinstance(event, IoctlRejectedEvent)  # nobody else writes
        from vreader.host.win32 import text_of

        header = event.header.hex(" ") or "XX XX XX XX"
        strings = (text_of(event.win32), reader, _ioctl(event.code), header)
        text = _insert(_REJECTED, strings)
        return LogEntry(
            number, seconds, RESOURCE_MANAGER, "Error", IOCTL_REJECTED, text, strings, b""
        )

    def _message(self, source: str, code: int, strings: tuple[str, ...]) -> str:
        """Put a driver's entry into words, or say why there are none."""
        key = self._registry.find(rf"{_SOURCES}\{source}") if source else None
        value = None if key is None else key.find_value("EventMessageFile")
        decoded = None if value is None else value.decoded
        files = decoded if isinstance(decoded, str) else ""
        for path in files.split(";"):
            messages = self.message_files.get(path.rpartition("\\")[2].lower(), {})
            if code in messages:
                return _insert(messages[code], strings)
        why = "no message file is registered" if not files else f"{files} has no text"
        told = ", ".join(text for text in strings if text)
        return f"{why} for event 0x{code:08X} of source {source}: {told}"


def _insert(text: str, strings: tuple[str, ...]) -> str:
    """Replace ``%1``, ``%2``, … in a message; what is inserted is not looked at again."""
    first, *rest = text.split("%")
    parts = [first]
    for part in rest:
        number = part[:1]
        if number.isascii() and number.isdigit() and 1 <= int(number) <= len(strings):
            parts.append(strings[int(number) - 1] + part[1:])
        else:
            parts.append(f"%{part}")
    return "".join(parts)


def _ioctl(code: int) -> str:
    """Return what event 610 calls a request: TRANSMIT, or the code in hexadecimal."""
    from vreader.smclib.ioctl import Ioctl

    try:
        return Ioctl(code).name.removeprefix("SMARTCARD_")
    except ValueError:
        return f"0x{code:x}"
