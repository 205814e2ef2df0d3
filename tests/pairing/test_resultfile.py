# SPDX-License-Identifier: Apache-2.0
"""The file of answers: whole lines stay, a torn one goes, and nothing that is not ours is hurt."""

import json
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vreader.errors import UsageError, VreaderError
from vreader.pairing.resultfile import ResultFile, Shared

FIRST = b'{"sweep": 1, "salt": "%032x"}\n' % 1
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
    assert len(written.read_bytes().splitlines()) == 1 + len(ANSWERS) + 1


def test_a_later_line_counts(written):
    with ResultFile(str(written)) as file:
        file.append([(ANSWERS[0][0], {"outcome": "new.dll"})])
    with ResultFile(str(written)) as file:
        assert file.known[ANSWERS[0][0]] == {"outcome": "new.dll"}
        assert len(file.known) == len(ANSWERS)


def test_answers_share_what_is_the_same():
    shared = Shared()
    steps = [{"stage": "insertion", "facts": [1, True, 1.0, "1", None]}, {}]
    first, second = (shared(json.loads(json.dumps({"steps": steps, "n": n}))) for n in (1, True))
    assert (first, second) == ({"steps": steps, "n": 1}, {"steps": steps, "n": True})
    assert (type(first["n"]), type(second["n"])) == (int, bool)
    assert first["steps"][0] is second["steps"][0]


def test_keys_are_the_same_in_one_file_and_others_in_another(tmp_path):
    def key(name):
        with ResultFile(str(tmp_path / name)) as file:
            return file.key("digest of a PIN")

    assert key("a") == key("a") != key("b")


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
        lines = max(0, whole[:cut].count(b"\n") - 1)
        assert list(file.known.items()) == ANSWERS[:lines]
        assert path.read_bytes().endswith(b"\n")  # a shorter line would not cover what is torn
        file.append(ANSWERS[lines:3])
    first, rest = path.read_bytes().split(b"\n", 1)
    assert rest == whole.split(b"\n", 1)[1]
    assert whole.startswith(first) == (cut > len(first))  # a torn first line is made anew


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"cards = []\n", 1),
        (b"cards", 1),
        (b'{"key": "a", "pairing": {"outcome": "none"}}\n', 1),
        (b'{"sweep": 2, "salt": "%032x"}\n' % 0, 1),
        (b'{"sweep": 1, "salt": "00"}\n', 1),
        (b'{"sweep": 1, "salt": 1}\n', 1),
        (FIRST + b"x", 2),
        (FIRST + b'{"key": "a", "pairing": {"outcome": "none"}}\nx', 3),
        (FIRST + b'{"key": "a"}\n', 2),
        (FIRST + b'{"key": "a", "pairing": {"outcome": 1}}\n', 2),
        (FIRST + b'{"key": "a", "pairing": []}\n', 2),
        (FIRST * 2, 2),
        (b"[" * 100_000 + b"\n", 1),
        (FIRST + b"[" * 100_000 + b"\n", 2),
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
