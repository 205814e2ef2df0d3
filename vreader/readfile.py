# SPDX-License-Identifier: Apache-2.0
"""Files that somebody names: read whole, up to a limit, with errors for people."""

from typing import Final

from vreader.errors import UsageError

_PART: Final = 1 << 20


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


def unreadable(path: str, error: OSError | ValueError, hint: str) -> UsageError:
    """Return the error for a file the system does not let be read."""
    reason = getattr(error, "strerror", None) or error
    return UsageError(f"cannot read {path}: {reason}", hint=hint)
