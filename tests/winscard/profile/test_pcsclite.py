# SPDX-License-Identifier: Apache-2.0
"""pcsc-lite's codes and names."""

import pytest

from vreader.wdm import NTSTATUS
from vreader.winscard import power
from vreader.winscard.codes import SCARD
from vreader.winscard.profile import PCSCLITE, Operation
from vreader.winscard.profile.pcsclite import pcsclite_base_name, pcsclite_name


class Manager:
    profile = PCSCLITE


@pytest.mark.wdk(
    "rm.errors.scard",
    "rm.errors.insufficient-buffer",
    "rm.errors.reader-gone",
    "rm.errors.protocol",
    "rm.errors.reset-timeout",
)
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


@pytest.mark.parametrize("status", [s for s in NTSTATUS if s.is_error], ids=str)
@pytest.mark.parametrize("operation", list(Operation))
def test_it_knows_no_codes_but_its_own(operation, status):
    assert isinstance(power.failure(Manager, operation, status).code, SCARD)


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


@pytest.mark.parametrize(
    ("name", "base"),
    [
        ("Reader 0A 00", "Reader"),
        ("Reader 0a 00", "Reader 0a 00"),
        ("Reader 00", "Reader 00"),
        ("Reader 1 2", "Reader 1 2"),
        ("00 00", "00 00"),
        ("", ""),
    ],
)
def test_base_names(name, base):
    assert pcsclite_base_name(name) == base
