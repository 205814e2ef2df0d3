# SPDX-License-Identifier: Apache-2.0
"""A card that is a program of its own, in any language: this one is in Python, and counts."""

import os
import socket
import sys

OFF, ON, RESET, GET_ATR = b"\x00", b"\x01", b"\x02", b"\x04"
ATR = bytes.fromhex("3B80800101")


def receive(connection) -> bytes:
    """Return the next message: 16 bits of length, and that many bytes."""
    return connection.read(int.from_bytes(connection.read(2)))


def main() -> None:
    port = sys.argv[1] if len(sys.argv) > 1 else os.environ["VREADER_VPCD_PORT"]
    count = 0
    with socket.create_connection(("127.0.0.1", int(port))) as sock, sock.makefile("rb") as reader:
        while message := receive(reader):
            if message in (OFF, ON, RESET):
                count = 0  # nobody waits for an answer
                continue
            if message == GET_ATR:
                answer = ATR
            else:
                count += 1
                answer = count.to_bytes(2) + b"\x90\x00"
            sock.sendall(len(answer).to_bytes(2) + answer)


if __name__ == "__main__":
    main()
