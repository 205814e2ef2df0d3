# SPDX-License-Identifier: Apache-2.0
import pytest

from vreader.registry import Registry, Value
from vreader.setupapi.inf import InfError, parse_inf
from vreader.setupapi.regops import add, delete, parse_add, parse_del


def entry(line):
    inf = parse_inf(f"[A]\n{line}\n[Strings]\ns=text")
    return inf, inf.find("A").entries[0]


def after(line, *before, wow64=True):
    """Values below HKLM\\Software\\V after a line of an add-registry section."""
    registry = Registry()
    for name, value in before:
        registry.create(r"HKLM\Software\V").set(name, value)
    add(parse_add(*entry(line)), registry, r"HKLM\Software\V", wow64=wow64)
    return registry


def values(registry, path=r"HKLM\Software\V"):
    key = registry.find(path)
    return None if key is None else dict(key.values())


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("HKR,,v,,text", Value.sz("text")),
        ("HKR,,v", Value.sz("")),
        ('HKR,,v,0x00000000,"%s%, ""x"""', Value.sz('text, "x"')),
        ("HKR,,v,0x00020000,%%SystemRoot%%", Value.expand_sz("%SystemRoot%")),
        ("HKR,,v,0x00010000,a,,b,", Value.multi_sz(["a", "b"])),
        ("HKR,,v,0x00010000", Value.multi_sz([])),
        ("HKR,,v,1,3b,04,5,ff", Value.binary(b"\x3b\x04\x05\xff")),
        ("HKR,,v,1,", Value.binary(b"")),
        ("HKR,,v,0x00010001,0x1F", Value.dword(31)),
        ("HKR,,v,65537,17", Value.dword(17)),
        ("HKR,,v,0x10001,01,02,03,04", Value.dword(0x04030201)),
        ("HKR,,v,0x10001,-1", Value.dword(0xFFFFFFFF)),
        ("HKR,,v,0x10001,-0x80000000", Value.dword(0x80000000)),
        ("HKR,,v,0x000B0001,-2", Value.qword((1 << 64) - 2)),
        ("HKR,,v,0x10001", Value.dword(0)),
        ("HKR,,v,0x000B0001,0x1FFFFFFFF", Value.qword(0x1FFFFFFFF)),
        ("HKR,,v,0x000B0001,1,0,0,0,0,0,0,0", Value.qword(1)),
        ("HKR,,v,0x00020001", Value.none()),
        ("HKR,,v,0x00380001,1,0,2", Value(0x38, b"\1\0\2")),
    ],
)
def test_every_type(line, value):
    assert values(after(line)) == {"v": value}


def test_keys_alone():
    assert values(after(r"HKLM,Software\V,,,")) == {}
    assert values(after(r"HKLM,Software\V\,x,0x10,y")) == {}
    assert values(after(r"HKLM,Software\V,,0x2000,y")) == {}
    assert values(after(r"HKLM,Software\V,,,y")) == {"": Value.sz("y")}


@pytest.mark.parametrize(
    ("line", "before", "expected"),
    [
        ("HKR,,v,0x2,new", Value.sz("old"), Value.sz("old")),
        ("HKR,,v,0x2,new", None, Value.sz("new")),
        ("HKR,,v,0x20,new", Value.sz("old"), Value.sz("new")),
        ("HKR,,v,0x20,new", None, None),
        ("HKR,,v,0x00010008,b,C", Value.multi_sz(["a", "B"]), Value.multi_sz(["a", "B", "C"])),
        ("HKR,,v,0x00010008,a", None, Value.multi_sz(["a"])),
        ("HKR,,v,0x00010008,a", Value.sz("x"), Value.multi_sz(["a"])),
        ("HKR,,v,0x8,a", Value.multi_sz(["x"]), Value.sz("a")),
        ("HKR,,v,0x4", Value.sz("old"), None),
        ("HKR,,v,0x4", None, None),
    ],
)
def test_flags_that_look_at_what_is_there(line, before, expected):
    registry = after(line, *[("v", before)] if before is not None else [])
    assert (values(registry) or {}).get("v") == expected


@pytest.mark.parametrize(
    "line", ["HKR,,v,0x20,new", "HKR,,v,0x4", "HKR,sub,v,0x20,x", "HKR,sub,v,0x4"]
)
def test_what_only_changes_what_is_there_makes_nothing(line):
    registry = after(line, ("other", Value.none()))
    assert values(registry) == {"other": Value.none()}
    assert registry.open(r"HKLM\Software\V").subkeys() == []


