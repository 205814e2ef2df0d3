# SPDX-License-Identifier: Apache-2.0
"""Windows' codes, names and limits."""

import pytest

from vreader.smclib.ioctl import MAXIMUM_ATTR_STRING_LENGTH
from vreader.wdm import NTSTATUS, RtlNtStatusToDosError
from vreader.winscard import power
from vreader.winscard.codes import SCARD, Win32
from vreader.winscard.profile import WINDOWS, WINDOWS_7, Check, Operation
from vreader.winscard.profile.windows import (
    MAXIMUM_SMARTCARD_READERS,
    windows_base_name,
    windows_name,
)


class Manager:
    profile = WINDOWS


@pytest.mark.wdk(
    "rm.errors.scard",
    "rm.errors.no-media",
    "rm.errors.unrecognized-media",
    "rm.errors.reset-timeout",
    "rm.errors.protocol",
    "rm.errors.reader-gone",
    "rm.errors.insufficient-buffer",
)
@pytest.mark.parametrize(
    ("operation", "status", "code"),
    [
        (Operation.POWER, NTSTATUS.NO_MEDIA, SCARD.E_NO_SMARTCARD),
        (Operation.TRANSMIT, NTSTATUS.NO_MEDIA, SCARD.W_REMOVED_CARD),
        (Operation.RESET, NTSTATUS.NO_MEDIA, SCARD.W_REMOVED_CARD),
        (Operation.POWER, NTSTATUS.UNRECOGNIZED_MEDIA, SCARD.W_UNSUPPORTED_CARD),
        (Operation.RESET, NTSTATUS.IO_TIMEOUT, SCARD.W_UNRESPONSIVE_CARD),
        (Operation.SET_PROTOCOL, NTSTATUS.NOT_SUPPORTED, SCARD.E_PROTO_MISMATCH),
        (Operation.TRANSMIT, NTSTATUS.DEVICE_REMOVED, SCARD.E_READER_UNAVAILABLE),
        (Operation.TRANSMIT, NTSTATUS.BUFFER_TOO_SMALL, SCARD.E_INSUFFICIENT_BUFFER),
        (Operation.TRANSMIT, NTSTATUS.UNSUCCESSFUL, Win32.GEN_FAILURE),
        (Operation.TRANSMIT, NTSTATUS.IO_TIMEOUT, Win32.SEM_TIMEOUT),
        (Operation.EJECT, NTSTATUS.NOT_SUPPORTED, SCARD.E_CANT_DISPOSE),
    ],
)
def test_codes(operation, status, code):
    assert power.failure(Manager, operation, status).code == code


@pytest.mark.wdk("rm.errors.raw")
@pytest.mark.parametrize("operation", [Operation.CONTROL, Operation.ATTRIBUTE])
@pytest.mark.parametrize("status", [s for s in NTSTATUS if s.is_error], ids=str)
def test_control_and_attributes_tell_the_win32_error_itself(operation, status):
    assert power.failure(Manager, operation, status).code == RtlNtStatusToDosError(status)


@pytest.mark.wdk("rm.name.windows")
@pytest.mark.parametrize(
    ("vendor", "ifd_type", "index", "name"),
    [
        ("Virtual", "Reader", 0, "Virtual Reader 0"),
        ("Yubico", "YubiKey OTP+FIDO+CCID", 1, "Yubico YubiKey OTP+FIDO+CCID 1"),
        ("Solo", "", 10, "Solo 10"),
    ],
)
def test_reader_names(vendor, ifd_type, index, name):
    assert windows_name(vendor, ifd_type, index) == name


@pytest.mark.parametrize(
    ("name", "base"),
    [("Reader 0", "Reader"), ("Reader", "Reader"), ("7", "7"), ("A 2 10", "A 2"), ("", "")],
)
def test_base_names(name, base):
    assert windows_base_name(name) == base


@pytest.mark.wdk("name.maximum-readers")
def test_the_limits_of_the_header():
    assert WINDOWS.max_readers == MAXIMUM_SMARTCARD_READERS == 10
    assert MAXIMUM_ATTR_STRING_LENGTH == 32


def test_windows_7_differs_in_what_is_documented_and_no_more():
    differs = {
        name: (new, old)
        for name, new, old in zip(WINDOWS._fields, WINDOWS, WINDOWS_7, strict=True)
        if new != old
    }
    assert differs.keys() == {"name", "checks", "stops_without_readers"}
    new, old = differs["checks"]
    assert {call for call in new if new[call] != old[call]} == {"begin"}
    assert set(new["begin"]) - set(old["begin"]) == {Check.RESET}
