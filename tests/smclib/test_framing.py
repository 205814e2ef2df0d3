# SPDX-License-Identifier: Apache-2.0
"""SmartcardT0Request/Reply, SmartcardRawRequest/RawReply, SmartcardInvertData."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vreader.smclib.framing import (
    SCARD_T0_CMD_LENGTH,
    SCARD_T0_HEADER_LENGTH,
    SmartcardInvertData,
    SmartcardRawReply,
    SmartcardRawRequest,
    SmartcardT0Reply,
    SmartcardT0Request,
)
from vreader.smclib.structs import SMARTCARD_EXTENSION
from vreader.wdm import NTSTATUS

PCI = bytes.fromhex("0100000008000000")


@pytest.fixture
def ext(bench):
    """An extension with initialised buffers and a request from the caller."""
    bench.ext.IoRequest.ReplyBufferLength = 8 + 258
    return bench.ext


def ask(ext: SMARTCARD_EXTENSION, command: str | bytes, out: int = 266, pci: bytes = PCI) -> None:
    data = pci + (bytes.fromhex(command) if isinstance(command, str) else command)
    request = ext.IoRequest
    request.RequestBuffer = request.ReplyBuffer = bytearray(data).ljust(max(out, len(data)), b"\0")
    request.RequestBufferLength, request.ReplyBufferLength = len(data), out
    request.Information = 0


def answer(ext: SMARTCARD_EXTENSION, reply: bytes) -> None:
    ext.SmartcardReply.Buffer[: len(reply)] = reply
    ext.SmartcardReply.BufferLength = len(reply)


def sent(ext: SMARTCARD_EXTENSION) -> bytes:
    return bytes(ext.SmartcardRequest.Buffer[: ext.SmartcardRequest.BufferLength])


@pytest.mark.wdk("helper.t0-request", "struct.t0-data", "struct.smartcard-request")
@pytest.mark.parametrize(
    ("command", "tpdu", "lc", "le"),
    [
        ("00B0000003", "00B0000003", 0, 3),
        ("00B0000000", "00B0000000", 0, 256),
        ("00A40400026162", "00A40400026162", 2, 0),
        ("00A4040002616200", "00A40400026162", 2, 0),
    ],
)
def test_t0_request_frames_and_splits_the_lengths(ext, command, tpdu, lc, le):
    ask(ext, command)
    assert SmartcardT0Request(ext) is NTSTATUS.SUCCESS
    assert sent(ext) == bytes.fromhex(tpdu)
    assert (ext.T0.Lc, ext.T0.Le) == (lc, le)


@pytest.mark.wdk("helper.t0-request.case1")
def test_a_four_byte_command_gets_a_p3(ext):
    ask(ext, "00A40400")
    assert SmartcardT0Request(ext) is NTSTATUS.SUCCESS
    assert sent(ext) == bytes.fromhex("00A4040000")
    assert (ext.T0.Lc, ext.T0.Le) == (0, 0)


@pytest.mark.wdk("helper.t0-request.reserve")
@pytest.mark.parametrize("request_", [SmartcardT0Request, SmartcardRawRequest])
def test_the_driver_may_keep_room_in_front(ext, request_):
    ext.SmartcardRequest.Buffer[:3] = b"abc"
    ext.SmartcardRequest.BufferLength = 3
    ask(ext, "00B0000003")
    assert request_(ext) is NTSTATUS.SUCCESS
    assert sent(ext) == b"abc" + bytes.fromhex("00B0000003")


def test_the_command_begins_where_the_callers_header_ends(ext):
    ask(ext, "AABB00B0000003", pci=bytes.fromhex("010000000A000000"))
    assert SmartcardT0Request(ext) is NTSTATUS.SUCCESS
    assert sent(ext) == bytes.fromhex("00B0000003")


@pytest.mark.wdk("helper.t0-request.overflow")
@pytest.mark.parametrize(("reserve", "fits"), [(283, True), (284, False)])
def test_t0_request_needs_room_in_the_internal_buffer(ext, reserve, fits):
    ext.SmartcardRequest.BufferLength = reserve
    ask(ext, "00B0000003")
    assert SmartcardT0Request(ext) is (NTSTATUS.SUCCESS if fits else NTSTATUS.BUFFER_OVERFLOW)


@pytest.mark.wdk("helper.t0-request.too-small")
@pytest.mark.parametrize(("out", "fits"), [(8 + 3 + 2, True), (8 + 3 + 1, False)])
def test_t0_request_needs_room_for_le_and_the_status(ext, out, fits):
    ask(ext, "00B0000003", out)
    assert SmartcardT0Request(ext) is (NTSTATUS.SUCCESS if fits else NTSTATUS.BUFFER_TOO_SMALL)


@pytest.mark.parametrize(
    "command", ["00A404", "00A404000361", "00A40400016162FF", "00A4040000016100"]
)
def test_a_wrong_lc_is_an_invalid_parameter(ext, command):
    ask(ext, command)
    assert SmartcardT0Request(ext) is NTSTATUS.INVALID_PARAMETER
    assert sent(ext) == b""


@pytest.mark.wdk("helper.t0-reply", "helper.t0-request.frames-only")
@pytest.mark.parametrize("reply", [b"\x90\x00", b"\x61\x05", b"\x6c\x05", b"data\x90\x00"])
def test_t0_reply_copies_what_came(ext, reply):
    ask(ext, "00B0000003")
    answer(ext, reply)
    assert SmartcardT0Reply(ext) is NTSTATUS.SUCCESS
    assert ext.IoRequest.Information == 8 + len(reply)
    assert bytes(ext.IoRequest.ReplyBuffer[: 8 + len(reply)]) == PCI + reply


@pytest.mark.wdk("helper.t0-reply.protocol-error")
@pytest.mark.parametrize("reply", [b"", b"\x90"])
def test_t0_reply_without_a_status_word(ext, reply):
    ask(ext, "00B0000003")
    answer(ext, reply)
    assert SmartcardT0Reply(ext) is NTSTATUS.DEVICE_PROTOCOL_ERROR
    assert ext.IoRequest.Information == 0


@pytest.mark.wdk("helper.t0-reply.too-small", "helper.raw-reply")
@pytest.mark.parametrize("reply_", [SmartcardT0Reply, SmartcardRawReply])
def test_a_reply_that_does_not_fit(ext, reply_):
    ask(ext, "00A40400", 12)
    answer(ext, b"data\x90\x00")
    assert reply_(ext) is NTSTATUS.BUFFER_TOO_SMALL
    assert ext.IoRequest.Information == 0


@pytest.mark.wdk("helper.raw-request", "helper.raw-reply")
def test_raw_moves_any_bytes(ext):
    ask(ext, b"anything")
    assert SmartcardRawRequest(ext) is NTSTATUS.SUCCESS
    assert sent(ext) == b"anything"
    answer(ext, b"x")
    assert SmartcardRawReply(ext) is NTSTATUS.SUCCESS
    assert bytes(ext.IoRequest.ReplyBuffer[8:9]) == b"x"


def test_raw_request_needs_room_as_well(ext):
    ask(ext, bytes(289))
    assert SmartcardRawRequest(ext) is NTSTATUS.BUFFER_OVERFLOW
    ask(ext, b"x", 7)
    assert SmartcardRawRequest(ext) is NTSTATUS.BUFFER_TOO_SMALL


@pytest.mark.wdk("helper.invert-data", "atr.inverse")
def test_inverse_convention():
    data = bytearray.fromhex("0323")  # an inverse TS and the byte 3B, as direct hardware reads them
    SmartcardInvertData(data)
    assert data == bytes.fromhex("3F3B")


@given(data=st.binary())
def test_turned_over_twice_is_nothing(data):
    turned = bytearray(data)
    SmartcardInvertData(turned)
    assert len(turned) == len(data)
    SmartcardInvertData(turned)
    assert turned == data


@pytest.mark.wdk("struct.t0-lengths")
def test_lengths_of_winsmcrd():
    assert (SCARD_T0_HEADER_LENGTH, SCARD_T0_CMD_LENGTH) == (7, 5)
