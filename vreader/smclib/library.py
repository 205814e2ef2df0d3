# SPDX-License-Identifier: Apache-2.0
"""Driver library routines around the requests: initialise, lock, track, change state, log, link.

The names are those of the 1998-2001 smart card DDK. SmartcardDeviceControl is in
:mod:`vreader.smclib.control`.
"""

from collections.abc import Callable

from vreader.smclib import debug
from vreader.smclib.events import DriverLogEvent, StateEvent
from vreader.smclib.osdata import NOT_INITIALIZED, POS_DEP_DATA
from vreader.smclib.states import TRANSITIONS, CardState, Option, ReaderEvent
from vreader.smclib.structs import (
    CARD_PROTOCOL,
    MIN_BUFFER_SIZE,
    SMARTCARD_EXTENSION,
    SMCLIB_VERSION_REQUIRED,
)
from vreader.wdm import (
    NTSTATUS,
    BugCheck,
    DeviceObject,
    DriverObject,
    IoCompleteRequest,
    IoSetCancelRoutine,
)


def SmartcardInitialize(ext: SMARTCARD_EXTENSION, device: DeviceObject) -> NTSTATUS:
    """Make the buffers and OsData; obligatory in AddDevice.

    Returns:
        STATUS_SUCCESS, or STATUS_UNSUCCESSFUL where Version is older than SMCLIB_VERSION_REQUIRED.
    """
    if ext.Version < SMCLIB_VERSION_REQUIRED:
        return NTSTATUS.UNSUCCESSFUL
    for buffer in (ext.SmartcardRequest, ext.SmartcardReply):
        buffer.BufferSize = max(buffer.BufferSize, MIN_BUFFER_SIZE)
        buffer.Buffer = bytearray(buffer.BufferSize)
        buffer.BufferLength = 0
    ext.OsData = POS_DEP_DATA(device)
    debug.add_reader(ext)
    return NTSTATUS.SUCCESS


def SmartcardExit(ext: SMARTCARD_EXTENSION) -> None:
    """Free what SmartcardInitialize made; no request may be in hand."""
    data = ext.OsData
    for irp in (data.CurrentIrp, data.NotificationIrp):
        if irp is not None and not irp.completed:
            raise BugCheck(0xC9, "SmartcardExit with a request in hand", irp)
    lock = data.RemoveLock
    if lock.count and data.DeviceObject.DriverObject.io.verifier:
        raise BugCheck(0xC9, f"remove lock leaked {lock.count} times, tags {lock.tags}")
    debug.forget_reader(ext)
    for buffer in (ext.SmartcardRequest, ext.SmartcardReply):
        buffer.Buffer, buffer.BufferLength = bytearray(), 0
    ext.OsData = NOT_INITIALIZED


def SmartcardAcquireRemoveLock(ext: SMARTCARD_EXTENSION) -> NTSTATUS:
    """Enter the driver; STATUS_DELETE_PENDING once removal waits for the others to leave."""
    lock = ext.OsData.RemoveLock
    if lock.removed:
        return NTSTATUS.DELETE_PENDING
    lock.count += 1
    return NTSTATUS.SUCCESS


def SmartcardReleaseRemoveLock(ext: SMARTCARD_EXTENSION) -> None:
    """Leave the driver."""
    lock = ext.OsData.RemoveLock
    if lock.count == 0:
        raise BugCheck(0xC9, "remove lock released more often than acquired")
    lock.count -= 1
    if lock.count == 0 and lock.released is not None:
        released, lock.released = lock.released, None
        released()


def SmartcardAcquireRemoveLockWithTag(ext: SMARTCARD_EXTENSION, tag: object) -> NTSTATUS:
    """Enter the driver under a name, by custom the IRP, so that a leak can be told."""
    status = SmartcardAcquireRemoveLock(ext)
    if status is NTSTATUS.SUCCESS:
        ext.OsData.RemoveLock.tags.append(tag)
    return status


def SmartcardReleaseRemoveLockWithTag(ext: SMARTCARD_EXTENSION, tag: object) -> None:
    """Leave the driver under the name one came in with; another name is a BugCheck."""
    tags = ext.OsData.RemoveLock.tags
    for index, held in enumerate(tags):
        if held is tag:
            del tags[index]
            SmartcardReleaseRemoveLock(ext)
            return
    raise BugCheck(0xC9, "remove lock released with a tag that does not hold it")


def SmartcardReleaseRemoveLockAndWait(
    ext: SMARTCARD_EXTENSION, released: Callable[[], None]
) -> None:
    """Leave the driver for the last time and refuse everybody from now on.

    Nothing blocks here: ``released`` is called when the last holder has left, maybe at once.
    """
    lock = ext.OsData.RemoveLock
    lock.removed = True
    lock.released = released
    SmartcardReleaseRemoveLock(ext)


