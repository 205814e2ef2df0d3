# SPDX-License-Identifier: Apache-2.0
"""Mask, compare, first equal entry: step by step, and the fast way, which agrees."""

import pytest
from card_patterns import (
    ALL,
    BELGIAN,
    BELGIAN_ENTRY,
    FABRIKAM,
    FABRIKAM_ENTRY,
    WESTCOS,
    WESTCOS_ENTRY,
    H,
    few_bits,
    registrations,
)
from hypothesis import given
from hypothesis import strategies as st

from vreader.errors import UsageError
from vreader.pairing.matching import Bit, Matcher, Pattern, Verdict, compare, flaw, walk
from vreader.winscard.cardtypes import CardType

ENTRIES = (BELGIAN_ENTRY, FABRIKAM_ENTRY, WESTCOS_ENTRY)


@pytest.mark.parametrize(
    ("atr", "name"),
    [(FABRIKAM, "Fabrikam"), (WESTCOS, "WESTCOS"), (BELGIAN, "BE"), (ALL[2], None)],
)
def test_real_cards_find_their_entries(atr, name):
    winner = walk(ENTRIES, atr).winner
    assert (winner and winner.name) == name


def test_the_first_equal_entry_wins_and_the_walk_stops():
    twin = FABRIKAM_ENTRY._replace(name="Twin")
    walked = walk([BELGIAN_ENTRY, twin, FABRIKAM_ENTRY, WESTCOS_ENTRY], FABRIKAM)
    assert [(step.name, step.verdict) for step in walked.steps] == [
        ("BE", Verdict.LENGTH),
        ("Twin", Verdict.MATCH),
    ]
    assert walked.winner is twin
    assert walked.unreached == ("Fabrikam", "WESTCOS")
    assert walked.record()["winner"] == "Twin"


def test_a_step_shows_what_was_compared():
    step = compare(WESTCOS_ENTRY, WESTCOS[:6] + b"\x00" + WESTCOS[7:])
    assert step.masked == H("3F690000006400000000809000")
    assert (step.verdict, step.where) == (Verdict.DIFFERS, Bit(6, 0))
    assert step.text == "byte 6 bit 0 is 0, it wants 1"
    assert step.record() == {
        "name": "WESTCOS",
        "atr": "3F690000006401000000809000",
        "mask": "FFFFFFFFFFFFFF000000F0FFFF",
        "masked": "3F690000006400000000809000",
        "verdict": "differs",
        "where": {"byte": 6, "bit": 0},
        "text": "byte 6 bit 0 is 0, it wants 1",
    }


def test_another_length_does_not_match_though_the_beginning_does():
    step = compare(Pattern("long", FABRIKAM + b"\0", b"\xff" * 6 + b"\0"), FABRIKAM)
    assert (step.verdict, step.masked) == (Verdict.LENGTH, b"")
    assert step.text == "7 bytes, the card's has 6 (assumed, not documented: no match)"


@pytest.mark.parametrize(
    ("entry", "verdict", "where"),
    [
        (Pattern("none", b"", b""), Verdict.NO_ATR, None),
        (Pattern("long", FABRIKAM + bytes(28)), Verdict.TOO_LONG, None),  # ISO/IEC 7816-3 §8.2.1
        (Pattern("short mask", FABRIKAM, b"\xff" * 5), Verdict.MASK_LENGTH, None),
        # The last byte's mask is 00, its ATR's is not: as some installers register a Gnuk.
        (
            Pattern("Gnuk", H("3BDA11FF81B1FE551F0300318473800180009000E4"), b"\xff" * 20 + b"\0"),
            Verdict.NEVER,
            Bit(20, 7),
        ),
        (Pattern("TS", FABRIKAM, b"\0" + b"\xff" * 5), Verdict.NEVER, Bit(0, 5)),
    ],
)
def test_entries_that_can_match_nothing(entry, verdict, where):
    step = compare(entry, entry.atr)
    assert (step.verdict, step.where) == (verdict, where)
    assert flaw(entry) == (verdict, where, step.text)
    assert bool(step.masked) is (verdict is Verdict.NEVER)
    assert Matcher([entry]).all(entry.atr) == []


def test_the_longest_atr_matches():
    entry = Pattern("longest", FABRIKAM + bytes(27))
    assert compare(entry, entry.atr).verdict is Verdict.MATCH
    assert Matcher([entry]).first(entry.atr) is entry


def test_the_reason_names_the_bit_outside_of_the_mask():
    step = compare(Pattern("TS", FABRIKAM, b"\0" + b"\xff" * 5), FABRIKAM)
    assert step.masked == b"\0" + FABRIKAM[1:]
    assert step.text.startswith("can never match: the stored ATR has bits outside of its mask")
    assert step.text.endswith("the first byte 0 bit 5")


def test_without_a_mask_all_bits_count():
    entry = Pattern("bare", FABRIKAM)
    assert compare(entry, FABRIKAM).verdict is Verdict.MATCH
    assert compare(entry, FABRIKAM).text.startswith("equal; it has no mask (assumed")
    assert compare(entry, FABRIKAM[:-1] + b"\x01").where == Bit(5, 0)


@given(st.lists(registrations(), max_size=8), st.integers(0, 3).map(few_bits))
def test_the_fast_way_decides_what_the_walk_does(entries, atrs):
    matcher = Matcher(entries)
    for atr in atrs:
        walked = walk(entries, atr)
        assert matcher.first(atr) is walked.winner
        equal = [e for e in entries if compare(e, atr).verdict is Verdict.MATCH]
        found = matcher.all(atr)
        assert len(found) == len(equal)
        assert all(a is b for a, b in zip(found, equal, strict=True))


@given(registrations(), st.integers(0, 3).map(few_bits))
def test_a_verdict_is_the_definition(entry, atrs):
    mask = entry.mask or b"\xff" * len(entry.atr)
    for atr in atrs:
        defined = (
            len(atr) == len(entry.atr) == len(mask) > 0
            and bytes(a & m for a, m in zip(atr, mask, strict=True)) == entry.atr
        )
        step = compare(entry, atr)
        assert (step.verdict is Verdict.MATCH) == defined
        if step.verdict is Verdict.DIFFERS:
            assert step.where.of(atr) != step.where.of(entry.atr)
            assert step.where.of(mask)


@given(registrations(), st.integers(0, 3).map(few_bits))
def test_the_resource_manager_compares_alike(entry, atrs):
    card = CardType(entry.name, entry.atr, entry.mask or b"")
    for atr in atrs:
        assert card.matches(atr) == (compare(entry, atr).verdict is Verdict.MATCH)


def test_a_bit_as_it_is_written():
    assert Bit.parse("4.0") == Bit(4, 0)
    assert str(Bit(4, 7)) == "byte 4 bit 7"


@pytest.mark.parametrize("text", ["", "4", "4.", ".1", "4.8", "4.01", "x.1", "-1.0", "1.0.0"])
def test_what_is_no_bit(text):
    with pytest.raises(UsageError, match="is no bit of an ATR"):
        Bit.parse(text)
