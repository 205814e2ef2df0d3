# SPDX-License-Identifier: Apache-2.0
"""Masked comparison and overlap, against their definitions on all ATRs of few bits."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vreader.iso7816.atrmask import masked_equal, overlap, under

# Two bits of each of two bytes: all ATRs that such entries can tell apart.
BYTES = (0x00, 0x01, 0x80, 0x81)
ATRS = [bytes(some) for some in product(BYTES, repeat=2)]
H = bytes.fromhex


def test_under():
    assert under(H("3B0451FF"), H("FF00F001")) == H("3B005001")
    assert under(b"", b"") == b""


@pytest.mark.parametrize(
    ("atr", "stored", "mask", "equal"),
    [
        ("3B0451FF0800", "3B0451FF0800", "FFFFFFFFFFFF", True),
        ("3B0451FF0801", "3B0451FF0800", "FFFFFFFFFFFF", False),
        ("3B0451FF0801", "3B0451FF0800", "FFFFFFFFFFFE", True),
        ("3B0451FF0801", "3B0451FF0801", "FFFFFFFFFFFE", False),  # has a bit outside of its mask
        ("3B0451FF0800", "000000000000", "000000000000", True),
        ("3B0451FF0800", "3B0451FF0800", "", True),
        ("3B0451FF0801", "3B0451FF0800", "", False),
        ("3B0451FF0800", "3B0451FF08", "FFFFFFFFFF", False),
        ("3B0451FF0800", "3B0451FF080000", "FFFFFFFFFFFF00", False),
        ("003B0451FF0800", "3B0451FF0800", "FFFFFFFFFFFF", False),  # the same number
        ("3B0451FF0800", "3B0451FF0800", "FFFFFFFFFF", False),
        ("3B0451FF0800", "3B0451FF0800", "FFFFFFFFFFFFFF", False),
        ("", "", "", False),
    ],
)
def test_masked_equal(atr, stored, mask, equal):
    assert masked_equal(H(atr), H(stored), H(mask)) is equal
    if not mask:
        assert masked_equal(H(atr), H(stored)) is equal


def test_each_pair_of_entries_overlaps_exactly_when_both_take_an_atr():
    entries = sorted({(under(atr, mask), mask) for atr in ATRS for mask in ATRS})
    takes = {
        (stored, mask): {
            atr
            for atr in ATRS
            if all(a & m == s for a, m, s in zip(atr, mask, stored, strict=True))
        }
        for stored, mask in entries
    }
    for one, other in product(entries, repeat=2):
        assert overlap(*one, *other) is bool(takes[one] & takes[other])
    for entry in entries:
        assert {atr for atr in ATRS if masked_equal(atr, *entry)} == takes[entry]


def test_entries_of_different_lengths_share_no_card():
    assert not overlap(b"", b"", b"\0", b"\0")
    assert not overlap(b"\0\x3b", b"\xff\xff", b"\x3b", b"\xff")


@given(st.integers(1, 33).flatmap(lambda n: st.tuples(*[st.binary(min_size=n, max_size=n)] * 3)))
def test_what_is_equal_is_so_bit_by_bit(three):
    atr, stored, mask = three
    bits = all(a & m == s for a, m, s in zip(atr, mask, stored, strict=True))
    assert masked_equal(atr, stored, mask) is bits
    assert masked_equal(atr, under(atr, mask), mask)
    assert overlap(under(atr, mask), mask, stored, b"\xff" * len(mask)) is (
        under(stored, mask) == under(atr, mask)
    )
