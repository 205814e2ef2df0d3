# SPDX-License-Identifier: Apache-2.0
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vreader.bridge.serialccid.ccid import (
    FAILED,
    Answer,
    Command,
    IccStatus,
    Refusal,
    Request,
    Response,
    SlotError,
)
from vreader.bridge.serialccid.slot import FIRMWARE, CcidSlot

ACTIVE, INACTIVE, ABSENT = IccStatus
ATR = bytes.fromhex("3B00")


class Contacts:
    """A card that echoes, in whichever state the test puts it."""

    def __init__(self, status: IccStatus = ABSENT) -> None:
        self.status = status
        self.protocol, self.data = 1, bytes(7)

    def power_on(self) -> bytes:
        self.status = ACTIVE
        return ATR

    def power_off(self) -> None:
        if self.status is ACTIVE:
            self.status = INACTIVE

    def exchange(self, tpdu: bytes) -> bytes:
        if tpdu[0] == 0xEE:
            raise Refusal(SlotError.PROCEDURE_BYTE_CONFLICT)
        return tpdu

    def parameters(self) -> tuple[int, bytes]:
        return self.protocol, self.data

    def set_parameters(self, protocol: int, data: bytes | None) -> None:
        self.protocol = protocol
        self.data = b"initial" if data is None else data


def ask(slot: CcidSlot, kind: int, data: bytes = b"", parameters: bytes = bytes(3)) -> Response:
    return Response.parse(slot.answer(bytes(Request(kind, 0, 9, parameters, data))))


def good(kind: Answer, status: IccStatus, parameter: int = 0, data: bytes = b"") -> Response:
    return Response(kind, 0, 9, status, 0, parameter, data)


def bad(kind: Answer, status: IccStatus, error: int) -> Response:
    return Response(kind, 0, 9, status | FAILED, error)


