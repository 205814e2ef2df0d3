# SPDX-License-Identifier: Apache-2.0
"""Answers are split into data objects, whole, and nothing secret is among them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vreader.conversation.objects import Objects
from vreader.reader.events import ApduEvent

GET_DATA, GET_RESPONSE = "00CB3FFF055C035FC10200", "00C0000000"


def said(command, response, masked_response=(), problem=""):
    command, response = bytes.fromhex(command), bytes.fromhex(response)
    return ApduEvent("r", command, response, (), masked_response, "", -1.0, problem)


def lines(*pairs, limit=32):
    objects = Objects(limit)
    return [line for pair in pairs for line in objects.lines(said(*pair))]


def test_interindustry_objects_are_named_where_they_are():
    assert lines(("00A4040005A000000308", "610A4F0201025004746573749000")) == [
        "61  application template  10 B",
        "  4F  application identifier  01 02",
        "  50  application label  74 65 73 74  'test'",
    ]
    assert lines(("0087039B047C028000", "7C048002ABCD9000"))[1] == "  80  witness  AB CD"
    assert lines(("00A4020C023F00", "6F048402DF019000"))[1] == "  84  DF name  DF 01"
    assert lines((GET_DATA, "990201029000")) == ["99  01 02"]


def test_what_get_response_fetches_is_one_answer():
    first, rest = (GET_DATA, "5304016103"), (GET_RESPONSE, "FF03049000")
    assert lines(first, rest) == ["53  discretionary data  01 FF 03 04"]
    assert lines(rest) == []
    assert lines(first, ("00F8000000", "0102039000"), rest) == []


@pytest.mark.parametrize(
    "pair",
    [
        (GET_DATA, "53040102039000"),
        (GET_DATA, "6A82"),
        (GET_DATA, ""),
        (GET_DATA, "5301FF9000", ((0, 3),)),
        (GET_DATA, "5301FF9000", (), "late"),
        ("0084000008", "5301FF9000"),
        ("00", "5301FF9000"),
        ("", "5301FF9000"),
    ],
)
def test_nothing_is_said_of_others(pair):
    assert lines(pair) == []


def test_a_secret_is_not_told_later():
    masked = (GET_DATA, "5304FF6103", ((0, 3),))
    assert lines(masked, (GET_RESPONSE, "FFFFFF9000")) == []


def test_long_ones_are_cut():
    answer = (GET_DATA, "5302FFFF" * 70 + "9000")
    assert len(lines(answer)) == 65
    assert lines(answer)[-1] == "… and 6 more"
    assert len(lines(answer, limit=None)) == 70
    long = (GET_DATA, "8128" + "AB" * 40 + "9000")
    assert lines(long)[0].endswith("AB … (40 bytes)")
    assert "…" not in lines(long, limit=None)[0]
    deep = b""
    for _ in range(60):
        deep = bytes((0x61, len(deep))) + deep
    assert len(lines((GET_DATA, deep.hex() + "9000"))) == 9


@given(st.binary(max_size=40))
def test_any_answer(data):
    assert isinstance(lines((GET_DATA, data.hex())), list)
