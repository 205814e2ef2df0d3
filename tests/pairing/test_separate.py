# SPDX-License-Identifier: Apache-2.0
"""ATRs and masks that tell families of cards apart."""

from itertools import combinations

import pytest
from card_patterns import (
    BELGIAN,
    FABRIKAM,
    GEMSAFE_3,
    GEMSAFE_4,
    OPENPGP_2,
    OPENPGP_3,
    TPM_CARD,
    H,
    few_bits,
)
from hypothesis import given
from hypothesis import strategies as st

from vreader.errors import UsageError
from vreader.pairing.matching import Bit, Matcher, mask_of
from vreader.pairing.separate import describe_bits, separate


def only(answer, family):
    (found,) = [each for each in answer.separations if each.family == family]
    return found


def test_versions_of_a_card():
    answer = separate({"OpenPGP 2": [OPENPGP_2], "OpenPGP 3": [OPENPGP_3], "x": [FABRIKAM]})
    found = only(answer, "OpenPGP 2")
    assert (found.tightest.atr, found.bits, found.others) == (OPENPGP_2, 168, 1)
    loose = found.loosest
    assert (loose.bits, loose.exact) == (1, True)
    assert describe_bits(loose.pattern.mask) == [Bit(12, 5)]
    assert loose.pattern.atr == bytes(21)  # that bit is 0 in version 2
    assert not answer.clashes
    assert answer.overlaps == ()


def test_a_family_keeps_what_its_atrs_have_in_common():
    other = BELGIAN[:3] + b"\x94" + BELGIAN[4:]
    found = only(separate({"BE": [BELGIAN, BELGIAN[:12] + b"\x10"], "not": [other]}), "BE")
    assert found.tightest.atr == BELGIAN[:12] + b"\x10"
    assert found.tightest.mask == b"\xff" * 12 + b"\xfe"
    assert found.bits == 103


def test_an_entry_for_each_length():
    answer = separate({"PTeid": [GEMSAFE_3, GEMSAFE_4, FABRIKAM], "x": [TPM_CARD]})
    assert [(each.tightest.name, len(each.tightest.atr)) for each in answer.separations] == [
        ("PTeid (6 bytes)", 6),
        ("PTeid (25 bytes)", 25),
        ("x", 17),
    ]
    for each in answer.separations:
        assert Matcher([each.tightest]).first(each.atrs[0])


def test_without_others_of_its_length_no_bit_is_needed():
    found = only(separate({"a": [FABRIKAM], "b": [BELGIAN]}), "a")
    assert (found.others, found.loosest.bits, found.loosest.pattern.mask) == (0, 0, bytes(6))


def test_the_same_atr_in_two_families():
    answer = separate({"a": [FABRIKAM], "b": [FABRIKAM, H("3B0452FF0800")]})
    assert answer.clashes
    (clash,) = only(answer, "a").clashes
    assert (clash.family, clash.atr) == ("b", FABRIKAM)
    assert clash.text == "the same ATR is in both families"
    assert only(answer, "a").loosest is None


def test_an_atr_between_those_of_a_family():
    answer = separate({"even": [H("3B00"), H("3B03")], "odd": [H("3B01")]})
    (clash,) = only(answer, "even").clashes
    assert clash.text == "it has all 14 bits that the ATRs of even have in common"
    assert only(answer, "odd").clashes == ()
    (overlap,) = answer.overlaps  # and the order decides who gets it
    assert (overlap.winner.name, overlap.loser.name, overlap.witness) == ("even", "odd", H("3B01"))


def test_tightest_entries_may_share_an_atr_that_was_not_given():
    answer = separate({"a": [H("3B0000"), H("3B0300")], "b": [H("3B0101"), H("3B0102")]})
    assert not answer.clashes
    (overlap,) = answer.overlaps
    assert (overlap.winner.name, overlap.loser.name, overlap.witness) == ("a", "b", H("3B0100"))


def test_more_than_a_bit_apart():
    families = {"a": [H("3B00")], "b": [H("3B01")], "c": [H("3B07")]}
    assert only(separate(families), "a").loosest.bits == 1
    two = separate(families, distance=2)
    assert only(two, "a").loosest is None  # b differs in one bit
    assert only(two, "a").clashes == ()
    del families["b"]
    assert only(separate(families, distance=3), "a").loosest.bits == 3
    with pytest.raises(UsageError, match="cannot differ in 0 bits"):
        separate(families, distance=0)


