# SPDX-License-Identifier: Apache-2.0
"""What a hive file is made of: a base block, cells, and in them keys, lists and values.

The structures are regipy's; the checks are ours. No two things in a hive share a byte: whoever
reads more bytes than there are has been led in a circle. Sources: regipy's structures and the
public descriptions of the regf format, versions 1.2 to 1.6.
"""

from collections.abc import Iterator
from functools import reduce
from importlib import import_module
from operator import xor
from struct import Struct, unpack_from
from struct import error as StructError  # noqa: N812 - it is an exception
from typing import Any, Final

from vreader.errors import UsageError
from vreader.registry.values import Value, from_utf16

SIGNATURE: Final = b"regf"
BASE: Final = 4096  # bytes of the base block; offsets count from its end
SEGMENT: Final = 16344  # bytes of a value in one cell; longer ones are cut, from version 1.4 on

_LEAVES: Final = {b"lf": "LF_LH_SK_ELEMENT", b"lh": "LF_LH_SK_ELEMENT", b"li": "INDEX_LEAF"}
_LIST: Final = "a list of keys"
_INLINE: Final = 0x80000000  # in a value's length: its data is where their offset would be
_NUMBER: Final = Struct("<I")
_SAVE_AGAIN: Final = "save the hive again, for example with 'reg save'"


class HiveError(UsageError):
    """A hive cannot be read.

    Attributes:
        offset: where in the file, in bytes.
    """

    def __init__(self, source: str, offset: int, problem: str, hint: str = _SAVE_AGAIN) -> None:
        super().__init__(f"{source}, byte 0x{offset:X}: {problem}", hint=hint)
        self.offset = offset


def is_hive(data: bytes) -> bool:
    """Say whether a file is a hive, by its first bytes."""
    return data.startswith(SIGNATURE)


class KeyNode:
    """A key.

    Attributes:
        offset: of its cell.
        name: as it is spelled.
    """

    __slots__ = ("_node", "_regf", "name", "offset")

    def __init__(self, regf: "Regf", offset: int, node: Any) -> None:  # noqa: ANN401 - regipy's
        self._regf = regf
        self._node = node
        self.offset = offset
        self.name = _text(node.key_name_string, latin=node.flags.KEY_COMP_NAME)

    def subkeys(self) -> Iterator["KeyNode"]:
        """Yield the keys directly below; raises HiveError."""
        return self._regf.subkeys(self._node)

    def values(self) -> Iterator[tuple[int, str, Value]]:
        """Yield offset, name and value of each; raises HiveError."""
        if self._node.flags.KEY_PREDEF_HANDLE:
            return iter(())  # its fields of values mean something else
        return self._regf.values(self._node)


