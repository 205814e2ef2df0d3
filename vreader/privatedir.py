# SPDX-License-Identifier: Apache-2.0
"""A world's private directory: 0700, short enough for socket paths, swept up after a SIGKILL.

The directory is locked while its owner lives, so that the next start can tell the directories of
the living from those that a killed process left behind. Written with ``os`` alone: every start
comes through here, and tempfile, shutil and pathlib cost more than all the rest of it.
"""

import fcntl
import os
from collections.abc import Callable

from vreader.errors import VreaderError

PREFIX = "vreader-"
LOCK = "lock"
MAX_PARENT = 60  # a UNIX socket's path has at most 107 bytes


class PrivateDirectory:
    """A new directory for this world alone.

    Attributes:
        path: the directory.
    """

    def __init__(self) -> None:
        parent = parent_directory()
        self._owner = os.getpid()
        try:
            _sweep(parent)
            self.path, self._lock = _make(parent)
        except OSError as error:
            raise VreaderError(
                f"cannot make a directory in {parent}: {error.strerror or error}",
                hint="set TMPDIR to a directory that you may write to",
            ) from error

    def close(self) -> None:
        """Remove it with all it holds. May be called twice; a forked child lets go of it only."""
        if self._lock >= 0:
            if os.getpid() == self._owner:
                _remove(self.path)
            os.close(self._lock)
            self._lock = -1


def _make(parent: str) -> tuple[str, int]:
    """Make a directory and lock it; return both."""
    while True:
        path = f"{parent}/{PREFIX}{os.urandom(6).hex()}"
        os.mkdir(path, 0o700)  # noqa: PTH102
        lock = os.open(f"{path}/{LOCK}", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.fstat(lock).st_nlink:
            return path, lock
        os.close(lock)  # another start swept it up before it was locked


def parent_directory() -> str:
    """Return the user's run-time directory where there is one, else the temporary one.

    It is short enough for the path of a socket. Nothing is written to find it out, so that a
    process killed meanwhile leaves nothing.
    """
    for name in ("XDG_RUNTIME_DIR", "TMPDIR"):
        directory = os.environ.get(name, "").rstrip("/")
        if not directory.startswith("/") or len(os.fsencode(directory)) > MAX_PARENT:
            continue
        if os.path.isdir(directory) and os.access(directory, os.W_OK | os.X_OK):  # noqa: PTH112
            return directory
    return "/tmp"  # noqa: S108 - the directory made in it is private


def _sweep(parent: str) -> None:
    """Remove directories whose owner was killed."""
    with os.scandir(parent) as entries:
        ours = [e.path for e in entries if e.name.startswith(PREFIX)]
    for directory in ours:
        try:
            if os.stat(directory).st_uid != os.getuid():  # noqa: PTH116
                continue
            lock = os.open(f"{directory}/{LOCK}", os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            continue  # just being made, or just being removed
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _remove(directory)
        except BlockingIOError:
            pass  # its owner lives
        finally:
            os.close(lock)


def _remove(directory: str) -> None:
    """Remove a directory tree; what cannot be removed is left."""
    for parent, directories, files in os.walk(directory, topdown=False):
        for name in files:
            _try(os.unlink, f"{parent}/{name}")
        for name in directories:
            path = f"{parent}/{name}"
            _try(os.unlink if os.path.islink(path) else os.rmdir, path)  # noqa: PTH114
    _try(os.rmdir, directory)


def _try(remove: Callable[[str], None], path: str) -> None:
    try:
        remove(path)
    except OSError:
        pass  # somebody else removed it, or it is not ours to remove
