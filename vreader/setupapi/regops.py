# SPDX-License-Identifier: Apache-2.0
r"""Lines of add-registry and del-registry sections: what they mean and what they do.

``reg-root, [subkey], [value-entry-name], [flags], [value][, value]…``. Sources: WDK "INF AddReg
Directive", "INF DelReg Directive"; the flags are those of setupapi.h.
"""

from collections.abc import Mapping
from typing import Final

from vreader.registry import (
    REG_BINARY,
    REG_DWORD,
    REG_EXPAND_SZ,
    REG_MULTI_SZ,
    REG_NONE,
    REG_QWORD,
    REG_SZ,
    Key,
    NameRefusedError,
    Registry,
    Value,
)
from vreader.registry.names import check_depth, check_value_name, fold, split
from vreader.registry.view import seen
from vreader.setupapi.inf import Inf
from vreader.setupapi.syntax import Entry
from vreader.setupapi.target import parse_number

BINVALUETYPE: Final = 0x00000001
NOCLOBBER: Final = 0x00000002
DELVAL: Final = 0x00000004
APPEND: Final = 0x00000008
KEYONLY: Final = 0x00000010
OVERWRITEONLY: Final = 0x00000020
KEY64: Final = 0x00001000
KEYONLY_COMMON: Final = 0x00002000
KEY32: Final = 0x00004000
TYPE_MASK: Final = 0xFFFF0001
MULTI_SZ_DELSTRING: Final = 0x00018002  # DelReg: take a text out of a REG_MULTI_SZ

TYPE_SZ: Final = 0x00000000
TYPE_MULTI_SZ: Final = 0x00010000
TYPE_EXPAND_SZ: Final = 0x00020000
TYPE_BINARY: Final = 0x00000001
TYPE_DWORD: Final = 0x00010001
TYPE_NONE: Final = 0x00020001
TYPE_QWORD: Final = 0x000B0001

_TEXT_TYPES: Final = {TYPE_SZ: REG_SZ, TYPE_EXPAND_SZ: REG_EXPAND_SZ, TYPE_MULTI_SZ: REG_MULTI_SZ}
_SIZES: Final = {TYPE_DWORD: (REG_DWORD, 4), TYPE_QWORD: (REG_QWORD, 8)}
_ROOTS: Final = ("HKCR", "HKCU", "HKLM", "HKU", "HKR")


class RegLine:
    """One line, checked.

    Attributes:
        line: where it stands.
        root: HKCR, HKCU, HKLM, HKU or HKR.
        subkey: below it; may be empty.
        name: of the value; empty for the default value.
        flags: as written.
        value: to add, or of which a text is to be taken out; None where the line is about a key.
    """

    __slots__ = ("flags", "line", "name", "root", "subkey", "value")

    def __init__(
        self, line: int, root: str, subkey: str, name: str, flags: int, value: Value | None
    ) -> None:
        self.line = line
        self.root = root
        self.subkey = subkey
        self.name = name
        self.flags = flags
        self.value = value

    def path(self, relative: str, *, wow64: bool = True) -> str:
        """Return root and subkey, where they lead: the 32-bit view's with the flag KEY32.

        Args:
            relative: what HKR is.
            wow64: the system has two views; where it has one, the flags change nothing.
        """
        root = relative if self.root == "HKR" else self.root
        path = f"{root}\\{self.subkey}" if self.subkey else root
        return seen(path, 32 if self.flags & KEY32 else 64, 64 if wow64 else 32)


def parse_add(inf: Inf, entry: Entry, dirids: Mapping[int, str] | None = None) -> RegLine:
    """Read a line of an add-registry section; raises InfError.

    Args:
        inf: where it stands.
        entry: the line.
        dirids: directories by number, for ``%13%`` and the like.
    """
    root, subkey, name, flags, values = _fields(inf, entry, dirids)
    while values and not values[-1]:
        values.pop()  # trailing commas mean nothing
    if key_only := bool(flags & (KEYONLY | KEYONLY_COMMON)):
        name = ""
    if flags & DELVAL and not name and not subkey:
        raise inf.error(entry.line, "a root cannot be deleted", "name a subkey or a value")
    value = None
    # "HKLM,Software\Vendor,,," makes a key; a value's name, flags or data ask for a value.
    if not key_only and not flags & DELVAL and (values or name or flags & TYPE_MASK):
        value = _value(inf, entry, flags, values)
    return RegLine(entry.line, root, subkey, name, flags, value)


def parse_del(inf: Inf, entry: Entry, dirids: Mapping[int, str] | None = None) -> RegLine:
    """Read a line of a del-registry section, as :func:`parse_add` does; raises InfError."""
    root, subkey, name, flags, values = _fields(inf, entry, dirids)
    if flags & KEYONLY_COMMON:
        name = ""
    value = None
    if flags & MULTI_SZ_DELSTRING == MULTI_SZ_DELSTRING:
        texts = [text for text in values if text]
        if not name or not texts:
            raise inf.error(
                entry.line, "nothing to take out of the REG_MULTI_SZ",
                "root, subkey, value name, 0x00018002, text",
            )  # fmt: skip
        value = Value.multi_sz(texts[:1])
    if not name and not subkey:
        raise inf.error(entry.line, "a root cannot be deleted", "name a subkey or a value")
    return RegLine(entry.line, root, subkey, name, flags, value)


