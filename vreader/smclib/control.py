# SPDX-License-Identifier: Apache-2.0
"""SmartcardDeviceControl: the main entry point for requests to a reader driver.

The library checks, answers what it can alone, and calls the driver's RDF_* callback for the rest.
Order of checks (WDK, 1998 DDK; where they are silent the order contradicts none of their statuses):
remove lock, power switch, busy, unknown code, NULL callback, buffers, state, callback.

No two callbacks run at once. A callback that returns STATUS_PENDING owns the request until it
completes the IRP; until then everything but card tracking is answered STATUS_DEVICE_BUSY.
"""

from collections.abc import Callable
from functools import partial

from vreader.smclib.attributes import get_attribute, set_attribute
from vreader.smclib.checks import CALLBACKS, VENDOR
from vreader.smclib.ioctl import IO_REQUEST_SIZE, Ioctl
from vreader.smclib.library import SmartcardReleaseRemoveLock, selected_reply
from vreader.smclib.states import CardState
from vreader.smclib.structs import RDF, SMARTCARD_EXTENSION
from vreader.wdm import NTSTATUS, BugCheck, IoCompleteRequest, Irp
from vreader.wdm.irp import IO_STACK_LOCATION, complete

_Answer = Callable[[SMARTCARD_EXTENSION, IO_STACK_LOCATION, bytearray], bytes | NTSTATUS]

# On the way of every request, and dear to look up in Python 3.11: see vreader.wdm.irp.
_SUCCESS, _PENDING = NTSTATUS.SUCCESS, NTSTATUS.PENDING
_TRANSMIT, _SET_PROTOCOL = RDF.TRANSMIT, RDF.SET_PROTOCOL


def SmartcardDeviceControl(ext: SMARTCARD_EXTENSION, irp: Irp) -> NTSTATUS:
    """Handle IRP_MJ_DEVICE_CONTROL for a reader; DispatchDeviceControl returns the result."""
    data = ext.OsData
    lock = data.RemoveLock
    if lock.removed:
        return complete(irp, NTSTATUS.DELETE_PENDING)
    location = irp.stack[irp.current]
    code = location.IoControlCode
    entry = CALLBACKS.get(code)
    if data.PoweredOff and code in _STANDARD:
        return complete(irp, NTSTATUS.DEVICE_POWERED_OFF)
    if entry is None and code in _TRACKING:
        return _track(ext, irp, location, code)
    if data.CurrentIrp is not None:
        return complete(irp, NTSTATUS.DEVICE_BUSY)
    if entry is None:
        if (answer := _ANSWERS.get(code)) is not None:
            return _answer(ext, irp, location, answer)
        entry = VENDOR
    index, check = entry
    callback = ext.ReaderFunction[index]
    if callback is None:
        return complete(irp, NTSTATUS.NOT_SUPPORTED)
    buffer = irp.SystemBuffer
    status = check(ext, location, buffer)
    if status is not _SUCCESS:
        return _refuse(ext, irp, status)
    if index is _SET_PROTOCOL and (reply := selected_reply(ext)):
        return _reply(irp, location, reply)
    lock.count += 1
    data.CurrentIrp = irp
    data.StartedAt = data.Now()
    irp.observer = partial(_transmitted if index is _TRANSMIT else _released, ext)
    ext.MajorIoControlCode = code
    request = ext.IoRequest
    request.Information = 0
    request.RequestBuffer = request.ReplyBuffer = buffer
    request.RequestBufferLength = location.InputBufferLength
    request.ReplyBufferLength = location.OutputBufferLength
    status = callback(ext)
    if status is _PENDING:
        return status
    if type(status) is not NTSTATUS:
        raise _no_status(RDF(index), status, irp)
    irp.IoStatus.Information = 0 if status.is_error else request.Information
    return complete(irp, status)


def _no_status(callback: RDF, returned: object, irp: Irp) -> BugCheck:
    """Return what to raise for a callback that forgot to return a status."""
    what = type(returned).__name__  # its value may be the card's answer
    return BugCheck(0xC9, f"RDF_{callback.name} returned {what}, not an NTSTATUS", irp)


def needs_card(irp: Irp) -> bool:
    """Whether a request is for a callback, tracking aside: one that needs the device's power."""
    code = irp.stack[irp.current].IoControlCode
    return code not in _ANSWERS and code not in _TRACKING


def _refuse(ext: SMARTCARD_EXTENSION, irp: Irp, status: NTSTATUS) -> NTSTATUS:
    """Refuse a request for what is in its buffers or for the state.

    Two texts of Microsoft's disagree about who completes it, this library or the driver.
    """
    irp.IoStatus.Status = status
    if ext.Profile.library_completes:
        IoCompleteRequest(irp)
    return status


def _released(ext: SMARTCARD_EXTENSION, irp: Irp) -> None:
    """Bookkeeping when a callback's request completes: the next one may come."""
    ext.OsData.CurrentIrp = None
    SmartcardReleaseRemoveLock(ext)


def _transmitted(ext: SMARTCARD_EXTENSION, irp: Irp) -> None:
    """Count a TRANSMIT, then the usual bookkeeping."""
    if irp.IoStatus.Status is _SUCCESS:
        data, perf = ext.OsData, ext.PerfInfo
        perf.NumTransmissions += 1
        perf.BytesSent += irp.stack[irp.current].InputBufferLength - IO_REQUEST_SIZE
        perf.BytesReceived += irp.IoStatus.Information - IO_REQUEST_SIZE
        perf.IoMicroseconds += int((data.Now() - data.StartedAt) * 1e6)
    _released(ext, irp)


# ------------------------------------------------------------------ card tracking

