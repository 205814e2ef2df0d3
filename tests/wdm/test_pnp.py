# SPDX-License-Identifier: Apache-2.0
"""How a device comes, sleeps and goes."""

import pytest

from vreader.errors import UsageError
from vreader.wdm import (
    IRP_MJ,
    IRP_MN,
    NTSTATUS,
    BugCheck,
    IoMarkIrpPending,
)
from vreader.wdm.lifecycle import PnpState
from vreader.wdm.turns import send

LINK = r"\\.\Thing0"


@pytest.mark.wdk("kernel.stack")
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


def test_a_driver_that_crashes_in_add_device_leaves_no_device_on_the_bus(computer):
    def crash(driver, pdo):
        raise ZeroDivisionError

    bus = computer.pdo.DriverObject
    computer.driver.AddDevice = crash
    with pytest.raises(ZeroDivisionError):
        computer.pnp.add_device("thing1", computer.driver)
    assert bus.devices == [computer.pdo]


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


@pytest.mark.wdk("pnp.surprise.stays-attached")
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


@pytest.mark.wdk("pnp.query-remove", "rm.query-remove.veto")
def test_query_remove_is_vetoed_by_an_open_handle(computer):
    handle = computer.open()
    assert computer.pnp.query_remove(computer.pdo) is False
    assert computer.thing.heard[-2:] == ["QUERY_REMOVE_DEVICE", "CANCEL_REMOVE_DEVICE"]
    computer.io.close_handle(handle)
    assert computer.pnp.query_remove(computer.pdo) is True
    assert computer.thing.heard[-1] == "QUERY_REMOVE_DEVICE"


@pytest.mark.wdk("pnp.unknown-minor")
def test_a_minor_code_nobody_knows_comes_back_unchanged(computer):
    irp = send(computer.pdo, IRP_MJ.PNP, IRP_MN.QUERY_INTERFACE, None)
    assert irp.completed
    assert irp.IoStatus.Status is NTSTATUS.NOT_SUPPORTED


def pend(device, irp):
    IoMarkIrpPending(irp)
    return NTSTATUS.PENDING


# ------------------------------------------------------------------ stop, start, query remove


@pytest.mark.wdk("pnp.query-stop", "pnp.stop", "pnp.start")
def test_a_device_is_stopped_and_started_again(computer):
    assert computer.pnp.query_stop(computer.pdo)
    assert computer.pdo.pnp_state is PnpState.STOP_PENDING
    assert computer.pnp.stop(computer.pdo) is NTSTATUS.SUCCESS
    assert computer.pdo.pnp_state is PnpState.STOPPED
    assert computer.pnp.start(computer.pdo) is NTSTATUS.SUCCESS
    assert computer.pdo.pnp_state is PnpState.STARTED
    assert computer.thing.heard == ["QUERY_STOP_DEVICE", "STOP_DEVICE", "START_DEVICE"]


@pytest.mark.wdk("pnp.cancel-stop")
def test_a_stop_can_be_taken_back(computer):
    computer.pnp.query_stop(computer.pdo)
    assert computer.pnp.cancel_stop(computer.pdo) is NTSTATUS.SUCCESS
    assert computer.pdo.pnp_state is PnpState.STARTED


def test_a_veto_against_stopping_is_followed_by_cancel_stop(computer, finish):
    through = computer.driver.MajorFunction[0x1B]

    def veto(device, irp):
        if irp.stack[irp.current].MinorFunction == IRP_MN.QUERY_STOP_DEVICE:
            return finish(irp, NTSTATUS.DEVICE_BUSY)
        return through(device, irp)

    computer.driver.MajorFunction[0x1B] = veto
    assert not computer.pnp.query_stop(computer.pdo)
    assert computer.thing.heard == ["CANCEL_STOP_DEVICE"]
    assert computer.pdo.pnp_state is PnpState.STARTED


@pytest.mark.wdk("pnp.life-cycle")
def test_a_request_out_of_turn_reaches_no_driver(computer):
    assert computer.pnp.stop(computer.pdo) is NTSTATUS.INVALID_DEVICE_STATE
    assert computer.pnp.start(computer.pdo) is NTSTATUS.INVALID_DEVICE_STATE
    assert computer.thing.heard == []
    assert computer.pdo.pnp_state is PnpState.STARTED


def test_a_device_is_removed_once_and_everybody_who_asked_is_told(computer):
    handle, gone = computer.open(), []
    for number in (1, 2):
        computer.pnp.remove(computer.pdo, lambda number=number: gone.append(number))
    computer.io.close_handle(handle)
    assert gone == [1, 2]
    computer.pnp.remove(computer.pdo, lambda: gone.append(3))
    assert gone == [1, 2, 3]
    assert computer.thing.heard.count("REMOVE_DEVICE") == 1


