# SPDX-License-Identifier: Apache-2.0

import pytest

from vreader.events import Event
from vreader.reader.events import ApduEvent, CardEvent, CardFaultEvent
from vreader.smclib.events import DriverLogEvent, StateEvent
from vreader.trace.events import TraceOpened
from vreader.trace.text import TextFormat
from vreader.wdm.events import DeviceEvent, IrpEvent
from vreader.winscard.events import ReaderChangeEvent


def apdu(command="00A40400", response="9000", **more):
    values = {"masked": (), "masked_response": (), "text": "", "seconds": 0.0} | more
    return ApduEvent("reader0", bytes.fromhex(command), bytes.fromhex(response), **values)


def said(event, **options):
    """The lines about an event without the column of time and reader."""
    text = TextFormat(**options)(1.5, event)
    assert text.endswith("\n")
    return [line[22:] for line in text[:-1].split("\n")]


def test_time_and_reader_stand_before_the_first_line_only():
    assert TextFormat()(12.0345678, apdu()) == (
        " 12.034568  reader0   > 00 A4 04 00\n                      < 90 00   OK  0 us\n"
    )


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (TraceOpened("1.2", "2026-11-21", False), "trace of vreader 1.2, 2026-11-21"),
        (DeviceEvent(r"\Device\r0", "arrival"), r"device interface arrival: \Device\r0"),
        (IrpEvent("r", "CREATE", 0, "STATUS_SUCCESS", 0), "IRP CREATE  STATUS_SUCCESS  0 B"),
        (
            IrpEvent("r", "DEVICE_CONTROL", 0x310014, "STATUS_SUCCESS", 10),
            "IRP SMARTCARD_TRANSMIT  STATUS_SUCCESS  10 B",
        ),
        (
            IrpEvent("r", "DEVICE_CONTROL", 0x42000D48, "STATUS_NOT_SUPPORTED", 0),
            "IRP IOCTL 42000D48  STATUS_NOT_SUPPORTED  0 B",
        ),
        (StateEvent("r", "ABSENT", "card removed", "UNKNOWN"), "ABSENT → UNKNOWN (card removed)"),
        (DriverLogEvent("r", "STATUS_IO_TIMEOUT", "no"), "event log: STATUS_IO_TIMEOUT no"),
        (CardEvent("r", "inserted"), "card inserted"),
        (CardEvent("r", "cold reset", bytes.fromhex("3B00")), "cold reset  ATR 3B 00"),
        (CardEvent("r", "warm reset", problem="mute"), "warm reset  the card does not answer"),
        (CardEvent("r", "power down"), "power down"),
        (ReaderChangeEvent("A", "NEGOTIABLE", 3, -1, False), "A: NEGOTIABLE, exclusive, event 3"),
        (ReaderChangeEvent("A 00", "ABSENT", 0, 2, False), "A 00: ABSENT, 2 connections, event 0"),
        (ReaderChangeEvent("A 00", "ABSENT", 0, 0, True), "A 00: gone"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Event) else "",
)  # fmt: skip
def test_each_event_has_its_words(event, line):
    assert said(event) == [line]


def test_a_trace_with_secrets_says_so():
    assert said(TraceOpened("1", "now", True))[1:] == ["PINs and keys are shown: do not pass it on"]


@pytest.mark.parametrize(
    ("event", "lines"),
    [
        (
            apdu("0020008008" + "00" * 8, "63C2", masked=((5, 13),), text="VERIFY PIV PIN",
                 seconds=0.00125),
            ["> 00 20 00 80 08 ** ** ** ** ** ** ** **   VERIFY PIV PIN",
             "< 63 C2   2 tries left  1.2 ms"],
        ),
        (
            apdu("002A8086", "000000009000", masked_response=((0, 4),), seconds=2.5),
            ["> 00 2A 80 86", "< ** ** ** ** 90 00   OK  4 B  2.50 s"],
        ),
        (apdu("00CA", "", problem="gone"), ["> 00 CA", "<   the card is gone  0 us"]),
        (apdu("00CA0000", "6F00", problem="fault"),
         ["> 00 CA 00 00", "< 6F 00   UNKNOWN  a bug in the card's code  0 us"]),
        (apdu("00CA0000", "9000", problem="late"),
         ["> 00 CA 00 00", "< 90 00   OK  too late, dropped  0 us"]),
        (apdu("00CA0000", "90"), ["> 00 CA 00 00", "< 90   shorter than a status word  0 us"]),
        (apdu("00CA0000", "6110"), ["> 00 CA 00 00", "< 61 10   more data  0 us"]),
        (apdu("00CA0000", "6999"), ["> 00 CA 00 00", "< 69 99   0 us"]),
    ],
)  # fmt: skip
def test_apdus(event, lines):
    assert said(event) == lines


def test_long_data_is_shortened_and_its_length_told():
    event = apdu("00" * 261, "AB" * 256 + "9000", masked=((31, 33),), masked_response=((31, 40),))
    command, response = said(event)
    assert command == "> " + "00 " * 31 + "** … (261 bytes)"
    assert response == "< " + "AB " * 31 + "** … (256 bytes) 90 00   OK  256 B  0 us"
    command, response = said(event, full=True)
    assert command == "> " + "00 " * 31 + "** **" + " 00" * 228
    assert response.count("AB") == 256 - 9


def test_a_fault_of_a_card_shows_its_traceback():
    lines = said(CardFaultEvent("r", 'Traceback:\n  File "x", line 1\nKeyError\n'))
    assert lines[1:] == ["Traceback:", '  File "x", line 1', "KeyError"]


class NewEvent(Event):
    reader: str
    number: int
    data: bytes
    text: str = ""
    story: str = ""


class SpeakingEvent(Event):
    reader: str

    def __str__(self) -> str:
        return "I speak\nfor myself"


def test_an_event_nobody_knows_is_shown_by_name_and_fields():
    assert said(NewEvent("reader7", 1, b"\x0a\xff", story="a\nb")) == [
        "New number=1 data=0A FF", "a", "b",
    ]  # fmt: skip
    assert TextFormat()(0, NewEvent("reader7", 1, b"")).startswith("  0.000000  reader7   New")


def test_an_event_may_speak_for_itself():
    assert said(SpeakingEvent("r")) == ["I speak", "for myself"]


def test_control_sequences_of_others_are_escaped():
    event = apdu(text="\x1b[2J\x07 \udc80 ok\n")
    (command, _), text = said(event), TextFormat()(0, event)
    assert command == r"> 00 A4 04 00   \x1b[2J\x07 \udc80 ok\n"
    assert "\x1b" not in text


@pytest.mark.parametrize(
    ("sw", "code"),
    [("9000", 32), ("6110", 32), ("63C1", 33), ("6C10", 33), ("6A82", 31), ("6F00", 31)],
)
def test_colour_tells_the_outcome(sw, code):
    command, response = TextFormat(colour=True)(0, apdu(response=sw)).splitlines()
    assert "\x1b[36m> 00 A4 04 00\x1b[0m" in command
    assert f"\x1b[{code}m< " in response
    assert response.endswith("\x1b[0m")


def test_no_colour_without_being_asked():
    assert "\x1b" not in TextFormat()(0, apdu())
