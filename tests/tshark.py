# SPDX-License-Identifier: Apache-2.0
"""What Wireshark makes of a capture, by its command line program."""

import subprocess
from pathlib import Path

SEPARATOR = "\x1f"


def fields(tshark: str, capture: Path | bytes, *names: str, only: str = "") -> list[list[str]]:
    """Return the fields of every packet, decoded without any setup of the user's.

    Args:
        tshark: the program.
        capture: a file, or the capture itself.
        names: of fields, as in a display filter; ``_ws.col.Info`` is what the list shows.
        only: a display filter.
    """
    words = [tshark, "-r", "-" if isinstance(capture, bytes) else str(capture)]
    if only:
        words += ["-Y", only]
    words += ["-T", "fields", "-E", f"separator={SEPARATOR}"]
    words += [word for name in names for word in ("-e", name)]
    done = subprocess.run(
        words,
        input=capture if isinstance(capture, bytes) else None,
        stdin=None if isinstance(capture, bytes) else subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "LC_ALL": "C.UTF-8"},
    )
    assert done.returncode == 0, done.stderr.decode()
    return [line.split(SEPARATOR) for line in done.stdout.decode().split("\n")[:-1]]
