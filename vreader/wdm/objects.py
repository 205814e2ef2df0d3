# SPDX-License-Identifier: Apache-2.0
"""Driver, device and file objects (the I/O manager's nouns).

Devices stand in stacks: a bus driver's PDO at the bottom, the function driver's FDO on it, filters
above. Opens name the PDO's symbolic link and reach the top of the stack.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from vreader.wdm.irp import IRP_MJ_MAXIMUM_FUNCTION, IoCompleteRequest, Irp
from vreader.wdm.lifecycle import PnpState
from vreader.wdm.status import NTSTATUS
from vreader.wdm.turns import Turns

if TYPE_CHECKING:
    from vreader.wdm.io_manager import IoManager

DriverInit = Callable[["DriverObject"], NTSTATUS]
DriverDispatch = Callable[["DeviceObject", Irp], NTSTATUS]
DriverAddDevice = Callable[["DriverObject", "DeviceObject"], NTSTATUS]
DriverUnload = Callable[["DriverObject"], None]

DO_DEVICE_INITIALIZING = 0x80


def invalid_device_request(_device: "DeviceObject", irp: Irp) -> NTSTATUS:
    """Stand in every slot of the dispatch table that DriverEntry leaves alone."""
    irp.IoStatus.Status = NTSTATUS.INVALID_DEVICE_REQUEST
    IoCompleteRequest(irp)
    return NTSTATUS.INVALID_DEVICE_REQUEST


class DriverObject:
    """A loaded driver: its dispatch table, AddDevice, Unload and its devices.

    Attributes:
        DriverInit: its DriverEntry, once it has been loaded.
        MajorFunction: dispatch routines by IRP_MJ code; DriverEntry fills them.
        DriverExtension_AddDevice: called for each device the driver is to drive.
        Settings: the service's own key of the registry, handed to DriverEntry: name → value.
    """

    def __init__(self, io: "IoManager", name: str, settings: dict[str, object]) -> None:
        self.io = io
        self.name = name
        self.Settings = settings
        self.DriverInit: DriverInit | None = None
        self.MajorFunction: list[DriverDispatch] = [invalid_device_request] * (
            IRP_MJ_MAXIMUM_FUNCTION + 1
        )
        self.AddDevice: DriverAddDevice | None = None
        self.DriverUnload: DriverUnload | None = None
        self.devices: list[DeviceObject] = []


class DeviceObject:
    """One device of one driver.

    Attributes:
        DeviceExtension: the driver's own data about this device.
        AttachedTo, AttachedDevice: the next lower and next higher device of the stack.
        StackSize: stack locations an IRP needs to be sent to this device.
        exclusive: (PDO) only one handle at a time; set by the INF's ``HKR,,Exclusive,0x10001,1``.
        open_handles: (PDO) opens whose last handle is still there.
        opens: (PDO) opens that have not seen CLOSE.
        last_close: (PDO) called once when none is left in ``opens``.
        pnp_state: (PDO) where the device is in its life, as the PnP manager sees it.
        turns, power_turns: (PDO) how the PnP and the power manager's requests follow each other.
        removal: (PDO) who is to be told when the device has been removed; None before it is asked.
        children: (PDO) devices that a driver of this stack has found: a card's devnode.
        properties: (PDO) what the bus and the INF know of it: hardware ids, friendly name.
    """

    def __init__(self, driver: DriverObject, name: str, extension: Any) -> None:  # noqa: ANN401
        self.DriverObject = driver
        self.name = name
        self.DeviceExtension: Any = extension
        self.Flags = DO_DEVICE_INITIALIZING
        self.AttachedTo: DeviceObject | None = None
        self.AttachedDevice: DeviceObject | None = None
        self.StackSize = 1
        self.exclusive = False
        self.open_handles = 0
        self.opens: list[FileObject] = []
        self.pnp_state = PnpState.NOT_STARTED
        self.turns, self.power_turns = Turns(), Turns()
        self.removal: list[Callable[[], None]] | None = None
        self.children: list[DeviceObject] = []
        self.last_close: Callable[[], None] | None = None
        self.properties: dict[str, object] = {}

    @property
    def top(self) -> "DeviceObject":
        """The highest device of the stack."""
        device = self
        while device.AttachedDevice is not None:
            device = device.AttachedDevice
        return device

    @property
    def bottom(self) -> "DeviceObject":
        """The lowest device of the stack: the PDO."""
        device = self
        while device.AttachedTo is not None:
            device = device.AttachedTo
        return device

    def __repr__(self) -> str:
        return f"<DeviceObject {self.name} of {self.DriverObject.name}>"


class FileObject:
    """An open of a device. CLEANUP goes out with the last handle, CLOSE with the last reference.

    Attributes:
        DeviceObject: the top of the stack when it was opened.
        handles: handles open (DuplicateHandle makes more).
        references: handles plus IRPs in flight.
        pending: IRPs that are not complete, for CancelIo.
    """

    def __init__(self, device: DeviceObject) -> None:
        self.DeviceObject = device
        self.FsContext: object = None
        self.handles = 1
        self.references = 1
        self.pending: dict[int, Irp] = {}
        self.cleaned_up = False
        self.closed = False


class Handle:
    """What an application holds: one of possibly several handles to a file object."""

    __slots__ = ("file", "valid")

    def __init__(self, file: FileObject) -> None:
        self.file = file
        self.valid = True
