# SPDX-License-Identifier: Apache-2.0
"""DriverEntry … Unload, dispatch routines, PnP and power of the virtual reader."""

import pytest

from vreader.reader.base import GUID_DEVINTERFACE_SMARTCARD_READER
from vreader.reader.driver import VirtualReader
from vreader.smclib.ioctl import Attr, Ioctl
from vreader.smclib.library import SmartcardAcquireRemoveLock, SmartcardReleaseRemoveLock
from vreader.smclib.osdata import NOT_INITIALIZED
from vreader.smclib.profile import NFC
from vreader.smclib.states import CardState
from vreader.wdm import (
    DO_DEVICE_INITIALIZING,
    IRP_MJ,
    IRP_MN,
    NTSTATUS,
    BugCheck,
    DriverObject,
    IoAllocateIrp,
    IoCallDriver,
    IoCopyCurrentIrpStackLocationToNext,
    IoGetCurrentIrpStackLocation,
    IoGetNextIrpStackLocation,
    IoMarkIrpPending,
    IoSetCompletionRoutine,
    IoSkipCurrentIrpStackLocation,
)
from vreader.wdm.lifecycle import PnpState

IS_PRESENT, IS_ABSENT = Ioctl.SMARTCARD_IS_PRESENT, Ioctl.SMARTCARD_IS_ABSENT
GET_STATE = Ioctl.SMARTCARD_GET_STATE
LINK = r"\\.\SCReader0"


def u32(value):
    return value.to_bytes(4, "little")


class Filter:
    """A pass-through upper filter driver, with or without a completion routine."""

    def __init__(self, *, completion):
        self.completion = completion
        self.down, self.up = [], []

    def entry(self, driver):
        driver.AddDevice = self.add_device
        driver.MajorFunction[:] = [self.dispatch] * len(driver.MajorFunction)
        return NTSTATUS.SUCCESS

    def add_device(self, driver, pdo):
        device = driver.io.IoCreateDevice(driver, "filter", None)
        self.lower = driver.io.IoAttachDeviceToDeviceStack(device, pdo)
        device.Flags &= ~DO_DEVICE_INITIALIZING
        return NTSTATUS.SUCCESS

    def dispatch(self, device, irp):
        location = IoGetCurrentIrpStackLocation(irp)
        major, minor = IRP_MJ(location.MajorFunction), location.MinorFunction
        self.down.append((major.name, location.IoControlCode))
        if self.completion:
            IoCopyCurrentIrpStackLocationToNext(irp)
            IoSetCompletionRoutine(irp, self.completed, None)
        else:
            IoSkipCurrentIrpStackLocation(irp)
        status = IoCallDriver(self.lower, irp)
        if major is IRP_MJ.PNP and minor == IRP_MN.REMOVE_DEVICE:
            device.DriverObject.io.IoDetachDevice(self.lower)
            device.DriverObject.io.IoDeleteDevice(device)
        return status

    def completed(self, device, irp, context):
        if irp.PendingReturned:
            IoMarkIrpPending(irp)
        self.up.append(irp.IoStatus.Status)
        return NTSTATUS.SUCCESS


@pytest.mark.wdk("routine.driver-entry")
def test_driver_entry_fills_the_dispatch_table(rig):
    driver = DriverObject(rig.io, "again", {})
    default = driver.MajorFunction[IRP_MJ.READ]
    assert VirtualReader().DriverEntry(driver) is NTSTATUS.SUCCESS
    handled = {major for major in IRP_MJ if driver.MajorFunction[major] is not default}
    assert handled == set(IRP_MJ) - {IRP_MJ.READ, IRP_MJ.WRITE, IRP_MJ.SHUTDOWN}
    assert driver.AddDevice is not None
    assert driver.DriverUnload is not None


def test_a_device_that_is_no_reader_is_refused(rig):
    with pytest.raises(BugCheck, match="AddDevice of vreader returned STATUS_INVALID_PARAMETER"):
        rig.pnp.add_device("toaster", rig.driver)


@pytest.mark.wdk("name.device-interface", "pnp.start", "pnp.surprise.interface")
def test_a_reader_announces_its_interface_after_start_and_withdraws_it(rig):
    heard = []
    rig.io.register_interface_notification(
        GUID_DEVINTERFACE_SMARTCARD_READER, lambda link, arrived: heard.append((link, arrived))
    )
    rig.pnp.surprise_removal(rig.pdo)
    assert heard == [(LINK, True), (LINK, False)]


@pytest.mark.wdk("routine.dispatch-create.exclusive")
def test_a_reader_takes_one_opener(rig):
    assert rig.io.create_file(LINK) == (NTSTATUS.ACCESS_DENIED, None)


