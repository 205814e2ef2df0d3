# SPDX-License-Identifier: Apache-2.0
"""Part C: drivers that Driver Verifier catches."""

from broken.base import Broken

from vreader.reader.driver import VirtualReader
from vreader.wdm import NTSTATUS, IoCompleteRequest, IoMarkIrpPending, IoSetCancelRoutine


class CompletesTwice(Broken):
    """A reset is completed by the driver and by the library."""

    fails = "C.driver-verifier"

    def RDF_SET_PROTOCOL(self, ext):
        status = VirtualReader.RDF_SET_PROTOCOL(ext)
        ext.OsData.CurrentIrp.IoStatus.Status = status
        IoCompleteRequest(ext.OsData.CurrentIrp)
        return status


class PendsUnmarked(Broken):
    """STATUS_PENDING is returned without IoMarkIrpPending."""

    fails = "C.driver-verifier"

    def RDF_SET_PROTOCOL(self, ext):
        return NTSTATUS.PENDING


class MarksAndAnswers(Broken):
    """A request is marked pending and answered at once."""

    fails = "C.driver-verifier"

    def RDF_SET_PROTOCOL(self, ext):
        IoMarkIrpPending(ext.OsData.CurrentIrp)
        return VirtualReader.RDF_SET_PROTOCOL(ext)


class KeepsItsCancelRoutine(Broken):
    """A request is completed that can still be cancelled."""

    fails = "C.driver-verifier"

    def RDF_SET_PROTOCOL(self, ext):
        IoSetCancelRoutine(ext.OsData.CurrentIrp, lambda device, irp: None)
        return VirtualReader.RDF_SET_PROTOCOL(ext)


class ReturnsSomethingElse(Broken):
    """The dispatch routine returns another status than the request's."""

    fails = "C.driver-verifier"

    def DispatchDeviceControl(self, device, irp):
        status = super().DispatchDeviceControl(device, irp)
        return NTSTATUS.UNSUCCESSFUL if status is NTSTATUS.SUCCESS else status


class Raises(Broken):
    """The driver's code has a fault of its own."""

    fails = "C.driver-verifier"

    def RDF_SET_PROTOCOL(self, ext):
        return ext.NoSuchMember
