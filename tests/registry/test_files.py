# SPDX-License-Identifier: Apache-2.0
import os
import stat
from pathlib import Path

import pytest
from hives import hive

from vreader.errors import UsageError, VreaderError
from vreader.registry import Registry, Value
from vreader.registry.files import import_file, load_registry, merged, write_file
from vreader.registry.regf import HiveError
from vreader.registry.regfile import RegFileError

REG = b'REGEDIT4\r\n\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\A]\r\n"v"="reg"\r\n'


def software():
    registry = Registry()
    registry.create(r"HKLM\SOFTWARE\A").set("v", Value.sz("hive"))
    registry.create(r"HKLM\SOFTWARE\B")
    return registry.open(r"HKLM\SOFTWARE")


@pytest.fixture
def reg(tmp_path):
    path = tmp_path / "a.reg"
    path.write_bytes(REG)
    return str(path)


@pytest.fixture
def a_hive(tmp_path):
    path = tmp_path / "SOFTWARE"
    path.write_bytes(hive(software(), name=""))
    return str(path)


def test_a_file_is_what_is_in_it(reg, a_hive):
    assert load_registry(reg).open(r"HKLM\SOFTWARE\A").get("v").decoded == "reg"
    assert load_registry(a_hive).open(r"HKLM\SOFTWARE\A").get("v").decoded == "hive"
    assert load_registry(a_hive, root="HKCU").find(r"HKCU\B") is not None
    assert load_registry(a_hive, only=[r"HKLM\SOFTWARE\B"]).find(r"HKLM\SOFTWARE\A") is None


def test_a_hive_of_unknown_place_asks_for_it(tmp_path):
    path = tmp_path / "calais.hiv"
    path.write_bytes(hive(software(), name=""))
    with pytest.raises(UsageError, match="nothing says which key") as error:
        load_registry(str(path))
    assert "--root" in error.value.hint


@pytest.mark.parametrize("name", ["", "missing.reg", ".", "a\0b"])
def test_a_file_that_cannot_be_read_is_named(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="cannot read") as error:
        load_registry(name)
    assert error.value.hint


def test_a_bad_file_is_named_and_changes_nothing(tmp_path, reg):
    registry = load_registry(reg)
    for name, content, kind in (
        ("b.reg", REG + b"?", RegFileError),
        ("SYSTEM", hive(software(), name="SYSTEM")[:5000], HiveError),
    ):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(kind, match=name):
            import_file(registry, str(path))
    assert [key.name for key in registry.root("HKLM").walk()][1:] == ["SOFTWARE", "A"]


def test_files_are_merged_in_their_order(reg, a_hive, tmp_path):
    gone = tmp_path / "gone.reg"
    gone.write_bytes(b"REGEDIT4\r\n[-HKEY_LOCAL_MACHINE\\SOFTWARE\\B]\r\n")
    there = merged(reg, [a_hive, str(gone)])
    assert there.open(r"HKLM\SOFTWARE\A").get("v").decoded == "hive"
    assert there.find(r"HKLM\SOFTWARE\B") is None
    there = merged(str(tmp_path / "new.reg"), [a_hive, reg])
    assert there.open(r"HKLM\SOFTWARE\A").get("v").decoded == "reg"
    assert there.find(r"HKLM\SOFTWARE\B") is not None


def test_nothing_is_merged_into_a_hive_or_a_file_that_deletes(reg, a_hive, tmp_path):
    with pytest.raises(UsageError, match="only read"):
        merged(a_hive, [reg])
    gone = tmp_path / "gone.reg"
    gone.write_bytes(REG + b'"w"=-\r\n')
    with pytest.raises(RegFileError, match=r"gone\.reg, line 5: a deletion"):
        merged(str(gone), [reg])


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "a.reg"
    write_file(str(path), b"1", replace=False)
    umask = os.umask(0o022)
    os.umask(umask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask
    with pytest.raises(UsageError, match="exists already"):
        write_file(str(path), b"2", replace=False)
    path.chmod(0o600)
    write_file(str(path), b"3")
    assert path.read_bytes() == b"3"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(VreaderError, match="cannot write"):
        write_file(str(tmp_path / "no" / "a.reg"), b"")
    assert list(tmp_path.iterdir()) == [path]


def test_a_device_is_written_to_and_stays():
    write_file(os.devnull, b"x")
    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)
