# SPDX-License-Identifier: Apache-2.0
"""The rules of an IRP's life, as Driver Verifier holds drivers to them."""

import pytest

from vreader.wdm import (
    IRP_MJ,
    NTSTATUS,
    BugCheck,
    IoAllocateIrp,
    IoCallDriver,
    IoCancelIrp,
    IoCompleteRequest,
    IoCopyCurrentIrpStackLocationToNext,
    IoGetCurrentIrpStackLocation,
    IoGetNextIrpStackLocation,
    IoMarkIrpPending,
    IoSetCancelRoutine,
    IoSetCompletionRoutine,
    IoSkipCurrentIrpStackLocation,
)


@pytest.fixture
def succeed(finish):
    return lambda device, irp: finish(irp)


def pend(device, irp):
    IoMarkIrpPending(irp)
    return NTSTATUS.PENDING


def skip(device, irp):
    IoSkipCurrentIrpStackLocation(irp)
    return IoCallDriver(device.AttachedTo, irp)


def copy(device, irp):
    IoCopyCurrentIrpStackLocationToNext(irp)
    return IoCallDriver(device.AttachedTo, irp)


def test_a_request_completes_and_tells_its_maker_once(make_stack, succeed):
    stack = make_stack(succeed)
    status, irp = stack.send()
    assert status is NTSTATUS.SUCCESS
    assert irp.completed
    assert stack.done == [irp]


@pytest.mark.wdk("verifier.double-completion")
def test_a_second_completion_is_a_bug_check_that_tells_the_story(make_stack, succeed):
    stack = make_stack(succeed)
    _, irp = stack.send()
    with pytest.raises(BugCheck, match="MULTIPLE_IRP_COMPLETE_REQUESTS") as caught:
        IoCompleteRequest(irp)
    assert caught.value.code == 0x44
    assert caught.value.history == ["driver0", NTSTATUS.SUCCESS]
    assert "driver0; STATUS_SUCCESS" in str(caught.value)
    assert stack.done == [irp]


@pytest.mark.wdk("verifier.double-completion")
def test_a_late_answer_to_a_completed_request_is_a_bug_check(make_stack, finish):
    stack = make_stack(pend)
    _, irp = stack.send()
    finish(irp, NTSTATUS.NO_MEDIA)
    with pytest.raises(BugCheck) as caught:
        finish(irp)
    assert caught.value.code == 0x44
    assert caught.value.history == ["driver0", "marked pending", NTSTATUS.NO_MEDIA]


@pytest.mark.wdk("verifier.completed-pending")
def test_completion_with_pending_status_is_a_bug_check(make_stack, finish):
    stack = make_stack(lambda device, irp: finish(irp, NTSTATUS.PENDING))
    with pytest.raises(BugCheck, match="STATUS_PENDING") as caught:
        stack.send()
    assert caught.value.code == 0xC9


@pytest.mark.wdk("verifier.cancel-routine-set")
def test_completion_with_a_cancel_routine_set_is_a_bug_check(make_stack, finish):
    stack = make_stack(pend)
    _, irp = stack.send()
    IoSetCancelRoutine(irp, lambda device, irp: None)
    with pytest.raises(BugCheck, match="cancel routine set") as caught:
        finish(irp)
    assert caught.value.code == 0xC9
    assert stack.done == []


@pytest.mark.wdk("verifier.pending-unmarked")
def test_pending_without_a_mark_is_a_bug_check(make_stack):
    stack = make_stack(lambda device, irp: NTSTATUS.PENDING)
    with pytest.raises(BugCheck, match="without IoMarkIrpPending"):
        stack.send()


@pytest.mark.wdk("verifier.marked-not-pending")
def test_a_mark_without_pending_is_a_bug_check(make_stack, finish):
    def dispatch(device, irp):
        IoMarkIrpPending(irp)
        return finish(irp)

    with pytest.raises(BugCheck, match="marked an IRP pending and returned STATUS_SUCCESS"):
        make_stack(dispatch).send()


def test_a_pended_request_may_be_completed_before_its_dispatch_returns(make_stack, finish):
    def dispatch(device, irp):
        IoMarkIrpPending(irp)
        finish(irp)
        return NTSTATUS.PENDING

    stack = make_stack(dispatch)
    assert stack.send()[0] is NTSTATUS.PENDING
    assert len(stack.done) == 1


@pytest.mark.wdk("kernel.call-driver")
@pytest.mark.parametrize("passing_on", [skip, copy])
def test_a_driver_may_return_the_pending_of_the_driver_below(make_stack, finish, passing_on):
    stack = make_stack(pend, passing_on, passing_on)
    status, irp = stack.send()
    assert status is NTSTATUS.PENDING
    finish(irp)
    assert stack.done == [irp]


