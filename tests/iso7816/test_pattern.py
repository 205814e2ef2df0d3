# SPDX-License-Identifier: Apache-2.0
"""Commands with holes, and what may be said of one that does not fit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vreader.iso7816.pattern import Pattern, shown

SELECT = bytes.fromhex("00A4040005A000000308")


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("00 A4 04 00 05 A0 00 00 03 08", True),
        ("00:a4:04:00:05:a0:00:00:03:08", True),
        ("00 A4 04 .. 05 A0 00 00 03 08", True),
        (".0 .4 *", True),
        ("00A4*", True),
        ("*", True),
        ("00A4", False),
        ("00 A4 04 00 05 A0 00 00 03 08 00", False),
        ("00 A4 04 00 05 A0 00 00 03 08 .. *", False),
        ("00 A5 *", False),
    ],
)
def test_holes(text, fits):
    assert Pattern.parse(text).fits(SELECT) is fits


@pytest.mark.parametrize("text", ["0", "0G", "*00", "00 **", "0x00", "-1", "\uff10\uff10"])
def test_what_is_no_pattern(text):
    with pytest.raises(ValueError):
        Pattern.parse(text)


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_it_fits_where_there_is_no_difference(value, command):
    pattern = Pattern.parse(value.hex())
    assert pattern.fits(value)
    assert pattern.fits(command) is (value == command)
    if len(command) >= 2:
        assert pattern.fits(command) is (pattern.difference(command) == "")


def test_a_mask_frees_bits():
    pattern = Pattern.masked(b"\x0f\xff", b"\xf0")
    assert pattern.fits(b"\x01\x42")
    assert not pattern.fits(b"\x11\xff")


@pytest.mark.parametrize(
    ("pattern", "difference"),
    [
        ("00 A4 08 00 *", "P1 is 04, not 08"),
        ("8. A4 *", "CLA is 00, not 80 in the bits F0"),
        ("00 A4 04 00 05 A0 00 00 04 08", "byte 8 is 03, not 04"),
        ("00 A4 04 00", "it has 10 bytes, not 4"),
        ("00 A4 04 00 05 A0 00 00 03 08 00 *", "it has 10 bytes, not 11 or more"),
        ("*", ""),
    ],
)
def test_the_difference_in_words(pattern, difference):
    assert Pattern.parse(pattern).difference(SELECT) == difference


def test_no_pin_is_shown():
    verify = bytes.fromhex("0020008008") + b"83610947"
    pattern = Pattern.parse("00 20 00 80 08" + b"70394815".hex())
    assert pattern.difference(verify) == "byte 5 differs"
    hole = Pattern.parse("00 .. 00 80 08" + b"70394815".hex())
    assert hole.difference(bytes.fromhex("00A4008008") + b"83610947") == "byte 5 differs"
    assert shown(verify) == "00 20 00 80 … (13 bytes)"
    assert shown(SELECT) == "00 A4 04 00 05 A0 00 00 03 08"
    assert shown(b"\x80" + SELECT[1:]) == "80 A4 04 00 … (10 bytes)"
