# SPDX-License-Identifier: Apache-2.0
"""The serial framing of a GemPC Twin, bytes in and CCID messages out: no device, thread or clock.

A frame is ``SYNC CTRL message LRC``: SYNC 03, CTRL 06 (ACK), a CCID message whose own header says
how long it is, and the exclusive or of everything before. A side that could not read a frame sends
``SYNC NAK LRC`` and gets the last frame again. A card's coming and going is told without a frame,
by the two bytes of RDR_to_PC_NotifySlotChange, and that an answer takes time by one byte from 80
on. The reader echoes what it receives.
"""

from enum import Enum, auto
from functools import reduce
from operator import xor

SYNC, ACK, NAK = 0x03, 0x06, 0x15
HEADER_SIZE = 10
"""Bytes of a CCID message before its data (CCID 1.1 section 6)."""
MAX_DATA = 261
"""Data bytes of the longest message: this reader's dwMaxCCIDMessageLength is 271."""

NAK_FRAME = bytes((SYNC, NAK, SYNC ^ NAK))
TIME_REQUEST = b"\x80"
"""Sent by the reader without a frame while a card works: the driver begins to wait anew."""
_AROUND = 3  # SYNC, CTRL and LRC


class Signal(Enum):
    """What comes out of the decoder beside messages."""

    RESEND = auto()
    """The peer could not read our last frame."""
    DAMAGED = auto()
    """We could not read a frame of the peer's; it wants to hear NAK."""


def encode(message: bytes) -> bytes:
    """Return a CCID message as one frame."""
    frame = bytes((SYNC, ACK)) + message
    return frame + bytes((reduce(xor, frame),))


class FrameDecoder:
    """Finds frames in a stream of bytes, however fragmented, and finds back after garbage.

    What cannot be a frame is skipped up to the next SYNC; where a frame turns out damaged, the
    search goes on behind its first byte, so that a frame inside of it is not lost.
    """

    __slots__ = ("_buffer",)

    def __init__(self) -> None:
        self._buffer = bytearray()

    @property
    def partial(self) -> bool:
        """Whether what came last may be the beginning of a frame."""
        return bool(self._buffer)

    def clear(self) -> None:
        """Forget the beginning of a frame."""
        self._buffer.clear()

    def feed(self, data: bytes) -> list[bytes | Signal]:
        """Add received ``data``; return the messages and signals it completes, oldest first.

        DAMAGED stands at the end or nowhere: a message that came later has overtaken it.
        """
        buffer = self._buffer
        buffer += data
        found: list[bytes | Signal] = []
        damaged = False
        while (size := self._size()) is not None:
            # Both frames and NAK frames close with the exclusive or of all before.
            if size == 0 or reduce(xor, buffer[:size]):
                damaged |= size > 0
                del buffer[:1]
                continue
            damaged = False
            nak = buffer[1] == NAK
            found.append(Signal.RESEND if nak else bytes(buffer[2 : size - 1]))
            del buffer[:size]
        if damaged:
            found.append(Signal.DAMAGED)
        return found

    def _size(self) -> int | None:
        """Return the size of the frame at the start; None while bytes are missing.

        0 is garbage. 1, which no check byte can make right, is a frame longer than any. What comes
        before the next SYNC is dropped.
        """
        buffer = self._buffer
        start = buffer.find(SYNC)
        del buffer[: start if start >= 0 else len(buffer)]
        if len(buffer) < 2:
            return None
        if buffer[1] == NAK:
            size = len(NAK_FRAME)
        elif buffer[1] == ACK:
            if len(buffer) < 7:
                return None
            length = int.from_bytes(buffer[3:7], "little")
            if length > MAX_DATA:
                return 1
            size = _AROUND + HEADER_SIZE + length
        else:
            return 0
        return size if len(buffer) >= size else None
