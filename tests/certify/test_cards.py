# SPDX-License-Identifier: Apache-2.0
"""The test cards keep to the contract and answer what they say they do."""

import pytest

from vreader.card import Card, CardMute
from vreader.certify import cards
from vreader.certify.cards import TestCard, pattern, t0_atr, t1_atr
from vreader.iso7816 import Atr


@pytest.mark.parametrize("inverse", [False, True])
@pytest.mark.parametrize("specific", [False, True])
def test_t0_atr(inverse, specific):
    atr = Atr.parse(t0_atr(inverse=inverse, specific=specific))
    assert atr.protocols == (0,)
    assert atr.inverse is inverse
    assert atr.specific_mode == (0 if specific else None)
    assert atr.find("TC", 2) == 1
    assert atr.tck is None


@pytest.mark.parametrize("inverse", [False, True])
@pytest.mark.parametrize("specific", [False, True])
@pytest.mark.parametrize("crc", [False, True])
def test_t1_atr(inverse, specific, crc):
    atr = Atr.parse(t1_atr(inverse=inverse, specific=specific, crc=crc))
    assert atr.protocols == (1,)
    assert atr.inverse is inverse
    assert atr.specific_mode == (1 if specific else None)
    assert (atr.find("TA", 3), atr.find("TB", 3)) == (0xFE, 0)
    assert atr.find("TC", 3) == (1 if crc else None)


@pytest.mark.wdk("certify.sicrypt-atr")
def test_cards_named_in_the_prerequisites():
    assert Atr.parse(cards.E_GATE).protocols == (0,)
    sicrypt = Atr.parse(cards.SICRYPT)
    assert sicrypt.protocols == (1,)
    assert sicrypt.find("TA", 3) == 0xFE
    assert len(sicrypt.historical) == 15
    assert Atr.parse(cards.BOTH).protocols == Atr.parse(cards.BOTH_WARM).protocols == (0, 1)
    assert cards.BOTH != cards.BOTH_WARM


def test_the_pattern_has_all_values_and_no_repetition():
    assert set(pattern(256)) == set(range(256))
    assert pattern(4) == pattern(9)[:4]
    assert pattern(0) == b""


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("00A40400020102", "9000"),
        ("00A404000701", "6700"),
        ("00B0000003", "0B30559000"),
        ("00B2020002", "0B309000"),
        ("00B2020001", "6C02"),
        ("008800000201020000", "6700"),
        ("0088000002010200", "01029000"),
        ("0004ABCD", "ABCD"),
        ("0099", "6700"),
        ("00990000", "6D00"),
    ],
)
def test_answers(command, answer):
    assert TestCard().transmit(bytes.fromhex(command)).hex().upper() == answer


def test_it_notes_what_is_done_to_it():
    card = TestCard(b"cold", b"warm")
    assert isinstance(card, Card)
    assert (card.power_on(), card.reset(), card.powered) == (b"cold", b"warm", True)
    assert card.transmit(bytes.fromhex("00D6000001AA")) == b"\x90\x00"
    card.power_off()
    assert card.log == ["power_on", "reset", "transmit", "power_off"]
    assert card.commands == [bytes.fromhex("00D6000001AA")]
    assert (card.written, card.powered) == (b"\xaa", False)


def test_it_can_be_mute_and_something_can_happen_meanwhile():
    card, seen = TestCard(), []
    card.mute.add("reset")
    card.meanwhile["reset"] = lambda: seen.append(1)
    for _ in range(2):
        with pytest.raises(CardMute):
            card.reset()
    assert seen == [1]
    assert card.power_on()
