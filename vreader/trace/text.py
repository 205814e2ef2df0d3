# SPDX-License-Identifier: Apache-2.0
"""Events as lines for people: time, reader, what happened.

Each class of events has its own words, registered with ``@explain.register``; an event without any
is shown by its ``__str__`` where it has one, else by its class name and fields, so a new event
needs nothing here. APDUs are shown as ISO 7816 tools do, ``>`` to the card and ``<`` from it.
"""

from enum import Enum
from functools import singledispatch
from typing import NamedTuple

from vreader.events import Event
from vreader.host.events import ReaderNamed
from vreader.iso7816 import SW
from vreader.reader.events import ApduEvent, CardEvent, CardFaultEvent
from vreader.smclib.events import DriverLogEvent, StateEvent
from vreader.trace.events import TraceOpened
from vreader.trace.notation import hex_pairs, ioctl_name, one_line
from vreader.wdm.events import DeviceEvent, IrpEvent
from vreader.winscard.events import ReaderChangeEvent

SHOWN_BYTES = 32  # of longer data, unless everything is asked for
_WHO_WIDTH = 8
_INDENT = " " * (12 + _WHO_WIDTH + 2)


class Ink(Enum):
    """ANSI colours by what they mean here."""

    PLAIN = ""
    DIM = "2"
    COMMAND = "36"
    STATE = "35"
    GOOD = "32"
    WARNING = "33"
    BAD = "31"


class Line(NamedTuple):
    """One line of an entry."""

    text: str
    ink: Ink = Ink.PLAIN


class Entry(NamedTuple):
    """What is said about one event.

    Attributes:
        who: the reader, or the room that speaks.
        lines: at least one; time and ``who`` stand before the first.
    """

    who: str
    lines: tuple[Line, ...]


class TextFormat:
    """Formats events as text.

    Args:
        colour: use ANSI colours.
        full: show all bytes, however many.
    """

    def __init__(self, *, colour: bool = False, full: bool = False) -> None:
        self._colour = colour
        self._limit = 1 << 20 if full else SHOWN_BYTES

    def __call__(self, seconds: float | None, event: Event) -> str:
        """Return one event as one or more lines, newline included."""
        who, lines = explain(event, self._limit)
        when = " " * 10 if seconds is None else f"{seconds:10.6f}"
        head = f"{when}  {one_line(who):<{_WHO_WIDTH}}  "
        text = ""
        for line in lines:
            text += head + self._inked(one_line(line.text), line.ink) + "\n"
            head = _INDENT
        return text

    def _inked(self, text: str, ink: Ink) -> str:
        if not self._colour or ink is Ink.PLAIN:
            return text
        return f"\x1b[{ink.value}m{text}\x1b[0m"


@singledispatch
def explain(event: Event, limit: int) -> Entry:
    """Say what ``event`` is; of its data show at most about ``limit`` bytes."""
    who: str = getattr(event, "reader", "") or getattr(event, "device", "")
    if type(event).__str__ is not object.__str__:
        return Entry(who, _lines(str(event)))
    told = []
    blocks: list[Line] = []
    for name in event.fields:
        value = getattr(event, name)
        if value is who or value in ("", b"", None):
            continue
        if isinstance(value, bytes):
            value = _data(value, limit)
        elif isinstance(value, str) and "\n" in value:
            blocks += _lines(value)
            continue
        told.append(f"{name}={value}")
    first = Line(" ".join([type(event).__name__.removesuffix("Event"), *told]))
    return Entry(who, (first, *blocks))


def _lines(text: str, ink: Ink = Ink.PLAIN) -> tuple[Line, ...]:
    return tuple(Line(line, ink) for line in text.splitlines()) or (Line(""),)


def _data(data: bytes, limit: int, masked: tuple[tuple[int, int], ...] = ()) -> str:
    if len(data) <= limit:
        return " ".join(hex_pairs(data, masked))
    return " ".join(hex_pairs(data[:limit], masked)) + f" … ({len(data)} bytes)"


# ---------------------------------------------------------------------- each event in its words


@explain.register
def _(event: TraceOpened, limit: int) -> Entry:
    head = Line(f"trace of vreader {event.version}, {event.started}", Ink.DIM)
    if not event.unmasked:
        return Entry("", (head,))
    return Entry("", (head, Line("PINs and keys are shown: do not pass it on", Ink.WARNING)))


