# SPDX-License-Identifier: Apache-2.0
"""Following a conversation, and saying why a command is not in it."""

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cards.scripted.card import ScriptedCard
from cards.scripted.script import parse
from vreader.card import Card, CardGone, CardMute


def scripted(text, **more):
    card = ScriptedCard(parse(text, "talk.toml"), **more)
    assert isinstance(card, Card)
    return card


def talk(card, *commands):
    return [card.transmit(bytes.fromhex(command)).hex().upper() for command in commands]


def exchange(command, answer, more=""):
    return f'[[exchange]]\ncommand = "{command}"\nanswer = {answer!r}\n{more}\n'


def test_the_first_that_fits_answers():
    card = scripted(exchange("00A4*", "6A82", "times = 1") + exchange("00..*", "9000"))
    assert talk(card, "00A40400", "00A40400", "00B00000", "80B00000") == [
        "6A82", "9000", "9000", "6F00",
    ]  # fmt: skip


def test_answers_one_after_the_other_and_the_last_one_stays():
    card = scripted(exchange("0020*", ["63C2", "63C1", "6983"]))
    assert talk(card, *["00200080"] * 4) == ["63C2", "63C1", "6983", "6983"]


def test_parts_of_the_command_in_the_answer():
    card = scripted(
        '[[exchange]]\nregex = "00A40400..(?P<aid>.*)"\nanswer = "84 {1} {aid} 9000"\n'
        '[[exchange]]\nins = "88"\nanswer = "{data}{p2} 9000"\n'
        '[[exchange]]\nregex = "00(B).*"\nanswer = "{1} 9000"\n'
    )
    assert talk(card, "00A40400021234", "0088000702CAFE", "00B00000") == [
        "84123412349000", "CAFE079000", "6F00",
    ]  # fmt: skip


def test_states_and_resets():
    card = scripted(
        exchange("0020*", "9000", 'goto = "open"')
        + exchange("00B0*", "CAFE9000", 'state = ["open"]')
        + exchange("00B0*", "6982")
    )
    assert talk(card, "00B0", "0020", "00B0") == ["6982", "9000", "CAFE9000"]
    card.reset()
    assert talk(card, "00B0", "0020") == ["6982", "9000"]
    card.power_off()
    assert talk(card, "00B0") == ["6982"]


def test_resets_one_after_the_other():
    card = scripted('atr = ["mute", "3B00", "gone"]\nwarm-atr = "3F"\n')
    with pytest.raises(CardMute):
        card.power_on()
    assert card.power_on() == b"\x3b\0"
    assert card.reset() == b"\x3f"
    for _ in range(2):
        with pytest.raises(CardGone):
            card.power_on()


def test_a_card_that_does_not_answer_and_one_that_garbles():
    card = scripted(exchange("01*", "mute") + exchange("02*", "gone") + exchange("03*", "90"))
    with pytest.raises(CardMute):
        card.transmit(b"\1\0")
    with pytest.raises(CardGone):
        card.transmit(b"\2\0")
    assert card.transmit(b"\3\0") == b"\x90"


def test_delays():
    waited = []
    card = scripted(exchange("00*", "9000", "delay = 2.5"), wait=waited.append)
    assert talk(card, "0000") == ["9000"]
    assert waited == [2.5]


def test_closing_ends_a_delay():
    card = scripted(exchange("00*", "9000", "delay = 600"))
    card.close()
    assert talk(card, "0000") == ["9000"]


def test_taking_the_card_out_ends_a_delay():
    card = scripted(exchange("00*", "9000", "delay = 600"))
    card.power_on()
    card.interrupt()
    assert talk(card, "0000") == ["9000"]


def test_a_card_put_back_delays_again_unless_it_is_closed():
    waited = []
    card = scripted(exchange("00*", "9000", "delay = 600"), wait=waited.append)
    card.interrupt()
    card.power_on()
    talk(card, "0000")
    assert waited == [600]
    card.close()
    card.power_on()
    talk(card, "0000")
    assert waited == [600]


