# SPDX-License-Identifier: Apache-2.0
"""CCID messages: what a host and a reader say to each other, as values (CCID 1.1 section 6).

Ten bytes of header and the data: bMessageType, dwLength, bSlot, bSeq and three bytes that depend on
the message, in answers bStatus, bError and one more.
"""

import struct
from enum import IntEnum
from typing import NamedTuple, Self

_HEADER = struct.Struct("<BIBB3s")
_REPLY = struct.Struct("<BIBBBBB")


class Command(IntEnum):
    """PC_to_RDR messages (CCID 1.1 section 6.1)."""

    SET_PARAMETERS = 0x61
    ICC_POWER_ON = 0x62
    ICC_POWER_OFF = 0x63
    GET_SLOT_STATUS = 0x65
    SECURE = 0x69
    T0_APDU = 0x6A
    ESCAPE = 0x6B
    GET_PARAMETERS = 0x6C
    RESET_PARAMETERS = 0x6D
    ICC_CLOCK = 0x6E
    XFR_BLOCK = 0x6F
    MECHANICAL = 0x71
    ABORT = 0x72
    SET_DATA_RATE_AND_CLOCK_FREQUENCY = 0x73


class Answer(IntEnum):
    """RDR_to_PC messages (CCID 1.1 sections 6.2 and 6.3)."""

    NOTIFY_SLOT_CHANGE = 0x50
    DATA_BLOCK = 0x80
    SLOT_STATUS = 0x81
    PARAMETERS = 0x82
    ESCAPE = 0x83
    DATA_RATE_AND_CLOCK_FREQUENCY = 0x84


class IccStatus(IntEnum):
    """bmICCStatus, the low bits of bStatus (CCID 1.1 table 6.2-3)."""

    ACTIVE = 0
    INACTIVE = 1
    ABSENT = 2


FAILED = 0x40
"""bmCommandStatus in bStatus: bError says why."""
TIME_EXTENSION = 0x80
"""bmCommandStatus in bStatus: the answer comes later; bError multiplies the waiting time."""


class SlotError(IntEnum):
    """bError of a failed command (CCID 1.1 table 6.2-2).

    Numbers below 80 are none of these: they are the offset of the byte in the command that is
    wrong; 0, that of the message type, is a command this reader does not know.
    """

    COMMAND_NOT_SUPPORTED = 0x00
    BAD_LENGTH = 0x01
    BAD_SLOT = 0x05
    BAD_PARAMETER = 0x07
    PROCEDURE_BYTE_CONFLICT = 0xF4
    ICC_PROTOCOL_NOT_SUPPORTED = 0xF6
    BAD_ATR_TCK = 0xF7
    BAD_ATR_TS = 0xF8
    HARDWARE_ERROR = 0xFB
    XFR_PARITY_ERROR = 0xFD
    ICC_MUTE = 0xFE


class Refusal(Exception):  # noqa: N818 - an answer, not always an error
    """A command fails; ``error`` is its bError."""

    def __init__(self, error: int) -> None:
        super().__init__(f"bError {error:02X}")
        self.error = error


class Request(NamedTuple):
    """A PC_to_RDR message.

    Attributes:
        kind: bMessageType, a Command or a number this reader does not know.
        slot, seq: bSlot and bSeq.
        parameters: the three bytes before the data.
        data: abData.
    """

    kind: int
    slot: int
    seq: int
    parameters: bytes = bytes(3)
    data: bytes = b""

    @classmethod
    def parse(cls, message: bytes) -> Self:
        """Read a message whose dwLength is right, as framing has checked."""
        kind, _, slot, seq, parameters = _HEADER.unpack_from(message)
        return cls(kind, slot, seq, parameters, message[_HEADER.size :])

    def __bytes__(self) -> bytes:
        header = _HEADER.pack(self.kind, len(self.data), self.slot, self.seq, self.parameters)
        return header + self.data


class Response(NamedTuple):
    """An RDR_to_PC message.

    Attributes:
        kind: bMessageType.
        slot, seq: those of the request.
        status: bStatus: an IccStatus, and FAILED or TIME_EXTENSION.
        error: bError.
        parameter: bChainParameter, bClockStatus or bProtocolNum.
        data: abData.
    """

    kind: int
    slot: int
    seq: int
    status: int
    error: int = 0
    parameter: int = 0
    data: bytes = b""

    @classmethod
    def parse(cls, message: bytes) -> Self:
        """Read a message whose dwLength is right."""
        kind, _, slot, seq, status, error, parameter = _REPLY.unpack_from(message)
        return cls(kind, slot, seq, status, error, parameter, message[_REPLY.size :])

    def __bytes__(self) -> bytes:
        header = _REPLY.pack(
            self.kind,
            len(self.data),
            self.slot,
            self.seq,
            self.status,
            self.error,
            self.parameter,
        )
        return header + self.data


def slot_change(*, present: bool) -> bytes:
    """Return RDR_to_PC_NotifySlotChange for the one slot, which this line sends without a frame."""
    return bytes((Answer.NOTIFY_SLOT_CHANGE, 0x02 | present))
