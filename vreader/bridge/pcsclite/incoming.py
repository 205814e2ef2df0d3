# SPDX-License-Identifier: Apache-2.0
"""What comes from a client of the embedded door, in parts as long as its protocol says."""

import select
import socket
import struct

_CHUNK = 65536
# Tells that the peer has gone even while bytes of it are unread; unknown outside Linux.
_HANG_UP = getattr(select, "POLLRDHUP", 0) | select.POLLHUP


class ProtocolError(Exception):
    """The peer broke the protocol; its connection ends."""


class Incoming:
    """The bytes of one connection; for one thread.

    Attributes:
        peer_pid: process number of the client.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._buffer = b""
        raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        self.peer_pid: int = struct.unpack("3i", raw)[0]

    def read(self, size: int) -> bytes:
        """Return exactly ``size`` bytes.

        Raises:
            EOFError: the peer is gone.
            ProtocolError: it went in the middle.
        """
        buffer = self._buffer
        while len(buffer) < size:
            chunk = self._socket.recv(_CHUNK)
            if not chunk:
                if buffer:
                    raise ProtocolError("the connection ended inside a header or struct")
                raise EOFError
            buffer = buffer + chunk if buffer else chunk
        self._buffer = buffer[size:]
        return buffer[:size]

    def peer_is_there(self) -> bool:
        """Tell whether the peer may still read an answer; asks from any thread."""
        poll = select.poll()
        try:
            poll.register(self._socket, _HANG_UP)
            return not poll.poll(0)
        except (OSError, ValueError):
            return False
