# SPDX-License-Identifier: Apache-2.0
"""Status words SW1-SW2 (ISO/IEC 7816-4:2020 §5.6, tables 6 and 7)."""

from enum import IntEnum
from typing import Self


class SW(IntEnum):
    """A status word; every value 0000…FFFF is a member, the standardised ones have names."""

    OK = 0x9000
    WARNING_NO_INFORMATION = 0x6200
    DATA_CORRUPTED = 0x6281
    END_REACHED = 0x6282
    FILE_DEACTIVATED = 0x6283
    FILE_TERMINATED = 0x6285
    VERIFY_FAILED = 0x6300
    EXECUTION_ERROR = 0x6400
    MEMORY_FAILURE = 0x6581
    WRONG_LENGTH = 0x6700
    CLA_FUNCTION_NOT_SUPPORTED = 0x6800
    LOGICAL_CHANNEL_NOT_SUPPORTED = 0x6881
    SECURE_MESSAGING_NOT_SUPPORTED = 0x6882
    LAST_COMMAND_EXPECTED = 0x6883
    CHAINING_NOT_SUPPORTED = 0x6884
    COMMAND_NOT_ALLOWED = 0x6900
    INCOMPATIBLE_FILE_STRUCTURE = 0x6981
    SECURITY_STATUS_NOT_SATISFIED = 0x6982
    AUTHENTICATION_BLOCKED = 0x6983
    REFERENCE_DATA_NOT_USABLE = 0x6984
    CONDITIONS_NOT_SATISFIED = 0x6985
    NO_CURRENT_EF = 0x6986
    SM_DATA_MISSING = 0x6987
    SM_DATA_INCORRECT = 0x6988
    WRONG_DATA = 0x6A80
    FUNCTION_NOT_SUPPORTED = 0x6A81
    FILE_NOT_FOUND = 0x6A82
    RECORD_NOT_FOUND = 0x6A83
    NOT_ENOUGH_MEMORY = 0x6A84
    NC_INCONSISTENT_WITH_TLV = 0x6A85
    INCORRECT_P1P2 = 0x6A86
    NC_INCONSISTENT_WITH_P1P2 = 0x6A87
    REFERENCE_NOT_FOUND = 0x6A88
    FILE_EXISTS = 0x6A89
    DF_NAME_EXISTS = 0x6A8A
    WRONG_P1P2 = 0x6B00
    INS_NOT_SUPPORTED = 0x6D00
    CLA_NOT_SUPPORTED = 0x6E00
    UNKNOWN = 0x6F00

    @classmethod
    def _missing_(cls, value: object) -> "SW | None":
        if not isinstance(value, int) or not 0 <= value <= 0xFFFF:
            return None
        member = int.__new__(cls, value)
        member._name_ = f"SW_{value:04X}"
        member._value_ = value
        return cls._value2member_map_.setdefault(value, member)  # type: ignore[return-value]

    @classmethod
    def retries(cls, left: int) -> Self:
        """Return ``63Cx``: the comparison failed, ``left`` tries (0…15) remain (§5.6.3)."""
        if not 0 <= left <= 15:
            raise ValueError(f"a status word counts 0 to 15 retries, not {left}")
        return cls(0x63C0 | left)

    @classmethod
    def more(cls, available: int) -> Self:
        """Return ``61xx``: ``available`` bytes wait for GET RESPONSE; 00 stands for 256 or more."""
        return cls(0x6100 | (available if available < 256 else 0))

    @classmethod
    def wrong_le(cls, available: int) -> Self:
        """Return ``6Cxx``: ask again with Le ``available``; 00 stands for 256."""
        return cls(0x6C00 | (available & 0xFF))

    @property
    def retries_left(self) -> int | None:
        """The counter of ``63Cx``, or None for any other status word."""
        return self & 0xF if self & 0xFFF0 == 0x63C0 else None

    def to_bytes2(self) -> bytes:
        """Return SW1 SW2 as they stand at the end of an R-APDU."""
        return self._value_.to_bytes(2, "big")

    def __str__(self) -> str:
        if self.retries_left is not None:
            return f"{self:04X} {self.retries_left} tries left"
        if self >> 8 == 0x61:
            return f"{self:04X} more data"
        name = self.name
        return f"{self:04X}" if name.startswith("SW_") else f"{self:04X} {name}"
