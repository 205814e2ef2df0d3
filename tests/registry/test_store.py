# SPDX-License-Identifier: Apache-2.0
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vreader.registry import (
    KeyNotFoundError,
    KeyRefusedError,
    NameRefusedError,
    Registry,
    Value,
    ValueNotFoundError,
)
from vreader.registry.store import MAX_DEPTH, fold


def test_keys_and_values_are_found_whatever_their_case_and_keep_their_spelling():
    registry = Registry()
    registry.create(r"HKLM\Software\Vendor").set("Path", Value.sz("a"))
    key = registry.open(r"hkey_local_machine\SOFTWARE\vendor")
    key.set("PATH", Value.sz("b"))
    assert key.path == r"HKEY_LOCAL_MACHINE\Software\Vendor"
    assert key.values() == [("Path", Value.sz("b"))]
    assert registry.create(r"HKLM\SOFTWARE\VENDOR") is key
    assert key.get("pAtH").decoded == "b"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("É", "é", True),
        ("straße", "STRASSE", False),
        ("\u0131", "I", False),
        ("\u017f", "S", False),
        ("ǆ", "Ǆ", True),
    ],
)
def test_letters_are_compared_one_by_one(one, other, same):
    assert (fold(one) == fold(other)) is same


@given(st.text(max_size=20))
def test_folding_twice_is_folding_once(name):
    assert fold(fold(name)) == fold(name)
    assert len(fold(name)) == len(name)


def test_subkeys_come_by_name_or_by_age_values_by_age():
    registry = Registry()
    key = registry.create(r"HKLM\A")
    for name in ("zeta", "Beta", "alpha"):
        key.create(name)
        key.set(name, Value.none())
    assert [below.name for below in key.subkeys()] == ["alpha", "Beta", "zeta"]
    assert [below.name for below in key.subkeys("created")] == ["zeta", "Beta", "alpha"]
    assert [name for name, _ in key.values()] == ["zeta", "Beta", "alpha"]


def test_a_key_with_subkeys_is_deleted_only_as_a_tree():
    registry = Registry()
    key = registry.create(r"HKLM\A\B")
    with pytest.raises(KeyRefusedError):
        registry.delete(r"HKLM\A")
    registry.delete(r"HKLM\a", tree=True)
    assert registry.find(r"HKLM\A") is None
    assert key.deleted
    with pytest.raises(KeyNotFoundError):
        key.set("x", Value.none())
    with pytest.raises(KeyNotFoundError):
        key.create("x")
    with pytest.raises(KeyNotFoundError):
        key.delete_value("x")
    with pytest.raises(KeyNotFoundError):
        key.remove()
    with pytest.raises(KeyNotFoundError):
        registry.delete(r"HKLM\A")


@pytest.mark.parametrize("root", ["HKLM", "HKEY_LOCAL_MACHINE\\", "HKCR", "HKCC"])
def test_a_root_stays(root):
    registry = Registry()
    assert registry.open(root) is registry.root(root.removesuffix("\\"))
    with pytest.raises(KeyRefusedError):
        registry.delete(root, tree=True)
    with pytest.raises(KeyRefusedError):
        registry.root("HKLM").remove(tree=True)


def test_values_can_be_deleted():
    key = Registry().create(r"HKCU\A")
    key.set("", Value.sz("default"))
    assert key.find_value("") == Value.sz("default")
    key.delete_value("")
    assert key.find_value("") is None
    with pytest.raises(ValueNotFoundError):
        key.get("")
    with pytest.raises(ValueNotFoundError):
        key.delete_value("")


def test_classes_root_is_a_part_of_local_machine():
    registry = Registry()
    registry.create(r"HKCR\.inf").set("", Value.sz("inffile"))
    assert registry.open(r"HKLM\SOFTWARE\Classes\.inf").get("").decoded == "inffile"
    assert registry.open(r"HKEY_CURRENT_CONFIG").path.endswith(r"Hardware Profiles\Current")
    assert [key.name for key in registry.roots()] == [
        "HKEY_LOCAL_MACHINE",
        "HKEY_USERS",
        "HKEY_CURRENT_USER",
    ]


def test_looking_for_a_key_makes_none():
    registry = Registry()
    assert registry.find(r"HKCR\.inf") is None
    assert registry.find(r"HKCC\Software\x") is None
    with pytest.raises(KeyNotFoundError):
        registry.delete(r"HKCR\.inf")
    assert registry.root("HKLM").subkeys() == []


@pytest.mark.parametrize(
    "path",
    [
        "",
        "HKXX",
        "HKCC" + "\\a" * 509,
        "HKXX\\A",
        "HKLM\\\\A",
        "HKLM\\" + "n" * 256,
        "HKLM\\A\0",
        "HKLM\\" + "a\\" * 513,
    ],
)
def test_bad_paths_are_refused(path):
    with pytest.raises(NameRefusedError):
        Registry().create(path)


def test_limits_are_those_of_windows():
    registry = Registry()
    deep = registry.create("HKLM\\" + "\\".join(["n" * 255] * MAX_DEPTH))
    assert deep.depth == MAX_DEPTH
    deep.set("v" * 16383, Value.none())
    with pytest.raises(NameRefusedError):
        deep.set("v" * 16384, Value.none())
    with pytest.raises(NameRefusedError):
        deep.create("x")
    registry.delete("HKLM\\" + "n" * 255, tree=True)
    assert deep.deleted


def test_a_trailing_backslash_does_not_matter():
    registry = Registry()
    assert registry.create("HKLM\\A\\") is registry.open("HKLM\\A")
    assert registry.open("HKLM\\") is registry.open("HKLM")
