# SPDX-License-Identifier: Apache-2.0
"""The I/O request packet: what travels down a device stack, is pended, cancelled and completed.

An IRP carries a stack location per device of the stack, ONE system buffer for input and output
(METHOD_BUFFERED), a status block and its own history. It completes exactly once: a second
completion is a BugCheck, as Driver Verifier has it. Which driver answers what never stands here.
"""

from collections.abc import Callable
from enum import IntEnum
from typing import TYPE_CHECKING, TypeAlias

from vreader.wdm.status import NTSTATUS

if TYPE_CHECKING:
    from vreader.wdm.objects import DeviceObject, FileObject


class IRP_MJ(IntEnum):
    """Major function codes; the index into a driver's dispatch table."""

    CREATE = 0x00
    CLOSE = 0x02
    READ = 0x03
    WRITE = 0x04
    DEVICE_CONTROL = 0x0E
    SHUTDOWN = 0x10
    CLEANUP = 0x12
    POWER = 0x16
    SYSTEM_CONTROL = 0x17
    PNP = 0x1B


IRP_MJ_MAXIMUM_FUNCTION = 0x1B


class IRP_MN(IntEnum):
    """Minor codes of IRP_MJ_PNP."""

    START_DEVICE = 0x00
    QUERY_REMOVE_DEVICE = 0x01
    REMOVE_DEVICE = 0x02
    CANCEL_REMOVE_DEVICE = 0x03
    STOP_DEVICE = 0x04
    QUERY_STOP_DEVICE = 0x05
    CANCEL_STOP_DEVICE = 0x06
    QUERY_DEVICE_RELATIONS = 0x07
    QUERY_INTERFACE = 0x08
    QUERY_CAPABILITIES = 0x09
    QUERY_ID = 0x13
    QUERY_PNP_DEVICE_STATE = 0x14
    SURPRISE_REMOVAL = 0x17


class IRP_MN_POWER(IntEnum):
    """Minor codes of IRP_MJ_POWER."""

    WAIT_WAKE = 0x00
    SET_POWER = 0x02
    QUERY_POWER = 0x03


class BugCheck(Exception):  # noqa: N818 - Windows' word for it
    """A broken invariant of the driver model: a bug in a driver or in this program.

    Attributes:
        code: the bug check code, e.g. 0x44 MULTIPLE_IRP_COMPLETE_REQUESTS.
        history: what happened to the IRP, oldest first.
    """

    def __init__(self, code: int, name: str, irp: "Irp | None" = None) -> None:
        self.code = code
        self.history = list(irp.history) if irp is not None else []
        story = "; ".join(map(str, self.history))
        super().__init__(f"bug check 0x{code:02X} {name}" + (f" [{story}]" if story else ""))


SL_PENDING_RETURNED = 0x01

# Python 3.11 takes a quarter of a microsecond to find a member of an enumeration; these are on the
# way of every request.
_PENDING, _MORE_PROCESSING = NTSTATUS.PENDING, NTSTATUS.MORE_PROCESSING_REQUIRED

CompletionRoutine = Callable[["DeviceObject | None", "Irp", object], NTSTATUS]
CancelRoutine = Callable[["DeviceObject", "Irp"], None]
_Completion: TypeAlias = CompletionRoutine | None
_Cancel: TypeAlias = CancelRoutine | None


class IO_STACK_LOCATION:
    """What one driver of the stack is asked: function, parameters, device and file object."""

    # Defaults of the class: most locations keep most of them, and one is made for every request.
    MajorFunction: int = 0
    MinorFunction: int = 0
    Control: int = 0
    DeviceObject: "DeviceObject | None" = None
    FileObject: "FileObject | None" = None
    IoControlCode: int = 0
    InputBufferLength: int = 0
    OutputBufferLength: int = 0
    Parameters: object = None
    CompletionRoutine: _Completion = None
    Context: object = None

    def copy_request_to(self, other: "IO_STACK_LOCATION") -> None:
        """Copy everything a lower driver needs; not the completion routine, not Control."""
        other.MajorFunction = self.MajorFunction
        other.MinorFunction = self.MinorFunction
        other.FileObject = self.FileObject
        other.IoControlCode = self.IoControlCode
        other.InputBufferLength = self.InputBufferLength
        other.OutputBufferLength = self.OutputBufferLength
        other.Parameters = self.Parameters