_TRACKING = {Ioctl.SMARTCARD_IS_PRESENT: True, Ioctl.SMARTCARD_IS_ABSENT: False}


def _track(ext: SMARTCARD_EXTENSION, irp: Irp, location: IO_STACK_LOCATION, code: int) -> NTSTATUS:
    """IS_PRESENT and IS_ABSENT share one slot: OsData->NotificationIrp."""
    data = ext.OsData
    callback = ext.ReaderFunction[RDF.CARD_TRACKING]
    if callback is None:
        return complete(irp, NTSTATUS.NOT_SUPPORTED)
    if ext.Profile.tracking_refuses_buffers and (
        location.InputBufferLength or location.OutputBufferLength
    ):
        return _refuse(ext, irp, NTSTATUS.INVALID_PARAMETER)
    present = ext.ReaderCapabilities.CurrentState > CardState.ABSENT
    satisfied = present == _TRACKING[Ioctl(code)]
    busy = data.NotificationIrp is not None
    if busy and (ext.Profile.tracking_busy_first or not satisfied):
        return complete(irp, NTSTATUS.DEVICE_BUSY)
    if satisfied:
        return complete(irp, NTSTATUS.SUCCESS)
    data.RemoveLock.count += 1
    data.NotificationIrp = irp
    irp.observer = partial(_tracked, ext)
    major, ext.MajorIoControlCode = ext.MajorIoControlCode, code
    status = callback(ext)
    if type(status) is not NTSTATUS:
        raise _no_status(RDF.CARD_TRACKING, status, irp)
    if data.CurrentIrp is not None:
        ext.MajorIoControlCode = major  # that of the request in hand beside this one
    if status is NTSTATUS.PENDING:
        return status
    data.NotificationIrp = None
    return complete(irp, status)


def _tracked(ext: SMARTCARD_EXTENSION, irp: Irp) -> None:
    SmartcardReleaseRemoveLock(ext)


# ------------------------------------------------------------------ answered by the library


def _answer(
    ext: SMARTCARD_EXTENSION, irp: Irp, location: IO_STACK_LOCATION, answer: _Answer
) -> NTSTATUS:
    reply = answer(ext, location, irp.SystemBuffer)
    if isinstance(reply, NTSTATUS):
        return complete(irp, reply) if reply is _SUCCESS else _refuse(ext, irp, reply)
    if len(reply) > location.OutputBufferLength:
        return _refuse(ext, irp, NTSTATUS.BUFFER_TOO_SMALL)
    return _reply(irp, location, reply)


def _reply(irp: Irp, location: IO_STACK_LOCATION, reply: bytes) -> NTSTATUS:
    """Succeed with ``reply``, which fits."""
    irp.SystemBuffer[: len(reply)] = reply
    irp.IoStatus.Information = len(reply)
    return complete(irp, NTSTATUS.SUCCESS)


def _get_state(
    ext: SMARTCARD_EXTENSION, location: IO_STACK_LOCATION, buffer: bytearray
) -> bytes | NTSTATUS:
    if location.OutputBufferLength < 4:
        return ext.Profile.short_buffer
    return ext.ReaderCapabilities.CurrentState.to_bytes(4, "little")


def _get_attribute(
    ext: SMARTCARD_EXTENSION, location: IO_STACK_LOCATION, buffer: bytearray
) -> bytes | NTSTATUS:
    if location.InputBufferLength != 4:
        return NTSTATUS.INVALID_PARAMETER
    value = get_attribute(ext, int.from_bytes(buffer[:4], "little"))
    if isinstance(value, bytes) and not location.OutputBufferLength:
        return ext.Profile.short_buffer
    return value


def _set_attribute(
    ext: SMARTCARD_EXTENSION, location: IO_STACK_LOCATION, buffer: bytearray
) -> bytes | NTSTATUS:
    length = location.InputBufferLength
    if length < 4:
        return NTSTATUS.INVALID_PARAMETER
    tag = int.from_bytes(buffer[:4], "little")
    return set_attribute(ext, tag, bytes(buffer[4:length]))


def _get_last_error(
    ext: SMARTCARD_EXTENSION, location: IO_STACK_LOCATION, buffer: bytearray
) -> bytes | NTSTATUS:
    """Meaningful for VxD drivers only; under WDM always STATUS_SUCCESS."""
    if location.OutputBufferLength < 4:
        return ext.Profile.short_buffer
    return ext.LastError.to_bytes(4, "little")


def _get_perf_cntr(
    ext: SMARTCARD_EXTENSION, location: IO_STACK_LOCATION, buffer: bytearray
) -> bytes | NTSTATUS:
    """No page documents the reply: here the three SCARD_PERF_* values, a ULONG each."""
    if not ext.Profile.perf_counters:
        return NTSTATUS.NOT_SUPPORTED
    if location.OutputBufferLength < 12:
        return ext.Profile.short_buffer
    perf = ext.PerfInfo
    values = (perf.NumTransmissions, perf.BytesSent + perf.BytesReceived, perf.IoMicroseconds)
    return b"".join((value & 0xFFFFFFFF).to_bytes(4, "little") for value in values)


_ANSWERS: dict[int, _Answer] = {
    Ioctl.SMARTCARD_GET_STATE: _get_state,
    Ioctl.SMARTCARD_GET_ATTRIBUTE: _get_attribute,
    Ioctl.SMARTCARD_SET_ATTRIBUTE: _set_attribute,
    Ioctl.SMARTCARD_GET_LAST_ERROR: _get_last_error,
    Ioctl.SMARTCARD_GET_PERF_CNTR: _get_perf_cntr,
}

# What a radio that is off keeps from the card; codes of the vendor still reach the driver.
_STANDARD = frozenset((*CALLBACKS, *_TRACKING, *_ANSWERS))
