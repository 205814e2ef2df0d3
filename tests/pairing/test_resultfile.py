# SPDX-License-Identifier: Apache-2.0
"""The file of answers: whole lines stay, a torn one goes, and nothing that is not ours is hurt."""

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vreader.errors import UsageError, VreaderError
from vreader.pairing.resultfile import ResultFile

ANSWERS = [(f"{n:032x}", {"outcome": f"m{n}.dll", "text": "Zoë \ud800 \n"}) for n in range(40)]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "answers.jsonl"


@pytest.fixture
def written(path):
    with ResultFile(str(path)) as file:
        file.append(ANSWERS)
    return path


def test_what_was_written_is_read(written):
    with ResultFile(str(written)) as file:
        assert list(file.known.items()) == ANSWERS
        file.append([("more", {"outcome": "none"})])
    assert len(written.read_bytes().splitlines()) == len(ANSWERS) + 1


@settings(max_examples=50)
@given(st.data())
def test_however_it_was_torn(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("torn") / "answers.jsonl"
    with ResultFile(str(path)) as file:
        file.append(ANSWERS[:3])
    whole = path.read_bytes()
    cut = data.draw(st.integers(0, len(whole)))
    path.write_bytes(whole[:cut])
    with ResultFile(str(path)) as file:
        lines = whole[:cut].count(b"\n")
        assert list(file.known.items()) == ANSWERS[:lines]
        file.append(ANSWERS[lines:3])
    assert path.read_bytes() == whole


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"cards = []\n", 1),
        (b"cards", 1),
        (b'{"key": "a", "pairing": {"outcome": "none"}}\nx', 2),
        (b'{"key": "a"}\n', 1),
        (b'{"key": "a", "pairing": {"outcome": 1}}\n', 1),
        (b'{"key": "a", "pairing": []}\n', 1),
        (b"[" * 100_000 + b"\n", 1),
        (b"\xff\n", 1),
    ],
)
def test_another_file_is_left_alone(path, content, line):
    path.write_bytes(content)
    with pytest.raises(UsageError, match=f"line {line} is no answer of a sweep"):
        ResultFile(str(path))
    assert path.read_bytes() == content


def test_one_sweep_at_a_time(path):
    with ResultFile(str(path)), pytest.raises(VreaderError, match="another sweep is writing"):
        ResultFile(str(path))
    with ResultFile(str(path)) as file:
        assert file.known == {}


@pytest.mark.parametrize("path", ["/no/such/folder", "/", "\0"])
def test_what_cannot_be_opened(path):
    with pytest.raises(VreaderError, match="cannot open"):
        ResultFile(path)


def test_no_ordinary_file(path):
    os.mkfifo(path)
    for each in (path, "/dev/full"):
        with pytest.raises(UsageError, match="no ordinary file"):
            ResultFile(str(each))
