# SPDX-License-Identifier: Apache-2.0
"""How a driver is broken in one place: answers put in before, or changed after, the right ones."""

from vreader.reader.driver import VirtualReader
from vreader.wdm import NTSTATUS, IoCompleteRequest, IoGetCurrentIrpStackLocation, Irp


class Broken(VirtualReader):
    """The virtual reader's driver; each subclass has one fault.

    Attributes:
        fails: the check that names the fault.
    """

    service = "broken"
    inf = None
    fails = ""

    def instead(self, ext, irp: Irp, code: int, data: bytes):
        """Return a status, or the bytes of a success, to answer a request with; None serves it.

        PENDING keeps the request.
        """
        return

    def DispatchDeviceControl(self, device, irp):
        extension = device.DeviceExtension
        if extension.Refuse is None:
            location = IoGetCurrentIrpStackLocation(irp)
            data = bytes(irp.SystemBuffer[: location.InputBufferLength])
            answer = self.instead(extension.SmartcardExtension, irp, location.IoControlCode, data)
            if answer is NTSTATUS.PENDING:
                return answer
            if answer is not None:
                return complete(irp, answer)
        return super().DispatchDeviceControl(device, irp)


def complete(irp: Irp, answer: NTSTATUS | bytes) -> NTSTATUS:
    """Complete a request with a status, or successfully with as many bytes as there is room."""
    status = answer
    if isinstance(answer, bytes):
        answer = answer[: room(irp)]
        irp.SystemBuffer[: len(answer)] = answer
        irp.IoStatus.Information = len(answer)
        status = NTSTATUS.SUCCESS
    irp.IoStatus.Status = status
    IoCompleteRequest(irp)
    return status


def room(irp: Irp) -> int:
    return IoGetCurrentIrpStackLocation(irp).OutputBufferLength


def afterwards(ext, change) -> None:
    """Have ``change(irp)`` spoil the request in hand when it is complete, before anybody sees."""
    irp = ext.OsData.CurrentIrp
    observer = irp.observer

    def spoil(irp: Irp) -> None:
        change(irp)
        observer(irp)

    irp.observer = spoil


def u32(value: int) -> bytes:
    return value.to_bytes(4, "little")
