# SPDX-License-Identifier: Apache-2.0
"""ATRs with wanted bits: well-formed where there is one."""

import pytest
from card_patterns import ALL, H
from hypothesis import given
from hypothesis import strategies as st

from vreader.iso7816 import Atr
from vreader.pairing.matching import under
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
    assert len(found) == length
    assert under(found, mask) == wanted
    if valid:
        assert bytes(Atr.parse(found)) == found
    else:
        assert found == wanted


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
