# SPDX-License-Identifier: Apache-2.0
"""The tables are total in every profile: each status a driver can give becomes a code."""

import pytest

from vreader.wdm import NTSTATUS, RtlNtStatusToDosError
from vreader.wdm.irp import BugCheck
from vreader.winscard import power
from vreader.winscard.codes import SCARD, Win32
from vreader.winscard.profile import PCSCLITE, PROFILES, Check, Operation
from vreader.winscard.profile.rules import errors

# What no request can end with: a success, and "not yet".
NO_FAILURE = {NTSTATUS.SUCCESS, NTSTATUS.PENDING}
STATUSES = [status for status in NTSTATUS if status not in NO_FAILURE]
CALLS = {
    "connect", "reconnect", "disconnect", "dispose", "begin", "end", "transmit", "status",
    "control", "attribute",
}  # fmt: skip


class Manager:
    def __init__(self, profile):
        self.profile = profile


@pytest.mark.wdk("rm.errors.scard", "rm.errors.ntstatus")
@pytest.mark.parametrize("operation", list(Operation))
@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
@pytest.mark.parametrize("status", STATUSES, ids=str)
def test_every_status_has_a_code(profile, operation, status):
    code = power.failure(Manager(profile), operation, status).code
    assert isinstance(code, SCARD | Win32)
    assert code not in (SCARD.S_SUCCESS, SCARD.E_UNEXPECTED)


def test_a_pair_nobody_thought_of_is_a_bug():
    profile = PCSCLITE._replace(errors={Operation.TRANSMIT: {}})
    with pytest.raises(BugCheck, match="transmit"):
        power.failure(Manager(profile), Operation.TRANSMIT, NTSTATUS.UNSUCCESSFUL)
    assert RtlNtStatusToDosError(NTSTATUS.PENDING) not in set(Win32)


def test_a_row_is_total_over_win32():
    row = errors(
        no_media=SCARD.E_NO_SMARTCARD, timeout=None, unusable=SCARD.W_UNSUPPORTED_CARD,
        unsupported=None, other=None,
    )  # fmt: skip
    assert set(row) == set(map(int, Win32))
    assert row[Win32.SEM_TIMEOUT] is Win32.SEM_TIMEOUT


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_every_call_has_its_checks(profile):
    assert profile.checks.keys() == CALLS
    assert profile.errors.keys() == set(Operation)
    # SCardStatus is answered at once: it has no way to wait.
    assert Check.WAIT not in profile.checks["status"]


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
@pytest.mark.parametrize("base", ["Virtual Reader", "Yubico YubiKey CCID", "ACR 39", "X"])
@pytest.mark.parametrize("index", [0, 1, 10, 255])
def test_a_name_is_its_base_and_an_index(profile, base, index):
    name = profile.reader_name(base, "", index)
    assert profile.base_name(name) == base
