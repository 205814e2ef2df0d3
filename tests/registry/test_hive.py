# SPDX-License-Identifier: Apache-2.0
import subprocess

import pytest
from hives import CARDS, SOFTWARE, VALUES, hive, software, told
from hypothesis import given
from hypothesis import strategies as st

from vreader.errors import UsageError
from vreader.registry import Registry, Value
from vreader.registry.hive import import_hive, is_dirty, root_of
from vreader.registry.regf import HiveError, is_hive


def read(data, root=SOFTWARE, **options):
    registry = Registry()
    import_hive(registry, data, root, "SOFTWARE", **options)
    return registry


@pytest.mark.parametrize(
    "form",
    [{"leaf": "lf", "minor": 3}, {"leaf": "lh"}, {"leaf": "li"}, {"per_leaf": 1}, {"per_leaf": 2}],
    ids=str,
)
def test_keys_and_values_come_out_as_they_are(form):
    registry = software()
    data = hive(registry.open(SOFTWARE), **form)
    assert is_hive(data)
    again = Registry()
    assert import_hive(again, data, SOFTWARE) == 9
    assert told(again) == told(registry)
    assert [name for name, _ in again.open(rf"{CARDS}\Fabrikam").values()] == list(VALUES)


@pytest.mark.parametrize("minor", [3, 5])
@pytest.mark.parametrize("size", [4, 5, 16344, 16345, 2 * 16344, 50_000])
def test_values_of_any_length(size, minor):
    value = Value.binary(bytes(i % 251 for i in range(size)))
    data = hive(software({"long": value}).open(SOFTWARE), minor=minor)
    assert read(data).open(rf"{CARDS}\Fabrikam").get("long") == value


NAMES = st.text(st.characters(codec="utf-16-le", exclude_characters="\0\\"), min_size=1, max_size=9)
KEYS = st.dictionaries(
    st.lists(NAMES, min_size=1, max_size=4).map("\\".join),
    st.dictionaries(st.just("") | NAMES, st.tuples(st.integers(0, 12), st.binary(max_size=9))),
    max_size=9,
)


@given(KEYS, st.sampled_from(["lf", "lh", "li"]), st.integers(0, 3))
def test_any_registry_comes_out_as_it_was(keys, leaf, per_leaf):
    registry = Registry()
    for path, values in keys.items():
        for name, (kind, data) in values.items():
            registry.create(rf"{SOFTWARE}\{path}").set(name, Value(kind, data))
    written = hive(registry.create(SOFTWARE), leaf=leaf, per_leaf=per_leaf)
    assert told(read(written)) == told(registry)


def test_a_predefined_key_has_no_values():
    data = hive(software().open(SOFTWARE), predefined=["Fabrikam"])
    assert read(data).open(rf"{CARDS}\Fabrikam").values() == []


def test_a_hive_is_added_to_what_is_there():
    registry = Registry()
    registry.create(rf"{CARDS}\Fabrikam").set("atr", Value.dword(0))
    registry.create(rf"{CARDS}\Other")
    import_hive(registry, hive(software().open(SOFTWARE)), SOFTWARE)
    assert registry.open(rf"{CARDS}\Fabrikam").get("ATR") == VALUES["ATR"]
    assert registry.find(rf"{CARDS}\Other") is not None


@pytest.mark.parametrize(
    ("only", "keys"),
    [
        ([r"hklm\software\VENDOR"], 1),
        ([CARDS.lower(), r"HKLM\SOFTWARE\Vendor"], 5),
        (["HKLM"], 9),
        ([r"HKLM\SOFTWARE"], 9),
        ([r"HKLM\SOFTWARE\Nothing\Below", r"HKLM\SYSTEM", "HKCU"], 0),
    ],
)
def test_some_keys_alone_are_read(only, keys):
    registry = Registry()
    data = hive(software().open(SOFTWARE))
    assert import_hive(registry, data, SOFTWARE, only=only) == keys
    if not keys:
        assert told(registry) == told(Registry())


