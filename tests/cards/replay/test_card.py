# SPDX-License-Identifier: Apache-2.0
"""Answering as recorded, and saying where a program leaves the record."""

import json

import pytest

from cards.replay.card import ReplayCard
from vreader.card import Card, CardGone, CardMute
from vreader.recording import parse

TWO = """RESET 3B00
> 00A4040002A001
< 9000
> 0020008002****
< 63C2
> 0020008002****
< 9000
RESET 3F00
> 00CA0001
< 01 9000
> 002A8086
< ** 9000
"""
DEFAULT = bytes.fromhex("3B80800101")
SELECT, VERIFY, GET, DECIPHER = (
    bytes.fromhex(text) for text in ("00A4040002A001", "00200080023132", "00CA0001", "002A8086")
)


def replay(text=TWO, *, strict=True):
    card = ReplayCard(parse(text), "talk.txt", DEFAULT, strict=strict)
    assert isinstance(card, Card)
    return card


def test_what_is_due():
    card = replay()
    lines = [card.due.line]
    for command in (SELECT, VERIFY, VERIFY):
        card.transmit(command)
        lines.append(card.due.line)
    card.reset()
    for command in (GET, DECIPHER):
        card.transmit(command)
        lines.append(card.due and card.due.line)
    card.reset()
    card.transmit(SELECT)
    assert [*lines, card.due] == [2, 4, 6, 9, 11, None, None]


def test_in_order():
    card = replay()
    assert card.power_on() == card.reset() == b"\x3b\0"
    answers = [card.transmit(command) for command in (SELECT, VERIFY, VERIFY)]
    assert answers == [b"\x90\0", b"\x63\xc2", b"\x90\0"]
    card.power_off()
    assert card.power_on() == b"\x3f\0"
    assert card.transmit(GET) == b"\1\x90\0"
    assert card.power_on() == b"\x3b\0"
    assert card.transmit(SELECT) == b"\x90\0"


def test_in_any_order():
    card = replay(strict=False)
    card.power_on()
    answers = [card.transmit(c) for c in (VERIFY, GET, VERIFY, VERIFY, VERIFY, SELECT, GET)]
    assert [a.hex() for a in answers] == ["63c2", "019000", "63c2", "9000", "63c2", "9000",
                                          "019000"]  # fmt: skip


def test_resets_as_recorded():
    events = [
        {"event": "CardEvent", "change": "cold reset", "atr": "3B00"},
        {"event": "CardEvent", "change": "warm reset", "atr": "", "problem": "mute"},
        {"event": "ApduEvent", "command": "00B0", "response": "", "problem": "gone"},
        {"event": "CardEvent", "change": "cold reset", "atr": ""},
        {"event": "ApduEvent", "command": "00B0", "response": "", "problem": "mute"},
    ]
    card = replay("\n".join(map(json.dumps, events)))
    assert card.power_on() == b"\x3b\0"
    with pytest.raises(CardMute):
        card.reset()
    with pytest.raises(CardGone):
        card.transmit(b"\0\xb0")
    assert card.power_on() == b"\x3b\0"
    with pytest.raises(CardMute):
        card.transmit(b"\0\xb0")


def test_a_record_without_atr():
    assert replay("> 00B0\n< 9000").power_on() == DEFAULT


@pytest.mark.parametrize(
    ("strict", "sent", "reason"),
    [
        (True, [b"\0\xa4\4\0\2\xa0\2"], "00 A4 04 00 02 A0 02 is not what was recorded: due is "
         "line 2: byte 6 is 02, not 01"),
        (True, [SELECT, SELECT], "due is line 4: INS is A4, not 20; line 2 has it (strict=no "
         "finds it)"),
        (True, [SELECT, VERIFY, VERIFY, VERIFY], "00 20 00 80 … (7 bytes) is not what was "
         "recorded: nothing was sent after this until the next reset; line 4 has it (strict=no "
         "finds it)"),
        (False, [b"\0\xca\0\2"], "nearest is line 9: P2 is 02, not 01"),
        (False, [DECIPHER], "line 11: the answer was masked and cannot be replayed; record it "
         "with --unmask"),
    ],
)  # fmt: skip
def test_divergence_is_explained(strict, sent, reason, caplog):
    card = replay(strict=strict)
    card.power_on()
    answers = [card.transmit(command) for command in sent]
    assert answers[-1] == b"\x6f\0"
    assert b"\x6f\0" not in answers[:-1]
    card.transmit(sent[-1])
    [record] = caplog.records
    assert record.message.startswith("talk.txt: ")
    assert record.message.endswith(reason)


def test_a_program_that_goes_its_own_way_is_told_once_for_each_place(caplog):
    card = replay()
    card.power_on()
    for p2 in range(9):
        card.transmit(bytes((0, 0xB0, 0, p2)))
    card.transmit(SELECT)
    card.transmit(SELECT)
    assert [record.message.partition(": due is ")[2][:6] for record in caplog.records] == [
        "line 2", "line 4",
    ]  # fmt: skip


def test_where_the_record_was_left_first():
    card = replay()
    assert card.left is None
    card.transmit(SELECT)
    card.transmit(GET)
    card.transmit(SELECT)
    assert (card.left[0].line, card.left[1]) == (4, GET)
    card = replay(strict=False)
    card.transmit(b"\0\xca\0\2")
    assert card.left == (None, b"\0\xca\0\2")


def test_after_a_divergence_the_record_is_where_it_was():
    card = replay()
    assert card.transmit(GET) == b"\x6f\0"
    assert card.transmit(SELECT) == b"\x90\0"
