# SPDX-License-Identifier: Apache-2.0
"""A file of answers: JSON lines that are appended, and survive a kill.

The first line is ``{"sweep": 1, "salt": …}``, each other ``{"key": …, "pairing": {…}}``; where a
key comes twice, the later line counts. A last line that was torn by a kill is dropped; any other
line that is none of ours means that the file is not ours, and it is left alone.
"""

import fcntl
import hashlib
import hmac
import io
import json
import os
import secrets
import stat
import sys
from collections.abc import Generator, Iterable
from contextlib import closing
from types import TracebackType
from typing import Any, BinaryIO, Final, Self

from vreader.errors import UsageError, VreaderError

FIRST: Final = b'{"sweep": 1, "salt": "'
BEGINNING: Final = b'{"key": "'
SALT_LENGTH: Final = 16  # bytes
SYNC_EVERY: Final = 32  # lines: a computer that loses its power loses no more answers


class Shared:
    """What is the same in many answers, once each: large sweeps need half the memory."""

    def __init__(self) -> None:
        self._parts: dict[str, Any] = {}

    def __call__(self, record: dict[str, Any]) -> dict[str, Any]:
        """Return an equal record that shares its names, and the elements of its lists."""
        return {sys.intern(name): self._part(value) for name, value in record.items()}

    def _part(self, value: Any) -> Any:  # noqa: ANN401 - plain data
        if isinstance(value, list):
            return [self._part(each) for each in value]
        return self._parts.setdefault(repr(value), value)


class ResultFile:
    """A file of answers, open for one sweep alone.

    Args:
        path: of the file, which is made where it is not there.

    Attributes:
        known: the answers in it, by key.
        shared: to make answers of it share what is the same.

    Raises:
        UsageError: it is not a file of answers.
        VreaderError: it cannot be opened, or another sweep has it.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self.known: dict[str, dict[str, Any]] = {}
        self.shared = Shared()
        self._unsynced = 0
        self._salt = b""
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            # Unbuffered: a line that is written is in the file.
            self._file: BinaryIO = os.fdopen(descriptor, "r+b", buffering=0)
        except (OSError, ValueError) as error:
            raise self._error("open", error) from None
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise UsageError(f"{path} is no ordinary file", hint="name another one")
            self._lock()
            self._read()
        except BaseException:
            self._file.close()
            raise

    def key(self, digest: str) -> str:
        """Return what a question is called in this file, by its digest.

        Digests rest on SPECs, which may hold PINs. In no two files do they come to the same key,
        so that nobody can look them up.
        """
        return hmac.new(self._salt, digest.encode(), hashlib.sha256).hexdigest()[:32]

    def append(self, answers: Iterable[tuple[str, dict[str, Any]]]) -> None:
        """Write answers and their keys; now and then to the disk itself. Raises VreaderError."""
        lines = [
            json.dumps({"key": key, "pairing": record}).encode() + b"\n" for key, record in answers
        ]
        try:
            self._write(b"".join(lines))
            self._unsynced += len(lines)
            if self._unsynced >= SYNC_EVERY:
                self._unsynced = 0
                os.fsync(self._file.fileno())
        except OSError as error:
            raise self._error("write", error) from None

    def _write(self, text: bytes) -> None:
        while text:
            text = text[self._file.write(text) :]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if error is None and self._unsynced:
                os.fsync(self._file.fileno())
        except OSError as problem:
            raise self._error("write", problem) from None
        finally:
            self._file.close()

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise VreaderError(
                f"another sweep is writing {self._path}", hint="wait for it, or name another file"
            ) from None
        except OSError:
            pass  # a file system without locks

    def _read(self) -> None:
        whole = 0
        with closing(self._lines()) as lines:
            for number, line in enumerate(lines, 1):
                beginning = BEGINNING if self._salt else FIRST
                if not line.endswith(b"\n"):
                    if line[: len(beginning)] != beginning[: len(line)]:
                        raise self._not_ours(number)
                    break
                try:
                    told = json.loads(line)
                    if self._salt:
                        self._take(told)
                    else:
                        self._salt = self._salt_of(told)
                except (ValueError, TypeError, KeyError, RecursionError):
                    raise self._not_ours(number) from None
                whole += len(line)
        try:
            self._file.truncate(whole)
            self._file.seek(whole)
            if not self._salt:
                self._salt = secrets.token_bytes(SALT_LENGTH)
                self._write(FIRST + self._salt.hex().encode() + b'"}\n')
        except OSError as error:
            raise self._error("write", error) from None

    def _lines(self) -> Generator[bytes, None, None]:
        reader = io.BufferedReader(self._file)  # type: ignore[type-var]
        try:
            yield from iter(reader.readline, b"")  # of itself it would close the file
        except OSError as error:
            raise self._error("read", error) from None
        finally:
            reader.detach()

    def _take(self, told: Any) -> None:  # noqa: ANN401 - whatever is in the file
        key, record = told["key"], told["pairing"]
        if not isinstance(key, str) or not isinstance(record["outcome"], str):
            raise TypeError
        self.known[key] = self.shared(record)

    @staticmethod
    def _salt_of(told: Any) -> bytes:  # noqa: ANN401
        salt = bytes.fromhex(told["salt"])
        if told["sweep"] != 1 or len(salt) != SALT_LENGTH:
            raise ValueError
        return salt

    def _not_ours(self, number: int) -> UsageError:
        return UsageError(
            f"{self._path}, line {number} is no answer of a sweep",
            hint="the file is left as it is: name another one, or remove it",
        )

    def _error(self, verb: str, error: Exception) -> VreaderError:
        reason = getattr(error, "strerror", None) or error
        return VreaderError(f"cannot {verb} {self._path}: {reason}", hint="name another file")
