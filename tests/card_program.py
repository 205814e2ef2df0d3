# SPDX-License-Identifier: Apache-2.0
"""A program that speaks vpcd's protocol as a card, as a thread or frame by frame.

It is also such a program when it is run: ``python card_program.py PORT [ATR]``.
"""

import contextlib
import socket
import sys
import threading
from collections.abc import Callable
from typing import Self

from vpcd_frames import PATIENCE_S, Frames

ATR = bytes.fromhex("3B80800101")
OFF, ON, RST, GET_ATR = b"\0", b"\1", b"\2", b"\4"
CONTROLS = {OFF: "OFF", ON: "ON", RST: "RST", GET_ATR: "ATR?"}


class Wire(Frames):
    """The card's end of one connection, frame by frame."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        super().__init__(socket.create_connection((host, port)))

    def ended(self) -> bool:
        """Wait for the end of the connection; whatever comes before is dropped."""
        with contextlib.suppress(ConnectionResetError):
            while self.sock.recv(65536):
                pass
        return True

    def close(self) -> None:
        self.sock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class CardProgram(Wire):
    """One that answers in a thread: a C-APDU by ``answer``, by itself and 9000 as it is made.

    ``said`` lists what the reader has sent.
    """

    def __init__(
        self,
        port: int,
        *,
        atr: bytes = ATR,
        answer: Callable[[bytes], bytes] = lambda c_apdu: c_apdu[:4] + b"\x90\0",
        host: str = "127.0.0.1",
    ) -> None:
        super().__init__(port, host)
        self.sock.settimeout(None)
        self.atr = atr
        self.answer = answer
        self.said: list[str] = []
        self._thread = threading.Thread(target=self.run, daemon=True)
        self._thread.start()

    def run(self) -> None:
        with contextlib.suppress(EOFError, OSError):
            while True:
                payload = self.receive()
                self.said.append(CONTROLS.get(payload) or payload.hex())
                if payload == GET_ATR:
                    self.send(self.atr)
                elif payload not in CONTROLS:
                    self.send(self.answer(payload))

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self._thread.join(PATIENCE_S)
        self.sock.close()


if __name__ == "__main__":
    made = CardProgram(int(sys.argv[1]), atr=bytes.fromhex((sys.argv[2:] or [ATR.hex()])[0]))
    made._thread.join()
