# SPDX-License-Identifier: Apache-2.0
"""The PIN usage policy: the values of the standard's table, and no others."""

from hypothesis import given
from hypothesis import strategies as st

from cards.piv.discovery import DEFAULT_DISCOVERY, PinUsagePolicy

HEAD = bytes.fromhex("4F0BA0000003080000100001005F2F02")
ONE_PIN = {0x40, 0x48, 0x4C, 0x50, 0x58, 0x5C}
BOTH = {0x60, 0x68, 0x6C, 0x70, 0x78, 0x7C}


def test_the_values_of_table_1():
    allowed = {(a, b) for a in range(256) for b in range(256) if read(a, b) is not None}
    assert allowed == {(a, 0) for a in ONE_PIN} | {(a, b) for a in BOTH for b in (0x10, 0x20)}


def read(first, second):
    return PinUsagePolicy.read(HEAD + bytes((first, second)))


def test_what_they_mean():
    assert (read(0x40, 0).global_pin, read(0x40, 0).biometric) == (False, False)
    assert (read(0x60, 0x10).global_pin, read(0x70, 0x20).biometric) == (True, True)
    assert read(0x6C, 0x20).content == HEAD + b"\x6c\x20"
    assert bytes.fromhex("7E12") + HEAD + b"\x40\0" == DEFAULT_DISCOVERY


@given(st.binary(max_size=24))
def test_anything_else_is_none(value):
    assert PinUsagePolicy.read(value) is None


@given(st.integers(0, 17), st.integers(1, 255))
def test_a_changed_byte_never_gives_another_application(position, flip):
    value = bytearray(HEAD + b"\x40\0")
    value[position] ^= flip
    policy = PinUsagePolicy.read(bytes(value))
    assert policy is None or position >= 16
