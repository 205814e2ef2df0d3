# SPDX-License-Identifier: Apache-2.0
"""A recording is played to a card: the first difference ends it."""

import pytest

from vreader.card import CardGone, CardMute
from vreader.conversation.playing import play
from vreader.conversation.randomness import Masks
from vreader.conversation.report import record, text
from vreader.errors import UsageError
from vreader.recording import parse

TALK = """RESET 3B00
> 00A4040005A000000308
< 9000
> 00F8000000
< 01020304 9000
> 0020008006******
< 9000
"""
ANSWERS = {"00A4": "9000", "00F8": "010203049000", "0020": "9000"}


class Card:
    """Answers by the first two bytes of a command: bytes in hexadecimal, or an exception."""

    def __init__(self, answers, atr="3B00"):
        self.answers = dict(answers)
        self.atr = atr
        self.sent = []

    def reset(self, *, cold):
        self.sent.append("cold" if cold else "warm")
        if not isinstance(self.atr, str):
            raise self.atr
        return bytes.fromhex(self.atr)

    def transmit(self, command):
        self.sent.append(command.hex().upper())
        answer = self.answers[self.sent[-1][:4]]
        if isinstance(answer, list):
            answer = answer.pop(0)
        if not isinstance(answer, str):
            raise answer
        return bytes.fromhex(answer)


def played(talk=TALK, card=None, *, rules=(), pins=(b"12",), **options):
    masks = Masks.parse(rules)
    return play(parse(talk), card or Card(ANSWERS), masks=masks, pins=pins, **options)


def test_no_difference():
    card = Card(ANSWERS)
    result = played(card=card)
    assert (result.sent, result.total, result.difference) == (3, 3, None)
    assert card.sent == ["cold", "00A4040005A000000308", "00F8000000", "00200080063132FF"]
    assert text(result, "a.txt") == "a.txt: 3 commands, no difference"
    assert record(result)["same"] is True


def test_the_first_difference_ends_it():
    card = Card(ANSWERS | {"00F8": "010203059000"})
    result = played(card=card)
    assert (result.sent, result.total) == (2, 3)
    assert text(result, "a.txt").splitlines() == [
        "a.txt, line 4: command 2 of 3: byte 3 is 05, not 04",
        "before:",
        "    cold reset  ATR 3B 00",
        "    > 00 A4 04 00 05 A0 00 00 03 08   SELECT PIV",
        "    < 90 00   OK",
        "command:",
        "    > 00 F8 00 00 00   GET SERIAL",
        "expected:",
        "    < 01 02 03 04 90 00   OK  4 B",
        "got:",
        "    < 01 02 03 05 90 00   OK  4 B",
        "bytes:",
        "    expected  0000  01 02 03 04 90 00",
        "    got       0000  01 02 03 05 90 00",
        "                             ^^",
    ]
    told = record(result)["difference"]
    assert (told["line"], told["byte"], told["differing"]) == (4, 3, 1)
    assert told["got"] == {
        "command": "00F8000000", "response": "010203059000", "text": "GET SERIAL", "problem": "",
    }  # fmt: skip
    assert played(card=card, rules=["00F8*"]).difference is None


def test_only_so_many_exchanges_are_told():
    talk = "> 00F8000000\n< 010203049000\n" * 9 + "> 00A4\n< 9001\n"
    before = played(talk, kept=4).difference.before
    assert len(before) == 4


@pytest.mark.parametrize(
    ("answer", "what"),
    [(CardMute, "no answer"), (CardGone, "the card was gone"), ("6A82", "the status word is")],
)
def test_other_answers(answer, what):
    difference = played(card=Card(ANSWERS | {"00F8": answer})).difference
    assert difference.what.startswith(what)
    assert "got:" in text(played(card=Card(ANSWERS | {"00F8": answer})), "a")


def test_what_had_no_answer():
    talk = '{"event": "ApduEvent", "command": "00B0", "response": "", "problem": "%s"}'
    assert played(talk % "mute", Card({"00B0": CardMute})).difference is None
    difference = played(talk % "mute", Card({"00B0": "9000"})).difference
    assert difference.what == "an answer, where there was none"
    card = Card({})
    result = played(talk % "gone", card)
    assert (result.difference, result.passed_over, card.sent) == (None, 1, ["cold"])
    assert text(result, "a").endswith("passed over 1 command during which the card was pulled")


