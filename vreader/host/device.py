# SPDX-License-Identifier: Apache-2.0
r"""Direct device access: what CreateFile on ``\\.\SCReader0`` gives, without a resource manager."""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Self

from vreader.wdm import NTSTATUS, Handle, IoCancelIrp, Irp

if TYPE_CHECKING:
    from vreader.host.host import Host


class Request:
    """An overlapped request."""

    __slots__ = ("_host", "_irp")

    def __init__(self, host: "Host", irp: Irp) -> None:
        self._host = host
        self._irp = irp

    def cancel(self) -> None:
        """CancelIoEx: ask for cancellation; harmless when it has completed."""
        self._host.run(IoCancelIrp, self._irp)


class _Outcome:
    """Where a request that somebody waits for puts its result."""

    __slots__ = ("ready", "value")

    def __init__(self) -> None:
        self.value: tuple[NTSTATUS, bytes] | None = None
        self.ready: threading.Event | None = None

    def wait(self, lock: AbstractContextManager[object]) -> None:
        """Wait for a request that another thread completes; most never come here."""
        with lock:
            if self.value is None:
                self.ready = threading.Event()
        if self.ready is not None:
            self.ready.wait()

    def __call__(self, status: NTSTATUS, output: bytes) -> None:
        self.value = (status, output)
        if self.ready is not None:
            self.ready.set()


class DeviceHandle:
    """One open handle to a reader device. Any number of threads may use it."""

    def __init__(self, host: "Host", handle: Handle) -> None:
        self._host = host
        self._handle = handle

    def ioctl(self, code: int, data: bytes = b"", out_length: int = 0) -> tuple[NTSTATUS, bytes]:
        """DeviceIoControl: send ``data``, wait, return the status and at most ``out_length`` bytes.

        The card works on this thread.
        """
        outcome = _Outcome()
        host = self._host
        irp = host.run(host.io.device_io_control, self._handle, code, data, out_length, outcome)
        if outcome.value is None:
            try:
                outcome.wait(host.lock)
            except BaseException:  # an interrupt, Ctrl-C say: nobody waits any more
                host.run(IoCancelIrp, irp)
                raise
        assert outcome.value is not None
        return outcome.value

    def start(
        self, code: int, data: bytes, out_length: int, done: Callable[[NTSTATUS, bytes], None]
    ) -> Request:
        """Overlapped DeviceIoControl: ``done(status, output)`` is called once, on any thread.

        It may be called before this returns, holds the host's lock and must not block.
        """
        host = self._host
        irp = host.run(host.io.device_io_control, self._handle, code, data, out_length, done)
        return Request(host, irp)

    def cancel(self) -> None:
        """CancelIo: ask for cancellation of everything this handle has pending."""
        self._host.run(self._host.io.cancel_io, self._handle)

    def duplicate(self) -> "DeviceHandle":
        """DuplicateHandle: another handle to the same open."""
        return DeviceHandle(
            self._host, self._host.run(self._host.io.duplicate_handle, self._handle)
        )

    def close(self) -> None:
        """CloseHandle: the last handle sends CLEANUP, pending requests complete CANCELLED."""
        self._host.run(self._host.io.close_handle, self._handle)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
