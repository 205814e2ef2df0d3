# SPDX-License-Identifier: Apache-2.0
"""INF files from the disk."""

from typing import Final

from vreader.readfile import read_file
from vreader.setupapi.inf import Inf, read_inf

MAX_FILE: Final = 1 << 24  # bytes
HINT: Final = "name an INF file"


def read_inf_file(path: str) -> Inf:
    """Read an INF file from the disk; raises UsageError."""
    return read_inf(read_inf_bytes(path), path.rpartition("/")[2])


def read_inf_bytes(path: str) -> bytes:
    """Return what is in an INF file; raises UsageError."""
    return read_file(path, MAX_FILE, HINT, too_long="INF files are far smaller")
