# SPDX-License-Identifier: Apache-2.0
"""What is no DLL for x64 is refused before anything is started."""

import struct

import pytest

from vreader.errors import UsageError
from vreader.minidriver.dll.pe import X64, X86, check_dll


def image(machine=X64, flags=0x2022, magic=b"MZ", signature=b"PE\0\0"):
    head = magic.ljust(0x3C, b"\0") + struct.pack("<I", 0x80)
    coff = struct.pack("<HHIIIHH", machine, 1, 0, 0, 0, 0xF0, flags)
    return head.ljust(0x80, b"\0") + signature + coff


def test_a_dll_for_x64_is_taken(tmp_path):
    path = tmp_path / "x.dll"
    path.write_bytes(image())
    check_dll(str(path))


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (image(X86), r"x\.dll is a DLL for x86 \(32 bits\): here is Wine for x64 alone"),
        (image(0xAA64), "for ARM64"),
        (image(0x1234), "for processor 0x1234"),
        (image(flags=0x22), "a program, not a DLL"),
        (image(magic=b"ZM"), "no PE header"),
        (image(signature=b"NE\0\0"), "no PE header"),
        (image()[:0x84], "no PE header"),
        (b"", "no PE header"),
    ],
)
def test_others_are_refused_with_the_reason(tmp_path, raw, reason):
    path = tmp_path / "x.dll"
    path.write_bytes(raw)
    with pytest.raises(UsageError, match=reason):
        check_dll(str(path))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"cannot read .*x\.dll: No such file"):
        check_dll(str(tmp_path / "x.dll"))
