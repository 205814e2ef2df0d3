# SPDX-License-Identifier: Apache-2.0
"""The Plug and Play manager and the root bus: how a device comes, starts, sleeps and goes.

The root bus driver makes one PDO per simulated device. A PnP request goes to the top of the stack;
START is handled on the way up, REMOVE on the way down, and a minor code a driver does not know is
passed down with its status unchanged. Power requests are always passed down.
"""

from collections.abc import Callable

from vreader.wdm.io_manager import DriverEntry, IoManager
from vreader.wdm.irp import (
    IRP_MJ,
    IRP_MN,
    IRP_MN_POWER,
    BugCheck,
    IoAllocateIrp,
    IoCallDriver,
    IoCompleteRequest,
    IoGetCurrentIrpStackLocation,
    IoGetNextIrpStackLocation,
    Irp,
)
from vreader.wdm.objects import DO_DEVICE_INITIALIZING, DeviceObject, DriverObject
from vreader.wdm.status import NTSTATUS

_BUS_SUCCEEDS = {
    IRP_MN.START_DEVICE,
    IRP_MN.QUERY_REMOVE_DEVICE,
    IRP_MN.REMOVE_DEVICE,
    IRP_MN.CANCEL_REMOVE_DEVICE,
    IRP_MN.STOP_DEVICE,
    IRP_MN.QUERY_STOP_DEVICE,
    IRP_MN.CANCEL_STOP_DEVICE,
    IRP_MN.SURPRISE_REMOVAL,
}


def _bus_pass(device: DeviceObject, irp: Irp) -> NTSTATUS:
    irp.IoStatus.Status = NTSTATUS.SUCCESS
    IoCompleteRequest(irp)
    return NTSTATUS.SUCCESS


def _bus_pnp(device: DeviceObject, irp: Irp) -> NTSTATUS:
    if IoGetCurrentIrpStackLocation(irp).MinorFunction in _BUS_SUCCEEDS:
        irp.IoStatus.Status = NTSTATUS.SUCCESS
    status = irp.IoStatus.Status
    IoCompleteRequest(irp)
    return status


def _bus_entry(driver: DriverObject) -> NTSTATUS:
    for major in (IRP_MJ.CREATE, IRP_MJ.CLOSE, IRP_MJ.CLEANUP, IRP_MJ.POWER):
        driver.MajorFunction[major] = _bus_pass
    driver.MajorFunction[IRP_MJ.PNP] = _bus_pnp
    return NTSTATUS.SUCCESS


class PnpManager:
    """Builds device stacks and sends them PnP and power requests."""

    def __init__(self, io: IoManager) -> None:
        self.io = io
        self._bus = io.load_driver("root", _bus_entry)

    def add_device(
        self,
        name: str,
        driver: DriverObject,
        *,
        properties: dict[str, object] | None = None,
        exclusive: bool = True,
        filters: tuple[DriverEntry, ...] = (),
    ) -> DeviceObject:
        """Make a PDO, have ``driver`` and then each upper filter attach to it, and start it.

        Args:
            name: the PDO's name, shown in traces.
            driver: the function driver.
            properties: what the bus knows about the device.
            exclusive: only one handle at a time.
            filters: DriverEntry routines of upper filters, lowest first.

        Returns:
            the PDO. Raises BugCheck when AddDevice or START_DEVICE fails.
        """
        pdo = self.io.IoCreateDevice(self._bus, name, None)
        pdo.exclusive = exclusive
        pdo.properties = properties or {}
        pdo.Flags &= ~DO_DEVICE_INITIALIZING
        drivers = [driver]
        for index, entry in enumerate(filters):
            drivers.append(self.io.load_driver(f"{name} filter {index}", entry))
        for each in drivers:
            if each.AddDevice is None:
                raise BugCheck(0xC9, f"{each.name} has no AddDevice")
            status = each.AddDevice(each, pdo)
            if status is not NTSTATUS.SUCCESS:
                raise BugCheck(0xC9, f"AddDevice of {each.name} returned {status!s}")
        status = self._pnp_now(pdo, IRP_MN.START_DEVICE)
        if status is not NTSTATUS.SUCCESS:
            raise BugCheck(0xC9, f"START_DEVICE of {name} returned {status!s}")
        return pdo

    def query_remove(self, pdo: DeviceObject) -> bool:
        """QUERY_REMOVE_DEVICE; on a veto or an open handle CANCEL_REMOVE goes out and it is False.

        A handle that stays open vetoes the removal.
        """
        status = self._pnp_now(pdo, IRP_MN.QUERY_REMOVE_DEVICE)
        if status is NTSTATUS.SUCCESS and not pdo.open_handles:
            return True
        self._pnp_now(pdo, IRP_MN.CANCEL_REMOVE_DEVICE)
        return False

    def surprise_removal(self, pdo: DeviceObject) -> None:
        """SURPRISE_REMOVAL; :meth:`remove` must follow."""
        self._pnp_now(pdo, IRP_MN.SURPRISE_REMOVAL)

    def remove(self, pdo: DeviceObject, done: Callable[[], None] = lambda: None) -> None:
        """REMOVE_DEVICE, sent when the last open has seen CLOSE; then ``done`` is called.

        The request pends until the last remove-lock holder lets go.
        """
        returned = False

        def delete() -> None:
            self.io.IoDeleteDevice(pdo)
            done()

        def send() -> None:
            nonlocal returned
            irp = self._pnp(pdo, IRP_MN.REMOVE_DEVICE, lambda _irp: delete() if returned else None)
            returned = True
            if not irp.completed:
                return
            # Looked at now, not on completion: drivers detach when their call down has returned.
            if pdo.AttachedDevice is not None:
                raise BugCheck(0xC9, f"REMOVE_DEVICE left a device attached to {pdo.name}")
            delete()

        if pdo.open_files:
            pdo.last_close = send
        else:
            send()

    def set_power(self, pdo: DeviceObject, device_state: int) -> NTSTATUS:
        """SET_POWER to D0…D3 (0…3)."""
        irp = IoAllocateIrp(pdo.top.StackSize)
        location = IoGetNextIrpStackLocation(irp)
        location.MajorFunction = IRP_MJ.POWER
        location.MinorFunction = IRP_MN_POWER.SET_POWER
        location.Parameters = device_state
        IoCallDriver(pdo.top, irp)
        if not irp.completed:
            raise BugCheck(0x9F, "DRIVER_POWER_STATE_FAILURE", irp)
        return irp.IoStatus.Status

    def _pnp_now(self, pdo: DeviceObject, minor: IRP_MN) -> NTSTATUS:
        irp = self._pnp(pdo, minor, lambda irp: None)
        if not irp.completed:
            raise BugCheck(0xC9, f"{minor.name} must not pend", irp)
        return irp.IoStatus.Status

    def _pnp(self, pdo: DeviceObject, minor: IRP_MN, done: Callable[[Irp], None]) -> Irp:
        irp = IoAllocateIrp(pdo.top.StackSize)
        location = IoGetNextIrpStackLocation(irp)
        location.MajorFunction = IRP_MJ.PNP
        location.MinorFunction = minor
        irp.done = done
        IoCallDriver(pdo.top, irp)
        return irp
