# SPDX-License-Identifier: Apache-2.0
"""INF files from the disk."""

from typing import Final

from vreader.errors import UsageError
from vreader.setupapi.inf import Inf, read_inf

MAX_FILE: Final = 1 << 24  # bytes


def read_inf_file(path: str) -> Inf:
    """Read an INF file from the disk; raises UsageError."""
    return read_inf(read_inf_bytes(path), path.rpartition("/")[2])


def read_inf_bytes(path: str) -> bytes:
    """Return what is in an INF file; raises UsageError."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - pathlib is slow to import
            data = file.read(MAX_FILE + 1)
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from None
    if len(data) > MAX_FILE:
        raise UsageError(
            f"{path} is longer than {MAX_FILE >> 20} MiB", hint="INF files are far smaller"
        )
    return data


def unreadable(path: str, error: OSError | ValueError) -> UsageError:
    """Return the error for a file the system does not let be read."""
    reason = getattr(error, "strerror", None) or error
    return UsageError(f"cannot read {path}: {reason}", hint="name an INF file")
