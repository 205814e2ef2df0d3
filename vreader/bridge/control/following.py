# SPDX-License-Identifier: Apache-2.0
"""Things that happen, on their way to a client who wants to see them as they come.

Whoever tells of them never waits: a client that does not keep up gets what fits into a queue, and
how many it has missed.
"""

import json
import select
import socket
import threading
from collections.abc import Callable, Iterable
from typing import Final, Generic, TypeVar

Thing = TypeVar("Thing")
Reply = dict[str, object]

MAX_WAITING: Final = 4096
_CHUNK = 4096


class Following(Generic[Thing]):
    """What is sent to a client after its request, until one side closes.

    Args:
        write: makes a reply of a thing; called when it is sent.
        limit: how many things wait at most.

    Attributes:
        first: the fields of the reply to the request itself.
        stop: called when it is over; takes whoever tells of things away.
    """

    def __init__(self, write: Callable[[Thing], Reply], limit: int = MAX_WAITING) -> None:
        self.first: Reply = {}
        self.stop: Callable[[], None] = lambda: None
        self._write = write
        self._limit = limit
        self._lock = threading.Lock()
        self._waiting: list[Thing] = []
        self._missed = 0
        self._wake, self._woken = socket.socketpair()
        self._wake.setblocking(False)

    def put(self, thing: Thing) -> None:
        """Tell of something; never waits."""
        with self._lock:
            if len(self._waiting) >= self._limit:
                self._missed += 1
                return
            self._waiting.append(thing)
            if len(self._waiting) > 1:
                return
        try:
            self._wake.send(b"\0")
        except OSError:
            pass  # it is woken already, or over

    def take(self) -> list[Reply]:
        """Return what waits, and how many were missed behind it."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
            missed, self._missed = self._missed, 0
        replies = [self._write(thing) for thing in waiting]
        return [*replies, {"missed": missed}] if missed else replies

    def serve(self, client: socket.socket) -> None:
        """Send everything that is told, until the connection is closed; raises OSError."""
        watched = select.poll()
        watched.register(client, select.POLLIN)
        watched.register(self._woken, select.POLLIN)
        over = False
        while not over:
            ready = {descriptor for descriptor, _ in watched.poll()}
            if self._woken.fileno() in ready:
                self._woken.recv(_CHUNK)
            # Whatever else is asked meanwhile is not heard; only the end is.
            over = client.fileno() in ready and not client.recv(_CHUNK)
            client.sendall(_lines(self.take()))

    def close(self) -> None:
        """Stop it."""
        self.stop()
        self._wake.close()
        self._woken.close()


def _lines(replies: Iterable[Reply]) -> bytes:
    return b"".join(json.dumps(reply).encode() + b"\n" for reply in replies)
