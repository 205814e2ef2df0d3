# SPDX-License-Identifier: Apache-2.0
"""The numbers of winscard.h and winerror.h."""

import pytest

from vreader.wdm import NTSTATUS, RtlNtStatusToDosError
from vreader.winscard.codes import SCARD, Disposition, ReaderFlag, ScardError, ShareMode, Win32

F = ReaderFlag


@pytest.mark.wdk("rm.errors.codes")
def test_codes_are_all_there_and_in_order():
    errors = [code for code in SCARD if 0x80100001 <= code <= 0x80100034]
    warnings = [code for code in SCARD if code >= 0x80100065]
    assert errors == list(range(0x80100001, 0x80100035))
    assert warnings == list(range(0x80100065, 0x80100073))
    assert {code.name.split("_", 1)[0] for code in errors} == {"E", "F", "P"}
    assert {code.name.split("_", 1)[0] for code in warnings} == {"W"}
    assert len(errors) + len(warnings) + 1 == len(SCARD)
    for name, number in (
        ("E_UNEXPECTED", 0x1F), ("E_UNSUPPORTED_FEATURE", 0x22), ("E_NO_KEY_CONTAINER", 0x30),
        ("W_RESET_CARD", 0x68), ("W_REMOVED_CARD", 0x69), ("W_CACHE_ITEM_TOO_BIG", 0x72),
    ):  # fmt: skip
        assert SCARD[name] == 0x80100000 + number


def test_every_status_becomes_a_win32_error_that_is_known():
    known = set(Win32) | {0, 997}  # ERROR_SUCCESS, ERROR_IO_PENDING
    assert {RtlNtStatusToDosError(status) for status in NTSTATUS} <= known | set(SCARD)


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (SCARD.E_SHARING_VIOLATION, "Sharing violation (0x8010000B)"),
        (Win32.NOT_SUPPORTED, "Not supported (0x00000032)"),
    ],
)
def test_an_error_says_what_it_is(code, text):
    assert str(ScardError(code)) == text


@pytest.mark.wdk("rm.state.flags", "rm.disposition", "rm.sharing")
def test_flags_and_modes():
    flags = (
        F.UNAWARE, F.IGNORE, F.CHANGED, F.UNKNOWN, F.UNAVAILABLE, F.EMPTY, F.PRESENT, F.ATRMATCH,
        F.EXCLUSIVE, F.INUSE, F.MUTE, F.UNPOWERED,
    )  # fmt: skip
    assert list(flags) == [0, *(1 << bit for bit in range(11))]
    assert [mode.value for mode in ShareMode] == [1, 2, 3]
    assert [disposition.value for disposition in Disposition] == [0, 1, 2, 3]
