# SPDX-License-Identifier: Apache-2.0
import fcntl
import os
import stat
from pathlib import Path

import pytest

from vreader.errors import UsageError, VreaderError
from vreader.publish import new_file, publish, turn, write_file


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def umask():
    before = os.umask(0o022)
    yield 0o022
    os.umask(before)


def test_a_file_is_written_whole_or_not_at_all(tmp_path, umask):
    path = tmp_path / "a.reg"
    write_file(str(path), b"1", replace=False)
    assert mode(path) == 0o644
    with pytest.raises(UsageError, match="exists already"):
        write_file(str(path), b"2", replace=False)
    path.chmod(0o600)
    write_file(str(path), b"3")
    assert path.read_bytes() == b"3"
    assert mode(path) == 0o600
    with pytest.raises(VreaderError, match="cannot write"):
        write_file(str(tmp_path / "no" / "a.reg"), b"")
    with pytest.raises(VreaderError, match="cannot write"):
        write_file(str(tmp_path), b"")
    with pytest.raises(VreaderError, match="cannot write"):
        write_file("a\0b", b"")
    assert list(tmp_path.iterdir()) == [path]


def test_a_secret_stays_one(tmp_path, umask):
    path = tmp_path / "image"
    path.write_bytes(b"old")
    path.chmod(0o644)
    write_file(str(path), b"secret", mode=0o600)
    assert mode(path) == 0o600
    publish(b"another", str(tmp_path / "new"))
    assert mode(tmp_path / "new") == 0o600


def test_what_is_no_file_is_written_to_and_stays(tmp_path):
    pipe = tmp_path / "pipe"  # no device: a fault here would replace it for the whole machine
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_file(str(pipe), b"x")
        assert os.read(reader, 9) == b"x"
    finally:
        os.close(reader)
    assert pipe.is_fifo()


def test_a_link_stays_one_also_one_to_nothing_yet(tmp_path):
    link = tmp_path / "link"
    link.symlink_to("target")
    for content in (b"1", b"2"):
        publish(content, str(link), replace=True)
        assert link.is_symlink()
        assert (tmp_path / "target").read_bytes() == content


def test_what_goes_wrong_leaves_all_as_it_was(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"old")
    with pytest.raises(ZeroDivisionError), new_file(str(path), replace=True) as aside:
        Path(aside).write_bytes(b"half")
        Path(f"{aside}-journal").touch()
        raise ZeroDivisionError
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_who_comes_second_is_told(tmp_path):
    path = tmp_path / "a"
    with pytest.raises(UsageError, match="exists already"), new_file(str(path)) as aside:
        Path(aside).touch()
        path.write_bytes(b"another was faster")
    assert path.read_bytes() == b"another was faster"


def test_where_there_are_no_hard_links_a_file_is_named_all_the_same(tmp_path, monkeypatch):
    def link(source, target):
        raise PermissionError

    monkeypatch.setattr(os, "link", link)
    publish(b"1", str(tmp_path / "a"))
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_who_changes_a_file_waits_for_its_turn(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    other = os.open(".", os.O_RDONLY)
    try:
        with turn("a.reg"), pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_SH | fcntl.LOCK_NB)
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.close(other)


@pytest.mark.parametrize("path", ["no/a", "a\0b"])
def test_where_nothing_can_be_locked_nobody_waits(path):
    done = False
    with turn(path):
        done = True
    assert done
