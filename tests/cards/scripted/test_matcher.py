# SPDX-License-Identifier: Apache-2.0
"""The three ways to say which commands an entry is for."""

import re

import pytest

from cards.scripted.matcher import Fields, Regex, fields_of
from vreader.iso7816.pattern import Pattern

SELECT = bytes.fromhex("00A4040005A00000030800")


def fields(**wanted):
    return Fields({name: Pattern.parse(text) for name, text in wanted.items()})


@pytest.mark.parametrize(
    ("matcher", "difference"),
    [
        (fields(ins="A4"), ""),
        (fields(cla="0.", ins="A4", p1="04", p2="..", data="A0*", le="00"), ""),
        (fields(data="A000000308"), ""),
        (fields(ins="A5"), "ins differs"),
        (fields(cla="80", le=""), "cla differs, le differs"),
        (Regex(re.compile("00A4.*", re.IGNORECASE)), ""),
        (Regex(re.compile("00a4.{6}A0.*", re.IGNORECASE)), ""),
        (Regex(re.compile("00A4")), "its regular expression does not fit"),
    ],
)
def test_matching(matcher, difference):
    fits = matcher.match(SELECT) is not None
    assert fits is not bool(difference)
    if not fits:
        assert matcher.difference(SELECT) == difference
        assert 0 <= matcher.nearness(SELECT) < 5


def test_groups_by_number_and_name():
    matcher = Regex(re.compile("00A40400..(?P<aid>.*)(00)"))
    assert set(matcher.groups) == {"1", "2", "aid"}
    assert matcher.match(SELECT) == {"1": "A000000308", "2": "00", "aid": "A000000308"}


@pytest.mark.parametrize(
    ("command", "data", "le"),
    [
        ("00A40400", "", ""),
        ("00A4040000", "", "00"),
        ("00A4040002AABB", "AABB", ""),
        ("00A4040002AABB10", "AABB", "10"),
        ("00A40400000100", "", "000100"),
        ("00A40400000002AABB0000", "AABB", "0000"),
    ],
)
def test_the_fields_of_a_command(command, data, le):
    found = fields_of(bytes.fromhex(command))
    assert (found["data"].hex().upper(), found["le"].hex().upper()) == (data, le)


def test_a_malformed_command_has_a_header_at_most():
    assert fields_of(bytes.fromhex("00A4")) == {"cla": b"\0", "ins": b"\xa4"}
    assert set(fields_of(bytes.fromhex("00A4040009AA"))) == {"cla", "ins", "p1", "p2"}
