# SPDX-License-Identifier: Apache-2.0
"""The asking end of the control door, used by ``vreader ctl`` and by worlds in another process."""

import json
import os
import socket

from vreader.bridge.control import ENVIRONMENT
from vreader.errors import VreaderError


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
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(timeout_s)
            connection.connect(path)
            connection.sendall(json.dumps(request).encode() + b"\n")
            with connection.makefile("rb") as lines:
                line = lines.readline()
    except OSError as error:
        raise VreaderError(
            f"no world answers at {path}: {error.strerror or error}",
            hint="it may have ended; start one with 'vreader serve'",
        ) from error
    try:
        reply = json.loads(line)
    except ValueError:
        reply = None
    if not isinstance(reply, dict):
        raise VreaderError(
            f"{path} is not a control socket", hint="see 'vreader serve --print-env'"
        )
    if not reply.get("ok"):
        code = reply.get("exit_code")
        raise VreaderError(
            str(reply.get("error")),
            hint=str(reply.get("hint", "")),
            exit_code=code if isinstance(code, int) else 3,
        )
    return reply
