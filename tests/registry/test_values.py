# SPDX-License-Identifier: Apache-2.0
import pytest

from vreader.registry import REG_BINARY, REG_DWORD, REG_MULTI_SZ, REG_NONE, REG_SZ, Value


@pytest.mark.parametrize(
    ("value", "data", "decoded"),
    [
        (Value.sz("Aé"), b"A\0\xe9\0\0\0", "Aé"),
        (Value.sz(""), b"\0\0", ""),
        (Value.expand_sz("%a%"), b"%\0a\0%\0\0\0", "%a%"),
        (Value.multi_sz(["a", "bc"]), b"a\0\0\0b\0c\0\0\0\0\0", ["a", "bc"]),
        (Value.multi_sz([]), b"\0\0", []),
        (Value.dword(0x01020304), b"\4\3\2\1", 0x01020304),
        (Value.qword(1), b"\1" + b"\0" * 7, 1),
        (Value.binary(b"\1\2"), b"\1\2", b"\1\2"),
        (Value.none(), b"", b""),
        (Value(5, b"\0\0\0\2"), b"\0\0\0\2", 2),
    ],
    ids=repr,
)
def test_a_value_is_its_bytes(value, data, decoded):
    assert value.data == data
    assert value.decoded == decoded


@pytest.mark.parametrize(
    ("kind", "data", "decoded"),
    [
        (REG_SZ, b"", ""),
        (REG_SZ, b"a\0", "a"),
        (REG_SZ, b"a\0b", "a"),
        (REG_SZ, b"a\0\0\0b\0\0\0", "a\0b"),
        (REG_SZ, b"a\0\0\0\0\0", "a\0"),
        (REG_SZ, b"\x00\xd8", "\ud800"),
        (REG_DWORD, b"\1", b"\1"),
        (REG_MULTI_SZ, b"", []),
        (REG_MULTI_SZ, b"a\0\0\0", ["a"]),
        (REG_MULTI_SZ, b"a\0", ["a"]),
        (REG_MULTI_SZ, b"a\0\0\0\0\0b\0\0\0\0\0", ["a"]),
        (0x38, b"\1", b"\1"),
    ],
)
def test_malformed_values_can_be_read(kind, data, decoded):
    assert Value(kind, data).decoded == decoded


@pytest.mark.parametrize(
    "make",
    [
        lambda: Value.dword(1 << 32),
        lambda: Value.dword(-1),
        lambda: Value.qword(1 << 64),
        lambda: Value.multi_sz(["a", ""]),
        lambda: Value.multi_sz(["a\0b"]),
        lambda: Value(1 << 32, b""),
    ],
)
def test_what_cannot_be_is_refused(make):
    with pytest.raises(ValueError, match=r"."):
        make()


def test_types_have_names():
    assert [Value(kind, b"").type_name for kind in (REG_NONE, REG_BINARY, 0x38)] == [
        "REG_NONE",
        "REG_BINARY",
        "0x38",
    ]
    assert repr(Value.dword(7)) == "<REG_DWORD 7>"


def test_equal_values_are_equal():
    assert Value.sz("a") == Value.sz("a") != Value.expand_sz("a")
    assert len({Value.sz("a"), Value.sz("a"), Value.sz("b")}) == 2
