# SPDX-License-Identifier: Apache-2.0
"""Names, opens, handles, buffers, drivers, interfaces and work items."""

import pytest

from vreader.errors import UsageError
from vreader.wdm import (
    NTSTATUS,
    BugCheck,
    IoCancelIrp,
    IoMarkIrpPending,
    IoSetCancelRoutine,
)
from vreader.wdm.events import IrpEvent

LINK = r"\\.\Thing0"


def pend(device, irp):
    IoMarkIrpPending(irp)
    return NTSTATUS.PENDING


@pytest.fixture
def pend_cancelable(finish):
    def dispatch(device, irp):
        IoSetCancelRoutine(irp, lambda device, irp: finish(irp, NTSTATUS.CANCELLED))
        return pend(device, irp)

    return dispatch


# ------------------------------------------------------------------ opens and handles


@pytest.mark.wdk("kernel.cleanup-close")
def test_create_cleanup_close_in_this_order(computer):
    handle = computer.open()
    assert computer.thing.heard == ["CREATE"]
    computer.io.close_handle(handle)
    assert computer.thing.heard == ["CREATE", "CLEANUP", "CLOSE"]


def test_closing_twice_does_nothing_more(computer):
    handle = computer.open()
    computer.io.close_handle(handle)
    computer.io.close_handle(handle)
    assert computer.thing.heard == ["CREATE", "CLEANUP", "CLOSE"]


def test_a_device_is_deleted_once(computer):
    computer.pnp.remove(computer.pdo)
    with pytest.raises(BugCheck, match="deleted twice"):
        computer.io.IoDeleteDevice(computer.thing.fdo)


@pytest.mark.wdk("kernel.duplicate-handle", "kernel.cleanup-close")
def test_cleanup_goes_out_with_the_last_handle_only(computer):
    first = computer.open()
    second = computer.io.duplicate_handle(first)
    computer.io.close_handle(first)
    assert computer.thing.heard == ["CREATE"]
    assert computer.request(second)[0] == [(NTSTATUS.SUCCESS, b"")]
    computer.io.close_handle(second)
    assert computer.thing.heard == ["CREATE", "DEVICE_CONTROL", "CLEANUP", "CLOSE"]


def test_the_duplicate_of_a_closed_handle_is_closed(computer):
    handle = computer.open()
    computer.io.close_handle(handle)
    duplicate = computer.io.duplicate_handle(handle)
    assert computer.request(duplicate)[0] == [(NTSTATUS.INVALID_HANDLE, b"")]
    computer.io.close_handle(duplicate)
    assert computer.thing.heard == ["CREATE", "CLEANUP", "CLOSE"]


@pytest.mark.wdk("kernel.file-object", "kernel.cleanup-close")
def test_close_waits_for_the_last_request_in_flight(computer, finish):
    computer.thing.answer = pend
    handle = computer.open()
    answers, irp = computer.request(handle)
    computer.io.close_handle(handle)
    assert computer.thing.heard == ["CREATE", "DEVICE_CONTROL", "CLEANUP"]
    assert answers == []
    finish(irp)
    assert answers == [(NTSTATUS.SUCCESS, b"")]
    assert computer.thing.heard[-1] == "CLOSE"


@pytest.mark.wdk("routine.dispatch-cleanup.new-requests")
@pytest.mark.parametrize("in_flight", [False, True], ids=["after close", "before close"])
def test_a_request_on_a_closed_handle_reaches_no_driver(computer, finish, in_flight):
    computer.thing.answer = pend
    handle = computer.open()
    irp = computer.request(handle)[1] if in_flight else None
    computer.io.close_handle(handle)
    heard = list(computer.thing.heard)
    answers, refused = computer.request(handle, b"data", 4)
    assert answers == [(NTSTATUS.INVALID_HANDLE, b"")]
    assert refused.completed
    assert computer.thing.heard == heard  # no second CLOSE above all
    if irp is not None:
        finish(irp)
        assert computer.thing.heard == [*heard, "CLOSE"]


@pytest.mark.wdk("kernel.exclusive-pdo", "routine.dispatch-create.exclusive")
def test_a_second_open_of_an_exclusive_device_is_denied(computer):
    handle = computer.open()
    assert computer.io.create_file(LINK) == (NTSTATUS.ACCESS_DENIED, None)
    assert computer.thing.heard == ["CREATE"]
    computer.io.close_handle(handle)
    assert computer.io.create_file(LINK)[0] is NTSTATUS.SUCCESS