@pytest.mark.wdk("kernel.stack", "routine.dispatch-device-control", "routine.dispatch-power")
@pytest.mark.parametrize("completion", [False, True])
def test_a_filter_above_the_reader_sees_every_irp_and_changes_nothing(make_rig, completion):
    upper = Filter(completion=completion)
    rig = make_rig(filters=(upper.entry,))
    card = rig.ready()
    card.script = [b"data\x90\x00"]
    assert rig.apdu() == (NTSTATUS.SUCCESS, b"data\x90\x00")
    tracking = rig.send(IS_ABSENT)
    held = rig.start_apdu()
    late = rig.held()
    rig.remove()
    assert (held.status, tracking.status) == (NTSTATUS.NO_MEDIA, NTSTATUS.SUCCESS)
    for item in late:
        item.finish(item.run())
    waiting = rig.send(IS_PRESENT)
    rig.io.close_handle(rig.handle)
    assert waiting.status is NTSTATUS.CANCELLED
    rig.pnp.set_power(rig.pdo, 3)
    rig.pnp.surprise_removal(rig.pdo)
    rig.pnp.remove(rig.pdo)
    assert upper.down == [
        ("PNP", 0),
        ("CREATE", 0),
        ("DEVICE_CONTROL", Ioctl.SMARTCARD_POWER),
        ("DEVICE_CONTROL", Ioctl.SMARTCARD_SET_PROTOCOL),
        ("DEVICE_CONTROL", Ioctl.SMARTCARD_TRANSMIT),
        ("DEVICE_CONTROL", IS_ABSENT),
        ("DEVICE_CONTROL", Ioctl.SMARTCARD_TRANSMIT),
        ("DEVICE_CONTROL", IS_PRESENT),
        ("CLEANUP", 0),
        ("CLOSE", 0),
        ("POWER", 0),
        ("PNP", 0),
        ("PNP", 0),
    ]
    if completion:
        assert len(upper.up) == len(upper.down)
        assert upper.up.count(NTSTATUS.NO_MEDIA) == upper.up.count(NTSTATUS.CANCELLED) == 1
    assert rig.driver.devices == []
    rig.io.unload_driver("vreader")


# ------------------------------------------------------------------ cleanup


@pytest.mark.wdk(
    "routine.dispatch-cleanup.cancels",
    "routine.dispatch-cleanup.success",
    "routine.dispatch-close",
    "routine.dispatch-create",
    "routine.dispatch-cleanup.exclusive",
    "routine.dispatch-cleanup.cancel-routine",
)
def test_cleanup_cancels_every_request_of_the_open(rig):
    rig.ready()
    tracking, apdu = rig.send(IS_ABSENT), rig.start_apdu()
    late = rig.held()
    rig.io.close_handle(rig.handle)
    assert tracking.status is apdu.status is NTSTATUS.CANCELLED
    rig.handle = rig.open()  # CLOSE came through: the device is free
    assert rig.ioctl(GET_STATE, b"", 4) == (NTSTATUS.SUCCESS, u32(6))
    for item in late:
        item.finish(item.run())
    assert apdu.status is NTSTATUS.CANCELLED


@pytest.mark.wdk("routine.dispatch-cleanup.file-object", "tracking.other-handle")
def test_cleanup_leaves_other_opens_alone(rig):
    rig.pdo.exclusive = False
    rig.ready()
    tracking, apdu = rig.send(IS_ABSENT), rig.start_apdu()
    rig.io.close_handle(rig.open())
    assert tracking.status is apdu.status is None
    rig.work()
    assert apdu.status is NTSTATUS.SUCCESS
    rig.remove()
    assert tracking.status is NTSTATUS.SUCCESS


# ------------------------------------------------------------------ surprise removal, remove


@pytest.mark.wdk(
    "tracking.surprise-removal",
    "pnp.surprise.refuses",
    "pnp.surprise.success",
    "check.order.surprise-removed",
)
def test_surprise_removal_while_tracking_pends(rig):
    tracking = rig.send(IS_PRESENT)
    rig.pnp.surprise_removal(rig.pdo)
    assert tracking.status is NTSTATUS.DEVICE_REMOVED
    assert rig.pdo.pnp_state is PnpState.SURPRISE_REMOVED  # the bus has heard of it
    assert rig.ioctl(GET_STATE, b"", 4) == (NTSTATUS.DEVICE_REMOVED, b"")
    assert rig.io.create_file(LINK)[1] is None
    rig.io.close_handle(rig.handle)  # CLEANUP and CLOSE are still served
    rig.pnp.remove(rig.pdo)
    assert rig.io.create_file(LINK) == (NTSTATUS.OBJECT_NAME_NOT_FOUND, None)


def test_surprise_removal_is_no_removal_of_the_card_to_who_tracks_it(rig):
    rig.insert()
    tracking = rig.send(IS_ABSENT)
    rig.pnp.surprise_removal(rig.pdo)
    assert tracking.status is NTSTATUS.DEVICE_REMOVED


