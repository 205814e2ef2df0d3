# SPDX-License-Identifier: Apache-2.0
"""A connection to a PC/SC server: whole messages, or why there are none and what to do."""

import socket
import struct
from pathlib import Path
from types import TracebackType
from typing import Self

from vreader.bridge.pcsclite import wire
from vreader.bridge.unix import MAX_SOCKET_PATH
from vreader.errors import UsageError, VreaderError


class Connection:
    """One connection, from construction to :meth:`close`.

    Args:
        path: the server's UNIX socket.
        timeout_s: how long connecting, and then a single answer, may take.

    Raises:
        VreaderError: nobody serves ``path``.
    """

    def __init__(self, path: str, timeout_s: float) -> None:
        self.path = path
        self._timeout_s = timeout_s
        self._socket = _dial(path, timeout_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; the server releases what it held. May be called twice."""
        self._socket.close()

    @property
    def server(self) -> tuple[int, int]:
        """Process and user number of whoever made the socket: pcscd, or systemd for it."""
        raw = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        pid, uid, _ = struct.unpack("3i", raw)
        return pid, uid

    def send(self, command: int, body: bytes = b"", payload: bytes = b"") -> None:
        """Send one request; ``payload`` follows the struct uncounted."""
        try:
            self._socket.sendall(wire.HEADER.pack(len(body), command) + body + payload)
        except OSError as error:
            raise self._lost(error) from error

    def receive(self, size: int) -> bytes:
        """Read exactly ``size`` bytes.

        Raises:
            VreaderError: the server closed the connection or is silent for ``timeout_s``; what it
                might still send cannot be told from a later answer, so the connection is closed.
        """
        received = bytearray()
        try:
            while len(received) < size:
                if not (part := self._socket.recv(min(size - len(received), 65536))):
                    raise self._lost(None)
                received += part
        except OSError as error:
            raise self._lost(error) from error
        return bytes(received)

    def _lost(self, error: OSError | None) -> VreaderError:
        self._socket.close()
        if isinstance(error, TimeoutError):
            return VreaderError(
                f"the PC/SC server at {self.path} did not answer within {self._timeout_s:g} s",
                hint="see whether it hangs, or is waiting for a card that does not answer",
            )
        return VreaderError(
            f"the PC/SC server at {self.path} closed the connection",
            hint="it ended or refused the request; its log says which",
        )

    def readable(self, timeout_s: float) -> bool:
        """Tell whether something comes within ``timeout_s``; raises VreaderError at the end."""
        try:
            self._socket.settimeout(max(timeout_s, 1e-6))  # 0 would mean non-blocking
            self._socket.recv(1, socket.MSG_PEEK)
        except TimeoutError:
            return False
        except OSError as error:
            raise self._lost(error) from error
        finally:
            self._socket.settimeout(self._timeout_s)
        return True


def _dial(path: str, timeout_s: float) -> socket.socket:
    if len(path.encode("utf-8", "surrogateescape")) > MAX_SOCKET_PATH:
        raise UsageError(
            f"a socket path has at most {MAX_SOCKET_PATH} bytes: {path}",
            hint="use a shorter directory, for example under /tmp",
        )
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        # pcscd lets one client stand in line. The next waits in connect; one whose connect must not
        # wait, as with a time-out of Python's, would be refused at once.
        _limit_connect(connection, timeout_s)
        connection.connect(path)
        _limit_connect(connection, 0.0)
        connection.settimeout(timeout_s)
    except (OSError, ValueError) as error:  # ValueError: a NUL byte in the path
        connection.close()
        raise VreaderError(
            f"cannot reach a PC/SC server at {path}: {_why(error)}", hint=_hint(path, error)
        ) from error
    return connection


def _limit_connect(connection: socket.socket, timeout_s: float) -> None:
    """Set how long a connect may wait; 0 sets no limit."""
    seconds, rest = divmod(timeout_s, 1.0)
    limit = struct.pack("ll", int(seconds), int(rest * 1e6))
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)


def _why(error: Exception) -> str:
    if isinstance(error, BlockingIOError):
        return "it does not take the connection"
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _hint(path: str, error: Exception) -> str:
    if isinstance(error, ConnectionRefusedError):
        return f"its server has ended; remove {path} and start the server again"
    if isinstance(error, FileNotFoundError):
        return "start one with `vreader serve`, or name the socket of a running one"
    if isinstance(error, PermissionError):
        return "run as the user who started the server"
    if isinstance(error, TimeoutError | BlockingIOError):
        return "the server does not accept connections; see whether it hangs"
    return f"see whether {Path(path).name} is a PC/SC server's socket"
