# SPDX-License-Identifier: Apache-2.0
"""The serving end of the control door: one thread per client, one request a line."""

import json
import socket
import threading
from collections.abc import Callable
from pathlib import Path

from vreader.bridge.control import MAX_LINE
from vreader.bridge.unix import bind_private
from vreader.errors import VreaderError

Request = dict[str, object]
Reply = dict[str, object]

MAX_CLIENTS = 64


class ControlDoor:
    """Answers control requests with ``handle``.

    Args:
        path: the UNIX socket, made with mode 0600.
        handle: gets a request, returns the fields of the reply; VreaderError becomes an error
            reply. Calls never overlap.
    """

    def __init__(self, path: str, handle: Callable[[Request], Reply]) -> None:
        self.path = path
        self._handle = handle
        self._one_at_a_time = threading.Lock()
        self._lock = threading.Lock()
        self._clients: set[socket.socket] = set()
        self._socket = bind_private(path)
        self._thread = threading.Thread(target=self._accept, name="control door", daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return  # the door was closed
            with self._lock:
                if len(self._clients) >= MAX_CLIENTS:
                    client.close()
                    continue
                self._clients.add(client)
            threading.Thread(
                target=self._serve, args=(client,), name="control client", daemon=True
            ).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            with client, client.makefile("rb") as lines:
                while line := lines.readline(MAX_LINE + 1):
                    reply = self._answer(line)
                    client.sendall(json.dumps(reply).encode() + b"\n")
                    if len(line) > MAX_LINE:
                        return
        except OSError:
            pass  # the client has gone
        finally:
            with self._lock:
                self._clients.discard(client)

    def _answer(self, line: bytes) -> Reply:
        if len(line) > MAX_LINE:
            return _refusal(f"a request is one line of at most {MAX_LINE} bytes")
        try:
            request = json.loads(line)
        except (ValueError, RecursionError):
            return _refusal("the request is not JSON")
        if not isinstance(request, dict) or not isinstance(request.get("op"), str):
            return _refusal("a request is an object with a text 'op'")
        try:
            with self._one_at_a_time:
                return {"ok": True, **self._handle(request)}
        except VreaderError as error:
            return {"ok": False, "error": str(error), "hint": error.hint}

    def close(self) -> None:
        """Stop listening and end every connection."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # closed already
        self._socket.close()
        Path(self.path).unlink(missing_ok=True)
        self._thread.join()
        with self._lock:
            clients = list(self._clients)
        for client in clients:
            try:
                client.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # the client was faster


def _refusal(error: str) -> Reply:
    return {"ok": False, "error": error, "hint": 'for example {"op": "list"}'}
