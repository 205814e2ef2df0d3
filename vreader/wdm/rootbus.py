# SPDX-License-Identifier: Apache-2.0
"""The root bus driver: it makes one PDO per simulated device and answers what a bus is asked.

Parameters of the PnP queries are objects that carry the answer back up; what the bus says comes
from the PDO's properties ``hardware_ids``, ``compatible_ids`` and ``instance_id``.
"""

from enum import IntEnum

from vreader.wdm.irp import (
    IRP_MJ,
    IRP_MN,
    IoCompleteRequest,
    IoGetCurrentIrpStackLocation,
    Irp,
)
from vreader.wdm.lifecycle import PnpState
from vreader.wdm.objects import (
    DeviceObject,
    DriverDispatch,
    DriverObject,
    invalid_device_request,
)
from vreader.wdm.power import DEVICE_STATES
from vreader.wdm.status import NTSTATUS


class BusQueryId(IntEnum):
    """Parameters.QueryId.IdType."""

    DeviceID = 0
    HardwareIDs = 1
    CompatibleIDs = 2
    InstanceID = 3


class QUERY_ID:
    """Parameters and answer of IRP_MN_QUERY_ID: a list of texts, one for DeviceID, InstanceID."""

    def __init__(self, id_type: BusQueryId) -> None:
        self.IdType = id_type
        self.Ids: list[str] = []


class DeviceRelationType(IntEnum):
    """Parameters.QueryDeviceRelations.Type."""

    BusRelations = 0
    EjectionRelations = 1
    PowerRelations = 2
    RemovalRelations = 3
    TargetDeviceRelation = 4


class DEVICE_RELATIONS:
    """Parameters and answer of IRP_MN_QUERY_DEVICE_RELATIONS."""

    def __init__(self, relation: DeviceRelationType) -> None:
        self.Type = relation
        self.Objects: list[DeviceObject] = []


class DEVICE_CAPABILITIES:
    """Answer of IRP_MN_QUERY_CAPABILITIES; DeviceState is the D state for each of S0 … S5."""

    def __init__(self) -> None:
        self.Version = 1
        self.Removable = False
        self.EjectSupported = False
        self.UniqueID = False
        self.SilentInstall = False
        self.RawDeviceOK = False
        self.SurpriseRemovalOK = False
        self.DeviceState: tuple[int, ...] = DEVICE_STATES


class PNP_DEVICE_STATE:
    """Answer of IRP_MN_QUERY_PNP_DEVICE_STATE; a driver sets what it knows and passes it down."""

    def __init__(self) -> None:
        self.Disabled = False
        self.Removed = False
        self.Failed = False
        self.NotDisableable = False


def _texts(pdo: DeviceObject, name: str) -> list[str]:
    value = pdo.properties.get(name, ())
    return [str(each) for each in value] if isinstance(value, list | tuple) else [str(value)]


def answer_query(pdo: DeviceObject, minor: int, parameters: object) -> bool:
    """Fill in what a bus knows of its PDO; False for a request it does not know."""
    if minor == IRP_MN.QUERY_ID and isinstance(parameters, QUERY_ID):
        names = ("hardware_ids", "hardware_ids", "compatible_ids", "instance_id")
        ids = _texts(pdo, names[parameters.IdType])
        parameters.Ids = ids[:1] if parameters.IdType is BusQueryId.DeviceID else ids
        return bool(ids)
    if minor == IRP_MN.QUERY_CAPABILITIES and isinstance(parameters, DEVICE_CAPABILITIES):
        parameters.Removable = parameters.SurpriseRemovalOK = True
        parameters.UniqueID = False
        return True
    if minor == IRP_MN.QUERY_DEVICE_RELATIONS and isinstance(parameters, DEVICE_RELATIONS):
        if parameters.Type is DeviceRelationType.TargetDeviceRelation:
            parameters.Objects = [pdo]
            return True
        return False
    if minor == IRP_MN.QUERY_PNP_DEVICE_STATE and isinstance(parameters, PNP_DEVICE_STATE):
        parameters.Removed |= pdo.pnp_state is PnpState.SURPRISE_REMOVED
        return True
    return False


_SUCCEEDS = frozenset(
    {
        IRP_MN.START_DEVICE,
        IRP_MN.QUERY_REMOVE_DEVICE,
        IRP_MN.REMOVE_DEVICE,
        IRP_MN.CANCEL_REMOVE_DEVICE,
        IRP_MN.STOP_DEVICE,
        IRP_MN.QUERY_STOP_DEVICE,
        IRP_MN.CANCEL_STOP_DEVICE,
        IRP_MN.SURPRISE_REMOVAL,
    }
)


def bus_pnp(device: DeviceObject, irp: Irp) -> NTSTATUS:
    """Succeed or answer; a request the bus does not know keeps the status it came with."""
    location = IoGetCurrentIrpStackLocation(irp)
    minor = location.MinorFunction
    if minor in _SUCCEEDS or answer_query(device, minor, location.Parameters):
        irp.IoStatus.Status = NTSTATUS.SUCCESS
    status = irp.IoStatus.Status
    IoCompleteRequest(irp)
    return status


def _succeed(device: DeviceObject, irp: Irp) -> NTSTATUS:
    irp.IoStatus.Status = NTSTATUS.SUCCESS
    IoCompleteRequest(irp)
    return NTSTATUS.SUCCESS


BUS_DISPATCH: dict[int, DriverDispatch] = {
    IRP_MJ.CREATE: _succeed,
    IRP_MJ.CLOSE: _succeed,
    IRP_MJ.CLEANUP: _succeed,
    IRP_MJ.POWER: _succeed,
    IRP_MJ.PNP: bus_pnp,
}


def bus_dispatch(device: DeviceObject, irp: Irp) -> NTSTATUS:
    """Answer for a PDO; what a driver dispatches to that is a bus beside something else."""
    major = IoGetCurrentIrpStackLocation(irp).MajorFunction
    return BUS_DISPATCH.get(major, invalid_device_request)(device, irp)


def bus_entry(driver: DriverObject) -> NTSTATUS:
    """DriverEntry of the root bus."""
    for major, dispatch in BUS_DISPATCH.items():
        driver.MajorFunction[major] = dispatch
    return NTSTATUS.SUCCESS
