# SPDX-License-Identifier: Apache-2.0
"""Events as packets of a pcapng file, which Wireshark decodes without being told anything.

Packets are of link type 252, what Wireshark itself writes when it exports the PDUs of an upper
protocol: tags, of which one names the dissector, and then the bytes. APDUs and ATRs are for
``iso7816``, their direction in a tag of its own; everything else is text for ``syslog``. Each
reader is an interface of the file. What an APDU means is its packet's comment.

Formats: IETF draft "PCAP Next Generation (pcapng) Capture File Format"; Wireshark,
epan/exported_pdu.h.
"""

import datetime
import struct
from collections.abc import Iterator
from typing import Final

from vreader import __version__
from vreader.events import Event, Sink
from vreader.host.events import ReaderNamed
from vreader.reader.events import ApduEvent, CardEvent
from vreader.reader.observer import Ranges
from vreader.trace.events import TraceOpened
from vreader.trace.recent import without_carriers
from vreader.trace.text import SHOWN_BYTES, Ink, answer_in_words, explain

LINKTYPE_WIRESHARK_UPPER_PDU: Final = 252
NO_TIME: Final = TraceOpened(__version__, "1970-01-01T00:00:00+00:00", False)
"""The beginning of a conversation of which nobody knows when it was."""

_SECTION, _INTERFACE, _PACKET = 0x0A0D0D0A, 1, 6
_BYTE_ORDER = 0x1A2B3C4D
_COMMENT, _APPLICATION, _NAME, _DESCRIPTION, _RESOLUTION = 1, 4, 2, 3, 9
_NANOSECONDS = "\x09"
_MAX_OPTION = 0xFFFF

_DISSECTOR, _DIRECTION, _NO_MORE_TAGS = 12, 35, bytes(4)
_TO_CARD, _FROM_CARD = bytes(4), b"\0\0\0\1"

_INITIAL_CHARACTERS = b"\x3b\x3f"  # of an ATR: ISO/IEC 7816-3 §8.1
_LOCAL0 = 16 << 3
_SEVERITY = {Ink.BAD: 3, Ink.WARNING: 4, Ink.DIM: 7}
_INFORMATION = 6
_GENERAL = "vreader"


def filtered_packets(sink: Sink, level: int | None) -> Sink:
    """Return a sink that hands on to ``sink`` what belongs into a capture.

    Args:
        sink: of a capture.
        level: the DEBUG_* bits that are wanted; None for all but what carries the rest
            (:mod:`vreader.trace.recent`).
    """
    if level is None:
        return without_carriers(sink)
    from vreader.trace.level import filtered

    return filtered(sink, level, (ReaderNamed,))  # an interface has its name from it


class PcapngFormat:
    """Formats events as blocks of a pcapng file; the first event is TraceOpened.

    A reader becomes an interface when its name is told, or with its first APDU or ATR. Interface 0
    has what belongs to none.
    """

    def __init__(self) -> None:
        self._start = 0  # nanoseconds since 1970
        self._names: dict[str, str] = {}  # reader by device
        self._interfaces: dict[str, int] = {}  # by device
        self._count = 0  # interfaces there are

    def __call__(self, seconds: float, event: Event) -> bytes:
        """Return one event as whole blocks."""
        time = self._start + round(seconds * 1e9)
        match event:
            case TraceOpened():
                return self._open(event)
            case ReaderNamed():
                self._names[event.device] = event.reader
                head, number = self._interface(event.device)
                return head + _packet(number, time, *_text(event))
            case ApduEvent():
                head, number = self._interface(event.reader)
                return head + b"".join(_exchange(number, time, event))
            case CardEvent() if event.atr[:1] and event.atr[0] in _INITIAL_CHARACTERS:
                head, number = self._interface(event.reader)
                data = _pdu(b"iso7816", event.atr, _FROM_CARD)
                return head + _packet(number, time, data, event.change)
        return _packet(self._belongs_to(event), time, *_text(event))

    def _open(self, event: TraceOpened) -> bytes:
        """Begin; another trace that follows has times and readers of its own."""
        started = datetime.datetime.fromisoformat(event.started)
        self._start = round(started.timestamp() * 1000) * 1_000_000
        self._names, self._interfaces = {}, {}
        if self._count:
            return _packet(0, self._start, *_text(event))
        self._count = 1
        options = [(_APPLICATION, f"vreader {event.version}")]
        if event.unmasked:
            options.append((_COMMENT, "PINs and keys are shown: do not pass it on"))
        body = struct.pack("<IHHq", _BYTE_ORDER, 1, 0, -1)
        return _block(_SECTION, body, options) + _interface(_GENERAL, "")

    def _interface(self, device: str) -> tuple[bytes, int]:
        """Return the number of a reader's interface, and what makes it, if it is new."""
        number = self._interfaces.get(device)
        if number is not None:
            return b"", number
        number = self._interfaces[device] = self._count
        self._count += 1
        name = self._names.get(device)
        return _interface(name or device, device if name else ""), number

    def _belongs_to(self, event: Event) -> int:
        who: str = getattr(event, "reader", "") or getattr(event, "device", "")
        for device, name in self._names.items():
            if who == name:
                who = device
        return self._interfaces.get(who, 0)


