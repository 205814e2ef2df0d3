# SPDX-License-Identifier: Apache-2.0
"""A WDM reader driver with every routine in place: subclass it and give it callbacks.

The routines are those the WDK asks of a reader driver ("WDM Reader Driver"): DriverEntry,
AddDevice, Unload, DispatchCreate/Close/Cleanup/DeviceControl/PnP/Power/SystemControl. A subclass
names its reader in :meth:`ReaderDriver.Initialize`, defines the callbacks it has as methods called
``RDF_…`` (one it lacks stays NULL and is answered NOT_SUPPORTED), and hears of cards in
:meth:`ReaderDriver.CardMoved`. :mod:`vreader.reader.driver` is such a driver;
``docs/examples/drivers`` has others.
"""

from collections.abc import Mapping
from functools import partial

from vreader.card import Card
from vreader.reader.extension import DEVICE_EXTENSION, extension_of
from vreader.reader.hardware import SlotHardware, hardware_of
from vreader.reader.messages import MESSAGES
from vreader.smclib.control import SmartcardDeviceControl, needs_card
from vreader.smclib.library import (
    SmartcardAcquireRemoveLock,
    SmartcardCompleteCardTracking,
    SmartcardCreateLink,
    SmartcardDeleteLink,
    SmartcardEndCardTracking,
    SmartcardExit,
    SmartcardInitialize,
    SmartcardLogError,
    SmartcardReleaseRemoveLock,
    SmartcardReleaseRemoveLockAndWait,
    set_state,
)
from vreader.smclib.profile import CONTACT, DriverProfile
from vreader.smclib.states import CardState, ReaderEvent
from vreader.smclib.structs import RDF, SMARTCARD_EXTENSION, SMCLIB_VERSION
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
    IoCopyCurrentIrpStackLocationToNext,
    IoGetCurrentIrpStackLocation,
    IoMarkIrpPending,
    IoSetCancelRoutine,
    IoSetCompletionRoutine,
    IoSkipCurrentIrpStackLocation,
    Irp,
)
from vreader.wdm.irp import complete
from vreader.wdm.lifecycle import OPENS, PnpState, next_pnp_state
from vreader.wdm.power import PowerDeviceD0, power_of

GUID_DEVINTERFACE_SMARTCARD_READER = "{50DD5230-BA8A-11D1-BF5D-0000F805F530}"

_PENDING = NTSTATUS.PENDING  # looked up once: see vreader.wdm.irp


