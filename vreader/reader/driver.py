# SPDX-License-Identifier: Apache-2.0
"""The virtual reader's driver: DriverEntry … Unload, the dispatch routines and PnP.

A WDM reader driver as the WDK asks for it: DispatchDeviceControl hands every request at once to
SmartcardDeviceControl, which calls back the RDF_* routines of :mod:`vreader.reader.callbacks`.
"""

from typing import NamedTuple

from vreader.reader.callbacks import reader_functions
from vreader.reader.observer import ApduObserver, Describe, describe_nothing
from vreader.reader.slot import Slot
from vreader.smclib.control import SmartcardDeviceControl
from vreader.smclib.ioctl import Characteristics, Protocol
from vreader.smclib.library import (
    SmartcardAcquireRemoveLock,
    SmartcardCreateLink,
    SmartcardDeleteLink,
    SmartcardEndCardTracking,
    SmartcardExit,
    SmartcardInitialize,
    SmartcardLogError,
    SmartcardReleaseRemoveLockAndWait,
)
from vreader.smclib.profile import CONTACT, DriverProfile
from vreader.smclib.states import CardState
from vreader.smclib.structs import SMARTCARD_EXTENSION, SMCLIB_VERSION, VENDOR_ATTR
from vreader.wdm import (
    DO_DEVICE_INITIALIZING,
    IRP_MJ,
    IRP_MN,
    IRP_MN_POWER,
    NTSTATUS,
    DeviceObject,
    DriverObject,
    IoCallDriver,
    IoCancelIrp,
    IoCompleteRequest,
    IoCopyCurrentIrpStackLocationToNext,
    IoGetCurrentIrpStackLocation,
    IoMarkIrpPending,
    IoSetCompletionRoutine,
    IoSkipCurrentIrpStackLocation,
    Irp,
)

GUID_DEVINTERFACE_SMARTCARD_READER = "{50DD5230-BA8A-11D1-BF5D-0000F805F530}"


class ReaderSettings(NamedTuple):
    """How one virtual reader is built; found by AddDevice in the PDO's property ``reader``.

    Attributes:
        vendor, ifd_type: the two halves of the reader's name, at most 32 bytes each.
        unit: SCARD_ATTR_DEVICE_UNIT.
        serial: SCARD_ATTR_VENDOR_IFD_SERIAL_NO; empty for none.
        profile: the driver profile.
        timeout_s: seconds a card may work on one request; None waits for ever.
        describe: explains APDUs for the trace and says which bytes are secret.
        unmask: show secrets in the trace.
    """

    vendor: str = "Virtual"
    ifd_type: str = "Reader"
    unit: int = 0
    serial: str = ""
    profile: DriverProfile = CONTACT
    timeout_s: float | None = None
    describe: Describe = describe_nothing
    unmask: bool = False


class DEVICE_EXTENSION:
    """The FDO's own data."""

    def __init__(
        self, ext: SMARTCARD_EXTENSION, lower: DeviceObject, pdo: DeviceObject, slot: Slot
    ) -> None:
        self.SmartcardExtension = ext
        self.Lower = lower
        self.Pdo = pdo
        self.Slot = slot
        self.Link = ""
        self.Surprised = False


def DriverEntry(driver: DriverObject) -> NTSTATUS:
    """Fill the driver object and its dispatch table."""
    driver.AddDevice = AddDevice
    driver.DriverUnload = Unload
    driver.MajorFunction[IRP_MJ.CREATE] = DispatchCreate
    driver.MajorFunction[IRP_MJ.CLOSE] = DispatchClose
    driver.MajorFunction[IRP_MJ.CLEANUP] = DispatchCleanup
    driver.MajorFunction[IRP_MJ.DEVICE_CONTROL] = DispatchDeviceControl
    driver.MajorFunction[IRP_MJ.PNP] = DispatchPnP
    driver.MajorFunction[IRP_MJ.POWER] = DispatchPower
    driver.MajorFunction[IRP_MJ.SYSTEM_CONTROL] = DispatchSystemControl
    return NTSTATUS.SUCCESS


