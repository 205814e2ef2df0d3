# SPDX-License-Identifier: Apache-2.0
"""ATRs with wanted bits: well-formed where there is one."""

import pytest
from card_patterns import ALL, H
from hypothesis import given
from hypothesis import strategies as st

from vreader.iso7816 import Atr, AtrError
from vreader.iso7816.atrmask import under
from vreader.pairing.witness import witness


@given(st.sampled_from(ALL), st.data())
def test_what_a_card_sends_under_any_mask_has_a_well_formed_witness(atr, data):
    length = len(atr)
    mask = data.draw(
        st.binary(min_size=length, max_size=length)
        | st.lists(st.sampled_from((0, 0xFF)), min_size=length, max_size=length).map(bytes)
    )
    wanted = under(atr, mask)
    found, valid = witness(wanted, mask)
    assert valid  # the card's own ATR is one
    assert under(found, mask) == wanted
    assert bytes(Atr.parse(found)) == found


# Bytes that announce, that are announced, and neither.
BYTES = st.sampled_from((0x00, 0x01, 0x10, 0x11, 0x21, 0x40, 0x80, 0x81, 0x90, 0x91, 0xF0))
BITS = st.sets(st.tuples(st.integers(0, 5), st.integers(0, 7)), max_size=7)


@given(st.lists(BYTES, min_size=1, max_size=5), BITS)
def test_there_is_one_exactly_when_the_open_bits_make_one(rest, open_bits):
    length = 1 + len(rest)
    mask = (1 << 8 * length) - 1
    filled = {int.from_bytes(b"\x3b" + bytes(rest))}
    for at, bit in open_bits:
        one = 1 << 8 * at + bit & mask
        filled |= {atr ^ one for atr in filled}
        mask &= ~one
    wanted = min(filled).to_bytes(length)  # all open bits are 0
    found, valid = witness(wanted, mask.to_bytes(length))
    assert valid == any(_well_formed(atr.to_bytes(length)) for atr in filled)
    assert int.from_bytes(found) in filled


def _well_formed(atr):
    try:
        Atr.parse(atr)
    except AtrError:
        return False
    return True


@pytest.mark.parametrize(
    ("atr", "mask"),
    [
        ("0000", "0000"),
        ("000000000000", "000000000000"),
        ("00" * 33, "00" * 33),
        ("3F00", "FF00"),
        ("3B8201000000", "FFFFFF000000"),  # T=1: TCK is made right
        ("3B8201000001", "FFFFFF0000FF"),  # TCK is given: the historical bytes do it
        ("3BFD1300008131FE158073C021C0575975620000000000", "FF" * 18 + "00" * 5),
        ("3B98004000A503010101AD1300", "FFFF00FF00FFFFFFFFFFFFFF00"),
        ("3B1090", "FFF0F0"),  # half of TA1 is open, and reserved values are left out
        # A YubiKey whose TA1 is open alone: it must be the one that makes TCK right.
        ("3BF80000008131FE15597562696B657934D4", "FFFF00" + "FF" * 15),
        ("3BA0000100", "FFFF00FFFF"),  # TB1 alone makes TCK right
        # Half bytes of T0 and TDs alone are open: of chains that go on alike, one has the TCK.
        ("3B00810001", "FF0FFFF0FF"),
        ("3B80910191810010", "FFF0FF0FFFFF00FF"),
        ("3B80000201008111", "FFFF000F0FFFFFFF"),
        ("3B" + "00" * 31 + "01", "FF" + "00" * 31 + "FF"),  # TCK alone is known
    ],
)
def test_it_is_well_formed_where_the_bits_allow_it(atr, mask):
    found, valid = witness(H(atr), H(mask))
    assert valid
    Atr.parse(found)
    assert under(found, H(mask)) == H(atr)


@pytest.mark.parametrize(
    ("atr", "mask"),
    [
        ("4B00", "FF00"),  # no such TS
        ("3B8001", "FFFFFF"),  # TCK is missing
        ("3B01", "FFFF"),  # a byte is missing
        ("3B8201000000", "FFFFFFFFFFFF"),  # TCK is wrong, and nothing is open
        ("3B10FF", "FFFFFF"),  # TA1 names what is reserved
        ("3B", "FF"),
        ("00" * 34, "00" * 34),
        ("", ""),
    ],
)
def test_else_it_is_the_bits_alone(atr, mask):
    assert witness(H(atr), H(mask)) == (H(atr), False)


def test_a_search_without_end_has_an_end():
    # Every TD may announce another; only TS is given, and wrong.
    assert witness(b"\x55" + bytes(32), b"\xff" + bytes(32)) == (b"\x55" + bytes(32), False)
    # 33 bytes whose half bytes all say that more interface bytes follow.
    assert not witness(b"\x3b" + b"\x80" * 32, b"\xff" + b"\x80" * 32)[1]