def test_who_stayed_registered_hears_of_a_removal_in_good_order(computer):
    heard = []
    computer.io.register_target_notification(LINK, lambda event: heard.append(event) or True)
    stop = computer.io.register_target_notification(
        LINK, lambda event: stop() or event != "remove-complete"
    )
    assert computer.pnp.query_remove(computer.pdo)
    computer.pnp.remove(computer.pdo)
    assert heard == ["query-remove", "remove-complete"]


def test_a_surprise_comes_once(computer):
    heard = []
    computer.io.register_target_notification(LINK, lambda event: heard.append(event) or True)
    computer.pnp.surprise_removal(computer.pdo)
    computer.pnp.surprise_removal(computer.pdo)
    computer.pnp.remove(computer.pdo)
    assert heard == ["remove-complete"]
    assert computer.thing.heard == ["SURPRISE_REMOVAL", "REMOVE_DEVICE"]


def test_a_filter_is_that_of_the_device_it_was_loaded_for(computer, make_filter):
    thing = type(computer.thing)()
    driver = computer.io.load_driver("other", thing.entry)
    driver.AddDevice = lambda driver, pdo: NTSTATUS.INSUFFICIENT_RESOURCES
    first = make_filter(completion=False)
    with pytest.raises(BugCheck, match="AddDevice of other"):
        computer.pnp.add_device("other0", driver, filters=(lambda driver: first.entry(driver),))
    driver.AddDevice = thing.add_device
    second = make_filter(completion=False)
    pdo = computer.pnp.add_device(
        "other0", driver, filters=(lambda driver: second.entry(driver),)
    )  # fmt: skip
    assert (first.down, second.down) == ([], ["PNP"])  # not the one of the first attempt
    computer.pnp.remove(pdo)
    third = make_filter(completion=False)
    pdo = computer.pnp.add_device("other0", driver, filters=(third.entry,))
    assert third.down == ["PNP"]
    with pytest.raises(UsageError, match="two drivers"):
        computer.pnp.add_device("other0", driver, filters=(lambda driver: NTSTATUS.SUCCESS,))


def test_who_holds_a_device_open_is_asked_before_it_is_removed(computer):
    handle = computer.open()
    heard = []

    def listener(event):
        heard.append(event)
        if event == "query-remove":
            computer.io.close_handle(handle)
        return True

    stop = computer.io.register_target_notification(LINK, listener)
    assert computer.pnp.query_remove(computer.pdo)
    computer.pnp.cancel_remove(computer.pdo)
    assert heard == ["query-remove", "remove-cancelled"]
    stop()
    stop()
    assert computer.pnp.query_remove(computer.pdo)
    assert len(heard) == 2


@pytest.mark.wdk("pnp.query-remove")
def test_who_is_asked_may_refuse(computer):
    heard = []
    computer.io.register_target_notification(LINK, lambda event: heard.append(event))
    assert not computer.pnp.query_remove(computer.pdo)
    assert heard == ["query-remove", "remove-cancelled"]
    assert computer.thing.heard == ["CANCEL_REMOVE_DEVICE"]
    assert computer.pdo.pnp_state is PnpState.STARTED


def test_a_surprise_is_told_when_it_has_happened(computer):
    heard = []
    computer.io.register_target_notification(LINK, lambda event: heard.append(event) or True)
    computer.pnp.surprise_removal(computer.pdo)
    assert heard == ["remove-complete"]


def test_a_lower_filter_stands_between_bus_and_function_driver(make_filter, computer):
    lower = make_filter(completion=True)
    thing = type(computer.thing)()
    driver = computer.io.load_driver("other", thing.entry)
    pdo = computer.pnp.add_device("other0", driver, lower_filters=(lower.entry,))
    assert pdo.AttachedDevice.DriverObject.name == "other0 lower filter 0"
    assert pdo.top is thing.fdo
    assert lower.down == ["PNP"]


def test_a_start_that_pends_ends_when_the_driver_below_completes_it(computer, finish):
    kept = []

    class Lower(type(computer.thing)):
        def pnp(self, device, irp):
            kept.append(irp)
            return pend(device, irp)

    thing, lower = type(computer.thing)(), Lower()
    driver = computer.io.load_driver("other", thing.entry)
    pdo = computer.pnp.add_device("other0", driver, lower_filters=(lower.entry,))
    assert pdo.pnp_state is PnpState.NOT_STARTED
    finish(kept[0])
    assert pdo.pnp_state is PnpState.STARTED
