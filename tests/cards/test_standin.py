# SPDX-License-Identifier: Apache-2.0
"""Cards that stand in for another: what they refuse alike, and the files they read."""

import os

import pytest

from cards.standin import MAX_FILE, read_text
from vreader.card import CardKind, FileStore, MemoryStore
from vreader.errors import UsageError, VreaderError
from vreader.kinds import find_kind

KINDS = ["scripted", "replay", "relay"]


@pytest.mark.parametrize("name", KINDS)
def test_they_keep_nothing_and_take_nothing(name):
    kind = find_kind(name)
    assert isinstance(kind, CardKind)
    with pytest.raises(UsageError, match="keeps no state file"):
        kind.create(next(iter(kind.profiles())), {}, FileStore("a.card"), None)
    with pytest.raises(VreaderError, match="is not kept in a file"):
        kind.open(FileStore("a.card"))
    with pytest.raises(UsageError, match="takes no keys"):
        kind.provision(None, {})
    with pytest.raises(UsageError, match="has no option 'colour'"):
        kind.create(next(iter(kind.profiles())), {"colour": "red"}, MemoryStore(), None)


@pytest.mark.parametrize("name", ["scripted", "replay"])
def test_no_file_is_named(name):
    kind = find_kind(name)
    with pytest.raises(UsageError, match="is named") as caught:
        kind.create(next(iter(kind.profiles())), {}, MemoryStore(), None)
    assert "file=" in caught.value.hint


def missing(path):
    pass


def directory(path):
    path.mkdir()


def fifo(path):
    os.mkfifo(path)


def huge(path):
    with path.open("wb") as file:
        file.truncate(MAX_FILE + 1)


def binary(path):
    path.write_bytes(b"atr\xff\xfe")


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (missing, "No such file"),
        (directory, "is not a file"),
        (fifo, "is not a file"),
        (huge, "is larger than 64 MiB"),
        (binary, "is not text: byte 3"),
    ],
)
def test_files_that_cannot_be_read(make, problem, tmp_path):
    path = tmp_path / "talk.toml"
    make(path)
    with pytest.raises(UsageError, match=problem) as caught:
        read_text(str(path), "conversation", "write file=TALK.toml")
    assert str(path) in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize("path", ["/dev/zero", "a\0b"])
def test_odd_paths(path):
    with pytest.raises(UsageError):
        read_text(path, "trace", "write file=")
