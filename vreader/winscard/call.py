# SPDX-License-Identifier: Apache-2.0
"""A call in progress: Done or Pending, never blocking.

An operation is a generator that reads like blocking code. It yields an :class:`Io` and is resumed
with (NTSTATUS, output) when the driver has completed the request, or a :class:`WaitQueue` and is
resumed when its turn has come. Who waits for the result, and how, is the host's affair.
"""

from collections import deque
from collections.abc import Callable, Generator
from typing import Any, Generic, TypeVar

from vreader.smclib.ioctl import IO_REQUEST_SIZE, Ioctl
from vreader.wdm import NTSTATUS, Handle, IoCancelIrp, IoManager, RtlNtStatusToDosError
from vreader.winscard.codes import SCARD, ScardError
from vreader.winscard.events import IoctlRejectedEvent

T = TypeVar("T")

_SUCCESS = NTSTATUS.SUCCESS  # looked up once: see vreader.wdm.irp
STANDARD_IOCTLS = frozenset(Ioctl)
_PCI_LENGTH = IO_REQUEST_SIZE.to_bytes(4, "little")


class Io:
    """Ask the driver: one device I/O control request."""

    __slots__ = ("code", "data", "handle", "out_length")

    def __init__(self, handle: Handle, code: int, data: bytes = b"", out_length: int = 0) -> None:
        self.handle = handle
        self.code = code
        self.data = data
        self.out_length = out_length


class WaitQueue:
    """Calls that wait for the same thing, first come, first served.

    Attributes:
        patient: the wait ends by itself (a card at work), so nobody need give up.
    """

    __slots__ = ("calls", "patient")

    def __init__(self, *, patient: bool) -> None:
        self.patient = patient
        self.calls: deque[Call[Any]] = deque()

    def wake_first(self) -> bool:
        """Let the first waiting call go on; False when none waits."""
        if not self.calls:
            return False
        self.calls.popleft().wake()
        return True

    def wake_all(self) -> None:
        """Let every waiting call look again."""
        while self.wake_first():
            pass


Operation = Generator[Io | WaitQueue, Any, T]


class Call(Generic[T]):
    """One operation on its way.

    Attributes:
        done: it has ended; then ``value`` or ``error`` is set.
        parked: the queue it waits in, or None.
        waker: called when its turn has come; must see to it that :meth:`resume` is called. The
            host sets it to wake the thread that waits; without one the call goes on as queued work.
        ended: called once when it is done.
    """

    # Defaults of the class: a call is made for every APDU, and most keep most of them.
    _outcome: "tuple[NTSTATUS, bytes] | None" = None
    _sending: bool = False
    _asked: Io | None = None
    _woken_from: WaitQueue | None = None
    done: bool = False
    value: T | None = None
    error: BaseException | None = None
    parked: WaitQueue | None = None
    waker: "Callable[[], None] | None" = None
    ended: "Callable[[], None] | None" = None

    def __init__(self, io: IoManager, generator: Operation[T]) -> None:
        self._io = io
        self._generator = generator

    def start(self) -> None:
        """Run until it is done or has to wait."""
        self._go()

    def resume(self) -> None:
        """Go on after :meth:`wake`; harmless when it was not woken."""
        if self._woken_from is not None:
            self._woken_from = None
            self._go()

    def wake(self) -> None:
        """Say that its turn has come."""
        self._woken_from, self.parked = self.parked, None
        if self.waker is not None:
            self.waker()
        else:
            self._io.queue_work(lambda: None, lambda _nothing: self.resume())

    def give_up(self, code: SCARD) -> bool:
        """End a parked call with ``code``; False when it is not parked (any more)."""
        if self.parked is None:
            return False
        self.parked.calls.remove(self)
        self.parked = None
        self._go(error=ScardError(code))
        return True

    def hang_up(self) -> None:
        """Stop what nobody wants any more: whoever asked has gone.

        A wait is given up. A vendor's request is cancelled, a prompt for a PIN say; one for the
        card goes on, for a reset cut short would be everybody's loss.
        """
        asked = self._asked
        if self.done or self.give_up(SCARD.E_CANCELLED) or asked is None:
            return
        if asked.code not in STANDARD_IOCTLS:
            for irp in list(asked.handle.file.pending.values()):
                if irp.stack[irp.current].IoControlCode == asked.code:
                    IoCancelIrp(irp)

    def abandon(self) -> None:
        """Let nobody wait for it any more: the thread that did was interrupted.

        Its turn goes to the next; a request that a driver has goes on by itself.
        """
        self.waker = self.ended = None
        queue, self._woken_from = self._woken_from, None
        if queue is not None:
            self._go(error=ScardError(SCARD.E_CANCELLED))
            queue.wake_first()
        else:
            self.give_up(SCARD.E_CANCELLED)

    def result(self) -> T:
        """Return the value, or raise what the operation raised."""
        if self.error is not None:
            raise self.error
        return self.value  # type: ignore[return-value]

    def _go(
        self, value: tuple[NTSTATUS, bytes] | None = None, error: ScardError | None = None
    ) -> None:
        """Run the operation on: ``value`` is what it waited for, ``error`` ends the wait."""
        generator = self._generator
        while True:
            if value is not None and value[0] is not _SUCCESS:
                self._log(value[0])
            try:
                asked = generator.send(value) if error is None else generator.throw(error)
            except StopIteration as stop:
                self._end(stop.value, None)
                return
            except Exception as failure:
                self._end(None, failure)
                return
            if isinstance(asked, WaitQueue):
                self.parked = asked
                asked.calls.append(self)
                return
            self._asked, self._outcome, self._sending = asked, None, True
            self._io.device_io_control(
                asked.handle, asked.code, asked.data, asked.out_length, self._io_done
            )
            self._sending = False
            # The driver may have answered at once; else it will, by _io_done.
            value, error = self._outcome, None
            if value is None:
                return

    def _io_done(self, status: NTSTATUS, output: bytes) -> None:
        if self._sending:
            self._outcome = (status, output)
        else:
            self._go((status, output))

    def _log(self, status: NTSTATUS) -> None:
        """Tell the event log that the last request failed."""
        log, asked = self._io.log, self._asked
        if log and asked is not None:
            device = asked.handle.file.DeviceObject.bottom.name
            win32 = RtlNtStatusToDosError(status)
            log.emit(IoctlRejectedEvent(device, asked.code, win32, _header(asked)))

    def _end(self, value: T | None, error: BaseException | None) -> None:
        self.value, self.error, self.done = value, error, True
        if self.ended is not None:
            self.ended()


def _header(asked: Io) -> bytes:
    """Return what the event log may show of a request: four bytes of those it knows.

    A TRANSMIT whose own header has another length than it should have shows nothing: what stands
    where the command ought to begin may be a PIN.
    """
    if asked.code not in STANDARD_IOCTLS:
        return b""
    start = 0
    if asked.code == Ioctl.SMARTCARD_TRANSMIT:
        if asked.data[4:IO_REQUEST_SIZE] != _PCI_LENGTH:
            return b""
        start = IO_REQUEST_SIZE
    header = asked.data[start : start + 4]
    return header if len(header) == 4 else b""
