# SPDX-License-Identifier: Apache-2.0
"""Where worlds keep their sockets: can it be written, is its name short, what lies about."""

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from vreader.doctor.check import Finding, fail, ok, warn
from vreader.doctor.environment import unreachable
from vreader.doctor.machine import Machine
from vreader.privatedir import LOCK, MAX_PARENT, PREFIX, parent_directory

_LEAST_BYTES = 1 << 20


def look(_machine: Machine) -> Iterator[Finding]:
    """Say which directory is used, and why not another."""
    used = parent_directory()
    for name in ("XDG_RUNTIME_DIR", "TMPDIR"):
        given = os.environ.get(name, "").rstrip("/")
        if given == used:
            break
        if given:
            yield warn(
                f"{name}={given} is not used: {_why_not(given)}; {used} is",
                f"unset {name}, or set it to a short directory of your own",
            )
    if not os.access(used, os.W_OK | os.X_OK):
        yield fail(f"{used} cannot be written", "set TMPDIR to a directory of your own")
        return
    room = os.statvfs(used)
    if room.f_bavail * room.f_frsize < _LEAST_BYTES:
        yield fail(f"{used} is full", "make room, or set TMPDIR to another directory")
        return
    alive, dead, odd = _worlds(Path(used))
    running = f", {alive} running" if alive else ""
    yield ok(f"worlds are made in {used}{running}")
    if dead:
        yield ok(f"{dead} left by killed processes: the next start removes them")
    if odd:
        names = " ".join(str(path) for path in odd)
        yield warn(f"left by killed processes, and nobody removes it: {names}", f"rm -r {names}")


def _why_not(given: str) -> str:
    if not given.startswith("/"):
        return "it is not an absolute path"
    if len(os.fsencode(given)) > MAX_PARENT:
        return f"it is longer than {MAX_PARENT} bytes, too long for sockets in it"
    if not Path(given).is_dir():
        return "it is not a directory"
    return "it cannot be written"


def _worlds(parent: Path) -> tuple[int, int, list[Path]]:
    """Count directories with a living owner and with a dead one; list those without a lock."""
    alive, dead, odd = 0, 0, []
    for path in parent.glob(f"{PREFIX}*"):
        try:
            if path.stat().st_uid != os.getuid():
                continue
            lock = os.open(path / LOCK, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            if _abandoned(path):
                odd.append(path)
            continue
        except OSError:
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            dead += 1
        except BlockingIOError:
            alive += 1
        finally:
            os.close(lock)
    return alive, dead, odd


def _abandoned(path: Path) -> bool:
    """Tell whether a directory without a lock was a pcscd's that has ended."""
    try:
        sockets = [entry for entry in path.iterdir() if entry.is_socket()]
    except OSError:
        return False  # no directory, or it has just gone
    return bool(sockets) and all(unreachable(str(each)) for each in sockets)
