# SPDX-License-Identifier: Apache-2.0
"""The asking end of the control door, used by ``vreader ctl`` and by worlds in another process."""

import json
import os
import socket
from collections.abc import Generator, Iterator
from contextlib import closing

from vreader.bridge.control import ENVIRONMENT
from vreader.errors import UsageError, VreaderError

_USAGE = 2  # the exit code of a UsageError


def find_control(path: str | None) -> str:
    """Return the control socket: ``path``, or the one this process was started with.

    Raises:
        VreaderError: there is none.
    """
    found = path or os.environ.get(ENVIRONMENT)
    if not found:
        raise VreaderError(
            "no running world is known here",
            hint=f"use it inside 'vreader run', or give --control PATH or {ENVIRONMENT}",
        )
    return found


def ask(path: str, request: dict[str, object], timeout_s: float = 60) -> dict[str, object]:
    """Send one request to the world at ``path`` and return its reply.

    Raises:
        VreaderError: nobody answers, or the world refuses; with its hint.
    """
    with closing(_replies(path, request, timeout_s)) as replies:
        return checked(next(replies))


def follow(
    path: str, request: dict[str, object], timeout_s: float = 60
) -> Iterator[dict[str, object]]:
    """Send one request that is answered by more than a reply; yield all, until the world ends.

    Raises:
        VreaderError: as :func:`ask`.
    """
    with closing(_replies(path, request, timeout_s)) as replies:
        yield checked(next(replies))
        yield from replies


def _replies(
    path: str, request: dict[str, object], timeout_s: float
) -> Generator[dict[str, object], None, None]:
    """Yield one reply at least."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(timeout_s)
            connection.connect(path)
            connection.sendall(json.dumps(request).encode() + b"\n")
            with connection.makefile("rb") as lines:
                yield _reply(path, lines.readline())
                connection.settimeout(None)
                for line in lines:
                    yield _reply(path, line)
    except OSError as error:
        raise VreaderError(
            f"no world answers at {path}: {error.strerror or error}",
            hint="it may have ended; start one with 'vreader serve'",
        ) from error


def _reply(path: str, line: bytes) -> dict[str, object]:
    try:
        reply = json.loads(line)
    except ValueError:
        reply = None
    if not isinstance(reply, dict):
        raise VreaderError(
            f"{path} is not a control socket", hint="see 'vreader serve --print-env'"
        )
    return reply


def checked(reply: dict[str, object]) -> dict[str, object]:
    """Return a reply that says it went well; raises VreaderError, the one of the world, else."""
    if reply.get("ok"):
        return reply
    error, hint, code = str(reply.get("error")), str(reply.get("hint", "")), reply.get("exit_code")
    if code == _USAGE:
        raise UsageError(error, hint=hint)
    raise VreaderError(error, hint=hint, exit_code=code if isinstance(code, int) else 3)
