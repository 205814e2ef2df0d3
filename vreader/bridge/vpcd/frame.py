# SPDX-License-Identifier: Apache-2.0
"""The vpcd wire, bytes in and frames out: no socket, no thread, no clock.

Ruled by vsmartcard's ``vpcd`` driver, the same in every release: both ways a message is a 16-bit
big-endian length and that many bytes. The driver always speaks first. A message of one byte from
the driver is a control code, any other is a C-APDU; the card answers ``ATR`` and C-APDUs only.
"""

from enum import IntEnum

LENGTH_BYTES = 2
MAX_PAYLOAD = 0xFFFF


class Control(IntEnum):
    """Control codes the driver sends; 3 and everything above 4 are undefined."""

    OFF = 0
    ON = 1
    RST = 2
    ATR = 4


def encode(payload: bytes) -> bytes:
    """Return ``payload`` (1 to 65535 bytes) as one frame, to be sent with one call.

    Raises:
        ValueError: the payload is empty, which no peer understands, or cannot be framed.
    """
    length = len(payload)
    if not 1 <= length <= MAX_PAYLOAD:
        raise ValueError(f"a vpcd frame carries 1 to {MAX_PAYLOAD} bytes, not {length}")
    return length.to_bytes(LENGTH_BYTES) + payload


class FrameDecoder:
    """Cuts a stream of bytes, however fragmented, into the payloads of whole frames."""

    __slots__ = ("_buffer",)

    def __init__(self) -> None:
        self._buffer = bytearray()

    @property
    def partial(self) -> bool:
        """True between the first and the last byte of a frame."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> list[bytes]:
        """Add received ``data``; return the payloads it completes, oldest first, empty ones too."""
        buffer = self._buffer
        # A peer that sends a frame in one piece spares us the buffer.
        if not buffer and len(data) - LENGTH_BYTES == int.from_bytes(data[:LENGTH_BYTES]):
            return [data[LENGTH_BYTES:]]
        buffer += data
        payloads = []
        while len(buffer) >= LENGTH_BYTES:
            end = LENGTH_BYTES + int.from_bytes(buffer[:LENGTH_BYTES])
            if len(buffer) < end:
                break
            payloads.append(bytes(buffer[LENGTH_BYTES:end]))
            del buffer[:end]
        return payloads
