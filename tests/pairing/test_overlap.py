# SPDX-License-Identifier: Apache-2.0
"""Conflicts: who overlaps with whom, who wins, and an ATR that shows it."""

import pytest
from card_patterns import (
    BELGIAN_ENTRY,
    FABRIKAM,
    FABRIKAM_ENTRY,
    OPENPGP_2,
    OPENPGP_3,
    WESTCOS_ENTRY,
    H,
    few_bits,
    registrations,
)
from hypothesis import given
from hypothesis import strategies as st

from vreader.errors import UsageError
from vreader.iso7816 import Atr
from vreader.pairing.matching import Bit, Matcher, Pattern, Verdict, mask_of
from vreader.pairing.overlap import Kind, conflicts, overlapping


def test_cards_of_different_makers_do_not_overlap():
    found = conflicts([FABRIKAM_ENTRY, WESTCOS_ENTRY, BELGIAN_ENTRY])
    assert not found
    assert found.record() == {"overlaps": [], "unmatchable": []}


WIDE = Pattern("Wide", H("3B0450000000"), H("FFFFF0000000"))
NARROW = Pattern("Narrow", H("3B0450000001"), H("FFFFF00000FF"))
OTHER = Pattern("Other", H("3B0400FF0800"), H("FFFF00FFFFFF"))


@pytest.mark.parametrize(
    ("winner", "loser", "kind"),
    [
        (FABRIKAM_ENTRY, FABRIKAM_ENTRY._replace(name="Twin"), Kind.SAME),
        (WIDE, FABRIKAM_ENTRY, Kind.SHADOWED),
        (FABRIKAM_ENTRY, WIDE, Kind.EXCEPTION),
        (WIDE, OTHER, Kind.PARTLY),
        (OTHER, WIDE, Kind.PARTLY),
    ],
)
def test_who_takes_what(winner, loser, kind):
    (overlap,) = conflicts([winner, loser]).overlaps
    assert (overlap.winner, overlap.loser, overlap.kind) == (winner, loser, kind)
    assert overlap.valid
    assert Matcher([winner, loser]).all(overlap.witness) == [winner, loser]


def test_no_overlap_at_another_length_or_with_another_bit():
    assert not conflicts([FABRIKAM_ENTRY, Pattern("7", FABRIKAM + b"\0")])
    assert not conflicts([NARROW, FABRIKAM_ENTRY])


def test_a_witness_is_an_atr_a_card_could_send():
    # OpenPGP 2 and 3 differ in bytes that these masks leave open; TCK must be made right.
    two = Pattern("2", OPENPGP_2[:12] + bytes(9), b"\xff" * 12 + bytes(9))
    three = Pattern(
        "3", bytes(13) + OPENPGP_3[13:15] + bytes(6), bytes(13) + b"\xff\xff" + bytes(6)
    )
    (overlap,) = conflicts([two, three]).overlaps
    assert overlap.valid
    assert Atr.parse(overlap.witness).historical[:2] == H("0031")
    assert overlap.witness[13:15] == H("C001") or overlap.witness[13:15] == OPENPGP_3[13:15]


def test_a_witness_that_no_card_could_send_is_flagged():
    wrong = Pattern("wrong", H("3B0451FF08"), b"\xff" * 5)  # one historical byte too few
    (overlap,) = conflicts([wrong, wrong._replace(name="again")]).overlaps
    assert (overlap.witness, overlap.valid) == (H("3B0451FF08"), False)
    assert overlap.record()["valid"] is False


def test_entries_that_can_match_nothing():
    unmasked = Pattern("unmasked", FABRIKAM, b"\0" + b"\xff" * 5)
    (found,) = conflicts([unmasked, FABRIKAM_ENTRY]).unmatchable
    assert (found.entry, found.verdict, found.where) == (unmasked, Verdict.NEVER, Bit(0, 5))
    assert found.record()["text"].startswith("can never match")


def test_an_entry_without_an_atr_is_a_conflict_too():
    found = conflicts([Pattern("none", b""), FABRIKAM_ENTRY])
    assert found
    assert found.record()["unmatchable"] == [
        {"name": "none", "verdict": "no ATR", "where": None, "text": "it has no ATR"}
    ]


def test_overlaps_without_number_are_refused():
    same = [Pattern(str(number), FABRIKAM) for number in range(448)]
    assert len(overlapping(same[:447])) == 99_681
    with pytest.raises(UsageError, match="more than 100000 overlaps"):
        conflicts(same)


@given(st.lists(registrations(longest=2), max_size=7))
def test_two_overlap_exactly_when_an_atr_is_taken_by_both(entries):
    told = set(overlapping(entries))
    assert len(told) == len(overlapping(entries))
    shared = set()
    for length in (1, 2):
        for atr in few_bits(length):
            equal = [e for e in range(len(entries)) if Matcher([entries[e]]).first(atr)]
            shared |= {(a, b) for at, a in enumerate(equal) for b in equal[at + 1 :]}
    assert told == shared


@given(st.lists(registrations(), max_size=7))
def test_every_overlap_is_true(entries):
    found = conflicts(entries)
    for overlap in found.overlaps:
        winner, loser = overlap.winner, overlap.loser
        assert Matcher([winner, loser]).all(overlap.witness) == [winner, loser]
        taken_by_winner_only = [
            atr
            for atr in few_bits(len(loser.atr), (0, 2))
            if Matcher([loser]).first(atr) and not Matcher([winner]).first(atr)
        ]
        never_reached = overlap.kind in (Kind.SAME, Kind.SHADOWED)
        assert never_reached == (not taken_by_winner_only)
        assert (overlap.kind is Kind.SAME) == (mask_of(winner) == mask_of(loser))
    flawed = {id(each.entry) for each in found.unmatchable}
    for entry in entries:
        takes = any(Matcher([entry]).first(atr) for atr in few_bits(len(entry.atr)))
        assert takes == (id(entry) not in flawed)
