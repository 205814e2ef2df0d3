# SPDX-License-Identifier: Apache-2.0
"""UNIX sockets of our own: private to their owner, and never in the way of the next start."""

import os
import socket
from pathlib import Path

from vreader.errors import VreaderError

BACKLOG = 128
MAX_SOCKET_PATH = 107  # sun_path, less its NUL; libpcsclite cuts a longer path silently


def bind_private(path: str) -> socket.socket:
    """Listen on a UNIX socket only its owner may use; a stale file of a dead server is replaced.

    Raises:
        VreaderError: the path is too long, in use, not a socket, or its directory is missing.
    """
    if len(os.fsencode(path)) > MAX_SOCKET_PATH:
        raise VreaderError(
            f"socket path {path} is longer than {MAX_SOCKET_PATH} bytes",
            hint="choose a directory with a shorter name",
        )
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _replace_stale(path)
        listener.bind(path)
        Path(path).chmod(0o600)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise VreaderError(
            f"cannot listen on {path}: {error.strerror or error}",
            hint="choose a path in a directory of your own that exists",
        ) from error
    except VreaderError:
        listener.close()
        raise
    return listener


def _replace_stale(path: str) -> None:
    file = Path(path)
    if not file.exists():
        return
    if not file.is_socket():
        raise VreaderError(f"{path} exists and is not a socket", hint="choose another path")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(path)
        except OSError:
            file.unlink()  # nobody listens: a server that was killed left it
            return
    raise VreaderError(
        f"{path} is in use by another server", hint="stop that one or choose another path"
    )
