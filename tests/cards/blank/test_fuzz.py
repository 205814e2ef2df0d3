# SPDX-License-Identifier: Apache-2.0
"""Whatever a client sends, a card without applications answers, and goes on answering."""

from card_fuzz import Bench, play, steps
from hypothesis import given, settings

from cards.blank import KIND
from vreader.card import MemoryStore

OPTIONS = {"pnp": "00112233-4455-6677-8899-aabbccddeeff", "pnp-where": "applet+card+ef.atr"}
SELECT = bytes.fromhex("00A404000BA0000003974349445F010000")
VALID = [
    bytes.fromhex(text)
    for text in (
        "00A404000BA0000003974349445F010000", "00CA7F6800", "00A40000023F0000", "00A40000022F0100",
        "00A4080C022F01", "00B0000000", "00B0000010", "00A4040005A00000030800", "00C0000000",
    )
]  # fmt: skip


def works(card):
    assert card.transmit(SELECT) == b"\x90\0"
    assert card.transmit(bytes.fromhex("00CA7F6800"))[-2:] == b"\x90\0"
    assert card.transmit(bytes.fromhex("00A4080C022F01")) == b"\x90\0"
    assert card.transmit(bytes.fromhex("00B0000003")) == b"\x7f\x68\x1c\x90\0"


BENCH = Bench(lambda: KIND.create("both", OPTIONS, MemoryStore(), None), SELECT, VALID, works)


@settings(max_examples=200, deadline=None)
@given(steps(BENCH))
def test_a_card_survives_everything(given):
    play(BENCH, given)
