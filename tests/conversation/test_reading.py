# SPDX-License-Identifier: Apache-2.0
"""Traces and texts become events again."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vreader.cli.show import find_event
from vreader.conversation.reading import read_events
from vreader.errors import UsageError
from vreader.reader.events import ApduEvent, CardEvent, TpduEvent
from vreader.trace.jsonl import json_line
from vreader.trace.text import TextFormat
from vreader.wdm.events import IrpEvent

APDU = ApduEvent("r", bytes.fromhex("002000800200" + "00"), b"\x90\0", ((5, 7),), (), "V", 0.5)
EVENTS = [
    CardEvent("r", "cold reset", b"\x3b\0"),
    APDU,
    TpduEvent("r", "T=1", True, "I(0,0)", b"\0\1", 2),
    IrpEvent("d", "DEVICE_CONTROL", 0x310004, "STATUS_SUCCESS", 4),
]


def read(text, **options):
    return list(read_events(text, "x.jsonl", find_event, **options))


def test_what_a_trace_writes_is_read_back():
    text = "".join(json_line(number / 8, event) for number, event in enumerate(EVENTS))
    assert read(text) == [(number / 8, event) for number, event in enumerate(EVENTS)]


def test_events_nobody_knows_are_shown_by_their_fields():
    [(_, event)] = read('{"event": "NewEvent", "t": 1, "reader": "r", "steps": [1, [2]], "a b": 1}')
    assert type(event).__name__ == "NewEvent"
    assert (event.reader, event.steps) == ("r", (1, (2,)))
    for when in ("", ', "t": "now"', ', "t": 1' + 400 * "0"):
        [(seconds, _)] = read('{"event": "NewEvent"' + when + "}")
        assert seconds is None


def test_plain_text():
    (_, reset), (when, apdu) = read("RESET 3B00\n> 002000800431323334\n< 9000\n")
    assert reset == CardEvent("card", "cold reset", b"\x3b\0")
    assert (when, apdu.masked, apdu.problem) == (None, ((5, 9),), "")
    assert "VERIFY" in apdu.text
    ((_, apdu),) = read("> 002000800431323334\n< 9000\n", unmask=True)
    assert apdu.command == bytes.fromhex("002000800431323334")


def test_secrets_are_masked_where_the_writer_did_not_know():
    seen = ApduEvent("r", bytes.fromhex("00200080023132"), b"\x90\0", (), (), "", 0)
    line = json_line(0, seen)
    [(_, event)] = read(line)
    assert (event.masked, event.command[5:]) == (((5, 7),), bytes(2))


@pytest.mark.parametrize(
    "line",
    [
        {"event": "IrpEvent"},
        {"event": "IrpEvent", "device": "d", "major": "m", "code": "x", "status": "s",
         "information": 0},
        {"event": "IrpEvent", "device": "d", "major": "m", "code": True, "status": "s",
         "information": 0},
        {"event": "TpduEvent", "reader": "r", "protocol": "T=1", "to_card": 1, "text": "",
         "data": "", "length": 0},
        {"event": "CardEvent", "reader": "r", "change": "inserted", "atr": "zz"},
        {"event": "no name"},
        {"event": "ApduEvent", "command": "0"},
    ],
)  # fmt: skip
def test_nonsense(line):
    with pytest.raises(UsageError, match=r"x\.jsonl, line 1: not an event"):
        read(json.dumps(line))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)
NAMES = ["ApduEvent", "CardEvent", "IrpEvent", "TpduEvent", "TraceOpened", "ReaderChangeEvent"]
FIELDS = ["reader", "command", "response", "problem", "change", "atr", "t", "code", "fields"]


@given(
    st.sampled_from(NAMES) | st.text(max_size=5),
    st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=5), JSON, max_size=6),
)
def test_whatever_stands_there_is_read_or_refused(name, fields):
    with contextlib.suppress(UsageError):
        for seconds, event in read(json.dumps(fields | {"event": name})):
            TextFormat()(seconds, event)
            json_line(0, event)
