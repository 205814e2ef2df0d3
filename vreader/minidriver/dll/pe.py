# SPDX-License-Identifier: Apache-2.0
"""What the header of a Windows program says: for which processor it is ("PE Format")."""

import struct
from typing import Final

from vreader.errors import UsageError

X64: Final = 0x8664
X86: Final = 0x014C
_DLL: Final = 0x2000
_NAMES: Final = {X64: "x64", X86: "x86 (32 bits)", 0xAA64: "ARM64", 0x01C4: "ARM (32 bits)"}


def check_dll(path: str) -> None:
    """Refuse what is no DLL for x64, by name and with the reason.

    Raises:
        UsageError: the file is missing, no DLL, or for another processor.
    """
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - one read of the start
            raw = file.read(4096)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from error
    try:
        (at,) = struct.unpack_from("<I", raw, 0x3C)
        signature, machine = struct.unpack_from("<4sH", raw, at)
        (flags,) = struct.unpack_from("<H", raw, at + 22)
    except struct.error:
        signature, machine, flags = b"", 0, 0
    if raw[:2] != b"MZ" or signature != b"PE\0\0":
        raise UsageError(f"{path} is no program for Windows: it has no PE header")
    if not flags & _DLL:
        raise UsageError(f"{path} is a program, not a DLL")
    if machine != X64:
        name = _NAMES.get(machine, f"processor 0x{machine:04X}")
        raise UsageError(
            f"{path} is a DLL for {name}: here is Wine for x64 alone",
            hint="name the 64-bit build of the minidriver",
        )