def test_a_key_can_be_deleted_by_addreg():
    registry = after("HKR,sub,,0x4", ("v", Value.none()))
    registry.create(r"HKLM\Software\V\sub\x")
    add(parse_add(*entry("HKR,SUB,,0x4")), registry, r"HKLM\Software\V")
    assert registry.open(r"HKLM\Software\V").subkeys() == []


def test_the_32_bit_view_is_below_wow6432node():
    line = r"HKLM,SOFTWARE\Vendor,v,0x00004000,x"
    assert values(after(line), r"HKLM\Software\Wow6432Node\Vendor") == {"v": Value.sz("x")}
    assert values(after(line, wow64=False), r"HKLM\Software\Vendor") == {"v": Value.sz("x")}
    assert values(after(r"HKLM,Software,v,0x4000,x"), r"HKLM\Software\Wow6432Node")
    assert values(after(r"HKLM,SoftwareX,v,0x4000,x"), r"HKLM\SoftwareX")
    assert values(after(r"HKLM,Software\Vendor,v,0x1000,x"), r"HKLM\Software\Vendor")


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("HKXX,a", "no root"),
        ("HKLM=a", "has a ="),
        ("HKR,,v,none,x", "no flags"),
        ("HKR,,v,0x100000000,x", "no flags"),
        ("HKR,,v,1,0x3b", "no byte"),
        ("HKR,,v,1,3b 04", "no byte"),
        ("HKR,,v,0x10001,x", "no number of 32 bits"),
        ("HKR,,v,0x10001,1,2", "no number of 32 bits"),
        ("HKR,,v,0x10001,0x100000000", "no number of 32 bits"),
        ("HKR,,v,0x10001,-2147483649", "no number of 32 bits"),
        ("HKR,,v,0x10001,--1", "no number of 32 bits"),
        ("HKR,,v,0x00030000,x", "no type of text"),
        (r"HKR,a\\b,v", "1 to 255"),
        ("HKR," + "a\\" * 500 + "a,v", "at most 512"),
        ("HKLM,,,4", "root cannot be deleted"),
        ("HKLM,,v,0x14", "root cannot be deleted"),
        ("HKLM,,v,0x2004", "root cannot be deleted"),
    ],
)
def test_bad_lines_are_refused(line, problem):
    with pytest.raises(InfError, match=f"line 2: .*{problem}"):
        parse_add(*entry(line))


@pytest.mark.parametrize(
    ("line", "left"),
    [
        (r"HKLM,Software\V,v", {"list": Value.multi_sz(["a", "B", "b"])}),
        (r"HKLM,Software\V,none", {"v": Value.none(), "list": Value.multi_sz(["a", "B", "b"])}),
        (r"HKLM,Software\V", None),
        (r"HKLM,Software\V,v,0x2000", None),
        (r"HKLM,Software\V,list,0x00018002,b", {"v": Value.none(), "list": Value.multi_sz(["a"])}),
        (r"HKLM,Software\V,list,0x00018002,x",
         {"v": Value.none(), "list": Value.multi_sz(["a", "B", "b"])}),
        (r"HKLM,Software\V,v,0x00018002,b",
         {"v": Value.none(), "list": Value.multi_sz(["a", "B", "b"])}),
        (r"HKLM,Software\W", {"v": Value.none(), "list": Value.multi_sz(["a", "B", "b"])}),
        (r"HKLM,Software\V,,0x4000", {"v": Value.none(), "list": Value.multi_sz(["a", "B", "b"])}),
    ],
)  # fmt: skip
def test_del_registry_lines(line, left):
    registry = Registry()
    key = registry.create(r"HKLM\Software\V")
    key.set("v", Value.none())
    key.set("list", Value.multi_sz(["a", "B", "b"]))
    delete(parse_del(*entry(line)), registry, "")
    assert values(registry) == left


@pytest.mark.parametrize("line", ["HKLM", "HKR", "HKLM,a,,0x18002,x", "HKLM,a,v,0x18002"])
def test_bad_del_registry_lines_are_refused(line):
    with pytest.raises(InfError):
        parse_del(*entry(line))
