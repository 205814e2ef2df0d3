# SPDX-License-Identifier: Apache-2.0
"""The serving end of the control door: one thread per client, one request a line."""

import socket
import threading
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING, Any

from vreader.bridge.control import MAX_LINE
from vreader.bridge.unix import bind_private, remove_socket
from vreader.errors import VreaderError

if TYPE_CHECKING:
    from vreader.bridge.control.following import Following

Request = dict[str, object]
Reply = dict[str, object]

MAX_CLIENTS = 64
GRACE_S = 1.0


class ControlDoor:
    """Answers control requests with ``handle``.

    Args:
        path: the UNIX socket, made with mode 0600.
        handle: gets a request, returns the fields of the reply; VreaderError becomes an error
            reply. Calls never overlap. Where it returns a Following, its things follow the reply,
            and the connection ends with them.
    """

    def __init__(self, path: str, handle: Callable[[Request], "Reply | Following[Any]"]) -> None:
        self.path = path
        self._handle = handle
        self._one_at_a_time = threading.Lock()
        self._lock = threading.Lock()
        self._clients: dict[socket.socket, threading.Thread] = {}
        self._socket = bind_private(path)
        self._thread = threading.Thread(target=self._accept, name="control door", daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return  # the door was closed
            thread = threading.Thread(
                target=self._serve, args=(client,), name="control client", daemon=True
            )
            with self._lock:
                if len(self._clients) >= MAX_CLIENTS:
                    client.close()
                    continue
                self._clients[client] = thread
                thread.start()

    def _serve(self, client: socket.socket) -> None:
        try:
            import json  # nobody may ever ask, and every start would pay for it

            with client, client.makefile("rb") as lines:
                while line := lines.readline(MAX_LINE + 1):
                    told = self._answer(line)
                    if not isinstance(told, dict):
                        with closing(told):
                            first = {"ok": True, **told.first}
                            client.sendall(json.dumps(first).encode() + b"\n")
                            told.serve(client)
                        return
                    client.sendall(json.dumps(told).encode() + b"\n")
                    if len(line) > MAX_LINE:
                        return
        except OSError:
            pass  # the client has gone
        finally:
            with self._lock:
                self._clients.pop(client, None)

    def _answer(self, line: bytes) -> "Reply | Following[Any]":
        if len(line) > MAX_LINE:
            return _refusal(f"a request is one line of at most {MAX_LINE} bytes")
        import json

        try:
            request = json.loads(line)
        except (ValueError, RecursionError):
            return _refusal("the request is not JSON")
        if not isinstance(request, dict) or not isinstance(request.get("op"), str):
            return _refusal("a request is an object with a text 'op'")
        try:
            with self._one_at_a_time:
                told = self._handle(request)
        except VreaderError as error:
            return error_reply(error)
        return {"ok": True, **told} if isinstance(told, dict) else told

    def close(self) -> None:
        """Stop listening and end every connection; an answer on its way still leaves."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # closed already
        self._socket.close()
        remove_socket(self.path)
        self._thread.join()
        with self._lock:
            clients = dict(self._clients)
        for how in (socket.SHUT_RD, socket.SHUT_RDWR):
            for client in clients:
                try:
                    client.shutdown(how)
                except OSError:
                    pass  # the client was faster
            for thread in clients.values():
                thread.join(GRACE_S)


def error_reply(error: VreaderError) -> Reply:
    """Return the reply that tells a client of an error."""
    return _error(str(error), error.hint, error.exit_code)


def _refusal(error: str) -> Reply:
    return _error(error, 'for example {"op": "list"}', 2)


def _error(error: str, hint: str, exit_code: int) -> Reply:
    return {"ok": False, "error": error, "hint": hint, "exit_code": exit_code}
