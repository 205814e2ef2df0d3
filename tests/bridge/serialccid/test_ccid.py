# SPDX-License-Identifier: Apache-2.0
from hypothesis import given
from hypothesis import strategies as st

from vreader.bridge.serialccid.ccid import (
    FAILED,
    Answer,
    Command,
    IccStatus,
    Request,
    Response,
    SlotError,
    slot_change,
)

BYTE = st.integers(0, 255)
DATA = st.binary(max_size=300)


def test_messages_as_they_stand_on_the_wire():
    # PC_to_RDR_XfrBlock with S(IFS request 254), as libccid's driver sends it.
    message = bytes.fromhex("6f 05000000 00 10 00 0000 00c101fe3e")
    request = Request.parse(message)
    assert request == (Command.XFR_BLOCK, 0, 0x10, bytes(3), bytes.fromhex("00c101fe3e"))
    assert bytes(request) == message
    status = IccStatus.ABSENT | FAILED
    response = Response(Answer.DATA_BLOCK, 0, 0x1A, status, SlotError.ICC_MUTE)
    assert bytes(response) == bytes.fromhex("80 00000000 00 1a 42 fe 00")
    assert slot_change(present=True) == bytes.fromhex("5003")
    assert slot_change(present=False) == bytes.fromhex("5002")


@given(BYTE, BYTE, BYTE, st.binary(min_size=3, max_size=3), DATA)
def test_requests_are_exact(kind, slot, seq, parameters, data):
    request = Request(kind, slot, seq, parameters, data)
    assert Request.parse(bytes(request)) == request


@given(BYTE, BYTE, BYTE, BYTE, BYTE, BYTE, DATA)
def test_responses_are_exact(kind, slot, seq, status, error, parameter, data):
    response = Response(kind, slot, seq, status, error, parameter, data)
    assert Response.parse(bytes(response)) == response
