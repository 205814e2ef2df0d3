# SPDX-License-Identifier: Apache-2.0
"""Files that somebody names: read whole, up to a limit, with errors for people."""

from typing import Final

from vreader.errors import UsageError

_PART: Final = 1 << 20
MAX_TEXT: Final = 64 << 20
"""Bytes a text may have."""


def read_file(path: str, limit: int, hint: str, *, too_long: str = "") -> bytes:
    """Return a file's bytes.

    Args:
        path: of the file.
        limit: bytes it may have; in an error they are MiB.
        hint: what to name instead, for errors.
        too_long: the hint for a file that is longer; ``hint`` by default.

    Raises:
        UsageError: it cannot be read, or is longer.
    """
    parts: list[bytes] = []
    left = limit
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - pathlib is slow to import
            # Asked for all at once, Python takes the memory for the limit, however short it is.
            while left >= 0 and (part := file.read(min(_PART, left + 1))):
                parts.append(part)
                left -= len(part)
    except (OSError, ValueError) as error:
        raise unreadable(path, error, hint) from None
    if left < 0:
        raise UsageError(f"{path} is longer than {limit >> 20} MiB", hint=too_long or hint)
    return b"".join(parts)


def read_text(path: str, what: str, hint: str) -> str:
    """Return the text of a file.

    Args:
        path: where it is.
        what: it is, for errors.
        hint: what to do when no path is given.

    Raises:
        UsageError: there is none, it cannot be read, is no file, not text, or above 64 MiB.
    """
    import os
    import stat

    if not path:
        raise UsageError(f"no {what} is named", hint=hint)
    try:
        # A FIFO that nobody writes is refused, not waited for. Windows has none of these flags.
        flags = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)
        descriptor = os.open(path, os.O_RDONLY | flags)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise UsageError(f"{path} is not a file", hint=f"name the {what} itself")
            if status.st_size > MAX_TEXT:
                raise UsageError(
                    f"{path} is larger than {MAX_TEXT >> 20} MiB", hint=f"shorten the {what}"
                )
            with open(descriptor, "rb", closefd=False) as file:
                data = file.read(MAX_TEXT)
        finally:
            os.close(descriptor)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"cannot read the {what} {path}: {reason}", hint=hint) from None
    return decode(data, path, what)


def decode(data: bytes, path: str, what: str) -> str:
    """Return the text of a file's bytes; raises UsageError where it is none."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(
            f"{path} is not text: byte {error.start}, in line {line}, is not UTF-8",
            hint=f"name a {what}",
        ) from None


def unreadable(path: str, error: OSError | ValueError, hint: str) -> UsageError:
    """Return the error for a file the system does not let be read."""
    reason = getattr(error, "strerror", None) or error
    return UsageError(f"cannot read {path}: {reason}", hint=hint)
