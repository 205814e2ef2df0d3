# SPDX-License-Identifier: Apache-2.0
"""Answers side by side: what differs, in words and in rows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vreader.conversation.difference import compare
from vreader.iso7816.pattern import Pattern


def pattern(text):
    return Pattern.parse(text.replace("**", ".."))


def diff(expected, got, **more):
    return compare(pattern(expected), bytes.fromhex(got), **more)


@pytest.mark.parametrize(
    ("expected", "got", "what", "at", "differing"),
    [
        ("010203049000", "010503049000", "byte 1 is 05, not 02", 1, 1),
        ("010203049000", "050203059000", "byte 0 is 05, not 01 (2 bytes differ)", 0, 2),
        ("6A82", "9000", "the status word is 9000 OK, not 6A82 FILE_NOT_FOUND", 0, 2),
        ("01029000", "6A82", "the status word is 6A82 FILE_NOT_FOUND, not 9000 OK", 0, 4),
        ("63C3", "63C2", "the status word is 63C2 2 tries left, not 63C3 3 tries left", 1, 1),
        ("01029000", "019000", "1 bytes, not 2; the others are the same", 1, 1),
        ("019000", "0102039000", "3 bytes, not 1; the others are the same", 1, 2),
        ("****9000", "6A82", "the status word is 6A82 FILE_NOT_FOUND, not 9000 OK", 0, 4),
        ("9000", "90", "1 bytes, and no status word", 1, 1),
    ],
)
def test_the_difference_in_words(expected, got, what, at, differing):
    found = diff(expected, got)
    assert found is not None
    assert (found.what, found.at, found.differing) == (what, at, differing)


def test_rows():
    found = diff("00 BC 61 4E 90 00", "00 02 61 04 90 00")
    assert found.rows == (
        "expected  0000  00 BC 61 4E 90 00",
        "got       0000  00 02 61 04 90 00",
        "                   ^^    ^^",
    )


def test_rows_of_what_is_missing():
    assert diff("01 02 90 00", "6A 82").rows == (
        "expected  0000  01 02 90 00",
        "got       0000  -- -- 6A 82",
        "                ^^ ^^ ^^ ^^",
    )


def test_rows_begin_where_the_difference_is_and_are_few():
    found = diff("00" * 600 + "9000", "00" * 40 + "01" * 560 + "9000")
    assert found.rows[0].startswith("expected  0020  00")
    assert found.rows[2] == " " * 40 + " ".join(["^^"] * 8)
    assert found.rows[-1] == "… and 504 more bytes behind that"
    assert len(found.rows) == 13


def test_masked_bytes_may_be_anything():
    assert diff("01 ** 03 90 00", "01 FF 03 90 00") is None
    found = diff("01 ** 03 90 00", "01 FF 04 90 00")
    assert found.rows[0] == "expected  0000  01 ** 03 90 00"
    assert found.rows[1] == "got       0000  01 ** 04 90 00"
    assert diff("01 ** 90 00", "01 90 00").differing == 1


def test_random_bytes_stand_for_each_other_however_many():
    spans = {"random_expected": ((1, 3),), "random_got": ((1, 4),)}
    assert diff("7C 01 02 03 90 00", "7C 05 06 07 03 90 00", **spans) is None
    found = diff("7C 01 02 03 90 00", "7C 05 06 07 04 90 00", **spans)
    assert (found.what, found.at) == ("byte 4 is 04, not 03", 4)
    assert found.rows[0] == "expected  0000  7C ~~ 03 90 00"
    assert found.rows[2] == "                      ^^"


def test_a_random_length_behind_61_is_random_too():
    spans = {"random_expected": ((0, 1), (2, 3)), "random_got": ((0, 1), (2, 3))}
    assert diff("01 61 05", "02 61 06", **spans) is None
    assert diff("01 61 05", "02 90 00", **spans).what.startswith("the status word is 9000")


def test_where_one_side_is_refused_nothing_is_random():
    found = diff("01 02 90 00", "69 82", random_expected=((0, 2),))
    assert found.what == "the status word is 6982 SECURITY_STATUS_NOT_SATISFIED, not 9000 OK"


def test_no_secret_is_shown():
    found = diff("AA BB 90 00", "AA CC 90 00", hidden=(((0, 2),), ((0, 2),)))
    assert found.what == "byte 1 differs"
    assert found.rows[:2] == (
        "expected  0000  ** ** 90 00",
        "got       0000  ** ** 90 00",
    )
    found = diff("AA BB 90 00", "69 82", hidden=(((0, 2),), ()))
    assert "AA" not in "".join(found.rows)


def test_an_atr_has_no_status_word():
    found = diff("3B 80 01", "3B 80 02", status=False)
    assert found.what == "byte 2 is 02, not 01"
    assert diff("3B", "3B00", status=False).what == "2 bytes, not 1; the others are the same"


@given(st.binary(max_size=40), st.binary(max_size=40), st.booleans())
def test_there_is_none_where_they_are_equal(one, other, status):
    found = compare(Pattern(one, b"\xff" * len(one)), other, status=status)
    assert (found is None) == (one == other)
    if found:
        assert len(found.rows) % 3 in (0, 1)