@explain.register
def _(event: DeviceEvent, limit: int) -> Entry:
    return Entry("wdm", (Line(f"device interface {event.change}: {event.device}", Ink.DIM),))


@explain.register
def _(event: ReaderNamed, limit: int) -> Entry:
    return Entry(event.device, _lines(str(event), Ink.DIM))


@explain.register
def _(event: IrpEvent, limit: int) -> Entry:
    what = event.major
    if event.code or event.major == "DEVICE_CONTROL":
        what = ioctl_name(event.code) or f"IOCTL {event.code:08X}"
    ink = Ink.DIM if event.status == "STATUS_SUCCESS" else Ink.WARNING
    return Entry(event.device, (Line(f"IRP {what}  {event.status}  {event.information} B", ink),))


@explain.register
def _(event: StateEvent, limit: int) -> Entry:
    text = f"{event.before} → {event.after} ({event.cause})"
    return Entry(event.device, (Line(text, Ink.STATE),))


@explain.register
def _(event: DriverLogEvent, limit: int) -> Entry:
    return Entry(event.device, (Line(f"event log: {event.status} {event.text}", Ink.WARNING),))


_CARD_PROBLEMS = {
    "gone": "the card is gone",
    "mute": "the card does not answer",
    "fault": "a bug in the card's code",
    "late": "too late, dropped",
}


@explain.register
def _(event: CardEvent, limit: int) -> Entry:
    noun = "card " if event.change in ("inserted", "removed") else ""
    text = f"{noun}{event.change}"
    if event.atr:
        text += f"  ATR {_data(event.atr, max(limit, 33))}"
    if event.problem:
        text += f"  {_CARD_PROBLEMS.get(event.problem, event.problem)}"
    return Entry(event.reader, (Line(text, Ink.BAD if event.problem else Ink.STATE),))


@explain.register
def _(event: ApduEvent, limit: int) -> Entry:
    command = f"> {_data(event.command, limit, event.masked)}"
    if event.text:
        command += f"   {event.text}"
    return Entry(event.reader, (Line(command, Ink.COMMAND), _response(event, limit)))


def _response(event: ApduEvent, limit: int) -> Line:
    parts = ["<"]
    if len(event.response) >= 2:
        if data := event.response[:-2]:
            parts.append(_data(data, limit, event.masked_response))
        parts.append(event.response[-2:].hex(" ").upper())
    elif event.response:
        parts.append(_data(event.response, limit))
    words = answer_in_words(event)
    return Line(f"{' '.join(parts)}   {words.text}", words.ink)


def answer_in_words(event: ApduEvent) -> Line:
    """Say what is to say of an answer besides its bytes: status word, length, problem, time."""
    remarks = []
    ink = Ink.BAD
    if len(event.response) >= 2:
        sw = SW(int.from_bytes(event.response[-2:], "big"))
        remarks.append(str(sw)[5:])
        if len(event.response) > 2:
            remarks.append(f"{len(event.response) - 2} B")
        ink = _ink_of(sw)
    elif event.response:
        remarks.append("shorter than a status word")
    if event.problem:
        remarks.append(_CARD_PROBLEMS.get(event.problem, event.problem))
        ink = Ink.BAD
    remarks.append(_duration(event.seconds))
    return Line("  ".join(filter(None, remarks)), ink)


def _ink_of(sw: SW) -> Ink:
    match sw >> 8:
        case 0x90 | 0x61:
            return Ink.GOOD
        case 0x62 | 0x63 | 0x6C:
            return Ink.WARNING
        case _:
            return Ink.BAD


def _duration(seconds: float) -> str:
    if seconds < 0:
        return ""
    if seconds < 1e-3:
        return f"{seconds * 1e6:.0f} us"
    return f"{seconds * 1e3:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"


@explain.register
def _(event: CardFaultEvent, limit: int) -> Entry:
    head = Line("the card's code raised an exception; the reader answers 6F00", Ink.BAD)
    return Entry(event.reader, (head, *_lines(event.traceback, Ink.DIM)))


@explain.register
def _(event: ReaderChangeEvent, limit: int) -> Entry:
    if event.gone:
        return Entry("winscard", (Line(f"{event.reader}: gone", Ink.STATE),))
    sharing = {0: "not in use", -1: "exclusive", 1: "1 connection"}.get(
        event.sharing, f"{event.sharing} connections"
    )
    text = f"{event.reader}: {event.state}, {sharing}, event {event.counter}"
    return Entry("winscard", (Line(text, Ink.STATE),))