@pytest.mark.wdk("kernel.stack-locations")
def test_each_driver_has_a_stack_location_of_its_own(make_stack, succeed):
    seen = []

    def upper(device, irp):
        location = IoGetCurrentIrpStackLocation(irp)
        seen.append(location)
        assert location.DeviceObject is device
        IoCopyCurrentIrpStackLocationToNext(irp)
        return IoCallDriver(device.AttachedTo, irp)

    def lower(device, irp):
        seen.append(IoGetCurrentIrpStackLocation(irp))
        return succeed(device, irp)

    stack = make_stack(lower, upper)
    irp = stack.new_irp()
    location = IoGetNextIrpStackLocation(irp)
    location.IoControlCode, location.InputBufferLength, location.OutputBufferLength = 7, 8, 9
    location.MinorFunction, location.Parameters = 3, "parameters"
    location.FileObject = file = object()
    stack.send(irp)
    first, second = seen
    assert first is not second
    for name in ("IoControlCode", "InputBufferLength", "OutputBufferLength", "MinorFunction"):
        assert getattr(first, name) == getattr(second, name) != 0
    assert second.Parameters == "parameters"
    assert second.FileObject is file


def test_a_skipped_location_is_used_by_the_driver_below(make_stack, succeed):
    seen = []

    def lower(device, irp):
        seen.append(irp.current)
        return succeed(device, irp)

    make_stack(lower, skip).send()
    assert seen == [1]


@pytest.mark.wdk("kernel.stack-locations")
def test_running_out_of_stack_locations_is_a_bug_check(make_stack, succeed):
    stack = make_stack(succeed, copy)
    with pytest.raises(BugCheck, match="NO_MORE_IRP_STACK_LOCATIONS") as caught:
        stack.send(stack.new_irp(1))
    assert caught.value.code == 0x35


def test_calling_down_without_a_location_left_is_a_bug_check(make_stack, succeed):
    def forgetful(device, irp):  # neither copies nor skips
        return IoCallDriver(device.AttachedTo, irp)

    stack = make_stack(succeed, forgetful)
    with pytest.raises(BugCheck, match="NO_MORE_IRP_STACK_LOCATIONS"):
        stack.send(stack.new_irp(1))


@pytest.mark.wdk("kernel.completion-routine")
def test_completion_routines_run_from_the_lowest_up_with_their_context(make_stack, succeed):
    order = []

    def watching(device, irp):
        IoCopyCurrentIrpStackLocationToNext(irp)

        def routine(owner, irp, context):
            order.append((owner, context, irp.IoStatus.Status))
            return NTSTATUS.SUCCESS

        IoSetCompletionRoutine(irp, routine, device.name)
        return IoCallDriver(device.AttachedTo, irp)

    stack = make_stack(succeed, watching, watching)
    _, irp = stack.send()
    _, middle, top = stack.devices
    assert order == [
        (middle, "device1", NTSTATUS.SUCCESS),
        (top, "device2", NTSTATUS.SUCCESS),
    ]
    assert stack.done == [irp]


@pytest.mark.wdk("kernel.completion-routine")
def test_a_completion_routine_may_keep_the_request_and_complete_it_later(make_stack, succeed):
    kept = []

    def keeping(device, irp):
        IoCopyCurrentIrpStackLocationToNext(irp)

        def routine(owner, irp, context):
            kept.append(irp)
            return NTSTATUS.MORE_PROCESSING_REQUIRED

        IoSetCompletionRoutine(irp, routine, None)
        IoMarkIrpPending(irp)
        IoCallDriver(device.AttachedTo, irp)
        return NTSTATUS.PENDING

    stack = make_stack(succeed, keeping)
    status, irp = stack.send()
    assert status is NTSTATUS.PENDING
    assert kept == [irp]
    assert stack.done == []
    assert not irp.completed
    IoCompleteRequest(irp)
    assert stack.done == [irp]
    with pytest.raises(BugCheck, match="MULTIPLE_IRP"):
        IoCompleteRequest(irp)


