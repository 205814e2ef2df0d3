# SPDX-License-Identifier: Apache-2.0
"""One end of a vpcd connection as a test drives it: whole frames, written without our code."""

import socket

PATIENCE_S = 20.0


class Frames:
    """A connection that gives and takes frames."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        sock.settimeout(PATIENCE_S)

    def send(self, payload: bytes) -> None:
        self.sock.sendall(len(payload).to_bytes(2) + payload)

    def exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            part = self.sock.recv(count - len(data))
            if not part:
                raise EOFError(f"after {len(data)} of {count} bytes")
            data += part
        return data

    def receive(self) -> bytes:
        return self.exactly(int.from_bytes(self.exactly(2)))
