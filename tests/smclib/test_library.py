# SPDX-License-Identifier: Apache-2.0
"""Initialise, remove lock, links, event log."""

import pytest

from vreader.smclib.events import DriverLogEvent
from vreader.smclib.ioctl import Ioctl
from vreader.smclib.library import (
    SmartcardAcquireRemoveLock,
    SmartcardCreateLink,
    SmartcardDeleteLink,
    SmartcardExit,
    SmartcardInitialize,
    SmartcardLogError,
    SmartcardReleaseRemoveLock,
    SmartcardReleaseRemoveLockAndWait,
)
from vreader.smclib.osdata import NOT_INITIALIZED
from vreader.smclib.structs import MIN_BUFFER_SIZE
from vreader.wdm import NTSTATUS, BugCheck


@pytest.mark.wdk("helper.initialize", "struct.min-buffer-size")
def test_initialize_makes_the_buffers_and_os_data(bench):
    for buffer in (bench.ext.SmartcardRequest, bench.ext.SmartcardReply):
        assert len(buffer.Buffer) == buffer.BufferSize == MIN_BUFFER_SIZE
        assert buffer.BufferLength == 0
    assert bench.ext.OsData.DeviceObject is bench.fdo


@pytest.mark.wdk("helper.initialize.buffer-size")
def test_initialize_raises_small_buffers_and_keeps_greater_ones(bench):
    ext = bench.ext
    ext.SmartcardRequest.BufferSize, ext.SmartcardReply.BufferSize = 287, 65_548
    assert SmartcardInitialize(ext, bench.fdo) is NTSTATUS.SUCCESS
    assert len(ext.SmartcardRequest.Buffer) == ext.SmartcardRequest.BufferSize == MIN_BUFFER_SIZE
    assert len(ext.SmartcardReply.Buffer) == ext.SmartcardReply.BufferSize == 65_548


@pytest.mark.wdk("helper.initialize.version")
def test_initialize_refuses_an_older_version(make_bench):
    with pytest.raises(BugCheck, match="AddDevice of bench returned STATUS_UNSUCCESSFUL"):
        make_bench(version=0x90)


@pytest.mark.wdk("helper.exit")
def test_exit_with_a_request_in_hand_is_a_bug_check(bench):
    answer = bench.send(Ioctl.SMARTCARD_IS_PRESENT)
    with pytest.raises(BugCheck, match="request in hand"):
        SmartcardExit(bench.ext)
    bench.cancel(answer)
    bench.ext.SmartcardRequest.Buffer[:3] = b"PIN"
    SmartcardExit(bench.ext)
    assert bench.ext.OsData is NOT_INITIALIZED
    assert bench.ext.SmartcardRequest.Buffer == bench.ext.SmartcardReply.Buffer == b""


@pytest.mark.wdk("lock.acquire", "lock.delete-pending", "lock.release", "lock.release-and-wait")
def test_removal_waits_for_the_last_holder_and_refuses_new_ones(bench):
    gone = []
    for _ in range(3):
        assert SmartcardAcquireRemoveLock(bench.ext) is NTSTATUS.SUCCESS
    SmartcardReleaseRemoveLockAndWait(bench.ext, lambda: gone.append(True))
    assert SmartcardAcquireRemoveLock(bench.ext) is NTSTATUS.DELETE_PENDING
    SmartcardReleaseRemoveLock(bench.ext)
    assert gone == []
    SmartcardReleaseRemoveLock(bench.ext)
    assert gone == [True]
    with pytest.raises(BugCheck, match="more often than acquired"):
        SmartcardReleaseRemoveLock(bench.ext)


@pytest.mark.wdk("lock.release-and-wait")
def test_removal_without_other_holders_is_at_once(bench):
    gone = []
    SmartcardAcquireRemoveLock(bench.ext)
    SmartcardReleaseRemoveLockAndWait(bench.ext, lambda: gone.append(True))
    assert gone == [True]


@pytest.mark.wdk(
    "helper.create-link", "helper.delete-link", "name.symbolic-link", "name.link-reused"
)
def test_a_link_is_the_first_free_number(bench):
    fdo = bench.fdo  # SCReader0 is its own
    assert [SmartcardCreateLink(fdo) for _ in range(2)] == [r"\\.\SCReader1", r"\\.\SCReader2"]
    SmartcardDeleteLink(fdo, r"\\.\SCReader1")
    assert SmartcardCreateLink(fdo) == r"\\.\SCReader1"


@pytest.mark.wdk("event-log.log-error", "helper.log-error")
def test_the_event_log_names_the_device(bench):
    heard = []
    bench.fdo.DriverObject.io.log.subscribe(heard.append)
    SmartcardLogError(bench.fdo, NTSTATUS.INSUFFICIENT_RESOURCES, "no memory", 7)
    name, status = bench.fdo.DriverObject.name, "STATUS_INSUFFICIENT_RESOURCES"
    expected = DriverLogEvent("bench0", status, "no memory", 0xC000009A, 7, name)
    assert bench.events[-1] == expected
    assert heard == [expected]


def test_a_driver_without_a_device_logs_codes_of_its_own(bench):
    driver = bench.fdo.DriverObject
    SmartcardLogError(driver, -0x3FEFFFFF, DumpData=1 << 32 | 2)
    expected = DriverLogEvent(driver.name, "0xC0100001", "", 0xC0100001, 2, driver.name)
    assert bench.events[-1] == expected
