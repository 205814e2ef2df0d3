# SPDX-License-Identifier: Apache-2.0
from enum import IntEnum
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vreader.bridge.pyscard import arguments
from vreader.winscard.status_change import ReaderState


class Byte(IntEnum):
    ONE = 1


@given(st.lists(st.integers(-(2**31), 2**31 - 1)))
def test_of_each_integer_the_low_byte_counts(value):
    assert arguments.octets(value) == bytes(item & 0xFF for item in value)


def test_integers_of_other_classes_count():
    assert arguments.octets([True, Byte.ONE]) == b"\1\1"


def test_states():
    assert arguments.states([("A", 0x10022), ("B", 0x20, [0x3B])]) == [
        ReaderState("A", 0x10020),
        ReaderState("B", 0x20),
    ]


def test_guids():
    assert arguments.guids(list(range(16)))[0] == UUID(bytes_le=bytes(range(16)))


@pytest.mark.parametrize(
    ("take", "value"),
    [
        (arguments.octets, b"\x00"),
        (arguments.octets, ["0"]),
        (arguments.octets, [1.0]),
        (arguments.string, b"name"),
        (arguments.strings, "name"),
        (arguments.strings, [b"name"]),
        (arguments.number, "1"),
        (arguments.number, None),
        (arguments.guids, [1]),
        (arguments.states, ()),
        (arguments.states, [["A", 0]]),
        (arguments.states, [("A",)]),
        (arguments.states, [(b"A", 0)]),
        (arguments.states, [("A", None)]),
        (arguments.states, [("A", 0, b"")]),
    ],
)
def test_what_pyscard_refuses(take, value):
    with pytest.raises(TypeError, match=r"Expect|GUID"):
        take(value)
