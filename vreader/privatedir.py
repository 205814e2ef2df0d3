# SPDX-License-Identifier: Apache-2.0
"""A world's private directory: 0700, short enough for socket paths, swept up after a SIGKILL.

The directory is locked while its owner lives, so that the next start can tell the directories of
the living from those that a killed process left behind.
"""

import fcntl
import os
import shutil
import tempfile
from pathlib import Path

_PREFIX = "vreader-"
_LOCK = "lock"


class PrivateDirectory:
    """A new directory for this world alone.

    Attributes:
        path: the directory.
    """

    def __init__(self) -> None:
        parent = _parent()
        _sweep(parent)
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        self._lock = os.open(self.path / _LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def close(self) -> None:
        """Remove it with all it holds. May be called twice."""
        if self._lock >= 0:
            shutil.rmtree(self.path, ignore_errors=True)
            os.close(self._lock)
            self._lock = -1


def _parent() -> Path:
    """Return the user's run-time directory where there is one, else the temporary one."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    for directory in (runtime, tempfile.gettempdir()):
        # A UNIX socket's path has at most 107 bytes.
        if directory and len(os.fsencode(directory)) <= 60 and os.access(directory, os.W_OK):
            return Path(directory)
    return Path("/tmp")  # noqa: S108 - the directory made in it is private


def _sweep(parent: Path) -> None:
    """Remove directories whose owner was killed."""
    for directory in parent.glob(_PREFIX + "*"):
        try:
            if directory.stat().st_uid != os.getuid():
                continue
            lock = os.open(directory / _LOCK, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            continue  # just being made, or just being removed
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(directory, ignore_errors=True)
        except BlockingIOError:
            pass  # its owner lives
        finally:
            os.close(lock)
