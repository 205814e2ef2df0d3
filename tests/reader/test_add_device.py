# SPDX-License-Identifier: Apache-2.0
"""The skeleton of a reader driver: AddDevice, and Plug and Play and power around it."""

import pytest

from vreader.events import Emitter
from vreader.reader.base import GUID_DEVINTERFACE_SMARTCARD_READER, ReaderDriver
from vreader.reader.hardware import SlotHardware
from vreader.smclib.events import DriverLogEvent
from vreader.smclib.ioctl import Ioctl
from vreader.wdm import (
    DO_DEVICE_INITIALIZING,
    IRP_MJ,
    IRP_MN,
    NTSTATUS,
    BugCheck,
    IoCallDriver,
    IoCompleteRequest,
    IoGetCurrentIrpStackLocation,
    IoSkipCurrentIrpStackLocation,
)

LINK = r"\\.\SCReader0"
GET_STATE = Ioctl.SMARTCARD_GET_STATE


@pytest.mark.wdk(
    "routine.add-device.creates",
    "routine.add-device.initialize",
    "routine.add-device.create-link",
    "routine.add-device.initializing",
    "name.kernel-name",
    "name.symbolic-link",
)
def test_add_device_leaves_a_device_that_can_be_opened(make_rig):
    rig = make_rig(unit=3)
    fdo = rig.pdo.AttachedDevice
    assert fdo.name == r"\Device\vreader3"
    assert fdo.AttachedTo is rig.pdo
    assert rig.ext.OsData.DeviceObject is fdo  # made by SmartcardInitialize
    assert rig.io.links_of(fdo) == [LINK]  # the first free number, not the unit
    assert not fdo.Flags & DO_DEVICE_INITIALIZING


class OutOfDate(ReaderDriver):
    """A driver built against a driver library that is too old."""

    service = "outofdate"

    def Initialize(self, ext, pdo):
        ext.Version = 0x90
        return NTSTATUS.SUCCESS


def plug_in(rig, driver, **options):
    loaded = rig.io.load_driver(driver.service, driver.DriverEntry)
    properties = {"hardware": SlotHardware(Emitter(), "reader1")}
    return loaded, lambda: rig.pnp.add_device("reader1", loaded, properties=properties, **options)


@pytest.mark.wdk("routine.add-device.log-error", "helper.log-error", "helper.initialize.version")
def test_add_device_logs_that_initialize_failed_and_undoes_what_it_made(rig):
    driver, add = plug_in(rig, OutOfDate())
    with pytest.raises(BugCheck, match="AddDevice of outofdate returned STATUS_UNSUCCESSFUL"):
        add()
    (entry,) = (event for event in rig.events if isinstance(event, DriverLogEvent))
    assert (entry.device, entry.status) == (r"\Device\outofdate0", "STATUS_UNSUCCESSFUL")
    assert (entry.driver, entry.text) == ("outofdate", "SmartcardInitialize failed")
    assert driver.devices == []
    assert rig.io.create_file(r"\\.\SCReader1")[0] is NTSTATUS.OBJECT_NAME_NOT_FOUND


class Bus:
    """A lower filter that answers START_DEVICE with ``status``."""

    def __init__(self, status):
        self.status = status

    def entry(self, driver):
        driver.AddDevice = self.add_device
        driver.MajorFunction[:] = [self.dispatch] * len(driver.MajorFunction)
        return NTSTATUS.SUCCESS

    def add_device(self, driver, pdo):
        device = driver.io.IoCreateDevice(driver, "bus filter", None)
        self.lower = driver.io.IoAttachDeviceToDeviceStack(device, pdo)
        device.Flags &= ~DO_DEVICE_INITIALIZING
        return NTSTATUS.SUCCESS

    def dispatch(self, device, irp):
        location = IoGetCurrentIrpStackLocation(irp)
        pnp, minor = location.MajorFunction == IRP_MJ.PNP, location.MinorFunction
        if pnp and minor == IRP_MN.START_DEVICE:
            irp.IoStatus.Status = self.status
            IoCompleteRequest(irp)
            return self.status
        IoSkipCurrentIrpStackLocation(irp)
        status = IoCallDriver(self.lower, irp)
        if pnp and minor == IRP_MN.REMOVE_DEVICE:
            device.DriverObject.io.IoDetachDevice(self.lower)
            device.DriverObject.io.IoDeleteDevice(device)
        return status


@pytest.mark.wdk("pnp.start.failed")
def test_a_reader_whose_bus_does_not_start_it_is_not_announced(rig):
    heard = []
    rig.io.register_interface_notification(
        GUID_DEVINTERFACE_SMARTCARD_READER, lambda link, arrived: heard.append(link)
    )
    bus = Bus(NTSTATUS.INSUFFICIENT_RESOURCES)
    driver, add = plug_in(rig, ReaderDriver(), lower_filters=(bus.entry,))
    with pytest.raises(BugCheck, match="START_DEVICE of reader1 returned STATUS_INSUFFICIENT"):
        add()
    assert heard == [LINK]
    assert driver.devices == []


@pytest.mark.wdk("pnp.cancel-remove")
def test_a_removal_that_was_taken_back_leaves_the_reader_as_it_was(rig):
    rig.insert()
    rig.io.close_handle(rig.handle)
    assert rig.pnp.query_remove(rig.pdo) is True
    rig.pnp.cancel_remove(rig.pdo)
    rig.handle = rig.open()
    assert rig.ioctl(GET_STATE, b"", 4) == (NTSTATUS.SUCCESS, b"\3\0\0\0")


@pytest.mark.wdk("power.query", "power.set-system")
def test_a_reader_agrees_to_sleep(rig):
    card = rig.ready()
    assert rig.pnp.set_system_power(rig.pdo, 3) is NTSTATUS.SUCCESS
    rig.work()
    assert card.log == ["off"]
    assert rig.pnp.set_system_power(rig.pdo, 0) is NTSTATUS.SUCCESS
    assert rig.power()[0] is NTSTATUS.SUCCESS