@pytest.mark.wdk("pnp.surprise.outstanding")
def test_surprise_removal_in_the_middle_of_an_apdu(rig):
    rig.ready()
    apdu = rig.start_apdu()
    late = rig.held()
    rig.pnp.surprise_removal(rig.pdo)
    assert apdu.status is NTSTATUS.NO_MEDIA
    rig.io.close_handle(rig.handle)
    gone = []
    rig.pnp.remove(rig.pdo, lambda: gone.append(True))
    assert gone == [True]  # nobody waits for the late answer
    for item in late:
        item.finish(item.run())
    assert apdu.status is NTSTATUS.NO_MEDIA


@pytest.mark.wdk("pnp.surprise.stays-attached")
def test_remove_waits_until_the_opener_has_let_go(rig):
    gone = []
    rig.pnp.surprise_removal(rig.pdo)
    rig.pnp.remove(rig.pdo, lambda: gone.append(True))
    assert gone == []
    assert rig.ioctl(GET_STATE, b"", 4)[0] is NTSTATUS.DEVICE_REMOVED
    rig.io.close_handle(rig.handle)
    assert gone == [True]
    assert rig.ioctl(GET_STATE, b"", 4)[0] is NTSTATUS.INVALID_HANDLE


@pytest.mark.wdk(
    "pnp.remove",
    "pnp.remove.without-surprise",
    "routine.unload.exit",
    "check.order.delete-pending",
    "routine.dispatch-pnp",
)
def test_remove_device_pends_until_the_last_holder_leaves(rig):
    gone = []
    fdo = rig.pdo.AttachedDevice
    rig.io.close_handle(rig.handle)
    SmartcardAcquireRemoveLock(rig.ext)
    rig.pnp.remove(rig.pdo, lambda: gone.append(True))
    assert gone == []
    irp = IoAllocateIrp(fdo.StackSize)
    location = IoGetNextIrpStackLocation(irp)
    location.MajorFunction, location.IoControlCode = IRP_MJ.DEVICE_CONTROL, GET_STATE
    assert IoCallDriver(fdo, irp) is NTSTATUS.DELETE_PENDING
    assert rig.io.links_of(fdo) == [LINK]
    SmartcardReleaseRemoveLock(rig.ext)
    assert gone == [True]
    assert rig.ext.OsData is NOT_INITIALIZED
    assert rig.io.links_of(fdo) == []
    assert rig.pdo.AttachedDevice is None
    assert rig.driver.devices == []


@pytest.mark.wdk("pnp.surprise.refuses")
def test_a_removed_status_is_the_profiles_choice(make_rig):
    rig = make_rig(NFC._replace(removed_status=NTSTATUS.DELETE_PENDING))
    rig.pnp.surprise_removal(rig.pdo)
    assert rig.ioctl(GET_STATE, b"", 4)[0] is NTSTATUS.DELETE_PENDING


@pytest.mark.wdk("pnp.query-remove")
def test_query_remove_is_passed_down(rig):
    assert rig.pnp.query_remove(rig.pdo) is False  # opened
    rig.io.close_handle(rig.handle)
    assert rig.pnp.query_remove(rig.pdo) is True


@pytest.mark.wdk("routine.dispatch-system-control")
def test_wmi_is_passed_down(rig):
    irp = IoAllocateIrp(2)
    IoGetNextIrpStackLocation(irp).MajorFunction = IRP_MJ.SYSTEM_CONTROL
    status = IoCallDriver(rig.pdo.top, irp)
    assert status is NTSTATUS.INVALID_DEVICE_REQUEST
    assert irp.completed


# ------------------------------------------------------------------ sleep and wake


@pytest.mark.wdk("power.set-device", "power.sleep-powers-down", "power.wake-state")
@pytest.mark.parametrize("state", [1, 2, 3])
def test_sleep_takes_the_power_and_waking_starts_afresh(rig, state):
    card = rig.ready()
    assert rig.pnp.set_power(rig.pdo, state) is NTSTATUS.SUCCESS
    rig.work()
    assert card.log == ["off"]
    assert rig.state is CardState.SWALLOWED
    assert rig.pnp.set_power(rig.pdo, 0) is NTSTATUS.SUCCESS
    assert rig.state is CardState.SWALLOWED
    assert rig.power()[0] is NTSTATUS.SUCCESS
    assert card.log == ["off", "on"]