def test_an_answer_that_grows_too_long(caplog):
    card = scripted(exchange("00*", "{data}" * 20000 + "9000"))
    assert card.transmit(bytes.fromhex("00A4000000FFFF") + bytes(65535)) == b"\x6f\0"
    assert "exchange 1, line 1: the answer would have more than 65538 bytes" in caplog.text


def test_a_strict_order():
    text = 'order = "strict"\notherwise = "6D00"\n'
    text += exchange("01*", "9001", "times = 2") + exchange("02*", "9002", 'times = "forever"')
    card = scripted(text + exchange("03*", "9003"))
    sent = ["0200", "0100", "0300", "0100", "0100", "0200", "0200", "0300", "0200"]
    assert talk(card, *sent) == [
        "6D00", "9001", "6D00", "9001", "6D00", "9002", "9002", "9003", "6D00",
    ]  # fmt: skip


SELECTS = exchange("00A4040002A001", "9000", 'name = "one"\ntimes = 1') + exchange(
    "00A4040002A002", "9000", 'goto = "two"'
)


@pytest.mark.parametrize(
    ("text", "before", "command", "reason"),
    [
        (SELECTS, [], "00A4040002B002", "00 A4 04 00 02 B0 02: nearest is exchange 2, line 6: "
         "byte 5 is B0, not A0"),
        (SELECTS, [], "80A4040002A001", "nearest is exchange 1 ('one'), line 1: CLA is 80, not 00"),
        (SELECTS, ["00A4040002A001"], "00A4040002A001", "exchange 1 ('one'), line 1: it was used "
         "1 of 1 times"),
        (SELECTS + exchange("00B0", "9000", 'state = "two"'), [], "00B0",
         "exchange 3, line 10: it is for the state 'two', this is 'start'"),
        ('order = "strict"\n' + SELECTS, ["00A4040002A001"], "00A4040002A001",
         "due is exchange 2, line 7: byte 6 is 01, not 02"),
        ("", [], "00B00000", "no exchange fits 00 B0 00 00: there are none"),
    ],
)  # fmt: skip
def test_near_misses(text, before, command, reason, caplog):
    card = scripted(text)
    talk(card, *before)
    assert talk(card, command, command) == ["6F00"] * 2
    [record] = caplog.records
    assert record.name == "vreader"
    assert record.levelno == logging.WARNING
    assert record.message.startswith("talk.toml: no exchange fits ")
    assert record.message.endswith(reason)


def test_what_was_not_used_is_reported_once(caplog):
    card = scripted(SELECTS + exchange("00B0*", "9000", "times = 3"))
    talk(card, "00B0", "00B0")
    card.close()
    card.close()
    assert [record.message for record in caplog.records] == [
        "talk.toml: exchange 1 ('one'), line 1 was never used",
        "talk.toml: exchange 3, line 10 was used 2 of 3 times",
    ]


def test_no_pin_reaches_the_log(caplog):
    text = exchange("0020008008" + b"70394815".hex(), "9000", "times = 1")
    card = scripted(text + f'[[exchange]]\nregex = "0021{b"48260713".hex()}"\nanswer = "9000"\n')
    for ins in ("20", "21", "24", "DB"):
        talk(card, f"00{ins}008008" + b"83610947".hex())
    card.close()
    for pin in (b"83610947", b"70394815", b"48260713"):
        assert pin.hex() not in caplog.text.replace(" ", "").lower()


TOTAL = scripted(
    SELECTS
    + '[[exchange]]\nregex = "(..)(..)?20.*"\nanswer = "{1}{2}9000"\n'
    + '[[exchange]]\ncla = "8."\np1 = "00"\ndata = "AA*"\nle = ".."\nanswer = "{data}9000"\n'
)


@given(st.binary(min_size=2, max_size=300))
def test_whatever_is_sent_is_answered(command):
    assert len(TOTAL.transmit(command)) >= 2
