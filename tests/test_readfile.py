# SPDX-License-Identifier: Apache-2.0
import pytest

from vreader.errors import UsageError
from vreader.readfile import read_file


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
