# SPDX-License-Identifier: Apache-2.0
"""The card's end of T=0 (ISO/IEC 7816-3:2006 §10.3, §12.2): an APDU-level card behind TPDUs.

Theory of operation. T=0 has no way to carry data both ways in one exchange, and no way to say that
data is shorter than asked for. So the R-APDU is kept: a command that brought data gets 61xx and the
response is fetched with GET RESPONSE; one that asked for another length than there is gets 6Cxx and
finds its response when it is repeated with the right one. The card itself executes once.

Two doors: :meth:`T0Card.exchange` takes a command TPDU as a whole, as smart readers do, and
:meth:`T0Card.receive` takes the characters as they come and answers with procedure bytes.
"""

from collections.abc import Callable

from vreader.iso7816.apdu import MAX_NC
from vreader.iso7816.sw import SW
from vreader.iso7816.t0 import (
    ENVELOPE,
    GET_RESPONSE,
    HEADER,
    NULL,
    T0Error,
    is_valid_ins,
    takes_data,
)

_OK = SW.OK.to_bytes2()
_WRONG_LE = 0x6C
_MAX_ENVELOPE = 4 + 3 + MAX_NC + 2


class T0Card:
    """The ICC end of T=0.

    Args:
        transmit: executes one C-APDU and returns the R-APDU. What it raises goes through; the
            command counts as executed then.
        takes_data: says of a header whether its data go to the card, for :meth:`receive`.
        case4: hand a command with data to the card with Le=00, for T=0 drops Le on the way and
            the card shall answer with what it has.
        envelope: put the C-APDU of ENVELOPE commands together (§12.2, extended lengths); else the
            card itself gets them.
        nulls: NULL bytes sent before each answer to a header or to data.
        single: ask for, or send, each data byte with a procedure byte of its own.
    """

    def __init__(
        self,
        transmit: Callable[[bytes], bytes],
        *,
        takes_data: Callable[[bytes], bool] = takes_data,
        case4: bool = True,
        envelope: bool = True,
        nulls: int = 0,
        single: bool = False,
    ) -> None:
        self.transmit = transmit
        self.takes_data = takes_data
        self.case4 = case4
        self.envelope = envelope
        self.nulls = nulls
        self.single = single
        self.reset()

    def reset(self) -> None:
        """Start anew, as after an answer to reset."""
        self._kept = b""  # response data that wait to be fetched
        self._kept_sw = _OK
        self._repeat: bytes | None = None  # CLA INS P1 P2 of the command they belong to
        self._envelope = bytearray()
        self._came = bytearray()  # characters of the TPDU in hand

    # ------------------------------------------------------------------ whole TPDUs

    def exchange(self, tpdu: bytes) -> bytes:
        """Answer one command TPDU: the header, and P3 data bytes where the command brings some.

        Returns:
            Response data, at most 256 bytes, and SW1 SW2.

        Raises:
            T0Error: the bytes are no command TPDU.
        """
        header, data = tpdu[:HEADER], tpdu[HEADER:]
        if len(header) < HEADER or (data and len(data) != header[4]):
            raise T0Error(f"{len(tpdu)} bytes are no command TPDU")
        if header[0] == 0xFF or not is_valid_ins(header[1]):
            return SW.INS_NOT_SUPPORTED.to_bytes2()
        le = 0 if data else header[4] or 256
        if le and self._kept:
            if header[:4] == self._repeat:
                return self._hand_out(le, exact=True)
            if header[1] == GET_RESPONSE and header[2:4] == b"\0\0":
                return self._hand_out(le)
        self._kept, self._repeat = b"", None
        if self.envelope and header[1:4] == bytes((ENVELOPE, 0, 0)):
            return self._take_envelope(data)
        self._envelope.clear()
        if data:
            return self._execute(tpdu + b"\0" if self.case4 else tpdu, None)
        return self._execute(tpdu, header[:4], le)

    def _execute(self, command: bytes, repeat: bytes | None, le: int = 0) -> bytes:
        response = self.transmit(command)
        data, sw = response[:-2], response[-2:]
        if not data:
            return sw
        self._kept, self._kept_sw, self._repeat = data, sw, repeat
        if le:
            return self._hand_out(le, exact=True)
        return SW.more(len(data)).to_bytes2()

    def _hand_out(self, le: int, *, exact: bool = False) -> bytes:
        """Send ``le`` of the kept bytes, or say how many there are."""
        kept = self._kept
        if le > len(kept) or (exact and le < len(kept) <= 256):
            return bytes((_WRONG_LE, len(kept) & 0xFF))
        part, self._kept, self._repeat = kept[:le], kept[le:], None
        return part + (SW.more(len(self._kept)).to_bytes2() if self._kept else self._kept_sw)

    def _take_envelope(self, segment: bytes) -> bytes:
        """Collect a C-APDU; an ENVELOPE without data ends it (ISO/IEC 7816-4:2020 §11.8.2)."""
        if segment:
            self._envelope += segment
            if len(self._envelope) <= _MAX_ENVELOPE:
                return _OK
        command = bytes(self._envelope)
        self._envelope.clear()
        if segment or len(command) < 4:
            return SW.WRONG_LENGTH.to_bytes2()
        return self._execute(command, None)

    # ------------------------------------------------------------------ characters

    def receive(self, raw: bytes) -> bytes:
        """Take characters from the reader; return the card's, up to where it waits for more.

        They are procedure bytes, response data and the status word, one TPDU after the other;
        empty where the header is not complete yet. Characters nobody asked for are lost.
        """
        came = self._came
        if len(came) < HEADER:
            came += raw[: HEADER - len(came)]
            if len(came) < HEADER:
                return b""
            return self._head(bytes(came))
        wanted = HEADER + came[4]
        came += raw[: 1 if self.single else wanted - len(came)]
        if len(came) < wanted:
            return bytes((came[1] ^ 0xFF,)) if raw and self.single else b""
        tpdu = bytes(came)
        came.clear()
        return self._null() + self.exchange(tpdu)

    def _head(self, header: bytes) -> bytes:
        """Answer a complete header."""
        ins = header[1]
        if header[4] and is_valid_ins(ins) and header[0] != 0xFF and self.takes_data(header):
            return self._null() + bytes((ins ^ 0xFF if self.single else ins,))
        self._came.clear()
        answer = self.exchange(header)
        data = answer[:-2]
        if not data:
            return self._null() + answer
        if self.single:
            data = bytes(b for byte in data for b in (ins ^ 0xFF, byte))
            return self._null() + data + answer[-2:]
        return self._null() + bytes((ins,)) + data + answer[-2:]

    def _null(self) -> bytes:
        return bytes((NULL,)) * self.nulls
