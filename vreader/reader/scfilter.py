# SPDX-License-Identifier: Apache-2.0
r"""The smart card filter: an upper filter that makes a child devnode for the card in a reader.

It watches what passes: the ATR in a reset's reply, and tracking that says the card has gone. The
card's PDO has the hardware id ``SCFILTER\CID_`` and all historical bytes in lower-case hex, the
status indicator included (WDK "Smart Card Plug and Play"); who knows the card better may name other
ids with :meth:`SmartCardFilter.identify`. A filter changes nothing of what it passes on.
"""

from vreader.cardids import device_id
from vreader.iso7816 import Atr, AtrError
from vreader.smclib.ioctl import Ioctl
from vreader.wdm import (
    DO_DEVICE_INITIALIZING,
    IRP_MJ,
    IRP_MN,
    NTSTATUS,
    DeviceObject,
    DriverObject,
    IoCallDriver,
    IoCopyCurrentIrpStackLocationToNext,
    IoGetCurrentIrpStackLocation,
    IoMarkIrpPending,
    IoSetCompletionRoutine,
    IoSkipCurrentIrpStackLocation,
    Irp,
)
from vreader.wdm.rootbus import DEVICE_RELATIONS, DeviceRelationType, bus_dispatch


class SmartCardFilter:
    """The filter driver of one reader; its :meth:`DriverEntry` goes into ``filters``.

    Args:
        by_atr: a card has a devnode as soon as it has answered its reset; False leaves that to
            whoever asks the card first (:meth:`identify`).
    """

    def __init__(self, *, by_atr: bool = True) -> None:
        self._by_atr = by_atr
        self._lower: DeviceObject | None = None
        self._pdo: DeviceObject | None = None
        self._device: DeviceObject | None = None
        self._child: DeviceObject | None = None
        self._count = 0
        self._has_card = False

    @property
    def card(self) -> DeviceObject | None:
        """The card's PDO, or None without a card that has an identity."""
        return self._child

    def DriverEntry(self, driver: DriverObject) -> NTSTATUS:
        """Fill the dispatch table: everything passes through."""
        driver.AddDevice = self.AddDevice
        driver.MajorFunction[:] = [self.Dispatch] * len(driver.MajorFunction)
        return NTSTATUS.SUCCESS

    def AddDevice(self, driver: DriverObject, pdo: DeviceObject) -> NTSTATUS:
        """Attach above the reader; one object filters one."""
        if self._device is not None:
            return NTSTATUS.INVALID_DEVICE_STATE
        self._device = device = driver.io.IoCreateDevice(driver, "scfilter", None)
        self._lower = driver.io.IoAttachDeviceToDeviceStack(device, pdo)
        self._pdo = pdo
        device.Flags &= ~DO_DEVICE_INITIALIZING
        return NTSTATUS.SUCCESS

    def Dispatch(self, device: DeviceObject, irp: Irp) -> NTSTATUS:
        """Pass a request on; be a bus for the card's own."""
        if device is not self._device:
            return bus_dispatch(device, irp)
        location = IoGetCurrentIrpStackLocation(irp)
        assert self._lower is not None  # AddDevice attached it
        lower, major, minor = self._lower, location.MajorFunction, location.MinorFunction
        if major == IRP_MJ.DEVICE_CONTROL and location.IoControlCode in _WATCHED:
            IoCopyCurrentIrpStackLocationToNext(irp)
            IoSetCompletionRoutine(irp, self._passed, location.IoControlCode)
            return IoCallDriver(lower, irp)
        if major == IRP_MJ.PNP and minor == IRP_MN.QUERY_DEVICE_RELATIONS:
            relations = location.Parameters
            if (
                isinstance(relations, DEVICE_RELATIONS)
                and relations.Type is DeviceRelationType.BusRelations
            ):
                relations.Objects = [self._child] if self._child is not None else []
                irp.IoStatus.Status = NTSTATUS.SUCCESS
        IoSkipCurrentIrpStackLocation(irp)
        status = IoCallDriver(lower, irp)
        if major == IRP_MJ.PNP and minor in (IRP_MN.SURPRISE_REMOVAL, IRP_MN.REMOVE_DEVICE):
            self._child = self._pdo = None  # the PnP manager takes the card with its reader
            if minor == IRP_MN.REMOVE_DEVICE:
                device.DriverObject.io.IoDetachDevice(lower)
                device.DriverObject.io.IoDeleteDevice(device)
                self._device = None
        return status

    def _passed(self, device: DeviceObject | None, irp: Irp, context: object) -> NTSTATUS:
        if irp.PendingReturned:
            IoMarkIrpPending(irp)
        if irp.IoStatus.Status is NTSTATUS.SUCCESS:
            self._has_card = context != Ioctl.SMARTCARD_IS_ABSENT
            if not self._has_card:
                self._replace(None)
            elif self._by_atr and context == Ioctl.SMARTCARD_POWER and irp.IoStatus.Information:
                hardware_id = card_id(bytes(irp.SystemBuffer[: irp.IoStatus.Information]))
                if hardware_id and not self._is_known(hardware_id):
                    self.identify([hardware_id])
        return NTSTATUS.SUCCESS

    def _is_known(self, hardware_id: str) -> bool:
        return self._child is not None and self._child.properties["card"] == hardware_id

    def identify(
        self,
        hardware_ids: list[str],
        compatible_ids: tuple[str, ...] = (),
        instance_id: str = "",
    ) -> None:
        """Let the card in the reader have these ids, the best first; without one: nothing.

        Args:
            hardware_ids: of its devnode.
            compatible_ids: of its devnode.
            instance_id: tells devnodes of the same ids apart; a number by default.
        """
        if self._device is None or self._pdo is None or not self._has_card:
            return
        driver = self._device.DriverObject
        self._count += 1
        child = driver.io.IoCreateDevice(driver, f"card{self._count}", None)
        child.properties = {
            "card": hardware_ids[0],
            "hardware_ids": hardware_ids,
            "compatible_ids": list(compatible_ids),
            "instance_id": [instance_id or str(self._count)],
        }
        child.Flags &= ~DO_DEVICE_INITIALIZING
        self._replace(child)

    def _replace(self, child: DeviceObject | None) -> None:
        if child is not self._child and self._pdo is not None:
            self._child = child
            self._pdo.DriverObject.io.IoInvalidateDeviceRelations(self._pdo)


_WATCHED = frozenset({Ioctl.SMARTCARD_POWER, Ioctl.SMARTCARD_IS_ABSENT})


def card_id(atr: bytes) -> str:
    r"""Return ``SCFILTER\CID_<historical bytes>``; empty where the ATR has none to offer."""
    try:
        historical = Atr.parse(atr).historical
    except AtrError:
        return ""
    return device_id(historical) if historical else ""