@pytest.mark.wdk("tracking.sleep-card-gone", "power.wake-completes", "power.tracking-d0")
def test_sleep_with_a_card_and_wake_without(rig):
    rig.ready()
    tracking = rig.send(IS_ABSENT)
    rig.pnp.set_power(rig.pdo, 3)
    rig.remove()
    rig.work()
    assert tracking.status is None  # a sleeping reader notices nothing
    rig.pnp.set_power(rig.pdo, 0)
    assert tracking.status is NTSTATUS.SUCCESS
    assert rig.state is CardState.ABSENT


@pytest.mark.wdk("power.wake-completes", "power.wake-state")
def test_sleep_without_a_card_and_wake_with_one(rig, make_card):
    tracking = rig.send(IS_PRESENT)
    rig.pnp.set_power(rig.pdo, 3)
    rig.insert(make_card())
    assert tracking.status is None
    assert rig.state is CardState.ABSENT
    rig.pnp.set_power(rig.pdo, 0)
    assert tracking.status is NTSTATUS.SUCCESS
    assert rig.state is CardState.SWALLOWED


@pytest.mark.wdk("power.wake-empty")
def test_sleep_and_wake_without_a_card_tells_nothing(rig):
    tracking = rig.send(IS_PRESENT)
    rig.pnp.set_power(rig.pdo, 3)
    rig.pnp.set_power(rig.pdo, 0)
    assert tracking.status is None


@pytest.mark.wdk("tracking.sleep-swapped", "power.wake-swapped")
def test_a_card_swapped_during_sleep_is_noticed(rig, make_card):
    rig.ready()
    tracking = rig.send(IS_ABSENT)
    rig.pnp.set_power(rig.pdo, 3)
    rig.remove()
    second = make_card(bytes.fromhex("3B02ABCD"))
    rig.insert(second)
    rig.pnp.set_power(rig.pdo, 0)
    assert tracking.status is NTSTATUS.SUCCESS
    assert rig.power() == (NTSTATUS.SUCCESS, second.atr)


def test_going_to_sleep_in_the_middle_of_an_apdu(rig):
    rig.ready()
    apdu = rig.start_apdu()
    late = rig.held()
    rig.pnp.set_power(rig.pdo, 3)
    assert apdu.status is NTSTATUS.DEVICE_POWERED_OFF
    rig.pnp.set_power(rig.pdo, 0)
    for item in late:
        item.finish(item.run())
    assert rig.state is CardState.SWALLOWED


@pytest.mark.wdk("power.not-d0")
def test_a_sleeping_reader_does_not_power_a_card(rig):
    card = rig.insert()
    rig.pnp.set_power(rig.pdo, 3)
    rig.work()
    card.log.clear()
    assert rig.power() == (NTSTATUS.DEVICE_POWERED_OFF, b"")
    assert card.log == []
    assert rig.state is CardState.SWALLOWED


def test_a_late_reset_of_a_card_swapped_in_sleep_says_nothing_of_the_new_one(rig, make_card):
    rig.insert(make_card())
    power = rig.start_power()
    late = rig.held()
    rig.pnp.set_power(rig.pdo, 3)
    rig.remove()
    rig.insert(make_card(bytes.fromhex("3B02ABCD")))
    rig.pnp.set_power(rig.pdo, 0)
    for item in late:
        item.finish(item.run())
    assert power.status is NTSTATUS.DEVICE_POWERED_OFF
    assert rig.state is CardState.SWALLOWED
    assert rig.ioctl(Ioctl.SMARTCARD_GET_ATTRIBUTE, u32(Attr.ATR_STRING), 33)[1] == b""


@pytest.mark.wdk("attribute.nfc-minimum", "attribute.channel-id.nfc")
@pytest.mark.parametrize(
    ("tag", "value"),
    [
        (Attr.DEFAULT_CLK, 13560),
        (Attr.MAX_CLK, 13560),
        (Attr.DEFAULT_DATA_RATE, 1),
        (Attr.MAX_DATA_RATE, 1),
        (Attr.MAX_IFSD, 254),
        (Attr.CHARACTERISTICS, 8),
        (Attr.PROTOCOL_TYPES, 2),
        (Attr.CHANNEL_ID, 0x01000000),
        (Attr.DEVICE_UNIT, 0),
        (Attr.CURRENT_PROTOCOL_TYPE, 2),
        (Attr.CURRENT_CLK, 13560),
        (Attr.CURRENT_D, 1),
        (Attr.CURRENT_IFSC, 32),
        (Attr.CURRENT_IFSD, 254),
        (Attr.CURRENT_BWT, 4),
    ],
)
def test_the_minimum_of_an_nfc_reader(make_rig, tag, value):
    rig = make_rig(NFC)
    rig.insert()
    rig.power()
    assert rig.state is CardState.SPECIFIC
    request = tag.to_bytes(4, "little")
    assert rig.ioctl(Ioctl.SMARTCARD_GET_ATTRIBUTE, request, 4) == (NTSTATUS.SUCCESS, u32(value))
