# SPDX-License-Identifier: Apache-2.0
"""PIN_VERIFY and PIN_MODIFY structures, as programs of the field write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vreader.reader.pinblock import PinBlockError
from vreader.reader.pinstruct import (
    PIN_MODIFY,
    PIN_VERIFY,
    Asked,
    PinStructError,
    Question,
    parse_modify,
    parse_verify,
)

FF_8 = "FF" * 8
# As OpenSC writes them for a PIV card, time-outs made different.
VERIFY = bytes.fromhex("1E1F 82 08 00 0806 02 FF 0904 00 000000 0D000000 0020008008" + FF_8)
MODIFY = bytes.fromhex(
    "1E1F 82 08 00 00 08 0806 03 02 03 0904 000102 000000 15000000 0024008010" + FF_8 + FF_8
)


def changed(raw, **members):
    """Return the structure with bytes overwritten, e.g. ``at7=b"\1"``."""
    out = bytearray(raw)
    for name, value in members.items():
        position = int(name.removeprefix("at"))
        out[position : position + len(value)] = value
    return bytes(out)


def with_data(raw, size, data):
    """Return the fixed part with another abData."""
    return raw[: size - 4] + len(data).to_bytes(4, "little") + data


def test_sizes():
    assert (PIN_VERIFY.size, PIN_MODIFY.size) == (19, 24)


@pytest.mark.wdk("pinpad.verify-pin-direct")
def test_verify():
    request = parse_verify(VERIFY)
    assert (request.time_out, request.time_out_2) == (30, 31)
    assert (request.min_digits, request.max_digits) == (6, 8)
    assert request.condition == 2
    assert request.language == 0x0409
    assert request.questions == (Question(Asked.PIN, 0),)
    command = request.command({Asked.PIN: "123456"})
    assert command == bytes.fromhex("0020008008313233343536FFFF")


@pytest.mark.wdk("pinpad.modify-pin-direct")
def test_modify():
    request = parse_modify(MODIFY)
    assert request.questions == (
        Question(Asked.CURRENT, 0),
        Question(Asked.NEW, 1),
        Question(Asked.CONFIRMATION, 2),
    )
    entries = {Asked.CURRENT: "123456", Asked.NEW: "87654321", Asked.CONFIRMATION: "87654321"}
    assert request.command(entries) == bytes.fromhex("0024008010 313233343536FFFF 3837363534333231")


@pytest.mark.parametrize(
    ("flags", "asked"),
    [
        (0, [Asked.NEW]),
        (1, [Asked.NEW, Asked.CONFIRMATION]),
        (2, [Asked.CURRENT, Asked.NEW]),
        (3, [Asked.CURRENT, Asked.NEW, Asked.CONFIRMATION]),
        (0xFC, [Asked.NEW]),  # bits reserved for use
    ],
)
def test_what_is_asked_for(flags, asked):
    request = parse_modify(changed(MODIFY, at9=bytes((flags,))))
    assert [question.asked for question in request.questions] == asked


def test_new_pin_alone_stands_at_its_own_offset():
    request = parse_modify(changed(MODIFY, at6=b"\0", at9=b"\1"))
    command = request.command({Asked.NEW: "123456", Asked.CONFIRMATION: "123456"})
    assert command == bytes.fromhex("0024008010 313233343536FFFF" + FF_8)


@pytest.mark.parametrize(
    ("number", "messages"),
    [(0, [None, None, None]), (1, [7, None, None]), (3, [7, 8, 9]), (0xFF, [0, 1, 2])],
)
def test_messages(number, messages):
    raw = changed(MODIFY, at11=bytes((number,)), at14=b"\7\x08\x09")
    assert [question.message for question in parse_modify(raw).questions] == messages


def test_default_messages_where_no_current_pin_is_asked_for():
    raw = changed(MODIFY, at9=b"\1", at11=b"\xff")
    assert [question.message for question in parse_modify(raw).questions] == [1, 2]


@pytest.mark.parametrize(
    ("digits", "limits"),
    [
        (b"\x08\x06", (6, 8)),
        (b"\x0c\x04", (4, 8)),  # the block holds eight
        (b"\x00\x00", (1, 8)),  # nothing said: the reader's own limits
        (b"\x08\x08", (8, 8)),
    ],
)
def test_limits(digits, limits):
    request = parse_verify(changed(VERIFY, at5=digits))
    assert (request.min_digits, request.max_digits) == limits


def test_a_block_without_size_is_limited_by_the_reader():
    request = parse_verify(changed(VERIFY, at3=b"\0", at5=b"\x40\x04"))
    assert (request.min_digits, request.max_digits) == (4, 16)


@pytest.mark.parametrize(
    ("parse", "raw"),
    [
        (parse_verify, b""),
        (parse_verify, VERIFY[:18]),
        (parse_verify, VERIFY[:-1]),
        (parse_verify, VERIFY + b"\0"),
        (parse_verify, with_data(VERIFY, 19, b"\0\x20\0")),
        (parse_verify, changed(VERIFY, at15=b"\0\0\0\x0d")),  # big endian
        (parse_verify, changed(VERIFY, at15=b"\xff\xff\xff\xff")),
        (parse_modify, VERIFY[:27]),
        (parse_modify, MODIFY[:-1]),
        (parse_modify, with_data(MODIFY, 24, b"")),
    ],
)
def test_what_is_no_structure(parse, raw):
    with pytest.raises(PinStructError):
        parse(raw)


@pytest.mark.parametrize(
    ("parse", "raw"),
    [
        (parse_verify, changed(VERIFY, at2=b"\x83")),  # reserved coding
        (parse_verify, changed(VERIFY, at3=b"\x09")),  # block longer than the data field
        (parse_verify, changed(VERIFY, at3=b"\x48")),  # length on the PIN
        (parse_verify, changed(VERIFY, at5=b"\x06\x08")),  # at most 6, at least 8
        (parse_verify, changed(VERIFY, at5=b"\x0c\x09")),  # at least 9 in a block of 8
        (parse_verify, changed(VERIFY, at7=b"\0")),  # nothing completes the entry
        (parse_verify, changed(VERIFY, at7=b"\x08")),
        (parse_verify, changed(VERIFY, at8=b"\2")),  # PIN_VERIFY has one message
        (parse_verify, with_data(VERIFY, 19, b"\0\x20\0\x80\x08")),  # Lc without data
        (parse_verify, with_data(VERIFY, 19, b"\0\x20\0\x80")),  # a block of 8 in no data field
        (parse_modify, changed(MODIFY, at6=b"\x09")),  # new PIN ends behind the data field
        (parse_modify, changed(MODIFY, at5=b"\x09")),  # current PIN too
        (parse_modify, changed(MODIFY, at6=b"\x07")),  # new PIN begins in the current one
        (parse_modify, changed(MODIFY, at3=b"\0", at6=b"\0")),
        (parse_modify, changed(MODIFY, at11=b"\4")),
    ],
)
def test_what_cannot_be_carried_out(parse, raw):
    with pytest.raises(PinBlockError):
        parse(raw)


def test_two_pins_without_padding_follow_each_other():
    """ID-software of Estonia: no block size, both offsets 0, no data field."""
    raw = changed(MODIFY, at2=b"\x02\0\0\0\0", at7=b"\x0c\x04")
    for data in (b"\0\x24\0\1", b"\0\x24\0\1\0"):
        request = parse_modify(with_data(raw, 24, data))
        command = request.command({Asked.CURRENT: "1234", Asked.NEW: "98765"})
        assert command == bytes.fromhex("00240001 09 31323334 3938373635")


def test_two_pins_of_any_length_in_padding():
    raw = changed(MODIFY, at3=b"\0", at7=b"\x0c\x04")
    request = parse_modify(raw)
    command = request.command({Asked.CURRENT: "12345678", Asked.NEW: "987654321"})
    assert command == bytes.fromhex("0024008011 3132333435363738 393837363534333231")
    with pytest.raises(PinBlockError) as refusal:
        request.command({Asked.CURRENT: "123456789", Asked.NEW: "987654321"})
    assert "123456789" not in str(refusal.value)


@given(st.binary(max_size=80))
def test_garbage_is_refused_with_a_type(raw):
    for parse in (parse_verify, parse_modify):
        try:
            parse(raw)
        except (PinStructError, PinBlockError):
            pass


@given(
    st.sampled_from([(parse_verify, PIN_VERIFY), (parse_modify, PIN_MODIFY)]),
    st.binary(min_size=24, max_size=24),
    st.binary(min_size=4, max_size=40),
    st.text("0123456789", min_size=16, max_size=16),
)
def test_what_is_accepted_can_be_built(kind, fixed, data, digits):
    parse, layout = kind
    try:
        request = parse(with_data(fixed, layout.size, data))
    except PinBlockError:
        return
    for length in (request.min_digits, request.max_digits):
        entries = {question.asked: digits[:length] for question in request.questions}
        try:
            command = request.command(entries)
        except PinBlockError:  # two PINs without a block size met
            assert not request.format.block_end
            continue
        assert command[:4] == data[:4]
        assert len(command) >= len(data) - 1
