# SPDX-License-Identifier: Apache-2.0
"""Bytes and numbers as people write them; what all forms of a trace share."""

from collections.abc import Iterable

from vreader.smclib.ioctl import Ioctl

_IOCTLS = {int(code): code.name for code in Ioctl}


def hex_pairs(data: bytes, masked: Iterable[tuple[int, int]] = ()) -> list[str]:
    """Return one two-character text for each byte; those inside ``masked`` ranges are ``**``."""
    pairs = data.hex(" ").upper().split()
    for start, end in masked:
        for at in range(max(0, start), min(end, len(pairs))):
            pairs[at] = "**"
    return pairs


def one_line(text: str) -> str:
    """Escape what is not printable: this is no place for others' control sequences."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def ioctl_name(code: int) -> str | None:
    """Return the name of a standard I/O control code without IOCTL_, None for any other."""
    return _IOCTLS.get(code)
