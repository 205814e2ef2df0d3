# SPDX-License-Identifier: Apache-2.0
"""Keys of a registry as a ``.reg`` file, as regedit writes one."""

from collections.abc import Sequence
from typing import Final, Literal

from vreader.errors import UsageError
from vreader.registry.names import shortened
from vreader.registry.regfile import ANSI_TYPES, VERSION_4, VERSION_5
from vreader.registry.store import Registry
from vreader.registry.textfile import encode_ansi
from vreader.registry.values import REG_BINARY, REG_DWORD, REG_SZ, Value, from_utf16, utf16

_WIDTH: Final = 77  # of a line of hexadecimal bytes, without the backslash at its end


def export_reg(
    registry: Registry, paths: Sequence[str] = (), *, version: Literal[4, 5] = 5
) -> bytes:
    """Return a ``.reg`` file of the keys at ``paths``, with all below them.

    Args:
        registry: to read from.
        paths: keys; the whole registry without any, roots that have no values left out.
        version: 5 is UTF-16LE with a mark; 4 is cp1252 without.

    Raises:
        KeyNotFoundError: there is no such key.
        UsageError: version 4 cannot say a name or a text, and none a name with a line end.
    """
    keys = [registry.open(path) for path in paths] if paths else registry.roots()
    parts = [f"{VERSION_5 if version == 5 else VERSION_4}\r\n\r\n"]
    for start in keys:
        for key in start.walk():
            if key.parent is None and not paths and not key.values():
                continue
            parts.append(f"[{_one_line(key.path)}]\r\n")
            parts += [_line(name, value, version) for name, value in key.values()]
            parts.append("\r\n")
    text = "".join(parts)
    if version == 5:
        return b"\xff\xfe" + utf16(text)
    try:
        return encode_ansi(text)
    except UnicodeEncodeError as error:
        raise _no_ansi(text[error.start]) from None


def _one_line(name: str) -> str:
    if "\r" in name or "\n" in name:
        raise UsageError(
            f"no .reg file can name {shortened(name)}",
            hint="leave the key out: it holds a line end",
        )
    return name


def _no_ansi(letter: str) -> UsageError:
    return UsageError(f"version 4 has no {letter!r}", hint="export version 5")


def _line(name: str, value: Value, version: int) -> str:
    start = f"{_quoted(_one_line(name))}=" if name else "@="
    if value.type == REG_SZ and (text := _plain(value)) is not None:
        return f"{start}{_quoted(text)}\r\n"
    if value.type == REG_DWORD and len(value.data) == 4:
        return f"{start}dword:{int.from_bytes(value.data, 'little'):08x}\r\n"
    data = value.data
    if version == 4 and value.type in ANSI_TYPES:
        if len(data) % 2:
            raise UsageError(
                f"version 4 cannot say half a character, in value {shortened(name)}",
                hint="export version 5",
            )
        try:
            data = encode_ansi(from_utf16(data))
        except UnicodeEncodeError as error:
            raise _no_ansi(str(error.object[error.start])) from None
    start += "hex:" if value.type == REG_BINARY else f"hex({value.type:x}):"
    return _hex_lines(start, data)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _plain(value: Value) -> str | None:
    """Return the text of a REG_SZ that a quoted text can say, else None."""
    if len(value.data) % 2:
        return None
    text = from_utf16(value.data)
    # Line ends would depend on the reader; a missing or second NUL cannot be said at all.
    if not text.endswith("\0") or any(letter in text[:-1] for letter in "\0\r\n"):
        return None
    return text[:-1]


def _hex_lines(start: str, data: bytes) -> str:
    """Return bytes as regedit breaks them: lines of at most 78 characters, where one fits."""
    lines = []
    line = start
    for number, byte in enumerate(data, 1):
        item = f"{byte:02x}" if number == len(data) else f"{byte:02x},"
        if len(line) + len(item) > _WIDTH and line.endswith(","):
            lines.append(f"{line}\\")
            line = "  "
        line += item
    return "\r\n".join([*lines, line]) + "\r\n"