def _fields(
    inf: Inf, entry: Entry, dirids: Mapping[int, str] | None
) -> tuple[str, str, str, int, list[str]]:
    fields = inf.fields(entry, dirids)
    if entry.key is not None:
        raise inf.error(
            entry.line, "not a registry line: it has a =", "put a text that holds one in quotes"
        )
    root, subkey, name, flags, *values = fields + [""] * (4 - len(fields))
    root = root.upper()
    if root not in _ROOTS:
        raise inf.error(entry.line, f"{root!r} is no root", ", ".join(_ROOTS))
    number = parse_number(flags) if flags else 0
    if number is None or number > 0xFFFFFFFF:
        raise inf.error(entry.line, f"{flags!r} are no flags", "for example 0x00010001")
    subkey = subkey.strip("\\")
    try:
        if subkey:
            check_depth(len(split(subkey)) + 16)  # room for where HKR is
        check_value_name(name)
    except NameRefusedError as error:
        raise inf.error(entry.line, str(error)) from None
    return root, subkey, name, number, values


def _value(inf: Inf, entry: Entry, flags: int, values: list[str]) -> Value:
    kind = flags & TYPE_MASK
    if kind == TYPE_MULTI_SZ:
        return Value.multi_sz(text for text in values if text)
    if kind in _TEXT_TYPES:
        text = values[0] if values else ""
        return Value.expand_sz(text) if kind == TYPE_EXPAND_SZ else Value.sz(text)
    if kind in _SIZES:
        type_, size = _SIZES[kind]
        if len(values) == size:
            return Value(type_, _bytes(inf, entry, values))
        number = _number(values[0], 8 * size) if values else 0
        if number is None or len(values) > 1:
            raise inf.error(
                entry.line, f"{', '.join(values)!r} is no number of {8 * size} bits",
                "decimal, or hexadecimal as 0x1F",
            )  # fmt: skip
        return Value(type_, number.to_bytes(size, "little"))
    if not kind & BINVALUETYPE:
        raise inf.error(
            entry.line, f"0x{kind:08X} is no type of text",
            "0x00000000 REG_SZ, 0x00010000 REG_MULTI_SZ, 0x00020000 REG_EXPAND_SZ",
        )  # fmt: skip
    custom = {TYPE_BINARY: REG_BINARY, TYPE_NONE: REG_NONE}.get(kind, kind >> 16)
    return Value(custom, _bytes(inf, entry, values))


def _number(text: str, bits: int) -> int | None:
    """Read a number that fits, a negative one as its two's complement; None for any other."""
    negative = text.startswith("-")
    number = parse_number(text[1:] if negative else text)
    if number is None or number > (1 << (bits - 1) if negative else (1 << bits) - 1):
        return None
    return -number % (1 << bits) if negative else number


def _bytes(inf: Inf, entry: Entry, values: list[str]) -> bytes:
    data = bytearray()
    for text in values:
        number = None if len(text) > 2 else parse_number(f"0x{text}")
        if number is None:
            raise inf.error(entry.line, f"{text!r} is no byte", "two hexadecimal digits, no 0x")
        data.append(number)
    return bytes(data)


# ---------------------------------------------------------------------- doing it


def add(line: RegLine, registry: Registry, relative: str, *, wow64: bool = True) -> None:
    """Do what a line of an add-registry section says.

    Args:
        line: checked before.
        registry: where.
        relative: the path of the key that HKR is.
        wow64: see :meth:`RegLine.path`.
    """
    flags, path = line.flags, line.path(relative, wow64=wow64)
    wary = flags & (DELVAL | OVERWRITEONLY)
    key = registry.find(path) if wary else registry.create(path)
    if key is None:
        return
    present = key.find_value(line.name)
    if flags & DELVAL:
        _delete(key, line.name)
    elif line.value is None:
        pass  # the key was all of it
    elif flags & (NOCLOBBER if present is not None else OVERWRITEONLY):
        pass
    elif flags & APPEND and present is not None and _lists(present, line.value):
        texts = _texts(present)
        known = {fold(text) for text in texts}
        new = [text for text in _texts(line.value) if fold(text) not in known]
        key.set(line.name, Value.multi_sz(texts + new))
    else:
        key.set(line.name, line.value)


def delete(line: RegLine, registry: Registry, relative: str, *, wow64: bool = True) -> None:
    """Do what a line of a del-registry section says; what is not there is gone already."""
    key = registry.find(line.path(relative, wow64=wow64))
    if key is None:
        return
    if line.value is None:
        _delete(key, line.name)
        return
    present = key.find_value(line.name)
    if present is not None and _lists(present):
        unwanted = {fold(text) for text in _texts(line.value)}
        kept = [text for text in _texts(present) if fold(text) not in unwanted]
        key.set(line.name, Value.multi_sz(kept))


def _delete(key: Key, name: str) -> None:
    if name:
        if key.find_value(name) is not None:
            key.delete_value(name)
    else:
        key.remove(tree=True)


def _lists(*values: Value) -> bool:
    return all(value.type == REG_MULTI_SZ for value in values)


def _texts(value: Value) -> list[str]:
    decoded = value.decoded
    assert isinstance(decoded, list)  # a REG_MULTI_SZ
    return decoded
