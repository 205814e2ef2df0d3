# SPDX-License-Identifier: Apache-2.0
"""Keys for a person to read, as a tree, and for a program, as plain data."""

from collections.abc import Iterator, Mapping
from typing import Final

from vreader.registry.store import Key
from vreader.registry.values import REG_DWORD, REG_MULTI_SZ, REG_QWORD, TEXTS, Decoded, Value

DEFAULT: Final = "(default)"  # what regedit calls the value without a name
_LONGEST: Final = 32  # bytes of binary data in a line
_NOT_SHOWN: Final = "\N{REPLACEMENT CHARACTER}"  # for what a terminal would obey


def tree(top: Key, depth: int | None = None) -> Iterator[str]:
    """Yield the lines of a key: its values, then the keys below it, two blanks further in.

    Args:
        top: the key.
        depth: levels of keys below it; None is all. A key whose subkeys are left out ends in ``…``.
    """
    for key in _walk(top, depth):
        level = key.depth - top.depth
        name = key.name if level else key.path
        cut = depth is not None and level == depth and bool(key.subkeys())
        yield f"{'  ' * level}{printable(name)}\\{' …' if cut else ''}"
        inner = "  " * (level + 1)
        rows = [(printable(name) or DEFAULT, value) for name, value in key.values()]
        width = max((len(name) for name, _ in rows), default=0)
        for name, value in rows:
            yield f"{inner}{name:<{width}}  {value.type_name:<10}  {described(value)}".rstrip()


def records(top: Key, depth: int | None = None) -> list[Mapping[str, object]]:
    """Return a key and those below it as plain data: paths; values with type and data in hex.

    Args:
        top: the key.
        depth: levels of keys below it; None is all.
    """
    return [
        {
            "key": key.path,
            "values": [
                {
                    "name": name,
                    "type": value.type_name,
                    "data": value.data.hex(),
                    **({} if isinstance(value.decoded, bytes) else {"value": value.decoded}),
                }
                for name, value in key.values()
            ],
        }
        for key in _walk(top, depth)
    ]


def described(value: Value) -> str:
    """Return what is in a value, in one line."""
    decoded: Decoded = value.decoded
    if value.type in TEXTS:
        return printable(str(decoded))
    if value.type == REG_MULTI_SZ and isinstance(decoded, list):
        return " ".join(f'"{printable(text)}"' for text in decoded)
    if value.type in (REG_DWORD, REG_QWORD) and isinstance(decoded, int):
        return f"0x{decoded:0{2 * len(value.data)}x} ({decoded})"
    data = value.data
    if len(data) > _LONGEST:
        return f"{data[:_LONGEST].hex(' ')} … ({len(data)} bytes)"
    return data.hex(" ")


def printable(text: str) -> str:
    """Return a text without what a terminal would obey."""
    return "".join(each if each.isprintable() else _NOT_SHOWN for each in text)


def _walk(top: Key, depth: int | None) -> Iterator[Key]:
    stack = [top]
    while stack:
        key = stack.pop()
        yield key
        if depth is None or key.depth - top.depth < depth:
            stack += reversed(key.subkeys())
