# SPDX-License-Identifier: Apache-2.0
"""A small Windows kernel: I/O manager, driver, device and file objects, IRPs, PnP and power.

Routines of the Windows documentation keep their names. All of it runs under the host's lock, never
blocks and knows nothing of cards. Not modelled: IRQL, DPCs, MDLs, hardware resources, WMI content.
"""

from vreader.wdm.io_manager import IoManager, WorkItem
from vreader.wdm.irp import (
    IRP_MJ,
    IRP_MN,
    IRP_MN_POWER,
    BugCheck,
    IoAllocateIrp,
    IoCallDriver,
    IoCancelIrp,
    IoCompleteRequest,
    IoCopyCurrentIrpStackLocationToNext,
    IoGetCurrentIrpStackLocation,
    IoGetNextIrpStackLocation,
    IoMarkIrpPending,
    IoSetCancelRoutine,
    IoSetCompletionRoutine,
    IoSkipCurrentIrpStackLocation,
    Irp,
)
from vreader.wdm.objects import (
    DO_DEVICE_INITIALIZING,
    DeviceObject,
    DriverObject,
    FileObject,
    Handle,
)
from vreader.wdm.pnp import PnpManager
from vreader.wdm.status import NTSTATUS, RtlNtStatusToDosError

__all__ = [
    "DO_DEVICE_INITIALIZING",
    "IRP_MJ",
    "IRP_MN",
    "IRP_MN_POWER",
    "NTSTATUS",
    "BugCheck",
    "DeviceObject",
    "DriverObject",
    "FileObject",
    "Handle",
    "IoAllocateIrp",
    "IoCallDriver",
    "IoCancelIrp",
    "IoCompleteRequest",
    "IoCopyCurrentIrpStackLocationToNext",
    "IoGetCurrentIrpStackLocation",
    "IoGetNextIrpStackLocation",
    "IoManager",
    "IoMarkIrpPending",
    "IoSetCancelRoutine",
    "IoSetCompletionRoutine",
    "IoSkipCurrentIrpStackLocation",
    "Irp",
    "PnpManager",
    "RtlNtStatusToDosError",
    "WorkItem",
]