def test_a_kept_request_can_be_sent_down_again(make_stack, finish):
    statuses = [NTSTATUS.DEVICE_BUSY, NTSTATUS.SUCCESS]

    def retrying(device, irp):
        def routine(owner, irp, context):
            if irp.IoStatus.Status is NTSTATUS.DEVICE_BUSY:
                send(irp)
                return NTSTATUS.MORE_PROCESSING_REQUIRED
            return NTSTATUS.SUCCESS

        def send(irp):
            IoCopyCurrentIrpStackLocationToNext(irp)
            IoSetCompletionRoutine(irp, routine, None)
            return IoCallDriver(device.AttachedTo, irp)

        IoMarkIrpPending(irp)
        send(irp)
        return NTSTATUS.PENDING

    stack = make_stack(lambda device, irp: finish(irp, statuses.pop(0)), retrying)
    _, irp = stack.send()
    assert stack.done == [irp]
    assert irp.IoStatus.Status is NTSTATUS.SUCCESS


@pytest.mark.parametrize("first", ["pends", "completes at once"])
@pytest.mark.parametrize("second", ["pends", "completes at once"])
def test_a_request_sent_down_again_keeps_no_mark_of_the_first_time(
    make_stack, finish, first, second
):
    plan = [first, second]
    statuses = [NTSTATUS.DEVICE_BUSY, NTSTATUS.SUCCESS]

    def lower(device, irp):
        return pend(device, irp) if plan.pop(0) == "pends" else finish(irp, statuses.pop(0))

    def retrying(device, irp):
        def routine(owner, irp, context):
            if irp.IoStatus.Status is NTSTATUS.DEVICE_BUSY:
                send(irp)
                return NTSTATUS.MORE_PROCESSING_REQUIRED
            return NTSTATUS.SUCCESS

        def send(irp):
            IoCopyCurrentIrpStackLocationToNext(irp)
            IoSetCompletionRoutine(irp, routine, None)
            IoCallDriver(device.AttachedTo, irp)

        IoMarkIrpPending(irp)
        send(irp)
        return NTSTATUS.PENDING

    stack = make_stack(lower, retrying)
    _, irp = stack.send()
    while statuses:
        finish(irp, statuses.pop(0))
    assert stack.done == [irp]
    assert irp.IoStatus.Status is NTSTATUS.SUCCESS


def test_a_completion_routine_learns_that_the_lower_driver_pended(make_stack, finish):
    seen = []

    def watching(device, irp):
        def routine(owner, irp, context):
            seen.append(irp.PendingReturned)
            return NTSTATUS.SUCCESS

        IoCopyCurrentIrpStackLocationToNext(irp)
        IoSetCompletionRoutine(irp, routine, None)
        return IoCallDriver(device.AttachedTo, irp)

    _, irp = make_stack(pend, watching).send()
    finish(irp)
    make_stack(lambda device, irp: finish(irp), watching).send()
    assert seen == [True, False]


def cancelable(finish):
    def dispatch(device, irp):
        IoSetCancelRoutine(irp, lambda device, irp: finish(irp, NTSTATUS.CANCELLED))
        return pend(device, irp)

    return dispatch


@pytest.mark.wdk("kernel.cancel")
def test_cancel_calls_the_cancel_routine_once(make_stack, finish):
    stack = make_stack(cancelable(finish), skip)
    _, irp = stack.send()
    assert IoCancelIrp(irp) is True
    assert irp.Cancel
    assert irp.IoStatus.Status is NTSTATUS.CANCELLED
    assert stack.done == [irp]
    assert IoCancelIrp(irp) is False  # it is over


@pytest.mark.wdk("kernel.cancel")
def test_cancel_without_a_cancel_routine_only_asks(make_stack, finish):
    stack = make_stack(pend)
    _, irp = stack.send()
    assert IoCancelIrp(irp) is False
    assert irp.Cancel
    assert stack.done == []
    finish(irp)
    assert irp.history == ["driver0", "marked pending", "cancel requested", NTSTATUS.SUCCESS]


def test_whoever_takes_the_cancel_routine_away_completes_the_request(make_stack, finish):
    stack = make_stack(cancelable(finish))
    _, irp = stack.send()
    assert IoSetCancelRoutine(irp, None) is not None
    assert IoCancelIrp(irp) is False
    finish(irp)
    assert stack.done == [irp]


def test_an_irp_nobody_sent_cannot_be_completed():
    with pytest.raises(BugCheck):
        IoCompleteRequest(IoAllocateIrp(1))


@pytest.mark.wdk("kernel.default-dispatch")
def test_a_function_the_driver_does_not_name_is_an_invalid_request(make_stack, succeed):
    stack = make_stack(succeed)
    irp = stack.new_irp()
    IoGetNextIrpStackLocation(irp).MajorFunction = IRP_MJ.READ
    assert stack.send(irp)[0] is NTSTATUS.INVALID_DEVICE_REQUEST
    assert stack.done == [irp]