@pytest.mark.wdk("kernel.exclusive-pdo")
def test_the_exclusive_flag_has_no_effect_on_the_function_device(make_computer):
    computer = make_computer(exclusive=False)
    computer.thing.fdo.exclusive = True
    assert computer.open().file is not computer.open().file


@pytest.mark.wdk("kernel.duplicate-handle")
def test_a_duplicate_keeps_an_exclusive_device_taken(computer):
    first = computer.open()
    second = computer.io.duplicate_handle(first)
    computer.io.close_handle(first)
    assert computer.io.create_file(LINK)[0] is NTSTATUS.ACCESS_DENIED
    computer.io.close_handle(second)
    assert computer.io.create_file(LINK)[0] is NTSTATUS.SUCCESS


@pytest.mark.wdk("routine.dispatch-create.shared")
def test_a_shared_device_opens_often(make_computer):
    computer = make_computer(exclusive=False)
    first, second = computer.open(), computer.open()
    assert first.file is not second.file
    computer.io.close_handle(first)
    assert computer.request(second)[0] == [(NTSTATUS.SUCCESS, b"")]


@pytest.mark.wdk("kernel.initializing")
def test_a_device_still_initializing_cannot_be_opened(make_computer):
    computer = make_computer(ready=False)
    status, handle = computer.io.create_file(LINK)
    assert (status, handle) == (NTSTATUS.NO_SUCH_DEVICE, None)
    assert computer.thing.heard == []


def test_a_refused_create_leaves_the_device_free(computer, finish):
    create = computer.driver.MajorFunction[0]
    computer.driver.MajorFunction[0] = lambda device, irp: finish(irp, NTSTATUS.DEVICE_REMOVED)
    assert computer.io.create_file(LINK) == (NTSTATUS.DEVICE_REMOVED, None)
    computer.driver.MajorFunction[0] = create
    assert computer.io.create_file(LINK)[0] is NTSTATUS.SUCCESS


@pytest.mark.parametrize("major", [0x00, 0x12, 0x02], ids=["CREATE", "CLEANUP", "CLOSE"])
def test_opening_and_closing_must_not_pend(computer, major):
    computer.driver.MajorFunction[major] = pend
    with pytest.raises(BugCheck, match="must not pend"):
        computer.io.close_handle(computer.io.create_file(LINK)[1])


# ------------------------------------------------------------------ buffers


@pytest.mark.wdk("kernel.buffered")
def test_request_and_reply_are_the_same_memory(computer, finish):
    buffers = []

    def answer(device, irp):
        buffers.append(irp.SystemBuffer)
        assert irp.SystemBuffer == b"abc\0\0\0\0\0"
        irp.SystemBuffer[:4] = b"WXYZ"
        return finish(irp, NTSTATUS.SUCCESS, 4)

    computer.thing.answer = answer
    answers, irp = computer.request(computer.open(), b"abc", 8)
    assert answers == [(NTSTATUS.SUCCESS, b"WXYZ")]
    assert buffers == [irp.SystemBuffer]
    assert buffers[0] is irp.SystemBuffer


def test_the_callers_bytes_are_not_the_buffer(computer, finish):
    def answer(device, irp):
        irp.SystemBuffer[:3] = b"XXX"
        return finish(irp, NTSTATUS.SUCCESS, 3)

    computer.thing.answer = answer
    data = bytearray(b"abc")
    computer.request(computer.open(), data, 3)
    assert data == b"abc"


@pytest.mark.wdk("kernel.copy-out")
@pytest.mark.parametrize(
    ("status", "copied"),
    [
        (NTSTATUS.SUCCESS, b"abcd"),
        (NTSTATUS.BUFFER_OVERFLOW, b"abcd"),  # a warning copies
        (NTSTATUS.BUFFER_TOO_SMALL, b""),  # an error does not
        (NTSTATUS.NO_MEDIA, b""),
    ],
)
def test_what_is_copied_out_depends_on_the_severity(computer, finish, status, copied):
    computer.thing.answer = lambda device, irp: finish(irp, status, 4)
    assert computer.request(computer.open(), b"abcd", 4)[0] == [(status, copied)]


