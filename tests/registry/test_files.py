# SPDX-License-Identifier: Apache-2.0
import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hives import hive

from vreader.errors import UsageError, VreaderError
from vreader.registry import Registry, Value, files
from vreader.registry.files import changing, import_file, load_registry
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


def test_a_file_of_any_length_is_not_read(reg, monkeypatch):
    monkeypatch.setattr(files, "MAX_FILE", len(REG))
    assert load_registry(reg).find(r"HKLM\SOFTWARE\A") is not None
    monkeypatch.setattr(files, "MAX_FILE", len(REG) - 1)
    with pytest.raises(UsageError, match="longer than"):
        load_registry(reg)


def test_a_short_file_needs_little_memory(tmp_path, reg):
    long = tmp_path / "long.reg"
    long.write_bytes(REG + b'"x"="1"\r\n' * 300_000)
    limit = (
        "import resource, sys; from vreader.registry.files import load_registry\n"
        "used = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (used + (32 << 20), -1))\n"
        "load_registry(sys.argv[1])"
    )
    run = [sys.executable, "-c", limit]
    assert subprocess.run([*run, reg], check=False).returncode == 0
    done = subprocess.run([*run, str(long)], check=False, capture_output=True, text=True)
    assert "not enough memory" in done.stderr


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


def test_files_are_read_in_their_order(reg, a_hive, tmp_path):
    gone = tmp_path / "gone.reg"
    gone.write_bytes(b"REGEDIT4\r\n[-HKEY_LOCAL_MACHINE\\SOFTWARE\\B]\r\n")
    registry = load_registry(reg)
    import_file(registry, a_hive)
    assert registry.open(r"HKLM\SOFTWARE\A").get("v").decoded == "hive"
    import_file(registry, str(gone))
    assert registry.find(r"HKLM\SOFTWARE\B") is None


def test_a_file_is_changed_when_all_went_well(reg, tmp_path):
    with changing(reg) as registry:
        registry.open(r"HKLM\SOFTWARE\A").set("v", Value.sz("new"))
    assert load_registry(reg).open(r"HKLM\SOFTWARE\A").get("v").decoded == "new"
    before = Path(reg).read_bytes()
    with pytest.raises(ZeroDivisionError), changing(reg) as registry:
        registry.delete(r"HKLM\SOFTWARE", tree=True)
        raise ZeroDivisionError
    assert Path(reg).read_bytes() == before


def test_a_file_to_change_may_be_missing_also_behind_a_link(tmp_path):
    link = tmp_path / "link.reg"
    link.symlink_to("new.reg")
    with changing(str(link)) as registry:
        registry.create(r"HKCU\A")
    assert link.is_symlink()
    assert load_registry(str(tmp_path / "new.reg")).find(r"HKCU\A") is not None


def test_an_empty_file_to_change_has_nothing_in_it(tmp_path):
    path = tmp_path / "a.reg"
    path.touch()
    with changing(str(path)) as registry:
        registry.create(r"HKCU\A")
    assert load_registry(str(path)).find(r"HKCU\A") is not None


def test_who_changes_a_file_waits_for_its_turn(reg, tmp_path):
    other = os.open(tmp_path, os.O_RDONLY)
    try:
        with pytest.raises(BlockingIOError), changing(reg):
            fcntl.flock(other, fcntl.LOCK_SH | fcntl.LOCK_NB)
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.close(other)


def test_a_hive_or_a_file_that_deletes_is_not_changed(a_hive, tmp_path):
    with pytest.raises(UsageError, match="only read"), changing(a_hive):
        pass
    gone = tmp_path / "gone.reg"
    gone.write_bytes(REG + b'"w"=-\r\n')
    with pytest.raises(RegFileError, match=r"gone\.reg, line 5: a deletion"), changing(str(gone)):
        pass


def test_where_nothing_can_be_written_is_named(tmp_path):
    path = tmp_path / "no" / "a.reg"
    with (
        pytest.raises(VreaderError, match=r"cannot write .*a\.reg: No such file"),
        changing(str(path)),
    ):
        pass
