# SPDX-License-Identifier: Apache-2.0
"""What a Card* function or a host callback returns: a number of winscard.h or winerror.h.

The Smart Card Minidriver Specification prefers SCARD_* codes. Some rules name Win32 errors, and
hosts under CNG see NTE_* codes. SCARD_* and the Win32 errors a reader driver knows too are those of
:mod:`vreader.winscard.codes`; here are the ones that only minidrivers use.
"""

from enum import IntEnum

from vreader.winscard.codes import SCARD, Win32

SUCCESS = SCARD.S_SUCCESS


class CardWin32(IntEnum):
    """ERROR_* codes that the specification names and no reader driver returns.

    Old pages print 128 (0x80) for ERROR_FILE_EXISTS; winerror.h says 80.
    """

    FILE_EXISTS = 80
    DIR_NOT_EMPTY = 145
    REVISION_MISMATCH = 1306


class NTE(IntEnum):
    """NTE_* codes of winerror.h: CryptoAPI and CNG errors."""

    BAD_KEY = 0x80090003
    BAD_LEN = 0x80090004
    BAD_DATA = 0x80090005
    BAD_SIGNATURE = 0x80090006
    BAD_ALGID = 0x80090008
    BAD_FLAGS = 0x80090009
    BAD_TYPE = 0x8009000A
    NO_KEY = 0x8009000D
    NO_MEMORY = 0x8009000E
    EXISTS = 0x8009000F
    PERM = 0x80090010
    NOT_FOUND = 0x80090011
    BAD_KEYSET = 0x80090016
    KEYSET_NOT_DEF = 0x80090019
    FAIL = 0x80090020
    SILENT_CONTEXT = 0x80090022
    TOKEN_KEYSET_STORAGE_FULL = 0x80090023
    INVALID_HANDLE = 0x80090026
    INVALID_PARAMETER = 0x80090027
    BUFFER_TOO_SMALL = 0x80090028
    NOT_SUPPORTED = 0x80090029
    NO_MORE_ITEMS = 0x8009002A
    INTERNAL_ERROR = 0x8009002D


Code = SCARD | Win32 | CardWin32 | NTE

_PREFIX = {SCARD: "SCARD_", Win32: "ERROR_", CardWin32: "ERROR_", NTE: "NTE_"}


def code_of(number: int) -> Code | int:
    """Return the code with that number, or the number itself where nobody here names it."""
    for codes in _PREFIX:
        if number in codes._value2member_map_:
            return codes(number)
    return number


def name_of(number: int) -> str:
    """Return a code as winerror.h writes it, e.g. ``SCARD_W_WRONG_CHV``; else hexadecimal."""
    code = code_of(number)
    return f"{_PREFIX[type(code)]}{code.name}" if isinstance(code, IntEnum) else f"0x{number:08X}"


class MinidriverError(Exception):
    """A call failed with ``code``.

    Attributes:
        code: the DWORD that is returned, named where it has a name.
        attempts: what is written to *pcAttemptsRemaining; None where nothing is.
        length: the length written out although the buffer is too short; None where none is.
    """

    def __init__(
        self, code: int, *, attempts: int | None = None, length: int | None = None
    ) -> None:
        super().__init__(f"{name_of(code)} (0x{code:08X})")
        self.code: Code | int = code_of(code)
        self.attempts = attempts
        self.length = length