def test_where_greedy_is_not_the_best():
    # A bit tells four of six others apart, and two more are left; two other bits tell three each.
    others = [0b101, 0b101, 0b110, 0b110, 0b001, 0b010]
    rows = {f"o{n}": [bytes((0x3B, bits, n))] for n, bits in enumerate(others)}
    found = only(separate({"a": [b"\x3b\x00\x00", b"\x3b\x00\x07"], **rows}), "a")
    assert (found.loosest.bits, found.loosest.exact) == (2, True)
    assert found.loosest.pattern.mask == b"\0\x03\0"


def test_a_search_too_large_is_said_to_be_greedy():
    # 90 others, each told apart by three bits of its own and by pairs with its neighbours.
    base = (1 << 263) - 1
    places = [range(n, n + 60, 20) for n in range(90)]
    others = {
        f"o{n}": [(base ^ sum(1 << place for place in some)).to_bytes(33)]
        for n, some in enumerate(places)
    }
    found = only(separate({"a": [base.to_bytes(33)], **others}), "a")
    assert found.loosest.exact is False
    assert found.loosest.bits == 40  # as few as there can be: two of each 20th bit
    matcher = Matcher([found.loosest.pattern])
    assert not any(matcher.first(atr) for (atr,) in others.values())


atrs = st.sampled_from([*few_bits(1), *few_bits(2)])
families = st.dictionaries(
    st.sampled_from("abcd"), st.lists(atrs, min_size=1, max_size=4), min_size=1
)


@given(families, st.integers(1, 3))
def test_entries_take_their_family_and_none_of_others_whenever_possible(families, distance):
    answer = separate(families, distance=distance)
    assert sum(len(each.atrs) for each in answer.separations) == sum(
        len(set(atrs)) for atrs in families.values()
    )
    for found in answer.separations:
        length = len(found.tightest.atr)
        own = [atr for atr in families[found.family] if len(atr) == length]
        others = {
            (name, atr)
            for name, members in families.items()
            if name != found.family
            for atr in members
            if len(atr) == length
        }
        tight = Matcher([found.tightest])
        assert all(tight.first(atr) for atr in own)
        assert {(c.family, c.atr) for c in found.clashes} == {
            (name, atr) for name, atr in others if tight.first(atr)
        }
        # Every other entry that takes the family takes what the tightest takes.
        value, mask = (int.from_bytes(data) for data in (found.tightest.atr, found.tightest.mask))
        for bit in (1 << place for place in range(8 * length)):
            if not mask & bit:
                assert {bool(int.from_bytes(atr) & bit) for atr in own} == {True, False}
        if found.loosest is None:
            apart = [((int.from_bytes(atr) ^ value) & mask).bit_count() for _, atr in others]
            assert found.clashes or min(apart) < distance
            continue
        loose = found.loosest.pattern
        assert all(Matcher([loose]).first(atr) for atr in own)
        assert found.loosest.bits == int.from_bytes(mask_of(loose)).bit_count()
        for _, atr in others:
            differ = int.from_bytes(atr) ^ int.from_bytes(loose.atr)
            assert (differ & int.from_bytes(mask_of(loose))).bit_count() >= distance
        # One bit fewer never does: for these few bits that is quickly tried.
        assert found.loosest.exact
        differ = [(int.from_bytes(atr) ^ value) & mask for _, atr in others]
        places = [
            bit for bit in (1 << place for place in range(16)) if any(bit & d for d in differ)
        ]
        for some in combinations(places, found.loosest.bits - 1) if differ else ():
            assert any((d & sum(some)).bit_count() < distance for d in differ)


def test_as_json():
    told = separate({"a": [FABRIKAM], "b": [H("3B0452FF0800")]}).record()
    assert told["overlaps"] == []
    assert told["separations"][0] == {
        "family": "a",
        "length": 6,
        "atrs": ["3B0451FF0800"],
        "others": 1,
        "tightest": {"name": "a", "atr": "3B0451FF0800", "mask": "FFFFFFFFFFFF", "bits": 48},
        "loosest": {
            "name": "a", "atr": "000000000000", "mask": "000002000000", "bits": 1, "exact": True,
        },
        "clashes": [],
    }  # fmt: skip
