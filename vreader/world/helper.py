# SPDX-License-Identifier: Apache-2.0
"""A process that holds worlds for another one: ``python -m vreader.world.helper``.

A program may keep its whole process from running while it waits for a card: some bindings hold the
interpreter's lock. Worlds that live in a process of their own answer it all the same.

Standard input is a socket to whoever started it, :mod:`vreader.world.remote`: one JSON object a
line each way, one request after the other, each with an ``id`` that its reply has too. ``open``
makes a world and returns its number; every other request names one: ``close`` and ``report``, and
what the control socket knows. At the end of input, or of its parent, all worlds are closed: no
directory is left.
"""

import os
import select
import signal
import socket
import sys
from types import FrameType
from typing import Any, NoReturn

from vreader.bridge.control.server import Reply, Request, error_reply
from vreader.errors import UsageError, VreaderError
from vreader.world import World
from vreader.world.control import answer, told

_CHUNK = 65536


class Worlds:
    """The worlds of this process, by their numbers."""

    def __init__(self) -> None:
        self._worlds: dict[int, World] = {}
        self._count = 0

    def answer(self, request: Request) -> Reply:
        """Carry out a request; raises VreaderError."""
        _go_where_the_asker_is(request)
        if request["op"] == "open":
            return self._open(request)
        number = request.get("world")
        if not isinstance(number, int) or (world := self._worlds.get(number)) is None:
            raise UsageError(f"there is no world {number}", hint="it has been closed")
        if request["op"] == "close":
            del self._worlds[number]
            world.close()
            return {}
        if request["op"] == "report":
            events = request.get("events")
            count = events if isinstance(events, int) else None
            return {"report": world.report(count), "events": world.last_events(count)}
        if request["op"] == "said":
            from vreader.trace.jsonl import json_line

            return {"said": [json_line(0.0, event) for event in world.said(request.get("reader"))]}
        if request["op"] == "mark":
            world.mark()
            return {}
        return answer(world, request)

    def _open(self, request: Request) -> Reply:
        options: Any = request["options"]
        world = World(**options)
        self._count += 1
        self._worlds[self._count] = world
        return {
            "world": self._count,
            "directory": world.directory,
            "environment": world.environment,
            "warnings": world.warnings,
            "readers": [told(place) for place in world.places],
        }

    def close(self) -> None:
        """End all of them."""
        while self._worlds:
            self._worlds.popitem()[1].close()


def _go_where_the_asker_is(request: Request) -> None:
    """Let file names, and the modules that cards of the user's own import, mean the same here."""
    path, directory = request.get("path"), request.get("cwd")
    if isinstance(path, list):
        sys.path += [entry for entry in path if entry not in sys.path]
    if isinstance(directory, str):
        try:
            os.chdir(directory)
        except OSError:
            pass  # it has gone; then no relative name means anything there either


def serve(channel: socket.socket, parent: int, worlds: Worlds) -> None:
    """Answer requests until the other end is closed or the parent has ended."""
    import json

    watched = select.poll()
    watched.register(channel, select.POLLIN)
    ended = _watch(parent)
    if ended >= 0:
        watched.register(ended, select.POLLIN)
    buffer = b""
    while True:
        while b"\n" not in buffer:
            # A child that the parent has forked keeps the channel open when the parent has gone.
            if any(descriptor == ended for descriptor, _ in watched.poll()):
                return
            chunk = channel.recv(_CHUNK)
            if not chunk:
                return
            buffer += chunk
        line, _, buffer = buffer.partition(b"\n")
        request = json.loads(line)
        try:
            reply: Reply = {"ok": True, **worlds.answer(request)}
        except VreaderError as error:
            reply = error_reply(error)
        except Exception as error:  # a bug, of somebody's card maybe; other worlds live on
            import traceback

            traceback.print_exc()
            hint = "standard error of the helper process has the traceback"
            reply = error_reply(VreaderError(f"{type(error).__name__}: {error}", hint=hint))
        channel.sendall(json.dumps({**reply, "id": request["id"]}).encode() + b"\n")


def _watch(parent: int) -> int:
    """Return a descriptor that is readable when a process has ended, -1 where there are none."""
    try:
        return os.pidfd_open(parent)
    except (AttributeError, OSError):
        return -1


def _ended(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(0)


def main() -> None:
    """Serve whoever started this process."""
    parent = os.getppid()
    signal.signal(signal.SIGTERM, _ended)
    channel = socket.socket(fileno=os.dup(0))
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123 - what cards read is not for them
        os.dup2(nothing.fileno(), 0)
    worlds = Worlds()
    try:
        with channel:
            serve(channel, parent, worlds)
    except OSError:
        pass  # the other end has gone
    finally:
        worlds.close()


if __name__ == "__main__":
    main()
