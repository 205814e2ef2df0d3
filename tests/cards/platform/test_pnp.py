# SPDX-License-Identifier: Apache-2.0
"""The Plug and Play application: CardID byte for byte, GUIDs, and what it refuses."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st
from toy_card import AID_A, ATR, Toy, select, send

from cards.platform import AppletCard, Nvm
from cards.platform.nvm import MemoryBackend
from cards.platform.pnp import PNP_AID, PnpApplet, card_id, describe, guid_bytes

COUNTING = bytes(range(16))


def test_card_id():
    told = card_id([COUNTING], version=None, vendor=b"MSFT")
    assert told.hex().upper() == "301A16044D53465430120410000102030405060708090A0B0C0D0E0F"
    told = card_id([COUNTING], version=0, vendor=b"MSFT")
    assert told.hex().upper() == "301D02010016044D53465430120410000102030405060708090A0B0C0D0E0F"


def test_several_guids_need_a_long_length():
    told = card_id([COUNTING] * 8, version=1, vendor=b"")
    assert told.hex().upper().startswith("308198" + "020101" + "1600" + "308190" + "0410")


@given(st.uuids(), st.sampled_from(["{}", "{{{}}}"]), st.booleans())
def test_guid_bytes(guid, form, upper):
    text = form.format(str(guid).upper() if upper else guid)
    assert guid_bytes(text, big_endian=True) == guid.bytes
    assert guid_bytes(text, big_endian=False) == guid.bytes_le
    assert guid_bytes(guid.hex, big_endian=False) == uuid.UUID(hex=guid.hex).bytes_le


@pytest.mark.parametrize(
    "text", ["", "00", "00112233-4455-6677-8899-aabbccddee", "00112233-4455-6677-8899-aabbccddeexx",
             "0011223344556677-8899-aabbccddeeff", "0 112233-4455-6677-8899-aabbccddeeff"],
)  # fmt: skip
def test_what_is_no_guid(text):
    with pytest.raises(ValueError, match=r"GUID|hex"):
        guid_bytes(text, big_endian=False)


def make(**how):
    nvm = Nvm(MemoryBackend())
    card = AppletCard(
        ATR, lambda: [Toy(AID_A, nvm.area("a")), PnpApplet(b"told", **how)], nvm, channels=2
    )
    card.power_on()
    return card


TOLD = b"told".hex().upper() + "9000"


def test_selected():
    card = make()
    assert send(card, "00CA7F6800") == "6D00"
    assert select(card, PNP_AID) == b"\x90\0"
    for command, answer in (
        ("00CA7F6800", TOLD), ("00CA7F68", TOLD), ("00CA7F6802", "746F6102"),
        ("00CA7F6900", "6A88"), ("00CA7F6801AA", "6700"), ("00CB7F6800", "6D00"),
        ("00B0000000", "6D00"),
    ):  # fmt: skip
        assert send(card, command) == answer
    select(card)
    assert send(card, "00CA7F6800") == "6D00"


def test_by_the_card():
    card = make(selectable=False, anywhere=True)
    assert select(card, PNP_AID) == b"\x6a\x82"
    assert send(card, "00CA7F6800") == TOLD
    select(card)
    send(card, "00120000")
    assert send(card, "00CA7F6800") == TOLD
    assert send(card, "001C000000") == "019000"
    select(card, cla=1)
    assert send(card, "01CA7F6800") == TOLD
    assert send(card, "00CA7F6900") == "6D00"
    assert send(card, "80CA7F6800") == "6E00"


@pytest.mark.parametrize(
    ("command", "text"),
    [("00A404000BA0000003974349445F010000", "SELECT Plug and Play"),
     ("00CA7F6800", "GET DATA 7F68 Plug and Play CardID"), ("00A40000023F00", "SELECT MF"),
     ("00A4020C022F01", "SELECT EF.ATR"), ("00A4040005A000000308", ""), ("00CA", ""),
     ("00A40400", ""), ("80CA7F6800", ""), ("00A40400FF", ""), ("00B0000000", "")],
)  # fmt: skip
def test_describe(command, text):
    told = describe(bytes.fromhex(command))
    assert told.text == text
    assert not told.secret
    assert not told.secret_reply
