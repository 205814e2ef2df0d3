# SPDX-License-Identifier: Apache-2.0
r"""``.reg`` files: what regedit and ``reg export`` write and read, both versions.

"Windows Registry Editor Version 5.00" is UTF-16LE, "REGEDIT4" is in an ANSI code page, and so are
the bytes of its ``hex(1)``, ``hex(2)`` and ``hex(7)`` values. A file is read whole before anything
is changed: a bad one changes nothing. Sources: Microsoft KB 310516, "Distributing registry changes
with .reg files".

Deletions are ``[-KEY]`` and ``"name"=-``. A text may go on over lines, as regedit writes a text
with line ends; ``,\`` at the end of a line of hexadecimal bytes goes on with the next that is
neither empty nor a comment. Windows passes over a line that it does not understand: here it is an
error, for it would be missed. Windows adds the NUL that a text in ``hex(2)`` or ``hex(7)`` lacks:
here bytes stay what they are.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from vreader.errors import UsageError
from vreader.registry.names import NameRefusedError, check_value_name, is_root, locate, shortened
from vreader.registry.store import Registry
from vreader.registry.textfile import decode, decode_ansi
from vreader.registry.values import REG_BINARY, REG_EXPAND_SZ, REG_MULTI_SZ, REG_SZ, Value, utf16

VERSION_5: Final = "Windows Registry Editor Version 5.00"
VERSION_4: Final = "REGEDIT4"
_VERSION_4_ANSI = VERSION_4.encode()
ANSI_TYPES: Final = frozenset({REG_SZ, REG_EXPAND_SZ, REG_MULTI_SZ})

_LINE = re.compile(r"([^\r\n]*)(\r\n|\n|\r|\Z)")
_SPECIAL = re.compile(r'["\\]')
_HEX = re.compile(r"hex(?:\(([0-9a-f]{1,8})\))?:", re.IGNORECASE)
_DWORD = re.compile(r"dword:\s*([0-9a-f]{1,8})", re.IGNORECASE)
_BYTES = re.compile(r"(?:[0-9a-f]{2},)*[0-9a-f]{2}", re.IGNORECASE)
_BYTE = re.compile(r"[0-9a-f]{1,2}", re.IGNORECASE)


class RegFileError(UsageError):
    """A ``.reg`` file cannot be read.

    Attributes:
        line: where, 1 being the first.
        column: where in the line, 1 being the first; 0 where it is about the whole file.
    """

    def __init__(self, source: str, line: int, problem: str, hint: str, column: int = 0) -> None:
        where = f"{source}, line {line}"
        if column:
            where += f", column {column}"
        super().__init__(f"{where}: {problem}", hint=hint)
        self.line = line
        self.column = column


class Change:
    """One line of a ``.reg`` file.

    Attributes:
        line: where it stands.
        path: of the key, from a root on.
        name: of the value; None where the key itself is made or deleted.
        value: what to set; None deletes.
        deletes: the key, or the value, is deleted.
    """

    __slots__ = ("deletes", "line", "name", "path", "value")

    def __init__(
        self, line: int, path: str, name: str | None, value: Value | None, *, deletes: bool
    ) -> None:
        self.line = line
        self.path = path
        self.name = name
        self.value = value
        self.deletes = deletes


def import_reg(registry: Registry, data: bytes, source: str = "the .reg file") -> int:
    """Read a ``.reg`` file into ``registry``; return how many changes it asks for.

    Args:
        registry: is left alone where the file is bad.
        data: the file.
        source: what to call it in an error.

    Raises:
        RegFileError: it is no ``.reg`` file; with the line.
    """
    changes = parse_reg(data, source)
    apply(registry, changes)
    return len(changes)


def apply(registry: Registry, changes: Sequence[Change]) -> None:
    """Make the changes of a ``.reg`` file."""
    for change in changes:
        if change.name is None:
            if not change.deletes:
                registry.create(change.path)
            elif registry.find(change.path) is not None:
                registry.delete(change.path, tree=True)
        elif change.value is not None:
            registry.create(change.path).set(change.name, change.value)
        else:
            key = registry.find(change.path)
            if key is not None and key.find_value(change.name) is not None:
                key.delete_value(change.name)


def parse_reg(data: bytes, source: str = "the .reg file") -> list[Change]:
    """Read a ``.reg`` file; raises RegFileError."""
    try:
        # Without a mark regedit reads version 4 as ANSI, also where it could be UTF-8.
        text = decode_ansi(data) if data.lstrip().startswith(_VERSION_4_ANSI) else decode(data)
    except ValueError as error:
        raise RegFileError(
            source, 1, str(error), "regedit writes UTF-16LE or, as version 4, ANSI"
        ) from None
    return list(_Parser(text, source).changes())


class _Parser:
    def __init__(self, text: str, source: str) -> None:
        self._lines = _LINE.finditer(text)
        self._line = self._end = ""  # the present one
        self._at = 0  # lines read
        self._source = source
        self._ansi = False

    def _error(self, problem: str, hint: str, at: str | tuple[int, int]) -> RegFileError:
        """Return an error at what is left of the present line, or at a line and a column."""
        line, column = self._place(at) if isinstance(at, str) else at
        return RegFileError(self._source, line, problem, hint, column)

    def _place(self, rest: str) -> tuple[int, int]:
        return self._at, len(self._line) - len(rest) + 1

    def _next(self) -> str | None:
        match = next(self._lines, None)
        if match is None:
            return None
        self._at += 1
        self._line, self._end = match.groups()
        return self._line

    def changes(self) -> Iterator[Change]:
        self._read_version()
        key: Change | None = None
        while (line := self._next()) is not None:
            line = line.lstrip(" \t\0")
            if not line or line.startswith(";"):
                continue
            if line.startswith("["):
                key = self._key(line)
                yield key
            elif line.startswith(('"', "@")):
                if key is None or key.deletes:
                    raise self._error(
                        "a value outside of a key" if key is None else "a value in a deleted key",
                        r"put [HKEY_LOCAL_MACHINE\…] above it",
                        line,
                    )
                yield self._value(key.path, line)
            else:
                raise self._error(
                    f"neither a key nor a value: {shortened(line)}",
                    'a key is [HKEY_…], a value is "name"=… or @=…, a comment starts with ;',
                    line,
                )

    def _read_version(self) -> None:
        while (line := self._next()) is not None:
            line = line.lstrip()
            if line:
                break
        version = (line or "").rstrip()
        if version not in (VERSION_5, VERSION_4):
            raise self._error(
                "not a .reg file", f"its first line is {VERSION_5!r} or {VERSION_4!r}", line or ""
            )
        self._ansi = version == VERSION_4

    def _key(self, line: str) -> Change:
        end = line.rfind("]")
        rest = line[end + 1 :].lstrip()
        if end < 0 or (rest and not rest.startswith(";")):
            raise self._error(
                "a key's line does not end with ]",
                r"[HKEY_LOCAL_MACHINE\Software]",
                rest if end >= 0 else "",
            )
        deletes = line.startswith("[-")
        start = 2 if deletes else 1
        path = line[start:end]
        if deletes and is_root(path):
            raise self._error("a root cannot be deleted", "name a key below it", line[start:])
        try:
            locate(path)
        except NameRefusedError as error:
            raise self._error(str(error), r"a key is [HKEY_…\name\name]", line[start:]) from None
        return Change(self._at, path, None, None, deletes=deletes)

    def _value(self, path: str, line: str) -> Change:
        at, column = self._place(line)
        name, rest = ("", line[1:]) if line.startswith("@") else self._string(line)
        try:
            check_value_name(name)
        except NameRefusedError as error:
            raise self._error(str(error), "shorten it", (at, column)) from None
        rest = rest.lstrip()
        if not rest.startswith("="):
            raise self._error("no = after the value's name", '"name"=… or @=…', rest)
        rest = rest[1:].lstrip()
        value: Value | None
        if rest.startswith("-"):
            value, rest = None, rest[1:]
        elif rest.startswith('"'):
            text, rest = self._string(rest)
            value = Value.sz(text)
        elif match := _DWORD.match(rest):
            value, rest = Value.dword(int(match[1], 16)), rest[match.end() :]
        elif match := _HEX.match(rest):
            kind = REG_BINARY if match[1] is None else int(match[1], 16)
            data, rest = self._bytes(rest[match.end() :]), ""
            if self._ansi and kind in ANSI_TYPES:
                data = utf16(decode_ansi(data))
            value = Value(kind, data)
        else:
            raise self._error(
                f"no value: {shortened(rest)}",
                '"text", dword:0000002a, hex:01,02, hex(7):… or -',
                rest,
            )
        rest = rest.lstrip()
        if rest and not rest.startswith(";"):
            raise self._error(f"more after the value: {shortened(rest)}", "one value a line", rest)
        return Change(at, path, name, value, deletes=value is None)

    def _string(self, line: str) -> tuple[str, str]:
        """Read a quoted text at the beginning of ``line``; return it and what follows it."""
        started = self._place(line)
        parts: list[str] = []
        at = 1
        while True:
            match = _SPECIAL.search(line, at)
            if match is None:
                parts.append(line[at:])
                parts.append(self._end)
                following = self._next()
                if following is None:
                    raise self._error('a text without its closing "', 'close it with "', started)
                line, at = following, 0
                continue
            parts.append(line[at : match.start()])
            at = match.end()
            if match[0] == '"':
                return "".join(parts), line[at:]
            escaped = line[at : at + 1]
            if escaped not in ("\\", '"') or not escaped:
                raise self._error(
                    r"a single \ in a text", r'write \\ for \ and \" for "', line[at - 1 :]
                )
            parts.append(escaped)
            at += 1

    def _bytes(self, rest: str) -> bytes:
        """Read hexadecimal bytes, over lines that end with a comma and a backslash."""
        lines: list[bytes] = []
        while True:
            rest = rest.lstrip()
            text = rest.partition(";")[0].rstrip()
            digits = text.removesuffix("\\").rstrip()
            end = self._place(rest[len(text) - 1 :])
            if digits != text and not digits.endswith(",") and (digits or lines):
                # Windows takes no value that is cut elsewhere.
                raise self._error("no comma before the \\", "cut the line behind a comma", end)
            lines.append(self._line_of_bytes(digits, rest))
            if digits == text:
                return b"".join(lines)
            rest = self._continuation(end)

    def _line_of_bytes(self, digits: str, rest: str) -> bytes:
        """Read the bytes of one line, of which ``rest`` is left."""
        if not digits:
            return b""
        digits = digits.removesuffix(",")
        if _BYTES.fullmatch(digits):
            return bytes.fromhex(digits.replace(",", ""))
        data = bytearray()
        at = 0
        for item in digits.split(","):
            byte = item.strip()
            if not _BYTE.fullmatch(byte):
                blanks = len(item) - len(item.lstrip())
                raise self._error(
                    f"{shortened(byte)} is no byte", "two hexadecimal digits each, commas between",
                    rest[at + blanks :],
                )  # fmt: skip
            data.append(int(byte, 16))
            at += len(item) + 1
        return bytes(data)

    def _continuation(self, cut: tuple[int, int]) -> str:
        """Return the next line that is neither empty nor a comment."""
        while (line := self._next()) is not None:
            if line.partition(";")[0].strip():
                return line
        raise self._error(r"nothing after the \ of the last line", "finish the value", cut)