def Unload(driver: DriverObject) -> None:
    """Nothing is kept for the driver as a whole; PnP drivers must have the routine all the same."""


def AddDevice(driver: DriverObject, pdo: DeviceObject) -> NTSTATUS:
    """Make the reader's FDO, fill its SMARTCARD_EXTENSION, attach it to the PDO's stack."""
    settings = pdo.properties.get("reader")
    if not isinstance(settings, ReaderSettings):
        return NTSTATUS.INVALID_PARAMETER
    io = driver.io
    ext = SMARTCARD_EXTENSION(Version=SMCLIB_VERSION, Profile=settings.profile)
    ext.VendorAttr = VENDOR_ATTR(
        VendorName=settings.vendor.encode(),
        IfdType=settings.ifd_type.encode(),
        IfdSerialNo=settings.serial.encode(),
        UnitNo=settings.unit,
    )
    capabilities = ext.ReaderCapabilities
    capabilities.SupportedProtocols = Protocol.T0 | Protocol.T1 | Protocol.RAW
    capabilities.MechProperties = Characteristics.NONE
    capabilities.CurrentState = CardState.ABSENT
    observer = ApduObserver(io.events, pdo.name, settings.describe, settings.unmask)
    slot = Slot(io, ext, observer, settings.timeout_s)
    ext.ReaderExtension = slot
    ext.ReaderFunction[:] = reader_functions()
    fdo = io.IoCreateDevice(driver, rf"\Device\{driver.name}{settings.unit}", None)
    status = SmartcardInitialize(ext, fdo)
    if status is not NTSTATUS.SUCCESS:
        SmartcardLogError(pdo, status, "SmartcardInitialize failed")
        io.IoDeleteDevice(fdo)
        return status
    lower = io.IoAttachDeviceToDeviceStack(fdo, pdo)
    extension = DEVICE_EXTENSION(ext, lower, pdo, slot)
    fdo.DeviceExtension = extension
    extension.Link = SmartcardCreateLink(fdo)
    fdo.Flags &= ~DO_DEVICE_INITIALIZING
    return NTSTATUS.SUCCESS


def _of(device: DeviceObject) -> DEVICE_EXTENSION:
    extension = device.DeviceExtension
    assert isinstance(extension, DEVICE_EXTENSION)  # our own FDOs only reach our own dispatch
    return extension


def _complete(irp: Irp, status: NTSTATUS) -> NTSTATUS:
    irp.IoStatus.Status = status
    IoCompleteRequest(irp)
    return status


def DispatchCreate(device: DeviceObject, irp: Irp) -> NTSTATUS:
    """Let the resource manager (or one vpcd door) connect to the reader."""
    if _of(device).Surprised:
        return _complete(irp, _of(device).SmartcardExtension.Profile.removed_status)
    return _complete(irp, NTSTATUS.SUCCESS)


def DispatchClose(device: DeviceObject, irp: Irp) -> NTSTATUS:
    """Undo DispatchCreate: nothing was reserved."""
    return _complete(irp, NTSTATUS.SUCCESS)


def DispatchCleanup(device: DeviceObject, irp: Irp) -> NTSTATUS:
    """Cancel every request of the open whose last handle is being closed, then succeed."""
    data = _of(device).SmartcardExtension.OsData
    file = IoGetCurrentIrpStackLocation(irp).FileObject
    for pending in (data.NotificationIrp, data.CurrentIrp):
        if pending is not None and IoGetCurrentIrpStackLocation(pending).FileObject is file:
            IoCancelIrp(pending)
    return _complete(irp, NTSTATUS.SUCCESS)


def DispatchDeviceControl(device: DeviceObject, irp: Irp) -> NTSTATUS:
    """Hand the request to the library, unless the reader has been pulled out."""
    extension: DEVICE_EXTENSION = device.DeviceExtension
    ext = extension.SmartcardExtension
    if extension.Surprised and not ext.OsData.RemoveLock.removed:
        return _complete(irp, ext.Profile.removed_status)
    return SmartcardDeviceControl(ext, irp)


