# SPDX-License-Identifier: Apache-2.0
"""What the driver's frames mean to the reader: the translation of vpcd into requests, as a table.

==========  =====================================  ==========
frame       requests to the reader                 answer
==========  =====================================  ==========
``ATR``     none: the ATR of the last power-up     the ATR
``ON``      POWER (cold reset), SET_PROTOCOL       none
``RST``     POWER (warm reset), SET_PROTOCOL       none
``OFF``     POWER (power down)                     none
C-APDU      TRANSMIT with the selected protocol    the R-APDU
==========  =====================================  ==========

A request that fails ends the connection, since the wire has no word for it and an empty or partial
frame would confuse (or kill) the resource manager; to it, the card is then removed. A single
byte that is no control code can only be a one-byte C-APDU some program sent; answering 6700 as a
card would keeps that program and the slot from hanging. Knows no socket.
"""

import struct
from collections.abc import Callable
from typing import Protocol

from vreader.bridge.vpcd.frame import MAX_PAYLOAD, Control
from vreader.iso7816 import SW
from vreader.smclib.ioctl import IO_REQUEST_SIZE, Ioctl, Power
from vreader.smclib.ioctl import Protocol as CardProtocol
from vreader.wdm import NTSTATUS

ATR_SIZE = 33
R_APDU_SIZE = 65538
"""The longest R-APDU ISO 7816-3 knows: 65536 data bytes and SW1-SW2."""

_ULONG = struct.Struct("<I")
_IO_REQUEST = struct.Struct("<II")
_WRONG_LENGTH = int(SW.WRONG_LENGTH).to_bytes(2)
_CONTROLS = frozenset(Control)


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


# On the way of every APDU, and dear to look up in Python 3.11: see vreader.wdm.irp.
_TRANSMIT, _SUCCESS = Ioctl.SMARTCARD_TRANSMIT, NTSTATUS.SUCCESS
_REPLY_SIZE = IO_REQUEST_SIZE + R_APDU_SIZE


class Unserved(Exception):  # noqa: N818 - an ending, not always an error
    """The card cannot answer, so the connection has to end; the text is the reason."""


class CardSession:
    """Answers the driver's frames from one card, from its insertion to its removal.

    Attributes:
        exchanges: R-APDUs given so far.
        remarks: called with a line of text for a frame that has no meaning.
    """

    def __init__(self, handle: DeviceHandle, remarks: Callable[[str], None]) -> None:
        self._ioctl = handle.ioctl
        self._atr = b""
        self._header = _IO_REQUEST.pack(CardProtocol.UNDEFINED, IO_REQUEST_SIZE)
        self.exchanges = 0
        self.remarks = remarks

    def learn_atr(self) -> None:
        """Power the card up once, unless its ATR is known; raises Unserved."""
        if not self._atr:
            self._power(Power.COLD_RESET)

    def answer(self, payload: bytes) -> bytes | None:
        """Do what one frame asks; return what to answer, or None where the wire wants nothing.

        Raises:
            Unserved: there is no answer to give; close the connection.
        """
        if len(payload) > 1:
            return self._transmit(payload)
        if not payload:
            raise Unserved("the driver sent an empty frame")
        code = payload[0]
        if code == Control.ATR:
            self.learn_atr()
            return self._atr
        if code not in _CONTROLS:
            self.remarks(f"unknown control code {code:02X}: answered 6700 as a one-byte command")
            return _WRONG_LENGTH
        if code == Control.OFF:
            self._power(Power.POWER_DOWN)
        else:
            self._power(Power.COLD_RESET if code == Control.ON else Power.WARM_RESET)
            self._select_protocol()
        return None

    def _transmit(self, c_apdu: bytes) -> bytes:
        status, out = self._ioctl(_TRANSMIT, self._header + c_apdu, _REPLY_SIZE)
        if status is not _SUCCESS:
            raise Unserved(f"TRANSMIT: {status}")
        length = len(out) - IO_REQUEST_SIZE
        if not 0 < length <= MAX_PAYLOAD:
            raise Unserved(f"an R-APDU of {length} bytes does not fit a vpcd frame")
        self.exchanges += 1
        return out[IO_REQUEST_SIZE:]

    def _power(self, minor: Power) -> None:
        size = 0 if minor is Power.POWER_DOWN else ATR_SIZE
        status, atr = self._ioctl(Ioctl.SMARTCARD_POWER, _ULONG.pack(minor), size)
        self._header = _IO_REQUEST.pack(CardProtocol.UNDEFINED, IO_REQUEST_SIZE)
        if status != NTSTATUS.SUCCESS:
            raise Unserved(f"POWER ({minor.name}): {status}")
        if minor is not Power.POWER_DOWN:
            if not atr:
                raise Unserved(f"POWER ({minor.name}): the card gave no ATR")
            # Kept through OFF: the driver goes on asking, presence to it is an ATR.
            self._atr = atr

    def _select_protocol(self) -> None:
        mask = CardProtocol.T0 | CardProtocol.T1
        status, chosen = self._ioctl(Ioctl.SMARTCARD_SET_PROTOCOL, _ULONG.pack(mask), _ULONG.size)
        if status in (NTSTATUS.NO_MEDIA, NTSTATUS.IO_TIMEOUT):
            raise Unserved(f"SET_PROTOCOL: {status}")
        if status != NTSTATUS.SUCCESS:
            # Its resource manager judges the ATR by itself; only an APDU would be without answer.
            self.remarks(f"SET_PROTOCOL: {status}")
            return
        self._header = chosen[: _ULONG.size] + _ULONG.pack(IO_REQUEST_SIZE)
