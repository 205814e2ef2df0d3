# SPDX-License-Identifier: Apache-2.0
"""The state file of a card: one SQLite database, held by one process at a time.

Killed at any moment, the file holds exactly the committed transactions. ``application_id`` says
that the file is ours, ``user_version`` is the version of its layout; a file of a newer version is
refused, never guessed at. Keys and PINs lie in it in clear: the file is created with mode 0600.
"""

import os
import sqlite3
import sys
import weakref
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from cards.platform.nvm import Key, NvmError
from vreader.errors import VreaderError

APPLICATION_ID = 0x56524344  # "VRCD"
VERSION = 1
_SCHEMA = (
    "CREATE TABLE nvm (area TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL,"
    " PRIMARY KEY (area, key)) WITHOUT ROWID"
)
_SMALLEST = 512  # the smallest page of an SQLite database
# The bytes SQLite locks in every database file (its file format §"lock-byte page").
_LOCK_START, _LOCK_LENGTH = 0x40000000, 512
# Files this process holds, by (device, inode). POSIX drops all locks of a process on a file when
# it closes *any* descriptor of it, so such a file must not be opened again to look for its owner.
_held: dict[tuple[int, int], sqlite3.Connection] = {}
# Connections of the process that forked this one. Closing one takes its owner's journal away.
_inherited: list[sqlite3.Connection] = []


class StateFile:
    """A backend of :class:`cards.platform.nvm.Nvm` in a file, created when it does not exist.

    Calls may come from different threads but must not overlap. The child of a fork holds no lock:
    it can neither write the file nor close it.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._connection = _connect(path)
        try:
            identity = _identity(path)
            _prepare(self._connection, path)
        except BaseException:
            self._connection.close()
            raise
        _held[identity] = self._connection
        self._owner = os.getpid()
        self._close = weakref.finalize(self, _release, self._connection, identity, self._owner)

    def load(self) -> dict[Key, bytes]:
        """Return everything in the file."""
        rows = self._connection.execute("SELECT area, key, value FROM nvm").fetchall()
        return {(area, key): bytes(value) for area, key, value in rows}

    def write(self, changes: Mapping[Key, bytes | None]) -> None:
        """Write ``changes`` as one transaction, on the disk when this returns."""
        if os.getpid() != self._owner:
            raise NvmError(f"{self._path}: another process holds it, the one that forked this one")
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            for (area, key), value in changes.items():
                if value is None:
                    self._connection.execute(
                        "DELETE FROM nvm WHERE area = ? AND key = ?", (area, key)
                    )
                else:
                    self._connection.execute(
                        "INSERT OR REPLACE INTO nvm VALUES (?, ?, ?)", (area, key, value)
                    )
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._undo()
            raise NvmError(f"{self._path}: {error}") from error
        except BaseException:
            self._undo()
            raise

    def close(self) -> None:
        """Release the file."""
        self._close()

    def _undo(self) -> None:
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except sqlite3.Error:
            pass  # SQLite has undone it by itself; the failure that led here is reported


def kind_in(path: str) -> str:
    """Return the kind of the card in a file, or nothing; takes no lock and changes nothing.

    A process that was killed leaves a journal; the half-done change is then undone first.
    """
    try:
        place = Path(path).resolve(strict=True)
        if (held := _held.get(_identity(path))) is not None:
            return _kind_by(held)  # the file must not be opened twice, see above
        if place.with_name(place.name + "-journal").exists():
            # Whoever holds the file may be writing at this moment; then it is in use, and whole
            # as far as its kind goes.
            with closing(sqlite3.connect(place, timeout=0)) as recovering:
                if found := _kind_by(recovering):
                    return found
        connection = sqlite3.connect(f"{place.as_uri()}?mode=ro&immutable=1", uri=True)
    except (OSError, sqlite3.Error):
        return ""
    try:
        return _kind_by(connection)
    finally:
        connection.close()


def _kind_by(connection: sqlite3.Connection) -> str:
    try:
        if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
            return ""
        row = connection.execute("SELECT value FROM nvm WHERE area = 'card' AND key = 'kind'")
        found = row.fetchone()
        return bytes(found[0]).decode() if found else ""
    except (sqlite3.Error, ValueError, TypeError):
        return ""


def _release(connection: sqlite3.Connection, identity: tuple[int, int], owner: int) -> None:
    if os.getpid() != owner:
        import ctypes

        _inherited.append(connection)
        # Not even the end of the interpreter may close it.
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(connection))
        return
    connection.close()
    _held.pop(identity, None)


def _connect(path: str) -> sqlite3.Connection:
    try:
        try:
            # SQLite would create the file with the process's umask.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError:
            if 0 < Path(path).stat().st_size < _SMALLEST:
                # SQLite takes a file of one byte for an empty one.
                raise _foreign(path) from None
    except OSError as error:
        raise _unusable(path, error.strerror or str(error)) from error
    try:
        return sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
    except sqlite3.Error as error:
        raise _unusable(path, str(error)) from error


def _prepare(connection: sqlite3.Connection, path: str) -> None:
    """Lock the file, check that it is ours, lay it out when it is new."""
    try:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("BEGIN EXCLUSIVE")
        _check(connection, path)
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise _in_use(path) from error
        raise _unusable(path, str(error)) from error
    except sqlite3.DatabaseError as error:
        raise _foreign(path) from error


def _check(connection: sqlite3.Connection, path: str) -> None:
    def number(sql: str) -> int:
        return int(connection.execute(sql).fetchone()[0])

    application = number("PRAGMA application_id")
    version = number("PRAGMA user_version")
    if not application and not version and not number("SELECT count(*) FROM sqlite_master"):
        connection.execute(_SCHEMA)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {VERSION}")
        Path(path).chmod(0o600)
        return
    if application != APPLICATION_ID:
        raise _foreign(path)
    if version > VERSION:
        raise VreaderError(
            f"{path} was written by a newer vreader (layout {version}, this one knows {VERSION})",
            hint="upgrade vreader, or use another state file",
        )
    if version < 1:
        raise _foreign(path)


def _identity(path: str) -> tuple[int, int]:
    status = Path(path).stat()
    return status.st_dev, status.st_ino


def _unusable(path: str, reason: str) -> VreaderError:
    return VreaderError(
        f"cannot use the state file {path}: {reason}",
        hint="check that its directory exists and that you may read and write it",
    )


def _foreign(path: str) -> VreaderError:
    return VreaderError(
        f"{path} is not a card state file", hint="name a new file; this one was left untouched"
    )


def _in_use(path: str) -> VreaderError:
    return VreaderError(
        f"the state file {path} is in use by {_holder(path)}",
        hint="one process at a time may hold a card: end that one, or use another state file",
    )


def _holder(path: str) -> str:
    if _identity(path) in _held:
        return f"this process (pid {os.getpid()})"
    pid = _lock_owner(path)
    return f"process {pid}" if pid else "another process"


def _lock_owner(path: str) -> int:
    """Return the pid that holds SQLite's lock, or 0 where the system does not say."""
    if not sys.platform.startswith("linux"):
        return 0
    import fcntl
    import struct

    # struct flock: l_type, l_whence, l_start, l_len, l_pid
    form = "hhqqi0q"
    question = struct.pack(form, fcntl.F_WRLCK, os.SEEK_SET, _LOCK_START, _LOCK_LENGTH, 0)
    try:
        with Path(path).open("rb") as file:
            answer = fcntl.fcntl(file, fcntl.F_GETLK, question)
    except OSError:
        return 0
    kind, _, _, _, pid = struct.unpack(form, answer)
    return max(pid, 0) if kind != fcntl.F_UNLCK else 0
