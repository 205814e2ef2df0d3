# SPDX-License-Identifier: Apache-2.0
"""The tables are total: every status a driver can give becomes a code, in every operation."""

import pytest

from vreader.wdm import NTSTATUS, RtlNtStatusToDosError
from vreader.wdm.irp import BugCheck
from vreader.winscard import power
from vreader.winscard.codes import SCARD
from vreader.winscard.profile import PCSCLITE, Operation, pcsclite_name

# What never leaves the kernel side: informational, or of opening and unloading.
NOT_FROM_A_REQUEST = {
    NTSTATUS.SUCCESS,
    NTSTATUS.TIMEOUT,
    NTSTATUS.PENDING,
    NTSTATUS.MORE_PROCESSING_REQUIRED,
    NTSTATUS.BUFFER_OVERFLOW,
    NTSTATUS.MEDIA_CHANGED,
    NTSTATUS.INFO_LENGTH_MISMATCH,
    NTSTATUS.NO_SUCH_DEVICE,
    NTSTATUS.OBJECT_NAME_NOT_FOUND,
    NTSTATUS.OBJECT_NAME_COLLISION,
    NTSTATUS.SHARING_VIOLATION,
}


class Manager:
    profile = PCSCLITE


@pytest.mark.wdk("rm.errors.scard", "rm.errors.ntstatus")
@pytest.mark.parametrize("operation", list(Operation))
@pytest.mark.parametrize("status", [s for s in NTSTATUS if s not in NOT_FROM_A_REQUEST], ids=str)
def test_every_status_has_a_code(operation, status):
    assert isinstance(power.failure(Manager, operation, status).code, SCARD)


@pytest.mark.wdk("rm.errors.scard")
@pytest.mark.parametrize(
    ("operation", "status", "code"),
    [
        (Operation.TRANSMIT, NTSTATUS.NO_MEDIA, SCARD.E_NO_SMARTCARD),
        (Operation.TRANSMIT, NTSTATUS.IO_TIMEOUT, SCARD.E_NOT_TRANSACTED),
        (Operation.TRANSMIT, NTSTATUS.DEVICE_REMOVED, SCARD.E_READER_UNAVAILABLE),
        (Operation.POWER, NTSTATUS.IO_TIMEOUT, SCARD.W_UNPOWERED_CARD),
        (Operation.RESET, NTSTATUS.IO_TIMEOUT, SCARD.W_UNRESPONSIVE_CARD),
        (Operation.SET_PROTOCOL, NTSTATUS.NOT_SUPPORTED, SCARD.E_PROTO_MISMATCH),
        (Operation.CONTROL, NTSTATUS.INVALID_DEVICE_REQUEST, SCARD.E_UNSUPPORTED_FEATURE),
        (Operation.CONTROL, NTSTATUS.BUFFER_TOO_SMALL, SCARD.E_INSUFFICIENT_BUFFER),
        (Operation.ATTRIBUTE, NTSTATUS.NOT_SUPPORTED, SCARD.E_UNSUPPORTED_FEATURE),
    ],
)
def test_codes(operation, status, code):
    assert power.failure(Manager, operation, status).code == code


def test_a_status_nobody_thought_of_is_a_bug():
    assert RtlNtStatusToDosError(NTSTATUS.MORE_PROCESSING_REQUIRED) == 234
    with pytest.raises(BugCheck):
        power.failure(Manager, Operation.TRANSMIT, NTSTATUS.MORE_PROCESSING_REQUIRED)


@pytest.mark.parametrize(
    ("vendor", "ifd_type", "index", "name"),
    [
        ("Virtual", "Reader", 0, "Virtual Reader 00 00"),
        ("Yubico", "YubiKey CCID", 10, "Yubico YubiKey CCID 0A 00"),
        ("Solo", "", 1, "Solo 01 00"),
    ],
)
def test_reader_names(vendor, ifd_type, index, name):
    assert pcsclite_name(vendor, ifd_type, index) == name
