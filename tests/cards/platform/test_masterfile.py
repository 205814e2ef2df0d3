# SPDX-License-Identifier: Apache-2.0
"""The MF with EF.ATR: selected from anywhere, described by templates, read in parts."""

import pytest
from toy_card import AID_A, ATR, Toy, select, send

from cards.platform import AppletCard, Nvm
from cards.platform.masterfile import MasterFile
from cards.platform.nvm import MemoryBackend

CONTENT = bytes(range(10))
HEX = CONTENT.hex().upper()


@pytest.fixture
def card():
    nvm = Nvm(MemoryBackend())
    card = AppletCard(
        ATR, lambda: [Toy(AID_A, nvm.area("a")), MasterFile(CONTENT)], nvm, channels=2
    )
    card.power_on()
    return card


@pytest.mark.parametrize("p2", ["00", "04", "08", "0C"])
def test_as_windows_reads_it(card, p2):
    assert send(card, f"00A400{p2}023F00")[-4:] == "9000"
    assert send(card, f"00A400{p2}022F01")[-4:] == "9000"
    assert send(card, "00B0000000") == HEX + "9000"


def test_templates(card):
    assert send(card, "00A40000023F0000") == "6F0A" + "820138" + "83023F00" + "8A0105" + "9000"
    assert send(card, "00A40004022F0100") == "620E8002000A" + "820101" + "83022F01" + "8A01059000"
    assert send(card, "00A40008022F0100") == "64009000"
    assert send(card, "00A4000C022F01") == "9000"


def test_by_path_and_without_data(card):
    assert send(card, "00A4080C022F01") == "9000"
    assert send(card, "00B0000802") == "08099000"
    assert send(card, "00A4000C") == "9000"
    assert send(card, "00B0000000") == "6986"
    assert send(card, "00A4020C022F01") == "9000"
    assert send(card, "00B0000000") == HEX + "9000"


def test_parts(card):
    send(card, "00A4080C022F01")
    for command, answer in (
        ("00B0000004", "000102039000"), ("00B0000A00", "9000"), ("00B0000B00", "6B00"),
        ("00B0000808", "6C02"), ("00B0000000", HEX + "9000"), ("00B00000000000", HEX + "9000"),
        ("00B09E0000", "6A81"), ("00B0000001AA", "6700"), ("00B1000000", "6D00"),
    ):  # fmt: skip
        assert send(card, command) == answer


def test_it_is_entered_and_left_like_any_application(card):
    select(card)
    send(card, "00120000")
    assert send(card, "00A4000C022F01") == "6D00"  # not below the toy
    assert send(card, "001C000000") == "019000"
    assert send(card, "00A4000C023F00") == "9000"
    assert send(card, "00A4000C022F01") == "9000"
    select(card)
    assert send(card, "001C000000") == "009000"
    assert send(card, "00B0000000") == "6D00"
    send(card, "00A4000C023F00")
    assert send(card, "00B0000000") == "6986"
    assert send(card, "0070000001") == "019000"
    assert send(card, "01B0000000") == "6D00"


@pytest.mark.parametrize(
    ("command", "sw"),
    [("00A40000022F02", "6A82"), ("00A40100023F00", "6A82"), ("00A40001023F00", "6A86"),
     ("00A40600022F01", "6A86"), ("80A40000023F00", "6E00")],
)  # fmt: skip
def test_what_it_refuses(card, command, sw):
    send(card, "00A4000C023F00")
    assert send(card, command) == sw
