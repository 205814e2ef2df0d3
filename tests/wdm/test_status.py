# SPDX-License-Identifier: Apache-2.0
"""NTSTATUS numbers and their Win32 translation."""

import pytest

from vreader.wdm import NTSTATUS, RtlNtStatusToDosError
from vreader.wdm.status import WIN32


@pytest.mark.parametrize("status", NTSTATUS)
def test_every_status_has_a_win32_number(status):
    assert RtlNtStatusToDosError(status) == WIN32[status]


@pytest.mark.wdk("status.unmapped")
def test_an_unknown_status_has_no_message():
    assert RtlNtStatusToDosError(0xC0001234) == 317


@pytest.mark.wdk("status.severity")
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


@pytest.mark.wdk(
    "status.success",
    "status.pending",
    "status.timeout",
    "status.buffer-overflow",
    "status.device-powered-off",
    "status.device-busy",
    "status.media-changed",
    "status.unsuccessful",
    "status.not-implemented",
    "status.info-length-mismatch",
    "status.invalid-handle",
    "status.invalid-parameter",
    "status.no-such-device",
    "status.invalid-device-request",
    "status.no-media-in-device",
    "status.unrecognized-media",
    "status.more-processing-required",
    "status.access-denied",
    "status.buffer-too-small",
    "status.sharing-violation",
    "status.delete-pending",
    "status.insufficient-resources",
    "status.device-data-error",
    "status.device-not-connected",
    "status.device-not-ready",
    "status.io-timeout",
    "status.not-supported",
    "status.device-does-not-exist",
    "status.cancelled",
    "status.no-media",
    "status.invalid-device-state",
    "status.io-device-error",
    "status.device-protocol-error",
    "status.invalid-buffer-size",
    "status.device-removed",
)
@pytest.mark.parametrize(
    ("name", "number", "win32"),
    [
        ("SUCCESS", 0x00000000, 0),
        ("PENDING", 0x00000103, 997),
        ("TIMEOUT", 0x00000102, 1460),
        ("BUFFER_OVERFLOW", 0x80000005, 234),
        ("DEVICE_POWERED_OFF", 0x8000000F, 21),
        ("DEVICE_BUSY", 0x80000011, 170),
        ("MEDIA_CHANGED", 0x8000001C, 1110),
        ("UNSUCCESSFUL", 0xC0000001, 31),
        ("NOT_IMPLEMENTED", 0xC0000002, 1),
        ("INFO_LENGTH_MISMATCH", 0xC0000004, 24),
        ("INVALID_HANDLE", 0xC0000008, 6),
        ("INVALID_PARAMETER", 0xC000000D, 87),
        ("NO_SUCH_DEVICE", 0xC000000E, 2),
        ("INVALID_DEVICE_REQUEST", 0xC0000010, 1),
        ("NO_MEDIA_IN_DEVICE", 0xC0000013, 21),
        ("UNRECOGNIZED_MEDIA", 0xC0000014, 1785),
        ("MORE_PROCESSING_REQUIRED", 0xC0000016, 234),
        ("ACCESS_DENIED", 0xC0000022, 5),
        ("BUFFER_TOO_SMALL", 0xC0000023, 122),
        ("SHARING_VIOLATION", 0xC0000043, 32),
        ("DELETE_PENDING", 0xC0000056, 5),
        ("INSUFFICIENT_RESOURCES", 0xC000009A, 1450),
        ("DEVICE_DATA_ERROR", 0xC000009C, 23),
        ("DEVICE_NOT_CONNECTED", 0xC000009D, 1167),
        ("DEVICE_NOT_READY", 0xC00000A3, 21),
        ("IO_TIMEOUT", 0xC00000B5, 121),
        ("NOT_SUPPORTED", 0xC00000BB, 50),
        ("DEVICE_DOES_NOT_EXIST", 0xC00000C0, 55),
        ("CANCELLED", 0xC0000120, 995),
        ("NO_MEDIA", 0xC0000178, 1112),
        ("INVALID_DEVICE_STATE", 0xC0000184, 22),
        ("IO_DEVICE_ERROR", 0xC0000185, 1117),
        ("DEVICE_PROTOCOL_ERROR", 0xC0000186, 1117),
        ("INVALID_BUFFER_SIZE", 0xC0000206, 1784),
        ("DEVICE_REMOVED", 0xC00002B6, 1617),
    ],
)
def test_numbers_of_ntstatus_h_and_what_applications_see(name, number, win32):
    assert NTSTATUS[name] == number
    assert RtlNtStatusToDosError(NTSTATUS[name]) == win32
