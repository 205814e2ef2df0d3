# SPDX-License-Identifier: Apache-2.0
r"""Hive files: what Windows keeps ``HKLM\SOFTWARE`` and its like in, and ``reg save`` writes.

Each value keeps its type and its bytes; a damaged or hostile file ends in an error. Symbolic links
are values like others. Transaction logs (``SOFTWARE.LOG1``) are not read: see :func:`is_dirty`.
"""

from collections.abc import Sequence
from typing import Final

from vreader.errors import UsageError
from vreader.registry.names import NameRefusedError, fold, locate, shortened
from vreader.registry.regf import HiveError, KeyNode, Regf
from vreader.registry.store import Key, Registry
from vreader.registry.values import from_utf16

ROOTS: Final = {
    "SOFTWARE": r"HKLM\SOFTWARE",
    "SYSTEM": r"HKLM\SYSTEM",
    "SAM": r"HKLM\SAM",
    "SECURITY": r"HKLM\SECURITY",
    "COMPONENTS": r"HKLM\COMPONENTS",
    "DRIVERS": r"HKLM\DRIVERS",
    "DEFAULT": r"HKU\.DEFAULT",
    "NTUSER.DAT": "HKCU",
    "USRCLASS.DAT": r"HKCU\Software\Classes",
}


def is_dirty(data: bytes) -> bool:
    """Say whether a hive was being written when it was copied: its latest changes are in its logs.

    Args:
        data: the file, at least its base block.
    """
    return data[4:8] != data[8:12]


def root_of(data: bytes, name: str = "") -> str:
    r"""Return where a hive belongs, ``HKLM\SOFTWARE`` for example; empty where nothing says so.

    Args:
        data: the file; its base block names what Windows had loaded it from.
        name: of the file.
    """
    stored = from_utf16(data[48:112]).partition("\0")[0]
    for each in (stored, name):
        last = each.replace("/", "\\").rpartition("\\")[2]
        if found := ROOTS.get(fold(last)):
            return found
    return ""


def import_hive(
    registry: Registry,
    data: bytes,
    root: str,
    source: str = "the hive",
    only: Sequence[str] = (),
) -> int:
    r"""Read a hive into ``registry``; return how many keys it has.

    Args:
        registry: is left alone where the hive is bad.
        data: the file.
        root: the key that the hive's own root becomes, ``HKLM\SOFTWARE``.
        source: what to call it in an error.
        only: keys, named from a root on, with all below them; without any the whole hive.

    Raises:
        HiveError: it is damaged; with the byte.
        UsageError: ``root`` or one of ``only`` is no key's path; regipy is not installed.
    """
    try:
        tree, above = locate(root)
        wanted = [names for place, names in map(locate, only or (root,)) if place == tree]
    except NameRefusedError as error:
        raise UsageError(str(error), hint=r"a hive is read below a key: HKLM\SOFTWARE") from None
    hive = Regf(data, source)
    read = Registry()
    count = 0
    for names in wanted:
        both = min(len(names), len(above))
        if [*map(fold, names[:both])] != [*map(fold, above[:both])]:
            continue  # it is elsewhere
        path, node = root, hive.root()
        for name in names[both:]:
            found = _below(node, name)
            if found is None:
                break
            path, node = rf"{path}\{found.name}", found
        else:
            count += _read(hive, node, read.create(path))
    registry.merge(read)
    return count


def _below(node: KeyNode, name: str) -> KeyNode | None:
    return next((each for each in node.subkeys() if fold(each.name) == fold(name)), None)


def _read(hive: Regf, top: KeyNode, key: Key) -> int:
    """Read a key and all below it; return how many there are."""
    stack = [(top, key)]
    count = 0
    while stack:
        node, key = stack.pop()
        count += 1
        names = set()
        for offset, name, value in node.values():
            try:
                key.set(name, value)
            except NameRefusedError as error:
                raise _refused(hive, offset, error) from None
            if fold(name) in names:
                raise hive.error(offset, f"a second value {shortened(name)}")
            names.add(fold(name))
        names.clear()
        for below in node.subkeys():
            if fold(below.name) in names:
                raise hive.error(below.offset, f"a second key {shortened(below.name)}")
            names.add(fold(below.name))
            stack.append((below, _made(hive, key, below)))
    return count


def _made(hive: Regf, key: Key, node: KeyNode) -> Key:
    try:
        if "\\" in node.name:
            raise NameRefusedError(f"a key's name holds no backslash: {shortened(node.name)}")
        return key.create(node.name)
    except NameRefusedError as error:
        raise _refused(hive, node.offset, error) from None


def _refused(hive: Regf, offset: int, error: NameRefusedError) -> HiveError:
    return hive.error(offset, str(error), "name the keys to read, and others are left out")
