# SPDX-License-Identifier: Apache-2.0
"""UNIX sockets of our own: private to their owner, and never in the way of the next start."""

import os
import socket
import stat

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
        os.chmod(path, 0o600)  # noqa: PTH101 - pathlib is slow to import
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
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise VreaderError(f"{path} exists and is not a socket", hint="choose another path")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(path)
        except BlockingIOError:
            pass  # somebody listens, and is busy
        except ConnectionRefusedError:
            os.unlink(path)  # noqa: PTH108 - nobody listens: a server that was killed left it
            return
    raise VreaderError(
        f"{path} is in use by another server", hint="stop that one or choose another path"
    )


def remove_socket(path: str) -> None:
    """Remove a socket's file; harmless when it is gone."""
    try:
        os.unlink(path)  # noqa: PTH108
    except FileNotFoundError:
        pass
