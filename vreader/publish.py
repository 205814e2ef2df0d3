# SPDX-License-Identifier: Apache-2.0
"""New files that appear whole or not at all: written aside, then put in their place."""

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Final

from vreader.errors import UsageError, VreaderError

_ANYBODY: Final = 0o666


def write_file(path: str, data: bytes, *, replace: bool = True, mode: int = _ANYBODY) -> None:
    """Write a file that a person has named, whole or not at all.

    Args:
        path: its name; what is no file, a pipe for example, is written to.
        data: what is to be in it.
        replace: it may exist.
        mode: who may read it, less the umask. Whoever could not read the file before cannot read
            the new one.

    Raises:
        UsageError: it exists, and is not to be replaced.
        VreaderError: it cannot be written.
    """
    try:
        there = os.path.exists(path)  # noqa: PTH110 - pathlib is slow to import
        if there and not os.path.isfile(path):  # noqa: PTH113
            with open(path, "wb") as file:  # noqa: PTH123
                file.write(data)
        else:
            before = stat.S_IMODE(os.stat(path).st_mode) if there else mode  # noqa: PTH116
            publish(data, path, replace=replace, mode=before & mode)
    except (OSError, ValueError) as error:
        raise _cannot_write(path, error) from error


@contextmanager
def turn(path: str) -> Iterator[None]:
    """Let processes take turns that read a file and write it again.

    All files of a folder wait for each other. Where nothing can be locked nobody waits.
    """
    with ExitStack() as held:
        # One may write into folders that one may not list, and not every file system has locks.
        with suppress(OSError, ValueError):
            folder = os.path.dirname(os.path.realpath(path))  # noqa: PTH120 - pathlib is slow
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            held.callback(os.close, handle)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _cannot_write(path: str, error: Exception) -> VreaderError:
    reason = getattr(error, "strerror", None) or error
    return VreaderError(f"cannot write {path}: {reason}", hint="choose another folder or name")


def publish(content: bytes, path: str, *, replace: bool = False, mode: int = 0o600) -> None:
    """Write a file, whole or not at all.

    Args:
        content: what is to be in it.
        path: its name.
        replace: it may exist.
        mode: who may read it, less the umask; only its owner.

    Raises:
        UsageError: it exists, and is not to be replaced.
        OSError: it cannot be written.
    """
    with new_file(path, replace=replace) as aside:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        with os.fdopen(os.open(aside, flags, mode), "wb") as file:
            file.write(content)


@contextmanager
def new_file(path: str, *, replace: bool = False) -> Iterator[str]:
    """Give the name of a file aside that becomes ``path`` when all went well.

    Where ``path`` is a symbolic link, the file that it names is made or replaced.

    Args:
        path: its name.
        replace: it may exist.

    Raises:
        UsageError: it exists, and is not to be replaced; somebody else may have been faster.
        OSError: it cannot be written.
    """
    place = os.path.realpath(path)
    if os.path.lexists(place) and not replace:
        raise _exists(path)
    aside = f"{place}.new-{os.getpid()}"
    _sweep(place)
    try:
        yield aside
        if replace:
            os.replace(aside, place)  # noqa: PTH105 - pathlib is slow to import
        else:
            _name(aside, place)
    except FileExistsError as error:
        raise _exists(path) from error
    finally:
        _remove(aside)


def _exists(path: str) -> UsageError:
    return UsageError(
        f"{path} exists already", hint="name another file, or add --force to replace it"
    )


def _name(aside: str, path: str) -> None:
    """Give a file its name, which nobody else has taken meanwhile."""
    try:
        os.link(aside, path)
    except FileExistsError:
        raise
    except OSError:  # not every file system has hard links
        os.replace(aside, path)  # noqa: PTH105


def _sweep(place: str) -> None:
    """Remove what processes left aside that were killed: there may be keys in it."""
    folder, name = os.path.split(place)
    try:
        there = os.listdir(folder)  # noqa: PTH208 - pathlib is slow to import
    except OSError:
        return  # one may write into folders that one may not list
    for found in there:
        base, _, pid = found.removesuffix("-journal").rpartition(".new-")
        if base == name and pid.isascii() and pid.isdigit() and not _lives(int(pid)):
            _remove(os.path.join(folder, f"{base}.new-{pid}"))  # noqa: PTH118


def _lives(pid: int) -> bool:
    """Tell whether another process has this number; what has ours is of one before us."""
    if pid == os.getpid():
        return False
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return True


def _remove(aside: str) -> None:
    """Remove a file aside, with the journal of a card's data base."""
    for path in (aside, f"{aside}-journal"):
        if os.path.lexists(path):
            os.unlink(path)  # noqa: PTH108 - pathlib is slow to import
