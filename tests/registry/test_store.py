# SPDX-License-Identifier: Apache-2.0
import pytest

from vreader.registry import (
    KeyNotFoundError,
    KeyRefusedError,
    NameRefusedError,
    Registry,
    Value,
    ValueNotFoundError,
)
from vreader.registry.names import MAX_DEPTH


def test_keys_and_values_are_found_whatever_their_case_and_keep_their_spelling():
    registry = Registry()
    registry.create(r"HKLM\Software\Vendor").set("Path", Value.sz("a"))
    key = registry.open(r"hkey_local_machine\SOFTWARE\vendor")
    key.set("PATH", Value.sz("b"))
    assert key.path == r"HKEY_LOCAL_MACHINE\Software\Vendor"
    assert key.values() == [("Path", Value.sz("b"))]
    assert registry.create(r"HKLM\SOFTWARE\VENDOR") is key
    assert key.get("pAtH").decoded == "b"


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


def test_a_copy_is_a_registry_of_its_own():
    registry = Registry()
    for name in "bac":
        registry.create(rf"HKLM\Software\{name}").set("v", Value.sz(name))
    copied = registry.copy()
    assert told(copied) == told(registry)
    software = copied.open(r"HKLM\Software")
    assert [key.name for key in software.subkeys("created")] == ["b", "a", "c"]
    assert software.open("a").parent is software
    before = told(registry)
    software.delete("b")
    software.open("a").set("V", Value.dword(1))
    copied.create(r"HKCU\new")
    assert told(registry) == before
    registry.delete(r"HKLM\Software", tree=True)
    assert not software.deleted


def test_a_merge_sets_what_the_other_has():
    registry, other = Registry(), Registry()
    registry.create(r"HKLM\A\B").set("v", Value.sz("old"))
    registry.create(r"HKLM\A").set("stays", Value.none())
    other.create(r"HKLM\a\b").set("V", Value.sz("new"))
    other.create(r"HKCU\C\D")
    other.root("HKU").set("", Value.dword(1))
    registry.merge(other)
    assert registry.open(r"HKLM\A\B").values() == [("v", Value.sz("new"))]
    assert registry.open(r"HKLM\A").values() == [("stays", Value.none())]
    assert registry.find(r"HKCU\C\D") is not None
    assert registry.root("HKU").get("") == Value.dword(1)


def told(registry):
    return [(key.path, key.depth, key.values()) for root in registry.roots() for key in root.walk()]
