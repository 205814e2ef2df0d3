# SPDX-License-Identifier: Apache-2.0
"""Power requests: they go down to the bus, and not for ever."""

import pytest

from vreader.wdm import (
    IRP_MN_POWER,
    NTSTATUS,
    BugCheck,
    IoCallDriver,
    IoCopyCurrentIrpStackLocationToNext,
    IoMarkIrpPending,
    IoSetCompletionRoutine,
    IoSkipCurrentIrpStackLocation,
)


def pend(device, irp):
    IoMarkIrpPending(irp)
    return NTSTATUS.PENDING


def test_power_requests_go_down_to_the_bus(computer):
    assert computer.pnp.set_power(computer.pdo, 3) is NTSTATUS.SUCCESS
    assert computer.pnp.set_power(computer.pdo, 0) is NTSTATUS.SUCCESS
    assert computer.thing.heard == ["D3", "D0"]


@pytest.mark.wdk("power.always-passed-down")
def test_a_system_state_is_asked_for_before_it_is_set(computer):
    assert computer.pnp.set_system_power(computer.pdo, 3) is NTSTATUS.SUCCESS
    assert computer.pnp.set_system_power(computer.pdo, 0) is NTSTATUS.SUCCESS
    assert computer.thing.heard == ["D3", "D3", "D0"]


def test_a_power_request_that_gets_stuck_is_a_bug_check(computer):
    computer.driver.MajorFunction[0x16] = pend
    assert computer.pnp.set_power(computer.pdo, 3) is NTSTATUS.PENDING
    computer.io.clock.advance(599)
    with pytest.raises(BugCheck, match="DRIVER_POWER_STATE_FAILURE") as caught:
        computer.io.clock.advance(1)
    assert caught.value.code == 0x9F


def test_a_power_request_may_be_completed_later(keeper):
    assert keeper.pnp.set_power(keeper.pdo, 3) is NTSTATUS.PENDING
    keeper.let_go()
    keeper.io.clock.advance(601)


@pytest.mark.wdk("verifier.power-not-passed")
@pytest.mark.parametrize("later", [False, True])
def test_a_power_request_kept_from_the_bus_is_a_bug_check(computer, finish, later):
    kept = []
    computer.driver.MajorFunction[0x16] = lambda device, irp: (
        (kept.append(irp) or pend(device, irp)) if later else finish(irp)
    )
    with pytest.raises(BugCheck, match="not passed down"):
        computer.pnp.set_power(computer.pdo, 3)
        finish(kept[0])
    computer.io.clock.advance(601)  # and no second one for taking too long


def test_a_driver_that_refuses_to_sleep_keeps_the_computer_awake(computer, finish):
    heard = []

    def power(device, irp):
        location = irp.stack[irp.current]
        heard.append((location.MinorFunction, location.Parameters.state))
        if location.MinorFunction == IRP_MN_POWER.QUERY_POWER:
            IoCopyCurrentIrpStackLocationToNext(irp)
            IoSetCompletionRoutine(irp, refuse, None)
        else:
            IoSkipCurrentIrpStackLocation(irp)
        IoCallDriver(computer.thing.lower, irp)
        return irp.IoStatus.Status

    def refuse(device, irp, context):
        irp.IoStatus.Status = NTSTATUS.DEVICE_BUSY
        return NTSTATUS.SUCCESS

    computer.driver.MajorFunction[0x16] = power
    assert computer.pnp.set_system_power(computer.pdo, 3) is NTSTATUS.DEVICE_BUSY
    assert heard == [(IRP_MN_POWER.QUERY_POWER, 3), (IRP_MN_POWER.SET_POWER, 0)]


def test_a_computer_sleeps_when_the_last_driver_has_agreed(keeper):
    assert keeper.pnp.set_system_power(keeper.pdo, 3) is NTSTATUS.PENDING
    assert keeper.kept[0][1].stack[1].MinorFunction == IRP_MN_POWER.QUERY_POWER
    keeper.let_go()
    assert keeper.kept[0][1].stack[1].MinorFunction == IRP_MN_POWER.SET_POWER
    keeper.let_go()
    assert keeper.kept == []


def test_a_device_that_is_gone_gets_no_power_request(computer):
    computer.pnp.remove(computer.pdo)
    assert computer.pnp.set_power(computer.pdo, 0) is NTSTATUS.DELETE_PENDING


def test_power_requests_of_one_device_follow_each_other(keeper):
    """What was asked for last is what is there in the end."""

    def asked():
        return [irp.stack[irp.current].Parameters.state for _, irp in keeper.kept]

    for state in (0, 3, 1):
        assert keeper.pnp.set_power(keeper.pdo, state) is NTSTATUS.PENDING
    for state in (0, 3, 1):
        assert asked() == [state]
        keeper.let_go()
    assert asked() == []


def test_a_driver_that_crashes_leaves_the_device_to_the_next_request(computer):
    through = computer.driver.MajorFunction[0x16]

    def crash(device, irp):
        raise ZeroDivisionError

    computer.driver.MajorFunction[0x16] = crash
    with pytest.raises(ZeroDivisionError):
        computer.pnp.set_power(computer.pdo, 3)
    computer.driver.MajorFunction[0x16] = through
    assert computer.pnp.set_power(computer.pdo, 3) is NTSTATUS.SUCCESS
    computer.io.clock.advance(601)