C, A, E = Command, Answer, SlotError
RULES = [
    # status before, command, data, parameters → answer
    (ABSENT, C.ICC_POWER_ON, b"", 0, bad(A.DATA_BLOCK, ABSENT, E.ICC_MUTE)),
    (INACTIVE, C.ICC_POWER_ON, b"", 0, good(A.DATA_BLOCK, ACTIVE, 0, ATR)),
    (INACTIVE, C.ICC_POWER_ON, b"", 3, good(A.DATA_BLOCK, ACTIVE, 0, ATR)),
    (INACTIVE, C.ICC_POWER_ON, b"", 4, bad(A.DATA_BLOCK, INACTIVE, E.BAD_PARAMETER)),
    (INACTIVE, C.ICC_POWER_ON, b"x", 0, bad(A.DATA_BLOCK, INACTIVE, E.BAD_LENGTH)),
    (ACTIVE, C.ICC_POWER_ON, b"", 0, good(A.DATA_BLOCK, ACTIVE, 0, ATR)),
    (ABSENT, C.ICC_POWER_OFF, b"", 0, good(A.SLOT_STATUS, ABSENT, 1)),
    (ACTIVE, C.ICC_POWER_OFF, b"", 0, good(A.SLOT_STATUS, INACTIVE, 1)),
    (ABSENT, C.GET_SLOT_STATUS, b"", 0, good(A.SLOT_STATUS, ABSENT, 1)),
    (INACTIVE, C.GET_SLOT_STATUS, b"", 0, good(A.SLOT_STATUS, INACTIVE, 1)),
    (ACTIVE, C.GET_SLOT_STATUS, b"", 0, good(A.SLOT_STATUS, ACTIVE, 0)),
    (ACTIVE, C.GET_SLOT_STATUS, b"x", 0, bad(A.SLOT_STATUS, ACTIVE, E.BAD_LENGTH)),
    (ABSENT, C.XFR_BLOCK, b"abc", 0, bad(A.DATA_BLOCK, ABSENT, E.ICC_MUTE)),
    (INACTIVE, C.XFR_BLOCK, b"abc", 0, bad(A.DATA_BLOCK, INACTIVE, E.ICC_MUTE)),
    (ACTIVE, C.XFR_BLOCK, b"abc", 0, good(A.DATA_BLOCK, ACTIVE, 0, b"abc")),
    (ACTIVE, C.XFR_BLOCK, b"", 0, bad(A.DATA_BLOCK, ACTIVE, E.BAD_LENGTH)),
    (ACTIVE, C.XFR_BLOCK, b"\xee", 0, bad(A.DATA_BLOCK, ACTIVE, E.PROCEDURE_BYTE_CONFLICT)),
    (INACTIVE, C.GET_PARAMETERS, b"", 0, bad(A.PARAMETERS, INACTIVE, E.ICC_MUTE)),
    (ACTIVE, C.GET_PARAMETERS, b"", 0, good(A.PARAMETERS, ACTIVE, 1, bytes(7))),
    (ACTIVE, C.SET_PARAMETERS, b"12345", 0, good(A.PARAMETERS, ACTIVE, 0, b"12345")),
    (ACTIVE, C.SET_PARAMETERS, b"1234567", 1, good(A.PARAMETERS, ACTIVE, 1, b"1234567")),
    (ACTIVE, C.SET_PARAMETERS, b"12345", 1, bad(A.PARAMETERS, ACTIVE, E.BAD_LENGTH)),
    (ACTIVE, C.SET_PARAMETERS, b"12345", 2, bad(A.PARAMETERS, ACTIVE, E.BAD_PARAMETER)),
    (ACTIVE, C.RESET_PARAMETERS, b"", 0, good(A.PARAMETERS, ACTIVE, 1, b"initial")),
    (ABSENT, C.ESCAPE, b"\x02", 0, good(A.ESCAPE, ABSENT, 0, FIRMWARE)),
    (ABSENT, C.ESCAPE, b"\1\1\1", 0, good(A.ESCAPE, ABSENT)),
    (ABSENT, C.ESCAPE, b"\x6a", 0, bad(A.ESCAPE, ABSENT, E.COMMAND_NOT_SUPPORTED)),
    (ACTIVE, C.SECURE, b"", 0, bad(A.SLOT_STATUS, ACTIVE, E.COMMAND_NOT_SUPPORTED)),
    (ACTIVE, C.MECHANICAL, b"", 0, bad(A.SLOT_STATUS, ACTIVE, E.COMMAND_NOT_SUPPORTED)),
    (ACTIVE, 0x00, b"", 0, bad(A.SLOT_STATUS, ACTIVE, E.COMMAND_NOT_SUPPORTED)),
]


@pytest.mark.parametrize(("before", "kind", "data", "parameter", "expected"), RULES)
def test_commands(before, kind, data, parameter, expected):
    slot = CcidSlot(Contacts(before))
    assert ask(slot, kind, data, bytes((parameter, 0, 0))) == expected


def test_there_is_one_slot():
    answer = CcidSlot(Contacts(ACTIVE)).answer(bytes(Request(C.GET_SLOT_STATUS, 1, 7)))
    expected = Response(A.SLOT_STATUS, 1, 7, ABSENT | FAILED, SlotError.BAD_SLOT)
    assert Response.parse(answer) == expected


def test_a_movement_is_told_once():
    contacts = Contacts()
    slot = CcidSlot(contacts)
    assert slot.moved() == b""
    contacts.status = INACTIVE
    assert slot.moved() == bytes.fromhex("5003")
    contacts.status = ACTIVE
    assert slot.moved() == b""
    contacts.status = ABSENT
    assert slot.moved() == bytes.fromhex("5002")
    assert slot.moved() == b""


@given(
    st.sampled_from(list(IccStatus)),
    st.integers(0, 255) | st.sampled_from(list(Command)),
    st.integers(0, 255) | st.just(0),
    st.integers(0, 255),
    st.binary(min_size=3, max_size=3),
    st.binary(max_size=261),
)
def test_everything_is_answered(status, kind, slot, seq, parameters, data):
    answer = CcidSlot(Contacts(status)).answer(bytes(Request(kind, slot, seq, parameters, data)))
    response = Response.parse(answer)
    assert (response.slot, response.seq) == (slot, seq)
    assert response.kind in set(Answer)
    assert bool(response.error) <= bool(response.status & FAILED)
    assert len(response.data) == int.from_bytes(answer[1:5], "little")