def DispatchSystemControl(device: DeviceObject, irp: Irp) -> NTSTATUS:
    """Pass WMI requests down: a reader has no WMI content."""
    IoSkipCurrentIrpStackLocation(irp)
    return IoCallDriver(_of(device).Lower, irp)


def DispatchPower(device: DeviceObject, irp: Irp) -> NTSTATUS:
    """Put the reader to sleep or wake it; power requests always go down the stack."""
    extension = _of(device)
    location = IoGetCurrentIrpStackLocation(irp)
    if location.MinorFunction == IRP_MN_POWER.SET_POWER:
        if location.Parameters == 0:
            if extension.Slot.asleep:
                extension.Slot.wake()
        elif not extension.Slot.asleep:
            extension.Slot.sleep()
    IoSkipCurrentIrpStackLocation(irp)
    return IoCallDriver(extension.Lower, irp)


def DispatchPnP(device: DeviceObject, irp: Irp) -> NTSTATUS:
    """Handle START on the way up, SURPRISE_REMOVAL and REMOVE on the way down; pass on the rest."""
    extension = _of(device)
    minor = IoGetCurrentIrpStackLocation(irp).MinorFunction
    if minor == IRP_MN.START_DEVICE:
        IoCopyCurrentIrpStackLocationToNext(irp)
        IoSetCompletionRoutine(irp, _started, extension)
    elif minor == IRP_MN.REMOVE_DEVICE:
        return _remove(device, extension, irp)
    else:
        if minor == IRP_MN.SURPRISE_REMOVAL:
            _surprise(device, extension)
        elif minor == IRP_MN.QUERY_REMOVE_DEVICE:
            irp.IoStatus.Status = NTSTATUS.SUCCESS
        IoSkipCurrentIrpStackLocation(irp)
    return IoCallDriver(extension.Lower, irp)


def _started(device: DeviceObject | None, irp: Irp, context: object) -> NTSTATUS:
    """Announce the reader when the bus below has started it."""
    assert isinstance(context, DEVICE_EXTENSION)
    if irp.IoStatus.Status is NTSTATUS.SUCCESS and device is not None:
        device.DriverObject.io.IoSetDeviceInterfaceState(
            GUID_DEVINTERFACE_SMARTCARD_READER, context.Link, device, enable=True
        )
    return NTSTATUS.SUCCESS


def _surprise(device: DeviceObject, extension: DEVICE_EXTENSION) -> None:
    """Refuse new requests, fail the outstanding ones, withdraw the reader."""
    extension.Surprised = True
    # Before the card goes with its reader: this is no removal that tracking could report.
    SmartcardEndCardTracking(
        extension.SmartcardExtension, extension.SmartcardExtension.Profile.removed_status
    )
    extension.Slot.remove()
    device.DriverObject.io.IoSetDeviceInterfaceState(
        GUID_DEVINTERFACE_SMARTCARD_READER, extension.Link, device, enable=False
    )


def _remove(device: DeviceObject, extension: DEVICE_EXTENSION, irp: Irp) -> NTSTATUS:
    """Wait for the last request to leave the driver, then detach and delete the FDO."""
    ext, io = extension.SmartcardExtension, device.DriverObject.io
    if not extension.Surprised:
        _surprise(device, extension)
    if SmartcardAcquireRemoveLock(ext) is not NTSTATUS.SUCCESS:
        return _complete(irp, NTSTATUS.DELETE_PENDING)
    IoMarkIrpPending(irp)

    def released() -> None:
        SmartcardDeleteLink(device, extension.Link)
        SmartcardExit(ext)
        IoCopyCurrentIrpStackLocationToNext(irp)
        io.IoDetachDevice(extension.Lower)
        io.IoDeleteDevice(device)
        IoCallDriver(extension.Lower, irp)

    SmartcardReleaseRemoveLockAndWait(ext, released)
    return NTSTATUS.PENDING