# Stands for a location nobody has filled; most IRPs never go below the function driver.
_UNUSED = IO_STACK_LOCATION()


class IO_STATUS_BLOCK:
    """The answer: a status, and for successes how many bytes of the buffer count."""

    Status: NTSTATUS = NTSTATUS.NOT_SUPPORTED
    Information: int = 0


class Irp:
    """One request on its way through a device stack.

    Attributes:
        stack: one location per device, the lowest device's first; made when first needed.
        current: index of the location in force; len(stack) before the first call.
        SystemBuffer: the one METHOD_BUFFERED buffer, max(input, output) bytes.
        IoStatus: the status block.
        Cancel: a cancel was requested.
        CancelRoutine: called on cancel while the IRP is pending and cancelable.
        PendingReturned: a lower driver marked it pending (for completion routines).
        history: what happened, as short texts and the completion status, for BugCheck and tests.
        observer: called first when the IRP is completed; the driver library's bookkeeping.
        done: called last, by the I/O manager, with the completed IRP.
    """

    Cancel: bool = False
    CancelRoutine: _Cancel = None
    PendingReturned: bool = False
    observer: "Callable[[Irp], None] | None" = None
    done: "Callable[[Irp], None] | None" = None

    def __init__(self, stack_size: int, buffer: bytearray) -> None:
        self.stack: list[IO_STACK_LOCATION] = [_UNUSED] * stack_size
        self.current = stack_size
        self.SystemBuffer = buffer
        self.IoStatus = IO_STATUS_BLOCK()
        self.history: list[object] = []

    @property
    def completed(self) -> bool:
        """Whether the I/O manager has finished with it."""
        return self.current > len(self.stack)


def IoAllocateIrp(stack_size: int, buffer: bytearray | None = None) -> Irp:
    """Make an IRP for a stack of ``stack_size`` devices."""
    return Irp(stack_size, bytearray() if buffer is None else buffer)


def IoGetCurrentIrpStackLocation(irp: Irp) -> IO_STACK_LOCATION:
    """Return the location of the driver that has the IRP now."""
    return irp.stack[irp.current]


def IoGetNextIrpStackLocation(irp: Irp) -> IO_STACK_LOCATION:
    """Return the location of the next lower driver, to be filled before IoCallDriver."""
    if irp.current == 0:
        raise BugCheck(0x35, "NO_MORE_IRP_STACK_LOCATIONS", irp)
    location = irp.stack[irp.current - 1]
    if location is _UNUSED:
        location = irp.stack[irp.current - 1] = IO_STACK_LOCATION()
    return location


def IoCopyCurrentIrpStackLocationToNext(irp: Irp) -> None:
    """Ask the next lower driver the same; a completion routine may be set afterwards."""
    irp.stack[irp.current].copy_request_to(IoGetNextIrpStackLocation(irp))


def IoSkipCurrentIrpStackLocation(irp: Irp) -> None:
    """Let the next lower driver use this driver's own location: no interest in the completion."""
    irp.current += 1


def IoSetCompletionRoutine(irp: Irp, routine: CompletionRoutine, context: object) -> None:
    """Have ``routine(device, irp, context)`` called when the next lower driver completes the IRP.

    It returns STATUS_MORE_PROCESSING_REQUIRED to keep the IRP, anything else to let it go on up.
    """
    location = IoGetNextIrpStackLocation(irp)
    location.CompletionRoutine = routine
    location.Context = context


def IoMarkIrpPending(irp: Irp) -> None:
    """Say that the dispatch routine will return STATUS_PENDING and complete the IRP later."""
    irp.stack[irp.current].Control |= SL_PENDING_RETURNED
    irp.history.append("marked pending")


def IoSetCancelRoutine(irp: Irp, routine: CancelRoutine | None) -> CancelRoutine | None:
    """Set the cancel routine; return the one before."""
    before, irp.CancelRoutine = irp.CancelRoutine, routine
    return before


