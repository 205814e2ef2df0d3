# SPDX-License-Identifier: Apache-2.0
"""Reading recordings: traces as JSON lines, and plain text."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vreader.errors import UsageError
from vreader.events import Emitter
from vreader.reader.events import ApduEvent, CardEvent
from vreader.recording import parse
from vreader.trace import open_trace

TEXT = """
# a remark
RESET 3B 00
> 00 A4 04 00 02 A0 01
< 6F 00
< 9000 OK
> 00:20:00:80:02:**:**   VERIFY
< 63C2   2 tries left
RESET
> 00CA
< **** 9000
"""


def test_plain_text():
    first, second = parse(TEXT)
    assert first.resets == ((True, b"\x3b\0", ""),)
    select, verify = first.exchanges
    assert (select.line, select.answer) == (4, bytes.fromhex("6F009000"))
    assert verify.command.fits(bytes.fromhex("00200080021234"))
    assert not verify.command.fits(bytes.fromhex("0020008003123456"))
    assert verify.answer == b"\x63\xc2"
    assert second.resets == ((True, b"", ""),)
    assert (second.exchanges[0].answer, second.exchanges[0].problem) == (None, "masked")


def apdu(reader, command, response, masked=(), masked_response=(), problem=""):
    return ApduEvent(
        reader, bytes.fromhex(command), bytes.fromhex(response), masked, masked_response, "", 0,
        problem,
    )  # fmt: skip


def test_what_a_trace_writes_is_read(tmp_path):
    events = Emitter()
    close = open_trace(str(tmp_path / "trace.jsonl"), events)
    for event in (
        CardEvent("a", "inserted"),
        CardEvent("a", "cold reset", problem="mute"),
        CardEvent("a", "warm reset", b"\x3b\0"),
        apdu("a", "002000800200" + "00", "9000", masked=((5, 7),)),
        apdu("a", "002A8086", "00009000", masked_response=((0, 2),)),
        apdu("a", "00B0", "", problem="gone"),
        apdu("a", "00B1", "", problem="not possible"),
        apdu("a", "00B2", "6F00", problem="fault"),
        CardEvent("a", "removed"),
        CardEvent("b", "cold reset", b"\x3f\0"),
    ):
        events.emit(event)
    close()
    text = (tmp_path / "trace.jsonl").read_text()
    [session] = parse(text)
    assert session.resets == ((True, b"", "mute"), (False, b"\x3b\0", ""))
    assert session.exchanges[0].command.fits(bytes.fromhex("00200080021234"))
    assert [(e.line, e.answer, e.problem) for e in session.exchanges] == [
        (5, b"\x90\0", ""),
        (6, None, "masked"),
        (7, None, "gone"),
        (8, None, "mute"),
        (9, b"\x6f\0", ""),
    ]
    assert parse(text, "trace", "a") == (session,)
    with pytest.raises(UsageError, match="no commands"):
        parse(text, "trace", "b")


def line(**fields):
    return json.dumps({"event": "ApduEvent", "reader": "a", "problem": ""} | fields) + "\n"


GOOD = line(command="00B0", response="9000")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "has no commands"),
        ("RESET\n", "has no commands"),
        ("# > 00B0\n", "has no commands"),
        ("> 00B0\n", "line 2: the command in line 1 has no answer"),
        ("> 00B0\n\n> 00B0\n< 9000", "line 3: the command in line 1 has no answer"),
        ("< 9000\n", "line 1: an answer without a command"),
        ("> 00B\n< 9000", "line 1: '00B' is not bytes"),
        ("> 00\n< 9000", "line .: a command has two bytes at least"),
        ("> 00B0\n< yes", "line 2: 'yes' is not bytes"),
        ("RESET 3X", "line 1: "),
        ("RESET 3B0\n", "line 1: RESET is followed by an ATR of at most 33 bytes"),
        ("RESETTLE\n", "line 1: RESET is followed by an ATR"),
        ("RESET " + "3B" * 34, "line 1: RESET is followed by an ATR of at most 33 bytes"),
        (line(event="CardEvent", change="cold reset", atr="3B" * 34), "line 1: .*at most 33"),
        ("hello", "line 1: what is it"),
        ("\x1f\x8b\x08", "line 1: what is it"),
        ('{"event": "Apdu', "line 1: not JSON"),
        (GOOD + "[]", "line 2: not an event"),
        (GOOD + "{}", "line 2: not an event of a trace: KeyError: 'event'"),
        (GOOD + "[" * 100_000, "line 2: not JSON"),
        (line(command="00B0"), "line 1: .*'response'"),
        (line(command="00B0", response=7), "line 1: .*not int"),
        (line(command="00B0", response="9"), "line 1: .*not bytes"),
        (line(command="00*", response="9000"), "line 1: .*not bytes"),
        (line(command="00", response="9000"), "line 1: .*two bytes"),
        (line(command="00B0", response="9000", problem=3), "line 1: .*problem"),
        (line(event="CardEvent", change="cold reset", atr=None), "line 1: .*NoneType"),
        (line(event="CardEvent", change=[], atr=""), "has no commands"),
        (GOOD + line(command="00B0", response="9000", reader="b"), "has several readers"),
    ],
)
def test_what_is_no_recording(text, problem):
    with pytest.raises(UsageError, match=problem) as caught:
        parse(text, "x.jsonl")
    assert str(caught.value).startswith("x.jsonl")
    assert "\n" not in str(caught.value)
    assert caught.value.hint


def test_the_reader_that_is_named():
    text = GOOD + line(command="00B1", response="9000", reader="b")
    assert parse(text, "x", "b")[0].exchanges[0].command.value == b"\0\xb1"
    with pytest.raises(UsageError, match="has no reader 'c'") as caught:
        parse(text, "x", "c")
    assert caught.value.hint == "readers: 'a', 'b'"
    with pytest.raises(UsageError, match="names no readers"):
        parse(TEXT, "x", "a")


@given(st.text(max_size=60) | st.text('> <09aB*{}[]":RESET\n', max_size=60))
def test_any_text_is_a_recording_or_an_error(text):
    with contextlib.suppress(UsageError):
        assert parse(text)


@pytest.mark.parametrize("text", ["> 002000800831323334X", "> 00B0\n< 9000\n> 00200080043132333"])
def test_mistakes_do_not_quote_a_pin(text):
    with pytest.raises(UsageError, match="'00200080…' is not bytes") as caught:
        parse(text)
    assert "3132" not in str(caught.value)
