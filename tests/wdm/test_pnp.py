# SPDX-License-Identifier: Apache-2.0
"""How a device comes, sleeps and goes."""

import pytest

from vreader.wdm import IRP_MN, NTSTATUS, BugCheck, IoMarkIrpPending

LINK = r"\\.\Thing0"


def test_adding_a_device_builds_a_stack_and_starts_it(computer):
    fdo = computer.thing.fdo
    assert computer.pdo.AttachedDevice is fdo
    assert fdo.AttachedTo is computer.pdo
    assert fdo.StackSize == 2
    assert computer.driver.devices == [fdo]


def test_a_driver_without_add_device_is_refused(computer):
    driver = computer.io.load_driver("lame", lambda driver: NTSTATUS.SUCCESS)
    with pytest.raises(BugCheck, match="has no AddDevice"):
        computer.pnp.add_device("lame0", driver)


def test_an_add_device_that_fails_is_named(computer):
    computer.driver.AddDevice = lambda driver, pdo: NTSTATUS.INSUFFICIENT_RESOURCES
    with pytest.raises(BugCheck, match="AddDevice of thing returned STATUS_INSUFFICIENT"):
        computer.pnp.add_device("thing1", computer.driver)


def test_removal_detaches_and_deletes_the_whole_stack(computer):
    gone = []
    computer.pnp.remove(computer.pdo, lambda: gone.append(True))
    assert gone == [True]
    assert computer.thing.heard == ["REMOVE_DEVICE"]
    assert computer.pdo.AttachedDevice is None
    assert computer.driver.devices == []


@pytest.mark.parametrize("completion", [False, True])
def test_removal_with_filters_leaves_nothing_behind(make_computer, make_filter, completion):
    filters = [make_filter(completion=completion) for _ in range(2)]
    computer = make_computer(filters=tuple(each.entry for each in filters))
    gone = []
    computer.pnp.remove(computer.pdo, lambda: gone.append(True))
    assert gone == [True]
    for driver in computer.io.drivers.values():
        assert driver.devices == []


def test_after_surprise_removal_remove_waits_for_the_last_close(computer, finish):
    def pend(device, irp):
        IoMarkIrpPending(irp)
        return NTSTATUS.PENDING

    computer.thing.answer = pend
    handle = computer.open()
    irp = computer.request(handle)[1]
    gone = []
    computer.pnp.surprise_removal(computer.pdo)
    computer.pnp.remove(computer.pdo, lambda: gone.append(True))
    assert computer.thing.heard[-1] == "SURPRISE_REMOVAL"
    computer.io.close_handle(handle)
    assert computer.thing.heard[-1] == "CLEANUP"
    assert gone == []
    finish(irp, NTSTATUS.DEVICE_REMOVED)
    assert computer.thing.heard[-2:] == ["CLOSE", "REMOVE_DEVICE"]
    assert gone == [True]


def test_a_device_left_attached_after_remove_is_a_bug_check(computer, finish):
    computer.driver.MajorFunction[0x1B] = lambda device, irp: finish(irp)
    with pytest.raises(BugCheck, match="left a device attached"):
        computer.pnp.remove(computer.pdo)


def test_query_remove_is_vetoed_by_an_open_handle(computer):
    handle = computer.open()
    assert computer.pnp.query_remove(computer.pdo) is False
    assert computer.thing.heard[-2:] == ["QUERY_REMOVE_DEVICE", "CANCEL_REMOVE_DEVICE"]
    computer.io.close_handle(handle)
    assert computer.pnp.query_remove(computer.pdo) is True
    assert computer.thing.heard[-1] == "QUERY_REMOVE_DEVICE"


def test_a_minor_code_nobody_knows_comes_back_unchanged(computer):
    irp = computer.pnp._pnp(computer.pdo, IRP_MN.QUERY_INTERFACE, lambda irp: None)
    assert irp.completed
    assert irp.IoStatus.Status is NTSTATUS.NOT_SUPPORTED


def test_power_requests_go_down_to_the_bus(computer):
    assert computer.pnp.set_power(computer.pdo, 3) is NTSTATUS.SUCCESS
    assert computer.pnp.set_power(computer.pdo, 0) is NTSTATUS.SUCCESS
    assert computer.thing.heard == ["D3", "D0"]


def test_a_power_request_that_gets_stuck_is_a_bug_check(computer):
    def pend(device, irp):
        IoMarkIrpPending(irp)
        return NTSTATUS.PENDING

    computer.driver.MajorFunction[0x16] = pend
    with pytest.raises(BugCheck, match="DRIVER_POWER_STATE_FAILURE") as caught:
        computer.pnp.set_power(computer.pdo, 3)
    assert caught.value.code == 0x9F
