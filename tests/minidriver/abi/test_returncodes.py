# SPDX-License-Identifier: Apache-2.0
import pytest

from vreader.minidriver.abi.returncodes import (
    NTE,
    CardWin32,
    MinidriverError,
    code_of,
    name_of,
)
from vreader.winscard.codes import SCARD, Win32


@pytest.mark.parametrize(
    ("number", "code", "name"),
    [
        (0x80100004, SCARD.E_INVALID_PARAMETER, "SCARD_E_INVALID_PARAMETER"),
        (0x8010006B, SCARD.W_WRONG_CHV, "SCARD_W_WRONG_CHV"),
        (87, Win32.INVALID_PARAMETER, "ERROR_INVALID_PARAMETER"),
        (80, CardWin32.FILE_EXISTS, "ERROR_FILE_EXISTS"),
        (122, Win32.INSUFFICIENT_BUFFER, "ERROR_INSUFFICIENT_BUFFER"),
        (145, CardWin32.DIR_NOT_EMPTY, "ERROR_DIR_NOT_EMPTY"),
        (1306, CardWin32.REVISION_MISMATCH, "ERROR_REVISION_MISMATCH"),
        (0x80090028, NTE.BUFFER_TOO_SMALL, "NTE_BUFFER_TOO_SMALL"),
        (0xDEADBEEF, 0xDEADBEEF, "0xDEADBEEF"),
    ],
)
def test_names(number, code, name):
    assert code_of(number) == code
    assert name_of(number) == name


def test_a_code_has_one_name():
    numbers = [*SCARD, *Win32, *CardWin32, *NTE]
    assert len(numbers) == len({int(number) for number in numbers})


def test_an_error_says_its_code_and_what_it_writes():
    error = MinidriverError(0x8010006B, attempts=2)
    assert str(error) == "SCARD_W_WRONG_CHV (0x8010006B)"
    assert (error.code, error.attempts, error.length) == (SCARD.W_WRONG_CHV, 2, None)