def SmartcardCreateLink(device: DeviceObject) -> str:
    r"""Give the reader the first free name ``\\.\SCReaderN`` and return it."""
    io = device.DriverObject.io
    number = 0
    while io.IoCreateSymbolicLink(link := rf"\\.\SCReader{number}", device) is not NTSTATUS.SUCCESS:
        number += 1
    return link


def SmartcardDeleteLink(device: DeviceObject, link: str) -> None:
    """Take the name away."""
    device.DriverObject.io.IoDeleteSymbolicLink(link)


def SmartcardLogError(
    Object: DeviceObject | DriverObject, ErrorCode: int, Insertion: str = "", DumpData: int = 0
) -> None:
    """Write an entry to the system's event log (and to the trace).

    Args:
        Object: the driver's device, or the driver object where there is no device yet.
        ErrorCode: an NTSTATUS, or a code of the driver's message file; 32 bits.
        Insertion: the text for %2 of the message; %1 is the device's name.
        DumpData: says more of the error's kind, 32 bits; shown as the entry's data.
    """
    if isinstance(Object, DriverObject):
        driver, device = Object, Object.name
    else:
        driver, device = Object.DriverObject, Object.bottom.name
    io = driver.io
    if not io.events and not io.log:
        return
    code, dump = ErrorCode & 0xFFFFFFFF, DumpData & 0xFFFFFFFF
    try:
        status = str(NTSTATUS(code))
    except ValueError:
        status = f"0x{code:08X}"
    event = DriverLogEvent(device, status, Insertion, code, dump, driver.name)
    io.events.emit(event)
    io.log.emit(event)


def SmartcardCompleteCardTracking(ext: SMARTCARD_EXTENSION) -> None:
    """Complete the tracking request, if there is one: SUCCESS, or CANCELLED where asked for."""
    data = ext.OsData
    irp = data.NotificationIrp
    if irp is None:
        return
    SmartcardEndCardTracking(ext, NTSTATUS.CANCELLED if irp.Cancel else NTSTATUS.SUCCESS)


def SmartcardEndCardTracking(ext: SMARTCARD_EXTENSION, status: NTSTATUS) -> None:
    """Complete the tracking request with ``status``: cleanup, cancel, sleep, removal."""
    data = ext.OsData
    irp, data.NotificationIrp = data.NotificationIrp, None
    if irp is None:
        return
    IoSetCancelRoutine(irp, None)
    irp.IoStatus.Status = status
    irp.IoStatus.Information = 0
    IoCompleteRequest(irp)


def selected_reply(ext: SMARTCARD_EXTENSION) -> bytes:
    """Return SET_PROTOCOL's reply where a protocol is in force already, else nothing."""
    if ext.ReaderCapabilities.CurrentState is not CardState.SPECIFIC:
        return b""
    return int(ext.CardCapabilities.Protocol.Selected).to_bytes(4, "little")


def next_state(ext: SMARTCARD_EXTENSION, event: ReaderEvent) -> CardState | NTSTATUS:
    """Look ``event`` up in the table: the state it leads to, or the status that refuses it."""
    outcome = TRANSITIONS[ext.ReaderCapabilities.CurrentState][event]
    if outcome is Option.INSERTION_STATE:
        return ext.Profile.insertion_state
    if outcome is Option.POWER_DOWN_STATE:
        return ext.Profile.power_down_state
    if event is ReaderEvent.RESET_NEGOTIABLE and outcome is CardState.NEGOTIABLE:
        return ext.Profile.reset_state
    if isinstance(outcome, Option):  # both options are handled above
        raise BugCheck(0xC9, f"no profile option for {outcome}")
    return outcome


def set_state(ext: SMARTCARD_EXTENSION, event: ReaderEvent) -> NTSTATUS:
    """Let ``event`` happen: move to the state the table names, or refuse and change nothing."""
    outcome = next_state(ext, event)
    if isinstance(outcome, NTSTATUS):
        return outcome
    before = ext.ReaderCapabilities.CurrentState
    ext.ReaderCapabilities.CurrentState = outcome
    if outcome < CardState.NEGOTIABLE:
        ext.CardCapabilities.Protocol = CARD_PROTOCOL(
            Supported=ext.CardCapabilities.Protocol.Supported
        )
    device = ext.OsData.DeviceObject
    if outcome is not before and (events := device.DriverObject.io.events):
        events.emit(StateEvent(device.bottom.name, before.name, event.value, outcome.name))
    return NTSTATUS.SUCCESS
