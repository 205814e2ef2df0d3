# SPDX-License-Identifier: Apache-2.0
"""The reader's end of T=0, answered with single characters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vreader.iso7816.t0 import T0CommandError, T0Error, T0LostError
from vreader.iso7816.t0reader import T0Reader, command_tpdus

OK = b"\x90\x00"
SELECT = bytes.fromhex("00A4040002") + b"ab"
READ = bytes.fromhex("00B0000003")


@pytest.mark.parametrize(
    ("command", "tpdu"),
    [
        ("00A40400", "00A4040000"),  # case 1
        ("00B0000003", "00B0000003"),  # case 2
        ("00B0000000", "00B0000000"),
        ("00B00000000003", "00B0000003"),
        ("00B00000000000", "00B0000000"),  # Le above 256: as much as there is
        ("00A404000261 62", "00A4040002 6162"),  # case 3
        ("00A404000261 6200", "00A4040002 6162"),  # case 4: no place for Le
        ("00A40400000002 6162 0000", "00A4040002 6162"),
    ],
)
def test_the_tpdu_of_a_command(command, tpdu):
    assert command_tpdus(bytes.fromhex(command)) == [bytes.fromhex(tpdu)]


@pytest.mark.wdk("t0.extended")
def test_more_data_than_t0_can_carry_goes_in_envelopes():
    command = bytes.fromhex("80DA000000012C") + bytes(range(256)) + bytes(44) + b"\0\0"
    tpdus = command_tpdus(command)
    assert b"".join(tpdu[5:] for tpdu in tpdus) == command
    assert [tpdu[:5].hex() for tpdu in tpdus] == ["80c20000ff", "80c2000036", "80c2000000"]
    with pytest.raises(T0CommandError, match="255 data bytes, not 300"):
        command_tpdus(command, envelope=False)


@pytest.mark.parametrize("command", ["", "00A404", "00A4040005AA", "00A404000201020304"])
def test_what_is_no_command(command):
    with pytest.raises(T0CommandError):
        T0Reader().begin(bytes.fromhex(command))


@pytest.mark.wdk("t0.procedure-bytes")
def test_all_data_at_once():
    reader = T0Reader()
    assert reader.begin(SELECT) == SELECT[:5]
    assert reader.receive(b"\xa4") == b"ab"
    assert reader.receive(OK) is None
    assert reader.response == OK


def test_data_byte_by_byte():
    reader = T0Reader()
    reader.begin(SELECT)
    assert reader.receive(b"\x5b") == b"a"
    assert reader.receive(b"\x5b") == b"b"
    assert reader.receive(b"\x61\x05") is None
    assert reader.response == b"\x61\x05"


def test_one_byte_then_the_rest():
    reader = T0Reader()
    reader.begin(bytes.fromhex("00A4040004") + b"abcd")
    assert reader.receive(b"\x5b") == b"a"
    assert reader.receive(b"\xa4") == b"bcd"


@pytest.mark.parametrize("portion", [1, 2, 3, 9])
def test_data_from_the_card_in_any_portions(portion):
    reader = T0Reader()
    reader.begin(READ)
    came = b"\xb0xyz" + OK
    answers = [reader.receive(came[at : at + portion]) for at in range(0, len(came), portion)]
    assert answers[-1] is None
    assert not any(answers[:-1])
    assert reader.response == b"xyz" + OK


def test_data_from_the_card_byte_by_byte():
    reader = T0Reader()
    reader.begin(READ)
    assert reader.receive(b"\x4fx\x4fy\xb0z" + OK) is None
    assert reader.response == b"xyz" + OK


def test_a_card_may_end_with_a_status_at_any_time():
    reader = T0Reader()
    reader.begin(SELECT)
    reader.receive(b"\x5b")
    assert reader.receive(b"\x6a\x80") is None
    assert reader.response == b"\x6a\x80"


@pytest.mark.wdk("t0.null")
def test_nulls_are_counted():
    reader = T0Reader(max_nulls=3)
    reader.begin(SELECT)
    assert reader.receive(b"\x60\x60") == b""
    assert reader.nulls == 2
    assert reader.receive(b"\x60\xa4") == b"ab"
    with pytest.raises(T0LostError, match="without end"):
        reader.receive(b"\x60")


@pytest.mark.parametrize("answer", ["6105", "6C05", "6A82", "9000", "9FFF"])
def test_any_status_is_the_response(answer):
    reader = T0Reader()
    reader.begin(READ)
    assert reader.receive(bytes.fromhex(answer)) is None
    assert reader.response == bytes.fromhex(answer)


def test_envelopes_go_one_after_the_other():
    reader = T0Reader()
    header = reader.begin(bytes.fromhex("00DA000000012C") + bytes(300))
    sent = bytearray()
    for answer in (OK, OK, b"\x61\x04"):
        assert header[1] == 0xC2
        sent += reader.receive(b"\xc2") if header[4] else b""
        header = reader.receive(answer)
    assert header is None
    assert len(sent) == 307
    assert reader.response == b"\x61\x04"


def test_a_card_without_envelope():
    reader = T0Reader()
    reader.begin(bytes.fromhex("00DA000000012C") + bytes(300))
    assert reader.receive(b"\x6d\x00") is None
    assert reader.response == b"\x6d\x00"
    assert reader.begin(READ) == READ


@pytest.mark.parametrize(
    ("command", "received", "problem"),
    [
        (READ, b"\xa4", "A4 is no procedure byte"),
        (READ, b"\xb0xyz\x90\x00\x00", "nobody asked for"),
        (READ, b"\xb0xyz\xb0", "more data than there is"),
        (SELECT, b"\xa4\xa4", "nobody asked for"),
    ],
)
def test_what_is_no_t0(command, received, problem):
    reader = T0Reader()
    reader.begin(command)
    with pytest.raises(T0LostError, match=problem) as caught:
        reader.receive(received)
    assert not caught.value.mute
    with pytest.raises(T0Error, match="reset the card"):
        reader.begin(READ)


@pytest.mark.parametrize("silence", [None, b""])
def test_silence(silence):
    reader = T0Reader()
    reader.begin(READ)
    with pytest.raises(T0LostError) as caught:
        reader.receive(silence)
    assert caught.value.mute
    assert reader.broken


def test_a_command_at_a_time():
    reader = T0Reader()
    with pytest.raises(T0Error, match="no command"):
        reader.receive(OK)
    reader.begin(READ)
    with pytest.raises(T0Error, match="in hand"):
        reader.begin(READ)


@given(received=st.lists(st.none() | st.binary(max_size=20), max_size=20), command=st.binary())
def test_whatever_comes_it_goes_on_or_fails_with_a_typed_error(received, command):
    reader = T0Reader()
    for raw in received:
        try:
            if not reader.tpdu:
                reader.begin(command)
            reader.receive(raw)
        except T0Error:
            if reader.broken:
                return
