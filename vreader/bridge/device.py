# SPDX-License-Identifier: Apache-2.0
"""What a door that opens a reader asks of it: POWER, SET_PROTOCOL, TRANSMIT and their buffers.

The host's device handle is known here as a port; what the answers mean on a wire is each door's
own affair. Knows no wire.
"""

import struct
from collections.abc import Callable
from typing import Protocol

from vreader.smclib.ioctl import IO_REQUEST_SIZE, Ioctl, Power
from vreader.smclib.ioctl import Protocol as CardProtocol
from vreader.wdm import NTSTATUS

ATR_SIZE = 33
R_APDU_SIZE = 65538
"""The longest R-APDU ISO 7816-3 knows: 65536 data bytes and SW1-SW2."""

_ULONG = struct.Struct("<I")
_IO_REQUEST = struct.Struct("<II")
# On the way of every APDU, and dear to look up in Python 3.11: see vreader.wdm.irp.
_TRANSMIT, _SUCCESS = Ioctl.SMARTCARD_TRANSMIT, NTSTATUS.SUCCESS
_REPLY_SIZE = IO_REQUEST_SIZE + R_APDU_SIZE


class PendingRequest(Protocol):
    """A request under way."""

    def cancel(self) -> object:
        """Ask for its completion; it completes with CANCELLED unless it was faster."""


class DeviceHandle(Protocol):
    """An open reader, as the host hands it out."""

    def ioctl(self, code: int, data: bytes = b"", out_length: int = 0) -> tuple[NTSTATUS, bytes]:
        """Send IRP_MJ_DEVICE_CONTROL and wait; the card runs on the caller's thread."""

    def start(
        self, code: int, data: bytes, out_length: int, done: Callable[[NTSTATUS, bytes], None]
    ) -> PendingRequest:
        """Send it without waiting; ``done`` may run on any thread, also before this returns."""

    def close(self) -> None:
        """CLEANUP, which completes what is pending with CANCELLED, and CLOSE; may be repeated."""


class Unserved(Exception):  # noqa: N818 - an ending, not always an error
    """The card cannot answer; the text is the reason.

    Attributes:
        status: what the driver said, or None where it was content and we are not.
    """

    def __init__(self, reason: str, status: NTSTATUS | None = None) -> None:
        super().__init__(reason)
        self.status = status


class DeviceCard:
    """The card in an open reader."""

    def __init__(self, handle: DeviceHandle) -> None:
        self._ioctl = handle.ioctl
        self._header = _IO_REQUEST.pack(CardProtocol.UNDEFINED, IO_REQUEST_SIZE)

    def power(self, minor: Power) -> bytes:
        """Reset the card and return its ATR, or take its power and return nothing.

        Raises:
            Unserved: the reader refuses, or the card gives no ATR.
        """
        size = 0 if minor is Power.POWER_DOWN else ATR_SIZE
        status, atr = self._ioctl(Ioctl.SMARTCARD_POWER, _ULONG.pack(minor), size)
        self._header = _IO_REQUEST.pack(CardProtocol.UNDEFINED, IO_REQUEST_SIZE)
        if status is not _SUCCESS:
            raise Unserved(f"POWER ({minor.name}): {status}", status)
        if minor is not Power.POWER_DOWN and not atr:
            raise Unserved(f"POWER ({minor.name}): the card gave no ATR")
        return atr

    def select_protocol(self, mask: CardProtocol) -> None:
        """Let the reader choose a protocol of ``mask`` and use it from now on; raises Unserved."""
        status, chosen = self._ioctl(Ioctl.SMARTCARD_SET_PROTOCOL, _ULONG.pack(mask), _ULONG.size)
        if status is not _SUCCESS:
            raise Unserved(f"SET_PROTOCOL: {status}", status)
        self._header = chosen[: _ULONG.size] + _ULONG.pack(IO_REQUEST_SIZE)

    def transmit(self, c_apdu: bytes) -> bytes:
        """Exchange one APDU by the selected protocol; raises Unserved."""
        status, out = self._ioctl(_TRANSMIT, self._header + c_apdu, _REPLY_SIZE)
        if status is not _SUCCESS:
            raise Unserved(f"TRANSMIT: {status}", status)
        return out[IO_REQUEST_SIZE:]