def test_a_reset_that_had_no_answer():
    talk = """{"event": "CardEvent", "change": "cold reset", "atr": "", "problem": "mute"}
    {"event": "ApduEvent", "command": "00A4", "response": "9000"}"""
    assert played(talk, Card(ANSWERS, CardMute)).difference is None
    result = played(talk, Card(ANSWERS))
    assert text(result, "a").startswith(
        "a, line 2: reset before command 1 of 1: an answer, where there was none"
    )


@pytest.mark.parametrize(
    ("atr", "rules", "what"),
    [
        ("3B00", (), ""),
        ("3B01", (), "another ATR: byte 1 is 01, not 00"),
        ("3B01", ("atr",), ""),
        (CardMute, ("atr",), "no answer"),
    ],
)
def test_the_atr(atr, rules, what):
    result = played(card=Card(ANSWERS, atr), rules=rules)
    assert (result.difference.what if result.difference else "") == what
    assert what in text(result, "a")
    assert bool(record(result)["difference"]) == bool(what)


def test_resets_are_as_recorded():
    events = """{"event": "CardEvent", "change": "warm reset", "atr": ""}
    {"event": "ApduEvent", "command": "00A4", "response": "9000"}
    {"event": "CardEvent", "change": "cold reset", "atr": "3B00"}
    {"event": "CardEvent", "change": "warm reset", "atr": "3B00"}
    {"event": "ApduEvent", "command": "00A4", "response": "9000"}"""
    card = Card(ANSWERS)
    assert played(events, card).difference is None
    assert card.sent == ["cold", "00A4", "warm", "00A4"]


def test_get_response_asks_for_what_is_there():
    talk = "> 0087119A027C00\n< 7C6102\n> 00C0000002\n< 01029000\n"
    card = Card({"0087": "7C6103", "00C0": "0102039000"})
    assert played(talk, card).difference is None
    assert card.sent[-1] == "00C0000003"


def test_a_proof_for_another_challenge_is_named():
    talk = "> 0084000002\n< 0102 9000\n> 00820000020304\n< 9000\n> 00DB\n< 9000\n"
    difference = played(talk, Card({"0084": "05069000", "0082": "6982"})).difference
    assert difference.note.startswith("the command proves something")
    difference = played(talk, Card({"0084": "05069000", "0082": "9000", "00DB": "6982"})).difference
    assert difference.note.startswith("an authentication before")


def test_pins_stand_for_what_was_masked_in_order():
    talk = "> 002000800431****\n< 9000\n> 0020008002****\n< 9000\n> 0020008002****\n< 9000\n"
    card = Card(ANSWERS)
    assert played(talk, card, pins=[b"2", b"34"]).difference is None
    assert card.sent[1:] == ["00200080043132FF", "00200080023334", "00200080023334"]


def test_only_verify_is_padded():
    card = Card({"0024": "9000"})
    talk = "> 0024008008****************\n< 9000\n"
    with pytest.raises(UsageError, match=r"line 1: 8 bytes were masked when .* and 2 are to stand"):
        played(talk, card)
    assert card.sent == []
    assert played(talk, card, pins=[b"1234ABCD"]).difference is None
    assert card.sent[-1] == "0024008008" + b"1234ABCD".hex().upper()


def test_a_masked_command_needs_a_pin_before_anything_is_sent():
    card = Card(ANSWERS)
    with pytest.raises(UsageError, match="x, line 6: VERIFY PIV PIN was masked") as caught:
        played(card=card, pins=(), source="x")
    assert "--pin" in caught.value.hint
    with pytest.raises(UsageError, match="a PIN of 9 bytes does not fit into 3"):
        played(card=card, pins=[b"123456789"])
    assert card.sent == []


def test_no_secret_is_told():
    card = Card(ANSWERS | {"0020": "6983"})
    told = text(played(card=card, pins=[b"\xab\xcd\xef"]), "a")
    assert "AB" not in told
    assert "> 00 20 00 80 06 ** ** **   VERIFY" in told
    talk = "> 00A4040005A000000308\n< 9000\n> 00CB3FFF055C035FC10900\n< AABB 9000\n"
    for answer in ("CCDD9000", "6982"):
        result = played(talk, Card(ANSWERS | {"00CB": answer}))
        for told in (text(result, "a"), str(record(result))):
            assert not {"AA", "BB", "CC", "DD"} & set(told.replace("'", " ").split())
            assert "AABB" not in told
    shown = text(played(talk, Card(ANSWERS | {"00CB": "CCDD9000"}), unmask=True), "a")
    assert "AA BB" in shown
