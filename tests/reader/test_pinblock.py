# SPDX-License-Identifier: Apache-2.0
"""PIN blocks, against examples of others and some worked out by hand.

ACS is the reference manual of the ACR83 pinpad (version 1.05, §11 and §12), which prints the
command its firmware builds, bit by bit.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vreader.iso7816.apdu import CommandApdu
from vreader.reader.pinblock import (
    ASCII,
    BCD,
    BINARY,
    PinBlockError,
    PinFormat,
    parse_template,
    with_data,
)

ACS_9 = "5730303030303030 30"
ACS_8 = "57A5303030303030"
FF_8 = "FF" * 8


@pytest.mark.wdk("pinpad.pin-block-formats")
@pytest.mark.parametrize(
    ("formats", "data", "pin", "expected"),
    [
        # ACS verification example 1: PIN from bit 7, its length in bits 2 to 5, 9 bytes in all
        ("39 49 02", ACS_9, "123456780", "662468ACF010303030"),
        ("3D 49 02", ACS_9, "123456780", "67303030 3123456780"),
        # ACS verification example 2: PIN from bit 11, its length in bits 6 to 9, 8 bytes in all
        ("59 48 06", ACS_8, "12345", "5562468A30303030"),
        ("5D 48 06", ACS_8, "12345", "5565303030312345"),
        # ACS verification example 3: PIN from byte 1, 8 bytes behind it
        ("89 48 04", ACS_9, "123456780", "59123456780030 3030"),
        ("8D 48 04", ACS_9, "123456780", "593030303123456780"),
        # ISO 9564 format 2 as the Belgian eID wants it: control nibble 2, length, seven BCD bytes
        ("89 47 04", "20FFFFFFFFFFFFFF", "1234", "241234FFFFFFFFFF"),
        ("89 47 04", "20FFFFFFFFFFFFFF", "123456", "26123456FFFFFFFF"),
        ("89 47 04", "20FFFFFFFFFFFFFF", "12345", "2512345FFFFFFFFF"),
        # the same block as OpenSC describes it ("GLP"): position in bits, eight bytes in all
        ("41 48 04", "20FFFFFFFFFFFFFF", "1234", "241234FFFFFFFFFF"),
        # PIV (SP 800-73-4 part 2 §3.2.1): ASCII, padded with FF to eight bytes
        ("82 08 00", FF_8, "123456", "313233343536FFFF"),
        ("82 08 00", FF_8, "12345678", "3132333435363738"),
        # the other coding and justification, by hand
        ("86 08 00", FF_8, "123456", "FFFF313233343536"),
        ("80 08 00", FF_8, "1290", "01020900FFFFFFFF"),
        ("84 06 00", "FFFFFFFFFFFF", "1290", "FFFF01020900"),
        ("81 03 00", "FFFFFF", "123", "123FFF"),
        ("85 03 00", "FFFFFF", "123", "FFF123"),
        # a length field of a whole byte, its position in bytes while the PIN's is in bits
        ("42 80 10", "00" * 7, "123456", "06313233343536"),
        ("8A 80 10", "", "1234", "0431323334"),
        # no block size: as long as the PIN, and the data field grows where it has to
        ("82 00 00", "", "123456", "313233343536"),
        ("82 00 00", FF_8, "123456", "313233343536FFFF"),
        ("82 00 00", "FFFF", "1234", "31323334"),
        ("86 00 00", "FFFFFF", "12", "3132FF"),
        ("9A 00 00", "", "12", "0000003132"),
        ("81 00 00", "", "123", "1230"),
    ],
)
def test_examples(formats, data, pin, expected):
    pin_format = PinFormat.decode(*bytes.fromhex(formats))
    assert pin_format.insert(bytes.fromhex(data), pin) == bytes.fromhex(expected)


def test_offset_moves_block_and_length_alike():
    """ACS modification example 4: two PINs of one command."""
    pin_format = PinFormat.decode(0x41, 0x48, 0x04)
    data = bytes.fromhex("08 0230303030303030 09 0330303030303030")
    data = pin_format.insert(data, "123456", 1)
    assert data == bytes.fromhex("08 0612345630303030 09 0330303030303030")
    data = pin_format.insert(data, "1234567890", 10)
    assert data == bytes.fromhex("08 0612345630303030 09 0A12345678903030")


def test_right_justified_behind_an_offset():
    """ACS modification example 1."""
    pin_format = PinFormat.decode(0x3D, 0x49, 0x02)
    data = pin_format.insert(bytes.fromhex("20 573030303030303030"), "123456780", 1)
    assert data == bytes.fromhex("20 673030303123456780")


@pytest.mark.parametrize(
    "formats",
    [
        "83 08 00",  # the fourth coding is reserved
        "41 01 00",  # bit units: a position of 8 bits fills a block of one byte
        "82 48 00",  # the length would overwrite the PIN
        "89 48 05",  # its last bit too
    ],
)
def test_formats_that_make_no_sense(formats):
    with pytest.raises(PinBlockError):
        PinFormat.decode(*bytes.fromhex(formats))


@pytest.mark.parametrize(
    ("formats", "data", "pin", "offset"),
    [
        ("82 08 00", FF_8, "123456789", 0),
        ("82 08 00", "FF" * 7, "1234", 0),
        ("82 08 00", "", "1234", 0),
        ("8A 08 00", FF_8, "1234", 0),  # byte units: the block begins at the position
        ("82 08 00", FF_8, "1234", 1),
        ("89 37 05", "20" + "FF" * 7, "12345678", 0),  # three bits count to seven
    ],
)
def test_no_room(formats, data, pin, offset):
    pin_format = PinFormat.decode(*bytes.fromhex(formats))
    with pytest.raises(PinBlockError) as refusal:
        pin_format.insert(bytes.fromhex(data), pin, offset)
    assert pin not in str(refusal.value)


@pytest.mark.parametrize(
    ("formats", "capacity"),
    [
        ("82 08 00", 8),
        ("81 08 00", 16),
        ("89 47 04", 14),
        ("41 48 04", 14),
        ("89 37 04", 7),
        ("42 80 10", 255),
        ("82 00 00", None),
    ],
)
def test_capacity(formats, capacity):
    assert PinFormat.decode(*bytes.fromhex(formats)).capacity == capacity


formats = st.builds(
    lambda *members: members,
    st.integers(0, 255).filter(lambda b: b & 3 != 3),
    st.integers(0, 255),
    st.integers(0, 255),
)


@given(formats, st.text("0123456789", min_size=1, max_size=16), st.integers(0, 20))
def test_whatever_is_not_pin_or_length_stays(members, pin, offset):
    try:
        pin_format = PinFormat.decode(*members)
    except PinBlockError:
        return
    if pin_format.capacity is not None and len(pin) > pin_format.capacity:
        return
    size = 64
    zeros = pin_format.insert(bytes(size), pin, offset)
    ones = pin_format.insert(b"\xff" * size, pin, offset)
    assert len(zeros) == len(ones) == size
    untouched = int.from_bytes(zeros, "big") ^ int.from_bytes(ones, "big")
    bits = {BINARY: 8, BCD: 4, ASCII: 8}[pin_format.coding] * len(pin) + pin_format.length_size
    assert 8 * size - untouched.bit_count() == bits
    span = pin_format.span(len(pin), offset)
    assert zeros[: span.start] == bytes(span.start)
    assert zeros[span.stop :] == bytes(size - span.stop)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("00200081", CommandApdu(0, 0x20, 0, 0x81)),
        ("0020008100", CommandApdu(0, 0x20, 0, 0x81)),
        ("0020008008" + FF_8, CommandApdu(0, 0x20, 0, 0x80, b"\xff" * 8)),
        ("0020008002FFFF00", CommandApdu(0, 0x20, 0, 0x80, b"\xff\xff", 256)),
        (
            "00200080000002FFFF",
            CommandApdu(0, 0x20, 0, 0x80, b"\xff\xff", extended=True),
        ),
    ],
)
def test_templates(raw, expected):
    assert parse_template(bytes.fromhex(raw)) == expected


@pytest.mark.parametrize("raw", ["", "002000", "0020008108", "0020008108FFFF", "002000810000"])
def test_what_is_no_template(raw):
    with pytest.raises(PinBlockError):
        parse_template(bytes.fromhex(raw))


def test_lc_is_counted_anew():
    template = parse_template(bytes.fromhex("0020008100"))
    assert with_data(template, b"1234") == bytes.fromhex("00200081 04 31323334")
    with_le = parse_template(bytes.fromhex("0020008101FF00"))
    assert with_data(with_le, b"12") == bytes.fromhex("00200081 02 3132 00")


def test_a_command_that_becomes_too_long():
    with pytest.raises(PinBlockError):
        with_data(parse_template(bytes.fromhex("00200081")), bytes(65536))
