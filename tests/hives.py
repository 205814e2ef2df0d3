# SPDX-License-Identifier: Apache-2.0
"""Writes hive files, for tests: the keys of a registry, in each of the forms the format has."""

import struct
from functools import reduce
from operator import xor

from vreader.registry import Registry, Value
from vreader.registry.values import utf16

NOWHERE = 0xFFFFFFFF
SEGMENT = 16344
SOFTWARE = r"HKLM\SOFTWARE"
CARDS = r"HKLM\SOFTWARE\Microsoft\Cryptography\Calais\SmartCards"
VALUES = {
    "": Value.sz("the default"),
    "ATR": Value.binary(bytes.fromhex("3B0451FF0800")),
    "four": Value.binary(b"\1\2\3\4"),
    "empty": Value.none(),
    "half": Value(1, b"a\0b"),
    "text": Value.sz("ü € \U0001f600"),
    "expand": Value.expand_sz("%SystemRoot%"),
    "list": Value.multi_sz(["a", "b"]),
    "dword": Value.dword(0x80000001),
    "short dword": Value(4, b"\1"),
    "big": Value(5, b"\0\0\0\1"),
    "qword": Value.qword(1 << 63),
    "link": Value(6, "\\Registry".encode("utf-16-le")),
    "device property": Value(0xFFFF0012, b"x\0"),
    "unknown": Value(0x200000, b"skipped by many"),
    "é": Value.sz("narrow"),
    "ключ": Value.sz("wide"),
}


def software(values=None):
    registry = Registry()
    card = registry.create(rf"{CARDS}\Fabrikam")
    for name, value in (values or VALUES).items():
        card.set(name, value)
    registry.create(rf"{CARDS}\Ünïcode")
    registry.create(rf"{CARDS}\Карта").set("a", Value.dword(1))
    registry.create(r"HKLM\SOFTWARE\Vendor")
    return registry


def told(registry):
    """Return paths and values in their order."""
    return [(key.path, key.values()) for root in registry.roots() for key in root.walk()]


def hive(
    key, *, leaf="lh", per_leaf=0, minor=5, name="SOFTWARE", predefined=(), dirty=False
) -> bytes:
    """Return a hive whose root is ``key``, a key of a registry.

    Args:
        key: with all below it.
        leaf: lf, lh or li: how keys are listed.
        per_leaf: so many keys a list, and a list of lists (ri) above; 0 is one list.
        minor: of the version 1.x.
        name: what Windows loaded it from.
        predefined: names of keys with KEY_PREDEF_HANDLE.
        dirty: it was copied while it was written.
    """
    return _Writer(leaf, per_leaf, minor, predefined).file(key, name, dirty=dirty)


def base_block(data: bytearray) -> bytes:
    """Set the checksum of a hive."""
    check = reduce(xor, struct.unpack_from("<127I", data))
    struct.pack_into("<I", data, 508, {0: 1, NOWHERE: NOWHERE - 1}.get(check, check))
    return bytes(data)


class _Writer:
    def __init__(self, leaf, per_leaf, minor, predefined):
        self.leaf, self.per_leaf, self.minor = leaf, per_leaf, minor
        self.predefined = predefined
        self.bin = bytearray(32)
        self.security = None

    def file(self, key, name, *, dirty):
        root = self.key(key, NOWHERE, 0x0C)
        rest = -len(self.bin) % 4096
        if rest:
            self.bin += struct.pack("<i", rest) + bytes(rest - 4)
        size = len(self.bin)
        self.bin[:32] = struct.pack("<4sIIQQI", b"hbin", 0, size, 0, 0, 0)
        head = struct.pack(
            "<4sIIQIIIIIII", b"regf", 2, 1 if dirty else 2, 0, 1, self.minor, 0, 1, root, size, 1
        )
        head = bytearray((head + utf16(name)[-62:]).ljust(4096, b"\0"))
        return base_block(head) + bytes(self.bin)

    def cell(self, data):
        offset = len(self.bin)
        size = -(-(4 + len(data)) // 8) * 8
        self.bin += struct.pack("<i", -size) + data.ljust(size - 4, b"\0")
        return offset

    def key(self, key, parent, flags=0):
        flags |= 0x40 if key.name in self.predefined else 0
        name, narrow = _name(key.name)
        offset = self.cell(bytes(76) + name)
        if self.security is None:  # behind the root, which is the first of all cells
            self.security = self.cell(struct.pack("<2sHIIII", b"sk", 0, 0, 0, 1, 20) + bytes(20))
            struct.pack_into("<II", self.bin, self.security + 8, self.security, self.security)
        keys = []
        for below in sorted(key.subkeys(), key=lambda each: each.name.upper()):
            keys.append((self.key(below, offset), below.name))  # noqa: PERF401 - half the depth
        values = [self.value(*each) for each in key.values()]
        listed = self.cell(struct.pack(f"<{len(values)}I", *values)) if values else NOWHERE
        node = struct.pack(
            "<2sHQIIIIIIIIIIIIIIIHH", b"nk", flags | 0x20 * narrow, 0, 0, parent, len(keys), 0,
            self.keys(keys), NOWHERE, len(values), listed, self.security, NOWHERE,
            max((2 * len(each) for _, each in keys), default=0), 0,
            max((2 * len(each) for each, _ in key.values()), default=0),
            max((len(value.data) for _, value in key.values()), default=0), 0, len(name), 0,
        )  # fmt: skip
        self.bin[offset + 4 : offset + 80] = node
        return offset

    def keys(self, keys):
        if not keys:
            return NOWHERE
        step = self.per_leaf or len(keys)
        leaves = [self.list(keys[at : at + step]) for at in range(0, len(keys), step)]
        if not self.per_leaf:
            return leaves[0]
        return self.cell(struct.pack(f"<2sH{len(leaves)}I", b"ri", len(leaves), *leaves))

    def list(self, keys):
        data = struct.pack("<2sH", self.leaf.encode(), len(keys))
        for offset, name in keys:
            data += struct.pack("<I", offset)
            if self.leaf == "lf":
                data += name.encode("latin-1", "replace")[:4].ljust(4, b"\0")
            elif self.leaf == "lh":
                data += struct.pack("<I", reduce(_hash, name.upper(), 0))
        return self.cell(data)

    def value(self, spelled, value):
        name, narrow = _name(spelled)
        size, data = len(value.data), value.data
        if size <= 4:
            size, where = size | 0x80000000, int.from_bytes(data.ljust(4, b"\0"), "little")
        elif size > SEGMENT and self.minor >= 4:
            parts = [self.cell(data[at : at + SEGMENT]) for at in range(0, size, SEGMENT)]
            listed = self.cell(struct.pack(f"<{len(parts)}I", *parts))
            where = self.cell(struct.pack("<2sHII", b"db", len(parts), listed, 0))
        else:
            where = self.cell(data)
        head = struct.pack("<2sHIIIHH", b"vk", len(name), size, where, value.type, narrow, 0)
        return self.cell(head + name)


def _name(name):
    try:
        return name.encode("latin-1"), True
    except UnicodeEncodeError:
        return utf16(name), False


def _hash(number, letter):
    return (37 * number + ord(letter)) & 0xFFFFFFFF