def test_a_hive_may_be_of_a_key_far_below():
    data = hive(software().open(CARDS))
    assert read(data, CARDS, only=[rf"{CARDS}\Fabrikam"]).find(rf"{CARDS}\Fabrikam") is not None


@pytest.mark.parametrize(
    ("stored", "file", "root"),
    [
        ("\\SystemRoot\\System32\\Config\\SOFTWARE", "x.bin", r"HKLM\SOFTWARE"),
        ("ystem32\\config\\system", "", r"HKLM\SYSTEM"),
        ("\\??\\C:\\Users\\a\\ntuser.dat", "", "HKCU"),
        ("", "/tmp/SOFTWARE", r"HKLM\SOFTWARE"),
        ("", r"C:\backup\Default", r"HKU\.DEFAULT"),
        ("", "calais.hiv", ""),
    ],
)
def test_where_it_belongs_is_told_by_its_base_block_or_its_name(stored, file, root):
    assert root_of(hive(Registry().root("HKLM"), name=stored), file) == root


def test_a_hive_that_was_copied_while_in_use():
    key = software().open(SOFTWARE)
    assert is_dirty(hive(key, dirty=True))
    assert not is_dirty(hive(key))
    assert told(read(hive(key, dirty=True))) == told(software())


def test_no_place_for_it_is_refused():
    with pytest.raises(UsageError, match="no root"):
        read(hive(Registry().root("HKLM")), "SOFTWARE")


def test_too_deep_is_refused():
    deep = Registry().create("HKCU" + "\\a" * 512)
    while deep.parent is not None:
        deep = deep.parent
    with pytest.raises(HiveError, match="at most 512"):
        read(hive(deep))
    assert import_hive(Registry(), hive(deep), "HKCU") == 513


# ---------------------------------------------------------------------- the others' opinion


@pytest.fixture
def hivexsh(need):
    """Run commands of libhivex's shell on a hive; return what it prints."""
    program = need("hivexsh", "libhivex-bin")

    def run(commands, path, *options):
        done = subprocess.run(
            [program, *options, path], input=commands.encode(), capture_output=True, check=True,
            timeout=30,
        )  # fmt: skip
        assert not done.stderr
        return done.stdout.decode()

    return run


def test_libhivex_reads_what_the_tests_write(hivexsh, tmp_path):
    path = tmp_path / "hive"
    path.write_bytes(hive(software().open(SOFTWARE), leaf="lf"))
    where = r"cd \Microsoft\Cryptography\Calais\SmartCards"
    assert hivexsh(f"{where}\nls\n", path).split() == ["Fabrikam", "Ünïcode", "Карта"]
    assert '"ATR"=hex(3):3b,04,51,ff,08,00\n' in hivexsh(f"{where}\\Fabrikam\nlsval\n", path)


def test_what_libhivex_writes_is_read(hivexsh, tmp_path):
    path = tmp_path / "hive"
    path.write_bytes(hive(Registry().root("HKLM"), leaf="lf"))
    hivexsh(
        "add A\nadd ß\ncd A\nsetval 4\nn\ndword:0x80000001\nb\nhex:3:3b,00\n@\nstring:x\n"
        "t\nexpandstring:%a%\ncommit\n",
        path, "-w",
    )  # fmt: skip
    registry = read(path.read_bytes(), "HKCU")
    assert [key.name for key in registry.root("HKCU").subkeys()] == ["A", "ß"]
    assert dict(registry.open(r"HKCU\A").values()) == {
        "n": Value.dword(0x80000001),
        "b": Value.binary(b"\x3b\0"),
        "": Value.sz("x"),
        "t": Value.expand_sz("%a%"),
    }


def test_regipy_s_own_reader_agrees(tmp_path):
    from regipy.registry import RegistryHive

    path = tmp_path / "SOFTWARE"
    path.write_bytes(hive(software({"ATR": VALUES["ATR"], "x": Value.sz("y")}).open(SOFTWARE)))
    key = RegistryHive(str(path)).root.get_subkey("Vendor")
    assert key.name == "Vendor"
    assert key.values_count == 0
