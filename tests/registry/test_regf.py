# SPDX-License-Identifier: Apache-2.0
"""Hives that are damaged, or were made to do harm."""

import contextlib
import struct
import sys

import pytest
from hives import SOFTWARE, VALUES, base_block, hive, software, told
from hypothesis import given
from hypothesis import strategies as st

from vreader.errors import UsageError
from vreader.registry import Registry, Value
from vreader.registry.hive import import_hive
from vreader.registry.regf import BASE, HiveError


def read(data, root=SOFTWARE, **options):
    registry = Registry()
    import_hive(registry, data, root, "SOFTWARE", **options)
    return registry


def at(data, mark, skip=0):
    """Return where a cell with ``mark`` in it stands in the file, behind the cell's length."""
    return bytes(data).index(mark, BASE) + skip


def put(data, offset, number, form="<I"):
    struct.pack_into(form, data, offset, number)


def key_named(data, name):
    return at(data, name) - 76


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda data: bytes(data[:100]), "no hive"),
        (lambda data: data.__setitem__(600, 1) or data[:508] + b"\0" * 4 + data[512:], "checksum"),
        (lambda data: put(data, 24, 9), "version 1.9"),
        (lambda data: put(data, 28, 1), "transaction log"),
        (lambda data: put(data, 40, 1 << 20), "bytes are there by this"),
        (lambda data: put(data, 36, 1 << 31), "no cell"),
        (lambda data: put(data, 36, 33), "no cell"),
        (lambda data: put(data, 36, at(data, b"sk") - BASE - 4), "not a key"),
        (lambda data: put(data, at(data, b"sk") - 4, 8), None),  # nobody asks for the security
        (lambda data: put(data, key_named(data, b"Vendor") - 4, 88), "free or cut off"),
        (lambda data: put(data, key_named(data, b"Vendor") - 4, -(1 << 30), "<i"), "cut off"),
        (lambda data: put(data, key_named(data, b"Vendor") + 72, 999, "<H"), "name of 999"),
        (lambda data: put(data, key_named(data, b"Vendor") + 72, 0, "<H"), "1 to 255"),
        (lambda data: put(data, key_named(data, b"Vendor") + 76, 0x5C, "<H"), "no backslash"),
        (lambda data: put(data, key_named(data, b"Microsoft") + 20, 7), "7 should be in it"),
        (lambda data: put(data, key_named(data, b"SmartCards") + 20, 2), "2 should be in it"),
        (lambda data: put(data, key_named(data, b"Microsoft") + 28, 0x20), "not a list of keys"),
        (lambda data: put(data, at(data, b"lh") + 2, 999, "<H"), "not a list of keys"),
        (lambda data: put(data, key_named(data, b"Fabrikam") + 36, 1 << 30), "without room"),
        (lambda data: put(data, key_named(data, b"Fabrikam") + 40, 0xFFFFFFF8), "no cell"),
        (lambda data: put(data, at(data, b"ATR", -20), 0x6B6B, "<H"), "not a value"),
        (lambda data: put(data, at(data, b"ATR", -18), 900, "<H"), "name of 900"),
        (lambda data: put(data, at(data, b"ATR", -16), 900), "of a value's 900"),
        (lambda data: put(data, at(data, b"ATR", -16), 0x80000005), "at most 4"),
        (lambda data: data.__setitem__(slice(at(data, b"four"), at(data, b"four") + 4), b"text"),
         "a second value 'text'"),
        (lambda data: put(data, at(data, b"db") + 2, 9, "<H"), "9 parts of a value"),
        (lambda data: put(data, at(data, b"db") + 4, 32), None),
    ],
)  # fmt: skip
def test_a_damaged_hive_is_refused_with_the_byte(change, problem):
    values = {**VALUES, "long": Value.binary(bytes(40_000))}
    data = bytearray(hive(software(values).open(SOFTWARE)))
    changed = change(data)
    changed = base_block(data) if changed is None else bytes(changed)
    registry = Registry()
    if problem is None:
        with contextlib.suppress(HiveError):
            import_hive(registry, changed, SOFTWARE)
        return
    with pytest.raises(HiveError, match=problem) as error:
        import_hive(registry, changed, SOFTWARE, "x.hiv")
    assert str(error.value).startswith(f"x.hiv, byte 0x{error.value.offset:X}: ")
    assert error.value.offset <= len(changed)
    assert error.value.hint
    assert told(registry) == told(Registry())


def looped(data):
    """Let Vendor's list be that of the root: a key that is in itself."""
    root = struct.unpack_from("<I", data, 36)[0] + BASE + 4
    vendor = key_named(data, b"Vendor")
    for place in (20, 28):
        put(data, vendor + place, struct.unpack_from("<I", data, root + place)[0])


def test_a_key_in_itself_ends():
    data = bytearray(hive(software().open(SOFTWARE)))
    looped(data)
    with pytest.raises(HiveError, match=r"more than once|at most 512"):
        read(base_block(data))


def test_keys_that_share_what_is_below_them_end():
    registry = Registry()
    path = SOFTWARE
    for level in range(40):
        registry.create(rf"{path}\b{level:02}")
        path = rf"{path}\a{level:02}"
    registry.create(path)
    data = bytearray(hive(registry.open(SOFTWARE)))
    for level in range(39):  # two ways down from each key: 2^40 keys, each of another path
        for place in (20, 28):
            whose = key_named(data, b"a%02d" % level) + place
            put(
                data,
                key_named(data, b"b%02d" % level) + place,
                struct.unpack_from("<I", data, whose)[0],
            )
    with pytest.raises(HiveError, match="more than once"):
        read(base_block(data))


def test_two_keys_of_one_name_are_refused():
    registry = Registry()
    for name in ("aa", "ab"):
        registry.create(rf"{SOFTWARE}\{name}")
    data = bytearray(hive(registry.open(SOFTWARE)))
    put(data, key_named(data, b"ab") + 76, int.from_bytes(b"AA", "little"), "<H")
    with pytest.raises(HiveError, match="a second key 'AA'"):
        read(bytes(data))


def test_without_regipy_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "regipy", None)
    monkeypatch.setitem(sys.modules, "regipy.structs", None)
    with pytest.raises(UsageError) as error:
        read(hive(Registry().root("HKLM")))
    assert error.value.hint == "pip install 'vreader[lab]'"


BYTES = hive(software().open(SOFTWARE), per_leaf=2)


@given(
    st.lists(st.tuples(st.integers(0, len(BYTES) - 1), st.integers(0, 255)), max_size=12),
    st.integers(0, 600),
)
def test_anything_is_read_or_refused(changes, cut):
    data = bytearray(BYTES)
    for place, byte in changes:
        data[place] = byte
    registry = Registry()
    with contextlib.suppress(HiveError):
        import_hive(registry, base_block(data[: len(data) - cut]), SOFTWARE)
        return
    assert told(registry) == told(Registry())