@pytest.mark.wdk("kernel.information-too-long")
def test_information_beyond_the_output_buffer_is_a_bug_check(computer, finish):
    computer.thing.answer = lambda device, irp: finish(irp, NTSTATUS.SUCCESS, 5)
    with pytest.raises(BugCheck, match="Information exceeds"):
        computer.request(computer.open(), b"abcdefgh", 4)


# ------------------------------------------------------------------ cancel


@pytest.mark.wdk("kernel.cancel-io")
def test_cancel_io_cancels_what_its_own_open_has_pending(make_computer, pend_cancelable):
    computer = make_computer(exclusive=False)
    computer.thing.answer = pend_cancelable
    mine, other = computer.open(), computer.open()
    first, _ = computer.request(mine)
    second, _ = computer.request(mine)
    foreign, irp = computer.request(other)
    computer.io.cancel_io(mine)
    assert first == second == [(NTSTATUS.CANCELLED, b"")]
    assert foreign == []
    assert IoCancelIrp(irp)
    assert foreign == [(NTSTATUS.CANCELLED, b"")]
    computer.io.cancel_io(mine)  # nothing left: harmless


def test_a_closed_handle_cancels_nothing_of_its_duplicates(computer, pend_cancelable):
    computer.thing.answer = pend_cancelable
    handle = computer.open()
    duplicate = computer.io.duplicate_handle(handle)
    answers, _ = computer.request(duplicate)
    computer.io.close_handle(handle)
    computer.io.cancel_io(handle)
    assert answers == []
    computer.io.cancel_io(duplicate)
    assert answers == [(NTSTATUS.CANCELLED, b"")]


# ------------------------------------------------------------------ filters


@pytest.mark.wdk("kernel.stack", "power.always-passed-down")
@pytest.mark.parametrize("completion", [False, True])
def test_an_upper_filter_sees_every_irp(make_computer, make_filter, finish, completion):
    upper = make_filter(completion=completion)
    computer = make_computer(filters=(upper.entry,))
    handle = computer.open()
    assert computer.request(handle)[0] == [(NTSTATUS.SUCCESS, b"")]
    computer.thing.answer = pend
    answers, irp = computer.request(handle)
    assert answers == []
    finish(irp, NTSTATUS.NO_MEDIA)
    assert answers == [(NTSTATUS.NO_MEDIA, b"")]
    computer.pnp.set_power(computer.pdo, 3)
    computer.io.close_handle(handle)
    computer.pnp.remove(computer.pdo)
    down = ["PNP", "CREATE", "DEVICE_CONTROL", "DEVICE_CONTROL"]
    down += ["POWER", "CLEANUP", "CLOSE", "PNP"]
    assert upper.down == down
    if completion:
        assert [name for name, _ in upper.up] == down
        assert upper.up[3] == ("DEVICE_CONTROL", NTSTATUS.NO_MEDIA)
        assert {status for name, status in upper.up[4:]} == {NTSTATUS.SUCCESS}


@pytest.mark.wdk("kernel.stack")
def test_filters_stand_in_the_order_given_above_the_function_driver(make_computer, make_filter):
    lower, upper = make_filter(completion=True), make_filter(completion=True)
    computer = make_computer(filters=(lower.entry, upper.entry))
    assert computer.pdo.top.StackSize == 4
    assert lower.lower is computer.thing.fdo
    assert upper.lower.AttachedTo is computer.thing.fdo
    assert computer.pdo.top.bottom is computer.pdo


# ------------------------------------------------------------------ drivers


@pytest.mark.wdk("routine.unload")
def test_a_driver_is_loaded_once_and_unloaded_when_its_devices_are_gone(computer):
    io = computer.io
    computer.thing.heard.clear()
    assert io.load_driver("THING", computer.thing.entry) is computer.driver
    assert io.load_driver("thing", type(computer.thing)().entry) is computer.driver
    with pytest.raises(BugCheck, match="1 devices left") as caught:
        io.unload_driver("thing")
    assert caught.value.code == 0xCE
    computer.pnp.remove(computer.pdo)
    io.unload_driver("Thing")
    assert computer.thing.heard[-1] == "UNLOAD"
    assert "thing" not in io.drivers


