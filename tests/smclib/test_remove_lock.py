# SPDX-License-Identifier: Apache-2.0
"""Who is inside the driver, with and without a name."""

import pytest

from vreader.smclib.ioctl import Ioctl
from vreader.smclib.library import (
    SmartcardAcquireRemoveLock,
    SmartcardAcquireRemoveLockWithTag,
    SmartcardExit,
    SmartcardReleaseRemoveLock,
    SmartcardReleaseRemoveLockAndWait,
    SmartcardReleaseRemoveLockWithTag,
)
from vreader.smclib.structs import RDF
from vreader.wdm import NTSTATUS, BugCheck, IoCompleteRequest


@pytest.fixture
def lock(bench):
    return bench.ext.OsData.RemoveLock


@pytest.mark.wdk("lock.with-tag", "lock.release-with-tag")
def test_a_tag_comes_and_goes_with_its_hold(bench, lock):
    tag = object()
    assert SmartcardAcquireRemoveLockWithTag(bench.ext, tag) is NTSTATUS.SUCCESS
    assert (lock.count, lock.tags) == (1, [tag])
    SmartcardReleaseRemoveLockWithTag(bench.ext, tag)
    assert (lock.count, lock.tags) == (0, [])


@pytest.mark.wdk("lock.release-with-tag")
def test_a_tag_that_holds_nothing_is_a_bug_check(bench, lock):
    SmartcardAcquireRemoveLock(bench.ext)
    with pytest.raises(BugCheck, match="tag that does not hold it"):
        SmartcardReleaseRemoveLockWithTag(bench.ext, "other")
    assert lock.count == 1


@pytest.mark.wdk("lock.release")
def test_one_release_too_many_is_a_bug_check(bench):
    with pytest.raises(BugCheck, match="more often than acquired"):
        SmartcardReleaseRemoveLock(bench.ext)


@pytest.mark.wdk("lock.delete-pending", "lock.release-and-wait", "lock.not-again")
def test_once_waited_for_it_refuses_everybody_for_ever(bench):
    left = []
    SmartcardAcquireRemoveLock(bench.ext)
    SmartcardAcquireRemoveLock(bench.ext)
    SmartcardReleaseRemoveLockAndWait(bench.ext, lambda: left.append(True))
    assert left == []
    assert SmartcardAcquireRemoveLock(bench.ext) is NTSTATUS.DELETE_PENDING
    assert SmartcardAcquireRemoveLockWithTag(bench.ext, 1) is NTSTATUS.DELETE_PENDING
    SmartcardReleaseRemoveLock(bench.ext)
    assert left == [True]
    assert SmartcardAcquireRemoveLock(bench.ext) is NTSTATUS.DELETE_PENDING


@pytest.mark.wdk("lock.every-request", "lock.acquire")
def test_a_request_holds_it_from_entry_to_completion(bench, lock):
    bench.insert()
    bench.hold(RDF.CARD_POWER)
    tracking = bench.send(Ioctl.SMARTCARD_IS_ABSENT)
    power = bench.send(Ioctl.SMARTCARD_POWER, b"\1\0\0\0", 33)
    assert lock.count == 2
    power.irp.IoStatus.Status = NTSTATUS.IO_TIMEOUT
    IoCompleteRequest(power.irp)
    assert lock.count == 1
    bench.remove()
    assert (tracking.status, lock.count) == (NTSTATUS.SUCCESS, 0)


@pytest.mark.wdk("verifier.lock-leaked")
def test_a_lock_still_held_at_exit_has_leaked(bench):
    SmartcardAcquireRemoveLockWithTag(bench.ext, "read")
    with pytest.raises(BugCheck, match=r"leaked 1 times, tags \['read'\]"):
        SmartcardExit(bench.ext)
