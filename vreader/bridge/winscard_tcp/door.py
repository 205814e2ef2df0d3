# SPDX-License-Identifier: Apache-2.0
"""The door for our winscard.dll: a loopback TCP port that only a holder of the token may use.

A client is a Windows program. Its first connection carries no calls: while it stands the program
lives; when it ends the program's contexts are released. Each of its threads calls on a connection
of its own, which a thread here serves. Whoever sends rubbish loses that connection and nothing else
happens; whoever does not know the token is not answered.
"""

import hmac
import secrets
import socket
import threading
import time
from typing import Final

from vreader.bridge.winscard_tcp import wire
from vreader.bridge.winscard_tcp.events import WinscardClientEvent
from vreader.bridge.winscard_tcp.functions import FUNCTIONS, perform, release
from vreader.errors import VreaderError
from vreader.host import Host
from vreader.host.scard import ScardApi
from vreader.winscard.codes import SCARD, ScardError

MAX_CONNECTIONS: Final = 512
HELLO_PATIENCE_S: Final = 10.0
_BACKLOG: Final = 128
_PAUSE_S: Final = 0.05
_STOP_TIMEOUT_S: Final = 5.0


class WinscardTcpDoor:
    """Serves the SCard* functions of a host to Windows programs under Wine.

    Args:
        host: the computer; it must have a resource manager.
        bits: of the programs, 32 or 64.

    Attributes:
        port: the TCP port on 127.0.0.1.
        token: what a program must show, 32 random bytes.

    Raises:
        VreaderError: the host has no resource manager, or no port is free.
    """

    def __init__(self, host: Host, *, bits: int | None = None) -> None:
        if host.rm is None:
            raise VreaderError("this host has no resource manager to offer")
        self.host = host
        self.api = ScardApi(host, bits=bits)
        self.token = secrets.token_bytes(wire.TOKEN_BYTES)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            self._socket.bind(("127.0.0.1", 0))
            self._socket.listen(_BACKLOG)
        except OSError as error:
            self._socket.close()
            raise VreaderError(f"cannot listen on 127.0.0.1: {error.strerror or error}") from error
        self.port: int = self._socket.getsockname()[1]
        self._lock = threading.Lock()
        self._closed = False
        self._clients: dict[int, set[int]] = {}
        self._last_client = 0
        self._connections: dict[socket.socket, threading.Thread] = {}
        self._thread = threading.Thread(target=self._accept, name="winscard door", daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """What a program finds in its environment as VREADER_WINSCARD."""
        return f"{self.port}:{self.token.hex()}"

    def close(self) -> None:
        """Close the port and every connection; each client's contexts are released."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            connections = dict(self._connections)
        # shutdown wakes the accepting thread; close alone would not.
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()
        for connection in connections:
            _hang_up(connection)
        for client in list(self._clients):
            self._end(client)
        for thread in connections.values():
            thread.join(_STOP_TIMEOUT_S)

    # ------------------------------------------------------------------ clients

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                if self._closed:
                    return
                time.sleep(_PAUSE_S)  # no descriptors left: others will come
                continue
            thread = threading.Thread(
                target=self._serve, args=(connection,), name="winscard client", daemon=True
            )
            with self._lock:
                full = self._closed or len(self._connections) >= MAX_CONNECTIONS
                if not full:
                    self._connections[connection] = thread
            try:
                if full:
                    connection.close()
                else:
                    thread.start()
            except RuntimeError:  # no threads left
                self._forget(connection)

    def _forget(self, connection: socket.socket) -> None:
        with self._lock:
            self._connections.pop(connection, None)
        connection.close()

    def _begin(self, client: int) -> tuple[int, bool]:
        """Return the client of a connection, and whether it is the one by which it lives."""
        with self._lock:
            if client:
                if client not in self._clients:
                    raise wire.WireError(f"there is no client {client}")
                return client, False
            self._last_client += 1
            self._clients[self._last_client] = set()
            return self._last_client, True

    def _end(self, client: int) -> None:
        with self._lock:
            contexts = self._clients.pop(client, set())
        release(self.api, contexts)

    # ------------------------------------------------------------------ one connection

    def _serve(self, connection: socket.socket) -> None:
        client, life, reason = 0, False, ""
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            client, life = self._hello(connection)
            self._tell(client, "connected")
            while True:
                self._one_request(connection, client)
        except EOFError:
            pass
        except (wire.WireError, OSError) as error:
            reason = str(error)
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            # Numbers and strings that no program of Windows could pass.
            reason = f"a call with impossible values: {error}"
        finally:
            self._forget(connection)
            if life:
                self._end(client)
            self._tell(client, "dropped" if reason else "left", reason)

    def _hello(self, connection: socket.socket) -> tuple[int, bool]:
        connection.settimeout(HELLO_PATIENCE_S)
        magic, version, token, client = wire.HELLO.unpack(_read(connection, wire.HELLO.size))
        if not hmac.compare_digest(token, self.token):
            raise wire.WireError("the token is wrong")
        if (magic, version) != (wire.MAGIC, wire.VERSION):
            raise wire.WireError(f"not our winscard.dll: {magic:08X}, version {version}")
        client, life = self._begin(client)
        connection.settimeout(None)
        connection.sendall(wire.WELCOME.pack(SCARD.S_SUCCESS, client))
        return client, life

    def _one_request(self, connection: socket.socket, client: int) -> None:
        (length,) = wire.LENGTH.unpack(_read(connection, wire.LENGTH.size))
        if not wire.LENGTH.size <= length <= wire.MAX_REQUEST:
            raise wire.WireError(f"a request of {length} bytes")
        body = _read(connection, length)
        (number,) = wire.LENGTH.unpack_from(body)
        if number >= len(FUNCTIONS):
            raise wire.WireError(f"there is no function {number}")
        function = FUNCTIONS[number]
        values = wire.read(function.parameters, body[wire.LENGTH.size :])
        code, results = int(SCARD.S_SUCCESS), b""
        try:
            results = wire.write(function.results, perform(self.api, function, values))
        except ScardError as error:
            code = int(error.code)
        else:
            self._keep(client, function.name, values, results)
        reply = wire.LENGTH.pack(code) + results
        connection.sendall(wire.LENGTH.pack(len(reply)) + reply)

    def _keep(self, client: int, name: str, values: list[int], results: bytes) -> None:
        if name == "SCardEstablishContext":
            context = wire.Reader(results).number()
            with self._lock:
                if client in self._clients:
                    self._clients[client].add(context)
                    return
            release(self.api, {context})  # the program has ended meanwhile
        elif name == "SCardReleaseContext":
            with self._lock:
                self._clients.get(client, set()).discard(values[0])

    def _tell(self, client: int, change: str, reason: str = "") -> None:
        if self.host.events:
            self.host.events.emit(WinscardClientEvent(client, change, reason))


def _read(connection: socket.socket, size: int) -> bytes:
    """Return exactly ``size`` bytes; EOFError when the peer ends between messages."""
    parts, left = [], size
    while left:
        part = connection.recv(left)
        if not part:
            if left == size:
                raise EOFError
            raise wire.WireError("the connection ended inside a message")
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def _hang_up(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # the peer was faster