def _exchange(interface: int, time: int, event: ApduEvent) -> Iterator[bytes]:
    """Yield a command and its response, or why there is none."""
    sent = time - max(0, round(event.seconds * 1e9))
    words = _and_masked(event.text, event.masked)
    yield _packet(interface, sent, _pdu(b"iso7816", event.command, _TO_CARD), words)
    answer = answer_in_words(event)
    if not event.response:
        text = f"{event.reader}: no response: {answer.text}"
        yield _packet(interface, time, _pdu(b"syslog", _syslog(text, answer.ink)))
        return
    words = _and_masked(answer.text, event.masked_response)
    yield _packet(interface, time, _pdu(b"iso7816", event.response, _FROM_CARD), words)


def _and_masked(words: str, masked: Ranges) -> str:
    if not masked:
        return words
    spans = ", ".join(str(a) if a + 1 == b else f"{a} to {b - 1}" for a, b in masked)
    one = len(masked) == 1 and masked[0][0] + 1 == masked[0][1]
    secret = f"byte {spans} is" if one else f"bytes {spans} are"
    return "; ".join(filter(None, (words, f"{secret} secret and written as zeros")))


def _text(event: Event) -> tuple[bytes]:
    """Return an event in the words of the text trace, as a PDU of syslog (RFC 3164)."""
    who, lines = explain(event, SHOWN_BYTES)
    told = "\n".join(line.text for line in lines)
    return (_pdu(b"syslog", _syslog(f"{who}: {told}" if who else told, lines[0].ink)),)


def _syslog(text: str, ink: Ink) -> bytes:
    priority = _LOCAL0 + _SEVERITY.get(ink, _INFORMATION)
    return _encoded(f"<{priority}>{text}")


# ---------------------------------------------------------------------- blocks and their parts


def _pdu(dissector: bytes, data: bytes, direction: bytes = b"") -> bytes:
    """Return an exported PDU: tags in network byte order, then the data."""
    tags = _tag(_DISSECTOR, _padded(dissector))
    if direction:
        tags += _tag(_DIRECTION, direction)
    return tags + _NO_MORE_TAGS + data


def _tag(tag: int, value: bytes) -> bytes:
    return struct.pack(">HH", tag, len(value)) + value


def _interface(name: str, description: str) -> bytes:
    options = [(_NAME, name), (_RESOLUTION, _NANOSECONDS)]
    if description:
        options.append((_DESCRIPTION, description))
    return _block(_INTERFACE, struct.pack("<HHI", LINKTYPE_WIRESHARK_UPPER_PDU, 0, 0), options)


def _packet(interface: int, time: int, data: bytes, comment: str = "") -> bytes:
    time = max(0, time)
    length = len(data)
    body = struct.pack("<IIIII", interface, time >> 32, time & 0xFFFFFFFF, length, length)
    options = [(_COMMENT, comment)] if comment else []
    return _block(_PACKET, body + _padded(data), options)


def _block(kind: int, body: bytes, options: list[tuple[int, str]]) -> bytes:
    for code, text in options:
        value = _encoded(text)[:_MAX_OPTION]
        body += struct.pack("<HH", code, len(value)) + _padded(value)
    if options:
        body += bytes(4)
    length = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + length + body + length


def _encoded(text: str) -> bytes:
    return text.encode(errors="backslashreplace")


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
