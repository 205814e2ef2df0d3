# SPDX-License-Identifier: Apache-2.0
"""The I/O manager: drivers and devices, opens, requests, work items.

Everything here runs under the host's one lock and returns at once. What takes time (a card at work)
is queued as a :class:`WorkItem`; the host runs it on the caller's thread without the lock and then
lets it finish under the lock.
"""

from collections.abc import Callable
from typing import Any, Protocol

from vreader.clock import Clock
from vreader.errors import UsageError
from vreader.events import Emitter
from vreader.wdm.events import IrpEvent
from vreader.wdm.irp import (
    IO_STACK_LOCATION,
    IRP_MJ,
    BugCheck,
    IoAllocateIrp,
    IoCallDriver,
    IoCancelIrp,
    IoGetNextIrpStackLocation,
    Irp,
)
from vreader.wdm.namespace import Namespace
from vreader.wdm.objects import (
    DO_DEVICE_INITIALIZING,
    DeviceObject,
    DriverObject,
    FileObject,
    Handle,
)
from vreader.wdm.status import NTSTATUS

DriverEntry = Callable[[DriverObject], NTSTATUS]
IoDone = Callable[[NTSTATUS, bytes], None]

# Looked up once: see vreader.wdm.irp.
_DEVICE_CONTROL = IRP_MJ.DEVICE_CONTROL
_SUCCESS, _PENDING = NTSTATUS.SUCCESS, NTSTATUS.PENDING


class WorkItem(Protocol):
    """Work that may take time."""

    def run(self) -> Any:  # noqa: ANN401 - between an item's two halves
        """Work, called without the lock; must not touch driver state and must not raise."""

    def finish(self, value: Any, /) -> None:  # noqa: ANN401
        """Take what ``run`` returned, None where it was interrupted; called under the lock."""


class _Functions:
    """A work item made of two functions."""

    __slots__ = ("finish", "run")

    def __init__(self, run: Callable[[], Any], finish: Callable[[Any], None]) -> None:
        self.run = run
        self.finish = finish


def _pending(driver: DriverObject) -> Irp | None:
    """Return a request one of the driver's devices has not completed, or None."""
    for device in driver.devices:
        for file in device.bottom.opens:
            for irp in file.pending.values():
                return irp
    return None


def _image(entry: DriverEntry | None) -> object:
    """Return what a DriverEntry is the code of: objects of one driver class are one driver."""
    owner = getattr(entry, "__self__", None)
    return entry if owner is None else type(owner)