def test_two_drivers_cannot_have_one_service_name(computer):
    entered = []
    with pytest.raises(UsageError, match="two drivers have the service name 'THING'"):
        computer.io.load_driver("THING", entered.append)
    assert entered == []

    class Other(type(computer.thing)):
        pass

    with pytest.raises(UsageError, match="two drivers"):
        computer.io.load_driver("thing", Other().entry)
    assert computer.io.drivers["thing"] is computer.driver


def test_a_driver_entry_that_fails_loads_nothing(computer):
    with pytest.raises(BugCheck, match="INSUFFICIENT_RESOURCES"):
        computer.io.load_driver("bad", lambda driver: NTSTATUS.INSUFFICIENT_RESOURCES)
    assert "bad" not in computer.io.drivers


# ------------------------------------------------------------------ interfaces, work, events


def test_work_is_handed_over_once_in_order(computer):
    io = computer.io
    assert io.take_work() is None
    io.queue_work(lambda: 1, lambda value: None)
    io.queue_work(lambda: 2, lambda value: None)
    assert [item.run() for item in io.take_work()] == [1, 2]
    assert io.take_work() is None


def test_every_completed_request_is_an_event_with_lengths_only(computer, finish):
    handle = computer.open()
    computer.thing.answer = lambda device, irp: finish(irp, NTSTATUS.SUCCESS, 3)
    computer.request(handle, b"secret", 8, code=0x00310014)
    computer.io.close_handle(handle)
    assert [event for event in computer.events if isinstance(event, IrpEvent)] == [
        IrpEvent("thing0", "CREATE", 0, "STATUS_SUCCESS", 0),
        IrpEvent("thing0", "DEVICE_CONTROL", 0x00310014, "STATUS_SUCCESS", 3),
        IrpEvent("thing0", "CLEANUP", 0, "STATUS_SUCCESS", 0),
        IrpEvent("thing0", "CLOSE", 0, "STATUS_SUCCESS", 0),
    ]


@pytest.mark.wdk("verifier.status-differs")
def test_returning_another_status_than_the_requests_is_a_bug_check(computer, finish):
    def lie(device, irp):
        finish(irp, NTSTATUS.NO_MEDIA)
        return NTSTATUS.SUCCESS

    computer.thing.answer = lie
    with pytest.raises(BugCheck, match="STATUS_SUCCESS returned for a request completed otherwise"):
        computer.request(computer.open())


@pytest.mark.wdk("verifier.status-differs")
def test_returning_a_status_for_a_request_not_completed_is_a_bug_check(computer):
    computer.thing.answer = lambda device, irp: NTSTATUS.SUCCESS
    with pytest.raises(BugCheck, match="STATUS_SUCCESS returned for a request not completed"):
        computer.request(computer.open())


@pytest.mark.wdk("verifier.irp-leaked")
def test_a_driver_unloaded_with_a_request_in_hand_has_leaked_it(computer):
    computer.thing.answer = lambda device, irp: IoMarkIrpPending(irp) or NTSTATUS.PENDING
    computer.request(computer.open())
    with pytest.raises(BugCheck, match="a request leaked") as caught:
        computer.io.unload_driver("thing")
    assert "marked pending" in caught.value.history


@pytest.mark.wdk("routine.unload")
def test_drivers_without_devices_are_unloaded_the_others_stay(computer, finish):
    handle = computer.open()
    computer.pnp.surprise_removal(computer.pdo)
    computer.pnp.remove(computer.pdo)
    computer.io.unload_all()
    assert "UNLOAD" not in computer.thing.heard
    computer.io.close_handle(handle)
    computer.io.unload_all()
    assert computer.thing.heard[-2:] == ["REMOVE_DEVICE", "UNLOAD"]


def test_a_leak_is_found_when_everything_is_unloaded(computer):
    computer.thing.answer = lambda device, irp: IoMarkIrpPending(irp) or NTSTATUS.PENDING
    computer.request(computer.open())
    with pytest.raises(BugCheck, match="a request leaked"):
        computer.io.unload_all()
    computer.io.verifier = False
    computer.io.unload_all()


@pytest.mark.wdk("verifier.on-in-tests")
def test_the_verifier_is_on_in_all_tests_and_can_be_switched(computer, finish):
    assert computer.io.verifier
    computer.io.verifier = False
    computer.thing.answer = lambda device, irp: finish(irp, NTSTATUS.NO_MEDIA) and 0
    assert computer.request(computer.open())[0] == [(NTSTATUS.NO_MEDIA, b"")]