def IoCancelIrp(irp: Irp) -> bool:
    """Ask for cancellation; whether a cancel routine was there to be called."""
    if irp.completed:
        return False
    irp.Cancel = True
    routine = IoSetCancelRoutine(irp, None)
    irp.history.append("cancel requested")
    if routine is None:
        return False
    device = irp.stack[irp.current].DeviceObject
    if device is None:
        raise BugCheck(0xC9, "cancel of an IRP that no driver has", irp)
    routine(device, irp)
    return True


def IoCallDriver(device: "DeviceObject", irp: Irp) -> NTSTATUS:
    """Hand the IRP to ``device``'s driver; returns what its dispatch routine returns."""
    index = irp.current = irp.current - 1
    if index < 0:
        raise BugCheck(0x35, "NO_MORE_IRP_STACK_LOCATIONS", irp)
    location = irp.stack[index]
    if location is _UNUSED:
        raise BugCheck(0xC9, "IoCallDriver with a stack location nobody has filled", irp)
    location.DeviceObject = device
    driver = device.DriverObject
    irp.history.append(driver.name)
    status = driver.MajorFunction[location.MajorFunction](device, irp)
    if (status is _PENDING) is not bool(location.Control & SL_PENDING_RETURNED):
        _verify_pending(irp, index, driver.name, status)
    return status


def _verify_pending(irp: Irp, index: int, name: str, status: NTSTATUS) -> None:
    """Driver Verifier: PENDING is returned when, and only when, the IRP was marked pending.

    A driver that passes a request on returns the lower driver's PENDING without a mark of its own.
    """
    if status is not _PENDING:
        raise BugCheck(0xC9, f"{name} marked an IRP pending and returned {status!s}", irp)
    if not any(below.Control & SL_PENDING_RETURNED for below in irp.stack[:index]):
        raise BugCheck(0xC9, f"{name} returned PENDING without IoMarkIrpPending", irp)


def complete(irp: Irp, status: NTSTATUS) -> NTSTATUS:
    """Complete ``irp`` with ``status`` and return it, as a dispatch routine does."""
    irp.IoStatus.Status = status
    IoCompleteRequest(irp)
    return status


def answer_in_buffer(irp: Irp, answer: bytes) -> NTSTATUS:
    """Put an answer into the system buffer; return the status to complete the request with."""
    if len(answer) > irp.stack[irp.current].OutputBufferLength:
        return NTSTATUS.BUFFER_TOO_SMALL
    irp.SystemBuffer[: len(answer)] = answer
    irp.IoStatus.Information = len(answer)
    return NTSTATUS.SUCCESS


def IoCompleteRequest(irp: Irp) -> None:
    """Complete the IRP: completion routines from the lowest up, then the I/O manager."""
    size = len(irp.stack)
    if irp.current >= size:
        raise BugCheck(0x44, "MULTIPLE_IRP_COMPLETE_REQUESTS", irp)
    status = irp.IoStatus.Status
    irp.history.append(status)
    if status is _PENDING:
        raise BugCheck(0xC9, "IoCompleteRequest with STATUS_PENDING", irp)
    if irp.CancelRoutine is not None:
        raise BugCheck(0xC9, "IoCompleteRequest with a cancel routine set", irp)
    if (observer := irp.observer) is not None:
        irp.observer = None
        observer(irp)
    while irp.current < size:
        location = irp.stack[irp.current]
        irp.PendingReturned = bool(location.Control & SL_PENDING_RETURNED)
        irp.current += 1
        upper = irp.stack[irp.current] if irp.current < size else None
        if location.CompletionRoutine is not None:
            device = upper.DeviceObject if upper is not None else None
            # As if zeroed: nothing of it counts when the routine sends the request down again.
            irp.stack[irp.current - 1] = _UNUSED
            more = location.CompletionRoutine(device, irp, location.Context)
            if more is _MORE_PROCESSING:
                return
        elif irp.PendingReturned and upper is not None:
            upper.Control |= SL_PENDING_RETURNED
    irp.current = size + 1
    if irp.done is not None:
        irp.done(irp)
