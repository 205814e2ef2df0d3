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

from collections.abc import Callable

from vreader.bridge.device import DeviceCard, DeviceHandle, Unserved
from vreader.bridge.vpcd.frame import MAX_PAYLOAD, Control
from vreader.iso7816 import SW
from vreader.smclib.ioctl import Power, Protocol
from vreader.wdm import NTSTATUS

_WRONG_LENGTH = int(SW.WRONG_LENGTH).to_bytes(2)
_CONTROLS = frozenset(Control)
_GONE = (NTSTATUS.NO_MEDIA, NTSTATUS.IO_TIMEOUT)


class CardSession(DeviceCard):
    """Answers the driver's frames from one card, from its insertion to its removal.

    Attributes:
        exchanges: R-APDUs given so far.
        remarks: called with a line of text for a frame that has no meaning.
    """

    def __init__(self, handle: DeviceHandle, remarks: Callable[[str], None]) -> None:
        super().__init__(handle)
        self._atr = b""
        self.exchanges = 0
        self.remarks = remarks

    def learn_atr(self) -> bytes:
        """Return the ATR; powers the card up once, unless it is known; raises Unserved."""
        if not self._atr:
            self._atr = self.power(Power.COLD_RESET)
        return self._atr

    def answer(self, payload: bytes) -> bytes | None:
        """Do what one frame asks; return what to answer, or None where the wire wants nothing.

        Raises:
            Unserved: there is no answer to give; close the connection.
        """
        if len(payload) > 1:
            r_apdu = self.transmit(payload)
            if not 0 < len(r_apdu) <= MAX_PAYLOAD:
                raise Unserved(f"an R-APDU of {len(r_apdu)} bytes does not fit a vpcd frame")
            self.exchanges += 1
            return r_apdu
        if not payload:
            raise Unserved("the driver sent an empty frame")
        code = payload[0]
        if code == Control.ATR:
            return self.learn_atr()
        if code not in _CONTROLS:
            self.remarks(f"unknown control code {code:02X}: answered 6700 as a one-byte command")
            return _WRONG_LENGTH
        if code == Control.OFF:
            self.power(Power.POWER_DOWN)
        else:
            # Kept through OFF: the driver goes on asking, presence to it is an ATR.
            self._atr = self.power(Power.COLD_RESET if code == Control.ON else Power.WARM_RESET)
            self._select_any_protocol()
        return None

    def _select_any_protocol(self) -> None:
        try:
            self.select_protocol(Protocol.T0 | Protocol.T1)
        except Unserved as refusal:
            if refusal.status in _GONE:
                raise
            # Its resource manager judges the ATR by itself; only an APDU would be without answer.
            self.remarks(str(refusal))