class IoManager(Namespace):
    """One simulated computer's I/O system.

    Attributes:
        clock: the time port handed to drivers.
        events: where IRP and device events go.
        log: what the system's event log hears: errors of drivers, requests that failed. Apart from
            ``events``, which cost every request when anybody listens.
        drivers: loaded drivers by service name.
        libraries: what driver libraries know of the computer as a whole, by their names.
        run_locked: how a thread of a driver's own comes back in: calls a function under the host's
            lock, which the host puts here. Without a host there is nobody else, and no lock.
        verifier: Driver Verifier is on: what a driver does wrong without anybody noticing is a
            BugCheck (a returned status that is not the request's, a leaked request or remove lock,
            a power request kept from the bus). Set on the class, it is on for every computer.
    """

    verifier: bool = False

    def __init__(self, clock: Clock, events: Emitter) -> None:
        super().__init__(events)
        self.clock = clock
        self.log = Emitter()
        self.drivers: dict[str, DriverObject] = {}
        self._work: list[WorkItem] = []
        self.libraries: dict[str, Any] = {}
        self.relations_changed: Callable[[DeviceObject], None] = lambda pdo: None
        self.run_locked: Callable[[Callable[[], None]], None] = lambda call: call()

    # ------------------------------------------------------------------ drivers and devices

    def load_driver(
        self, name: str, entry: DriverEntry, settings: dict[str, object] | None = None
    ) -> DriverObject:
        """Load a driver once: make its object and call DriverEntry.

        Args:
            name: of its service, in any case.
            entry: its DriverEntry; for a driver that is loaded already it is not called.
            settings: values of the service's key.

        Raises:
            UsageError: another driver is loaded under that name.
            BugCheck: DriverEntry fails.
        """
        if (driver := self.drivers.get(name.lower())) is not None:
            if _image(driver.DriverInit) != _image(entry):
                raise UsageError(
                    f"two drivers have the service name {name!r}",
                    hint="give each driver a service name of its own",
                )
            return driver
        driver = DriverObject(self, name, settings or {})
        driver.DriverInit = entry
        status = entry(driver)
        if status is not NTSTATUS.SUCCESS:
            raise BugCheck(0xC9, f"DriverEntry of {name} returned {status!s}")
        self.drivers[name.lower()] = driver
        return driver

    def unload_driver(self, name: str) -> None:
        """Call Unload; every device must be gone."""
        driver = self.drivers[name.lower()]
        if (leaked := _pending(driver)) is not None:
            raise BugCheck(0xC9, f"{name} unloaded with a request leaked", leaked)
        if driver.devices:
            raise BugCheck(0xCE, f"{name} unloaded with {len(driver.devices)} devices left")
        del self.drivers[name.lower()]
        if driver.DriverUnload is not None:
            driver.DriverUnload(driver)

    def unload_all(self) -> None:
        """Unload the drivers whose devices have all gone; raises BugCheck for a leaked request.

        A device that somebody still holds open is left alone, and its driver with it.
        """
        for name, driver in list(self.drivers.items()):
            if not driver.devices or (self.verifier and _pending(driver) is not None):
                self.unload_driver(name)

    def IoCreateDevice(self, driver: DriverObject, name: str, extension: object) -> DeviceObject:
        """Make a device object; the driver clears DO_DEVICE_INITIALIZING when it is ready."""
        device = DeviceObject(driver, name, extension)
        driver.devices.append(device)
        return device

    def IoDeleteDevice(self, device: DeviceObject) -> None:
        """Take a device object away.

        A filter may still be attached: REMOVE_DEVICE is handled on the way down, so the function
        driver deletes its device before the filter above detaches from it. A name that is left
        leads nowhere from now on.
        """
        if device not in device.DriverObject.devices:
            raise BugCheck(0xC9, f"{device!r} deleted twice")
        device.DriverObject.devices.remove(device)

    def IoAttachDeviceToDeviceStack(
        self, source: DeviceObject, target: DeviceObject
    ) -> DeviceObject:
        """Put ``source`` on top of ``target``'s stack; return the device it now stands on."""
        lower = target.top
        source.AttachedTo = lower
        lower.AttachedDevice = source
        source.StackSize = lower.StackSize + 1
        return lower

    def IoDetachDevice(self, lower: DeviceObject) -> None:
        """Take the device above ``lower`` off it."""
        upper = lower.AttachedDevice
        if upper is not None:
            upper.AttachedTo = None
            lower.AttachedDevice = None

    def IoInvalidateDeviceRelations(self, pdo: DeviceObject) -> None:
        """Tell the PnP manager, which sets ``relations_changed``, that a stack has new children."""
        self.relations_changed(pdo)

    # ------------------------------------------------------------------ opens

    def create_file(self, name: str) -> tuple[NTSTATUS, Handle | None]:
        r"""Open a device by symbolic link: IRP_MJ_CREATE down its stack.

        A path behind the name (``\\.\SCReader0\path``) leads to the same device.
        """
        device = self.device_named(name)
        if device is None:
            return NTSTATUS.OBJECT_NAME_NOT_FOUND, None
        pdo = device.bottom
        if device.Flags & DO_DEVICE_INITIALIZING:
            return NTSTATUS.NO_SUCH_DEVICE, None
        if pdo.exclusive and pdo.open_handles:
            return NTSTATUS.ACCESS_DENIED, None
        file = FileObject(device.top)
        irp = self._request(file, IRP_MJ.CREATE)
        IoCallDriver(file.DeviceObject, irp)
        if not irp.completed:
            raise BugCheck(0xC9, "a reader's DispatchCreate must not pend", irp)
        if irp.IoStatus.Status is not NTSTATUS.SUCCESS:
            return irp.IoStatus.Status, None
        pdo.open_handles += 1
        pdo.opens.append(file)
        return NTSTATUS.SUCCESS, Handle(file)

    def duplicate_handle(self, handle: Handle) -> Handle:
        """Make another handle to the same open; a closed handle's duplicate is closed too."""
        if not handle.valid:
            closed = Handle(handle.file)
            closed.valid = False
            return closed
        handle.file.handles += 1
        handle.file.references += 1
        return Handle(handle.file)

    def close_handle(self, handle: Handle) -> None:
        """Close one handle; the last one sends CLEANUP, the last reference CLOSE."""
        if not handle.valid:
            return
        handle.valid = False
        file = handle.file
        file.handles -= 1
        if file.handles == 0:
            file.cleaned_up = True
            file.DeviceObject.bottom.open_handles -= 1
            self._send_now(file, IRP_MJ.CLEANUP)
        file.references -= 1
        if not file.references:
            self._last_reference(file)

    def _last_reference(self, file: FileObject) -> None:
        """Send CLOSE: no handle and no request refers to the open any more."""
        file.closed = True
        pdo = file.DeviceObject.bottom
        self._send_now(file, IRP_MJ.CLOSE)
        pdo.opens.remove(file)
        if not pdo.opens and pdo.last_close is not None:
            last_close, pdo.last_close = pdo.last_close, None
            last_close()

    def _send_now(self, file: FileObject, major: IRP_MJ) -> None:
        irp = self._request(file, major)
        IoCallDriver(file.DeviceObject, irp)
        if not irp.completed:
            raise BugCheck(0xC9, f"IRP_MJ_{major.name} must not pend", irp)

    def _request(self, file: FileObject, major: IRP_MJ) -> Irp:
        irp = IoAllocateIrp(file.DeviceObject.StackSize)
        location = IoGetNextIrpStackLocation(irp)
        location.MajorFunction = major
        location.FileObject = file
        if self.events:
            irp.done = lambda irp: self.events.emit(
                IrpEvent(file.DeviceObject.bottom.name, major.name, 0, str(irp.IoStatus.Status), 0)
            )
        return irp

    # ------------------------------------------------------------------ requests

    def device_io_control(
        self, handle: Handle, code: int, data: bytes, out_length: int, done: IoDone
    ) -> Irp:
        """Send IRP_MJ_DEVICE_CONTROL; ``done(status, output)`` is called exactly once.

        ``done`` may be called before this returns. Input and output share one buffer
        (METHOD_BUFFERED); for an error status nothing is copied out.
        """
        file = handle.file
        size = len(data)
        # One buffer of max(in, out): the driver overwrites its input with its output.
        buffer = bytearray(max(size, out_length))
        buffer[:size] = data
        irp = Irp(file.DeviceObject.StackSize, buffer)
        location = irp.stack[-1] = IO_STACK_LOCATION()
        location.MajorFunction = _DEVICE_CONTROL
        location.FileObject = file
        location.IoControlCode = code
        location.InputBufferLength = size
        location.OutputBufferLength = out_length
        if not handle.valid:
            # The open may have seen CLOSE already: its driver hears nothing more of it.
            irp.IoStatus.Status = NTSTATUS.INVALID_HANDLE
            irp.current = len(irp.stack) + 1
            done(NTSTATUS.INVALID_HANDLE, b"")
            return irp
        file.references += 1

        def finish(irp: Irp) -> None:
            status, information = irp.IoStatus.Status, irp.IoStatus.Information
            if status is _SUCCESS or not status.is_error:
                if information > out_length:
                    raise BugCheck(0xC9, "Information exceeds the output buffer", irp)
                output = bytes(irp.SystemBuffer[:information])
            else:
                output = b""
            file.pending.pop(id(irp), None)
            if self.events:
                name = file.DeviceObject.bottom.name
                self.events.emit(IrpEvent(name, "DEVICE_CONTROL", code, str(status), information))
            done(status, output)
            file.references -= 1
            if not file.references:
                self._last_reference(file)

        irp.done = finish
        status = IoCallDriver(file.DeviceObject, irp)
        if irp.current <= len(irp.stack):  # not completed, written out: see vreader.wdm.irp
            file.pending[id(irp)] = irp
            if self.verifier and status is not _PENDING:
                raise BugCheck(0xC9, f"{status!s} returned for a request not completed", irp)
        elif self.verifier and status is not irp.IoStatus.Status and status is not _PENDING:
            raise BugCheck(0xC9, f"{status!s} returned for a request completed otherwise", irp)
        return irp

    def cancel_io(self, handle: Handle) -> None:
        """CancelIo: ask for cancellation of every pending request of the handle's open."""
        if handle.valid:
            for irp in list(handle.file.pending.values()):
                IoCancelIrp(irp)

    # ------------------------------------------------------------------ work

    def queue_work(self, run: Callable[[], Any], finish: Callable[[Any], None]) -> None:
        """IoQueueWorkItem: have ``run`` called soon without the lock, then ``finish`` with it."""
        self._work.append(_Functions(run, finish))

    def queue_item(self, item: WorkItem) -> None:
        """IoQueueWorkItem for an object that is a work item itself."""
        self._work.append(item)

    def take_work(self) -> list[WorkItem] | None:
        """Hand over the queued work items; the host calls this before it gives the lock back."""
        if not self._work:
            return None
        work, self._work = self._work, []
        return work
