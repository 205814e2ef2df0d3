# SPDX-License-Identifier: Apache-2.0
"""Files that somebody names: bytes up to a limit, and texts."""

import os

import pytest

from vreader.errors import UsageError
from vreader.readfile import MAX_TEXT, read_file, read_text


@pytest.mark.parametrize("size", [0, 1, 1 << 20, (1 << 20) + 1, 3 << 20])
def test_a_file_up_to_the_limit_is_read_whole(tmp_path, size):
    path = tmp_path / "file"
    path.write_bytes(bytes(size))
    assert read_file(str(path), max(size, 1), "hint") == bytes(size)


def test_a_longer_one_is_refused(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(bytes((1 << 20) + 1))
    with pytest.raises(UsageError, match="is longer than 1 MiB") as caught:
        read_file(str(path), 1 << 20, "another", too_long="a shorter one")
    assert caught.value.hint == "a shorter one"


def test_endless_files_are_refused_too():
    with pytest.raises(UsageError, match="longer than 2 MiB"):
        read_file("/dev/zero", 2 << 20, "name a file")


@pytest.mark.parametrize("path", ["/no/such", "/", "a\0b", ""])
def test_what_cannot_be_read_says_so(path):
    with pytest.raises(UsageError, match="cannot read") as caught:
        read_file(path, 1, "name a file")
    assert caught.value.hint == "name a file"


def missing(path):
    pass


def directory(path):
    path.mkdir()


def fifo(path):
    os.mkfifo(path)


def huge(path):
    with path.open("wb") as file:
        file.truncate(MAX_TEXT + 1)


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