class ReaderDriver:
    """A reader driver; one object is one loaded driver and may drive several readers.

    A subclass is a driver of its own: ``service`` and ``inf`` are not inherited.

    Attributes:
        service: the service name, under which it is loaded; by default the class's name.
        inf: path of the INF file it is installed from, which must name the same service; None for
            a driver that is not installed.
        messages: texts of its message file by error code, for SmartcardLogError.
        profile: the choices where Microsoft's texts disagree or are silent.
    """

    service: str = "reader"
    inf: str | None = None
    messages: Mapping[int, str] = MESSAGES
    profile: DriverProfile = CONTACT

    def __init_subclass__(cls) -> None:
        own = cls.__dict__
        cls.service = own.get("service", cls.__name__.lower())
        cls.inf = own.get("inf")

    # ------------------------------------------------------------------ what a subclass says

    def Initialize(self, ext: SMARTCARD_EXTENSION, pdo: DeviceObject) -> NTSTATUS:
        """Fill VendorAttr, ReaderCapabilities and ReaderExtension of a new reader.

        ``ext.VendorAttr.UnitNo`` and the callbacks are there already. Any status but SUCCESS fails
        AddDevice.
        """
        return NTSTATUS.SUCCESS

    def CardMoved(self, ext: SMARTCARD_EXTENSION, card: Card, inserted: bool) -> None:
        """Hear from the card switch: change the state, then complete the tracking request.

        A reader that sleeps is not told; it looks at the slot in :meth:`EnterD0`.
        """
        if not ext.OsData.InD0:
            return
        set_state(ext, ReaderEvent.INSERTED if inserted else ReaderEvent.REMOVED)
        SmartcardCompleteCardTracking(ext)

    def EnterD0(self, ext: SMARTCARD_EXTENSION) -> None:
        """Have power again: look at the slot, for a card may have come or gone."""
        hardware: SlotHardware = ext.OsData.DeviceObject.DeviceExtension.Hardware
        present = hardware.card is not None
        was_present = ext.ReaderCapabilities.CurrentState > CardState.ABSENT
        set_state(ext, ReaderEvent.REMOVED)
        if present:
            set_state(ext, ReaderEvent.INSERTED)
        if present or was_present:
            SmartcardCompleteCardTracking(ext)

    def ExitD0(self, ext: SMARTCARD_EXTENSION) -> None:
        """Lose power, and the card's with it."""
        if ext.ReaderCapabilities.CurrentState > CardState.ABSENT:
            set_state(ext, ReaderEvent.POWER_DOWN)

    def RDF_CARD_TRACKING(self, ext: SMARTCARD_EXTENSION) -> NTSTATUS:
        """Pend the tracking request, cancelable, until a card moves."""
        irp = ext.OsData.NotificationIrp
        assert irp is not None  # the library set it before it called back
        IoSetCancelRoutine(
            irp, lambda _device, _irp: SmartcardEndCardTracking(ext, NTSTATUS.CANCELLED)
        )
        IoMarkIrpPending(irp)
        return NTSTATUS.PENDING

    # ------------------------------------------------------------------ the driver's life

    def DriverEntry(self, driver: DriverObject) -> NTSTATUS:
        """Fill the driver object and its dispatch table."""
        driver.AddDevice = self.AddDevice
        driver.DriverUnload = self.Unload
        table = driver.MajorFunction
        table[IRP_MJ.CREATE] = self.DispatchCreate
        table[IRP_MJ.CLOSE] = self.DispatchClose
        table[IRP_MJ.CLEANUP] = self.DispatchCleanup
        table[IRP_MJ.DEVICE_CONTROL] = self.DispatchDeviceControl
        table[IRP_MJ.PNP] = self.DispatchPnP
        table[IRP_MJ.POWER] = self.DispatchPower
        table[IRP_MJ.SYSTEM_CONTROL] = self.DispatchSystemControl
        return NTSTATUS.SUCCESS

    def Unload(self, driver: DriverObject) -> None:
        """Nothing is kept for the driver as a whole; a PnP driver must have the routine."""

    def AddDevice(self, driver: DriverObject, pdo: DeviceObject) -> NTSTATUS:
        """Make the reader's FDO, fill its SMARTCARD_EXTENSION, attach it to the PDO's stack."""
        hardware = hardware_of(pdo)
        if hardware is None:
            return NTSTATUS.INVALID_PARAMETER
        io = driver.io
        unit = pdo.properties.get("unit", 0)
        ext = SMARTCARD_EXTENSION(Version=SMCLIB_VERSION, Profile=self.profile)
        ext.VendorAttr.UnitNo = unit if isinstance(unit, int) else 0
        ext.ReaderCapabilities.CurrentState = CardState.ABSENT
        for rdf in RDF:
            ext.ReaderFunction[rdf] = getattr(self, f"RDF_{rdf.name}", None)
        fdo = io.IoCreateDevice(driver, rf"\Device\{driver.name}{unit}", None)
        status = self.Initialize(ext, pdo)
        if status is NTSTATUS.SUCCESS:
            status = SmartcardInitialize(ext, fdo)
            if status is not NTSTATUS.SUCCESS:
                SmartcardLogError(fdo, status, "SmartcardInitialize failed")
        if status is not NTSTATUS.SUCCESS:
            io.IoDeleteDevice(fdo)
            return status
        lower = io.IoAttachDeviceToDeviceStack(fdo, pdo)
        link = SmartcardCreateLink(fdo)
        fdo.DeviceExtension = DEVICE_EXTENSION(ext, lower, pdo, hardware, link)
        fdo.Flags &= ~DO_DEVICE_INITIALIZING
        return NTSTATUS.SUCCESS

    # ------------------------------------------------------------------ opens and requests

    def DispatchCreate(self, device: DeviceObject, irp: Irp) -> NTSTATUS:
        """Let the resource manager, or one vpcd door, connect to the reader."""
        refusal = extension_of(device).refusal(OPENS)
        return complete(irp, NTSTATUS.SUCCESS if refusal is None else refusal)

    def DispatchClose(self, device: DeviceObject, irp: Irp) -> NTSTATUS:
        """Undo DispatchCreate: nothing was reserved."""
        return complete(irp, NTSTATUS.SUCCESS)

    def DispatchCleanup(self, device: DeviceObject, irp: Irp) -> NTSTATUS:
        """Cancel every request of the open whose last handle is being closed, then succeed."""
        extension = extension_of(device)
        data = extension.SmartcardExtension.OsData
        file = IoGetCurrentIrpStackLocation(irp).FileObject
        for pending in (data.NotificationIrp, data.CurrentIrp, *extension.Waiting):
            # Who hears of one request may have ended the next one.
            if pending is None or pending.completed:
                continue
            if IoGetCurrentIrpStackLocation(pending).FileObject is file:
                IoCancelIrp(pending)
        return complete(irp, NTSTATUS.SUCCESS)

    def DispatchDeviceControl(self, device: DeviceObject, irp: Irp) -> NTSTATUS:
        """Hand the request to the library at once, unless the reader does not serve now."""
        extension: DEVICE_EXTENSION = device.DeviceExtension
        if extension.Refuse is not None:
            return complete(irp, extension.Refuse)
        ext = extension.SmartcardExtension
        if not ext.OsData.InD0 and needs_card(irp):
            if ext.Profile.asleep_waits:
                return extension.wait(irp)
            return complete(irp, NTSTATUS.DEVICE_POWERED_OFF)
        return self._serve(extension, irp)

    def _serve(self, extension: DEVICE_EXTENSION, irp: Irp) -> NTSTATUS:
        seen = len(irp.history)
        status = SmartcardDeviceControl(extension.SmartcardExtension, irp)
        if status is not _PENDING and len(irp.history) == seen:
            # Nothing has been done with the request: the profile has the library leave those with
            # bad parameters to the driver.
            return complete(irp, status)
        return status

    def DispatchSystemControl(self, device: DeviceObject, irp: Irp) -> NTSTATUS:
        """Pass WMI requests down: a reader has no WMI content."""
        IoSkipCurrentIrpStackLocation(irp)
        return IoCallDriver(extension_of(device).Lower, irp)

    # ------------------------------------------------------------------ power

    def DispatchPower(self, device: DeviceObject, irp: Irp) -> NTSTATUS:
        """Put the reader to sleep or wake it; power requests always go down the stack.

        Power is taken on the way down and given on the way up, when the bus below has it.
        """
        extension = extension_of(device)
        location = IoGetCurrentIrpStackLocation(irp)
        IoCopyCurrentIrpStackLocationToNext(irp)
        if location.MinorFunction == IRP_MN_POWER.SET_POWER:
            if power_of(location.Parameters) != PowerDeviceD0:
                self._power(extension, False)
            elif SmartcardAcquireRemoveLock(extension.SmartcardExtension) is NTSTATUS.SUCCESS:
                IoSetCompletionRoutine(irp, self._powered_up, extension)
        return IoCallDriver(extension.Lower, irp)

    def _powered_up(self, device: DeviceObject | None, irp: Irp, context: object) -> NTSTATUS:
        assert isinstance(context, DEVICE_EXTENSION)
        if irp.PendingReturned:
            IoMarkIrpPending(irp)
        if irp.IoStatus.Status is NTSTATUS.SUCCESS:
            self._power(context, True)
        SmartcardReleaseRemoveLock(context.SmartcardExtension)
        return NTSTATUS.SUCCESS

    def _power(self, extension: DEVICE_EXTENSION, on: bool) -> None:
        """Enter or leave D0, once; a reader that is stopped enters it when it is started."""
        ext = extension.SmartcardExtension
        if ext.OsData.InD0 is on or (on and extension.Refuse is not None):
            return
        ext.OsData.InD0 = on
        if on:
            self.EnterD0(ext)
            extension.let_go(self._serve)
        else:
            self.ExitD0(ext)

    # ------------------------------------------------------------------ Plug and Play

    def DispatchPnP(self, device: DeviceObject, irp: Irp) -> NTSTATUS:
        """START on the way up, the other changes on the way down; the rest is passed on."""
        extension = extension_of(device)
        minor = IoGetCurrentIrpStackLocation(irp).MinorFunction
        state = next_pnp_state(extension.State, minor)
        if isinstance(state, NTSTATUS):
            return complete(irp, state)
        if minor == IRP_MN.START_DEVICE:
            IoCopyCurrentIrpStackLocationToNext(irp)
            IoSetCompletionRoutine(irp, self._started, extension)
            return IoCallDriver(extension.Lower, irp)
        if minor == IRP_MN.REMOVE_DEVICE:
            return self._remove(device, extension, irp)
        if minor == IRP_MN.QUERY_STOP_DEVICE:
            if extension.SmartcardExtension.OsData.CurrentIrp is not None:
                return complete(irp, NTSTATUS.DEVICE_BUSY)
        elif minor == IRP_MN.STOP_DEVICE:
            self._power(extension, False)
        elif minor == IRP_MN.SURPRISE_REMOVAL:
            self._surprise(device, extension)
        if state is not extension.State:
            extension.move(state)
            irp.IoStatus.Status = NTSTATUS.SUCCESS
        IoSkipCurrentIrpStackLocation(irp)
        return IoCallDriver(extension.Lower, irp)

    def _started(self, device: DeviceObject | None, irp: Irp, context: object) -> NTSTATUS:
        """Announce the reader when the bus below has started it, the first time and again."""
        assert isinstance(context, DEVICE_EXTENSION)
        if irp.PendingReturned:
            IoMarkIrpPending(irp)
        if irp.IoStatus.Status is NTSTATUS.SUCCESS and device is not None:
            ext = context.SmartcardExtension
            first = context.State is PnpState.NOT_STARTED
            context.move(PnpState.STARTED)
            if first:
                context.Hardware.connect_interrupt(partial(self.CardMoved, ext))
            self._power(context, True)
            if first:  # now: who hears of the reader finds it awake
                _announce(device, context, True)
        return NTSTATUS.SUCCESS

    def _surprise(self, device: DeviceObject, extension: DEVICE_EXTENSION) -> None:
        """Refuse new requests, fail the outstanding ones, withdraw the reader."""
        ext = extension.SmartcardExtension
        announced = extension.State is not PnpState.NOT_STARTED
        extension.move(PnpState.SURPRISE_REMOVED)
        # Before the card goes with its reader: this is no removal that tracking could report.
        SmartcardEndCardTracking(ext, ext.Profile.removed_status)
        extension.let_go(self._serve)
        extension.Hardware.remove()
        extension.Hardware.connect_interrupt(None)
        if ext.OsData.CurrentIrp is not None:
            IoCancelIrp(ext.OsData.CurrentIrp)  # it has not ended with the card
        if announced:
            _announce(device, extension, False)

    def _remove(self, device: DeviceObject, extension: DEVICE_EXTENSION, irp: Irp) -> NTSTATUS:
        """Wait for the last request to leave the driver, then detach and delete the FDO."""
        ext, io = extension.SmartcardExtension, device.DriverObject.io
        if extension.State is not PnpState.SURPRISE_REMOVED:
            self._surprise(device, extension)
        if SmartcardAcquireRemoveLock(ext) is not NTSTATUS.SUCCESS:
            return complete(irp, NTSTATUS.DELETE_PENDING)
        extension.move(PnpState.REMOVED)
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


def _announce(device: DeviceObject, extension: DEVICE_EXTENSION, present: bool) -> None:
    device.DriverObject.io.IoSetDeviceInterfaceState(
        GUID_DEVINTERFACE_SMARTCARD_READER, extension.Link, device, enable=present
    )
