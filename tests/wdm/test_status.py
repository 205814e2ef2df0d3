# SPDX-License-Identifier: Apache-2.0
"""NTSTATUS numbers and their Win32 translation."""

import pytest

from vreader.wdm import NTSTATUS, RtlNtStatusToDosError
from vreader.wdm.status import WIN32


@pytest.mark.parametrize("status", NTSTATUS)
def test_every_status_has_a_win32_number(status):
    assert RtlNtStatusToDosError(status) == WIN32[status]


def test_an_unknown_status_has_no_message():
    assert RtlNtStatusToDosError(0xC0001234) == 317


@pytest.mark.parametrize(
    ("status", "is_error"),
    [
        (NTSTATUS.SUCCESS, False),
        (NTSTATUS.PENDING, False),
        (NTSTATUS.BUFFER_OVERFLOW, False),
        (NTSTATUS.DEVICE_BUSY, False),
        (NTSTATUS.BUFFER_TOO_SMALL, True),
        (NTSTATUS.NO_MEDIA, True),
    ],
)
def test_severity(status, is_error):
    assert status.is_error is is_error
    assert str(status) == f"STATUS_{status.name}"
