# SPDX-License-Identifier: Apache-2.0
import ctypes as c

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vreader.bridge.pcsclite import wire
from vreader.bridge.pcsclite.wire import Command, ReaderState

u32 = st.integers(0, 0xFFFFFFFF)

# The body sizes the daemon insists on.
SIZES = {
    0x01: 12, 0x02: 8, 0x04: 152, 0x05: 24, 0x06: 12, 0x07: 8, 0x08: 12, 0x09: 32, 0x0A: 24,
    0x0B: 8, 0x0D: 8, 0x0F: 280, 0x10: 280, 0x11: 12, 0x12: 0, 0x13: 0, 0x14: 0, 0x15: 0, 0x16: 0,
    0x17: 0,
}  # fmt: skip


def test_request_sizes():
    assert {int(command): layout.size for command, layout in wire.REQUEST.items()} == SIZES
    assert set(wire.REQUEST) == set(Command)


class CReaderState(c.Structure):
    _fields_ = (
        ("name", c.c_char * 128),
        ("event_counter", c.c_uint32),
        ("state", c.c_uint32),
        ("sharing", c.c_int32),
        ("atr", c.c_ubyte * 33),
        ("atr_length", c.c_uint32),
        ("protocol", c.c_uint32),
    )


class CConnect(c.Structure):
    _fields_ = (
        ("context", c.c_uint32),
        ("reader", c.c_char * 128),
        ("share", c.c_uint32),
        ("preferred", c.c_uint32),
        ("card", c.c_int32),
        ("active", c.c_uint32),
        ("rv", c.c_uint32),
    )


class CAttrib(c.Structure):
    _fields_ = (
        ("card", c.c_int32),
        ("attribute", c.c_uint32),
        ("value", c.c_ubyte * 264),
        ("length", c.c_uint32),
        ("rv", c.c_uint32),
    )


def test_layouts_are_those_of_a_c_compiler():
    state = CReaderState(b"R", 1, 0x34, -1, (c.c_ubyte * 33)(0x3B, 0x80), 2, 1)
    assert bytes(ReaderState("R", 1, 0x34, -1, b"\x3b\x80", 1)) == bytes(state)
    connect = CConnect(1, b"R", 2, 3, -4, 5, 6)
    assert wire.CONNECT.pack(1, b"R", 2, 3, -4, 5, 6) == bytes(connect)
    attrib = CAttrib(-1, 2, (c.c_ubyte * 264)(3), 4, 5)
    assert wire.ATTRIB.pack(-1, 2, b"\3", 4, 5) == bytes(attrib)


states = st.builds(
    ReaderState,
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30),
    st.integers(0, 0xFFFF),
    u32,
    st.integers(-1, 2**31 - 1),
    st.binary(max_size=33),
    u32,
)


@given(st.lists(states, max_size=5), st.integers(0, 3))
def test_state_arrays_round_trip(readers, more):
    count = len(readers) + more
    array = wire.pack_states(readers, count)
    assert len(array) == 184 * count
    free = ReaderState("", 0, 0, 0, b"", 0)
    assert wire.unpack_states(array) == readers + [free] * more


@given(st.binary(min_size=184, max_size=184))
def test_any_record_can_be_read(record):
    state = ReaderState.unpack(record)
    assert len(state.atr) <= 33
    assert state.name.encode("utf-8", "surrogateescape") == record[:128].split(b"\0")[0]


def test_an_array_has_the_asked_number_of_records():
    reader = ReaderState("R")
    assert wire.pack_states([None, reader], 3) == bytes(184) + bytes(reader) + bytes(184)
    assert wire.pack_states([reader, reader], 1) == bytes(reader)


def test_counter_wraps_and_long_atr_is_cut():
    state = ReaderState.unpack(bytes(ReaderState("R", 0x10000, 4, 0, bytes(40), 0)))
    assert state.event_counter == 0
    assert state.atr == bytes(33)


def test_a_free_slot_with_an_odd_length_reads_as_empty():
    """Pcscd leaves atrLength at 34 there."""
    record = bytearray(184)
    record[176] = 34
    assert ReaderState.unpack(bytes(record)).name == ""


def test_names_are_cut_between_characters():
    assert wire.encode_name("a" * 127) == b"a" * 127
    assert wire.encode_name("a" * 126 + "é") == b"a" * 126
    assert wire.decode_name(wire.encode_name("é" * 100)) == "é" * 63


def test_names_that_are_not_utf8_survive():
    assert wire.encode_name(wire.decode_name(b"\xff\xfe\0rest")) == b"\xff\xfe"


@pytest.mark.parametrize(
    ("version", "answer"),
    [
        ((4, 4), (4, 0)),
        ((4, 5), (5, 0)),
        ((4, 6), (6, 0)),
        ((4, 7), (6, 0x8010001E)),
        ((4, 3), (6, 0x8010001E)),
        ((4, -1), (6, 0x8010001E)),
        ((3, 4), (6, 0x8010001E)),
        ((5, 4), (6, 0x8010001E)),
        ((0, 0), (6, 0x8010001E)),
    ],
)
def test_negotiate(version, answer):
    assert wire.negotiate(*version) == answer


def test_reader_states_and_bits():
    assert [hex(bits) for bits in wire.STATE_BITS] == [
        "0x1", "0x2", "0x4", "0xc", "0x14", "0x34", "0x34",
    ]  # fmt: skip
    for state, bits in enumerate(wire.STATE_BITS):
        assert wire.state_from_bits(bits, protocol=2 if state == 6 else 0) == state
    assert wire.state_from_bits(0) == 0
    assert wire.state_from_bits(0x74) == 6


@given(u32)
def test_every_mask_is_some_state(bits):
    assert 0 <= wire.state_from_bits(bits) <= 6


@pytest.mark.parametrize(
    ("library", "windows"),
    [(0, 0), (1, 1), (2, 2), (3, 3), (4, 0x10000), (7, 0x10003), (8, 8), (0x1000, 0x1000)],
)
def test_protocols(library, windows):
    assert wire.protocols_from_wire(library) == windows
    assert wire.protocols_to_wire(windows) == library


def test_numbers_of_the_other_side_are_dropped():
    assert wire.protocols_from_wire(0x10001) == 1
    assert wire.protocols_to_wire(5) == 1


def test_codes():
    assert wire.RV_TO_WIRE == {0x80100022: 0x8010001F}