class Regf:
    """One file. Offsets of cells count from the end of the base block.

    Args:
        data: the file.
        source: what to call it in an error.

    Raises:
        HiveError: its base block is damaged, or it is a transaction log.
        UsageError: regipy is not installed.
    """

    def __init__(self, data: bytes, source: str) -> None:
        try:
            self._structs: Any = import_module("regipy.structs")
        except ImportError:
            raise UsageError(
                f"{source} is a hive: regipy reads it", hint="pip install 'vreader[lab]'"
            ) from None
        # What regipy's structures are made with says so when bytes are none of theirs.
        self._errors = (import_module("construct").ConstructError, StructError, ValueError)
        self._data = data
        self._source = source
        self._left = 0  # bytes that can still be read
        self._root = self._base()

    def root(self) -> KeyNode:
        """Return the key that all others are in; each call is a new reading of the file."""
        self._left = len(self._data)
        return self._key(self._root)

    def error(self, offset: int, problem: str, hint: str = _SAVE_AGAIN) -> HiveError:
        """Return an error about the cell at ``offset``."""
        return self._error(BASE + offset, problem, hint)

    def _error(self, offset: int, problem: str, hint: str = _SAVE_AGAIN) -> HiveError:
        return HiveError(self._source, offset, problem, hint)

    def _base(self) -> int:
        """Check the base block; return the offset of the root."""
        data = self._data
        if not is_hive(data) or len(data) < BASE:
            raise self._error(0, f"no hive: it starts with 'regf' and has {BASE} bytes or more")
        check = reduce(xor, unpack_from("<127I", data))
        # 0 and -1 are not used.
        check = {0: 1, 0xFFFFFFFF: 0xFFFFFFFE}.get(check, check)
        if check != unpack_from("<I", data, 508)[0]:
            raise self._error(508, f"the base block is damaged: its checksum should be {check:08X}")
        major, minor, kind = unpack_from("<III", data, 20)
        if kind:
            raise self._error(
                28, "a transaction log, no hive", "name the file without .LOG1 or .LOG2"
            )
        if major != 1 or not 2 <= minor <= 6:
            raise self._error(20, f"version {major}.{minor}: 1.2 to 1.6 can be read")
        self._cuts = minor >= 4
        root, size = unpack_from("<II", data, 36)
        if BASE + size > len(data):
            raise self._error(40, f"{BASE + size} bytes are there by this, but only {len(data)}")
        self._end = BASE + size
        return int(root)

    # ------------------------------------------------------------------ cells

    def _cell(self, offset: int, what: str) -> bytes:
        at = BASE + offset
        if offset % 8 or at + 4 > self._end:
            raise self._error(min(at, len(self._data)), f"no cell: {what} should be here")
        size = -unpack_from("<i", self._data, at)[0]
        if size < 4 or at + size > self._end:
            raise self._error(at, f"a cell that is free or cut off: {what} should be in it")
        self._left -= size
        if self._left < 0:
            raise self._error(at, f"cells are used more than once: {what} is")
        return self._data[at + 4 : at + size]

    def _parse(self, struct: str, data: bytes, offset: int, what: str) -> Any:  # noqa: ANN401
        try:
            return getattr(self._structs, struct).parse(data)
        except self._errors:
            raise self.error(offset, f"not {what}") from None

    def _key(self, offset: int) -> KeyNode:
        cell = self._cell(offset, "a key")
        if cell[:2] != b"nk":
            raise self.error(offset, f"not a key: it starts with {cell[:2]!r}")
        node = self._parse("CM_KEY_NODE", cell[2:], offset, "a key")
        if len(node.key_name_string) < node.key_name_size:
            raise self.error(offset, f"a key without room for its name of {node.key_name_size}")
        return KeyNode(self, offset, node)

    def subkeys(self, node: Any) -> Iterator[KeyNode]:  # noqa: ANN401 - regipy's
        """Yield the keys directly below one, and check how many there are."""
        if not node.subkey_count:
            return
        found = 0
        for offset, cell in self._leaves(node.subkeys_list_offset):
            for each in self._elements(offset, cell):
                found += 1
                yield self._key(each.key_node_offset)
        if found != node.subkey_count:
            raise self.error(
                node.subkeys_list_offset,
                f"a list of {found} keys: {node.subkey_count} should be in it",
            )

    def _leaves(self, offset: int) -> Iterator[tuple[int, bytes]]:
        cell = self._cell(offset, _LIST)
        if cell[:2] != b"ri":
            yield offset, cell
            return
        for each in self._parse("INDEX_ROOT", cell[2:], offset, _LIST).elements:
            yield each.subkey_list_offset, self._cell(each.subkey_list_offset, _LIST)

    def _elements(self, offset: int, cell: bytes) -> Any:  # noqa: ANN401 - regipy's
        struct = _LEAVES.get(cell[:2])
        if struct is None:
            raise self.error(offset, f"not {_LIST}: it starts with {cell[:2]!r}")
        return self._parse(struct, cell[2:], offset, _LIST).elements

    # ------------------------------------------------------------------ values

    def values(self, node: Any) -> Iterator[tuple[int, str, Value]]:  # noqa: ANN401 - regipy's
        """Yield offset, name and value of each value of a key."""
        count = node.values_count
        if not count:
            return
        offset = node.values_list_offset
        cell = self._cell(offset, "a list of values")
        if len(cell) < 4 * count:
            raise self.error(offset, f"a list without room for its {count} values")
        for (each,) in _NUMBER.iter_unpack(cell[: 4 * count]):
            value = self._parse("VALUE_KEY", self._cell(each, "a value"), each, "a value")
            if len(value.name) < value.name_size:
                raise self.error(each, f"a value without room for its name of {value.name_size}")
            name = _text(value.name, latin=value.flags.VALUE_COMP_NAME)
            yield each, name, Value(int(value.data_type), self._data_of(value, each))

    def _data_of(self, value: Any, offset: int) -> bytes:  # noqa: ANN401
        size = value.data_size
        if size & _INLINE:
            size -= _INLINE
            if size > 4:
                raise self.error(offset, f"a value with {size} of at most 4 bytes in it")
            return _NUMBER.pack(value.data_offset)[:size]
        if size > SEGMENT and self._cuts:
            return self._long(value.data_offset, size)
        return self._part(value.data_offset, size) if size else b""

    def _part(self, offset: int, size: int) -> bytes:
        cell = self._cell(offset, "a value's data")
        if len(cell) < size:
            raise self.error(offset, f"{len(cell)} bytes of a value's {size}")
        return cell[:size]

    def _long(self, offset: int, size: int) -> bytes:
        what = "a long value"
        block = self._parse("BIG_DATA_BLOCK", self._cell(offset, what), offset, what)
        count = -(-size // SEGMENT)
        if block.number_of_segments != count:
            raise self.error(
                offset,
                f"{block.number_of_segments} parts of a value: {count} should be there",
            )
        cell = self._cell(block.offset_to_list_of_segments, "a list of parts")
        if len(cell) < 4 * count:
            raise self.error(block.offset_to_list_of_segments, "a list that is cut off")
        offsets = unpack_from(f"<{count}I", cell)
        rest = size - SEGMENT * (count - 1)
        return b"".join(self._part(each, SEGMENT) for each in offsets[:-1]) + self._part(
            offsets[-1], rest
        )


def _text(data: bytes, *, latin: bool) -> str:
    """Return a name: one byte a character where the flag says so, else UTF-16LE."""
    return data.decode("latin-1") if latin else from_utf16(data)
