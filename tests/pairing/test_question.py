# SPDX-License-Identifier: Apache-2.0
"""Questions as plain data."""

import pickle

import pytest

from vreader.errors import UsageError
from vreader.pairing.policy import Policy
from vreader.pairing.question import Question, answer, packages
from vreader.setupapi.skeleton import skeleton

ATR = bytes.fromhex("3B0451FF0800")
CARD = "atr:3B0451FF0800"


@pytest.fixture
def folder(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        text = skeleton(ATR, name=f"Card {name}", vendor="V", module=f"{name}.dll")
        (tmp_path / name / f"{name}.inf").write_text(text)
    return str(tmp_path)


def test_a_question_and_its_answer_travel(folder):
    question = Question(CARD, store=(folder,), policy=Policy(walk="created"))
    found = answer(pickle.loads(pickle.dumps(question)))
    assert pickle.loads(pickle.dumps(found)) == found
    assert found.outcome == "one.dll"
    assert answer(question._replace(bits=32)).bits == 32


def test_a_folder_is_all_its_packages(folder, tmp_path):
    assert [package.name for package in packages([folder])] == ["one.inf", "two.inf"]
    assert {package.source for package in packages([folder], "update")} == {"update"}
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="no INF file in"):
        packages([str(tmp_path / "empty")])


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"card": "none"}, "an empty reader"),
        ({"bits": 16}, "no 16-bit program"),
        ({"bits": 64, "os": "6.1-x86"}, "no 64-bit program"),
        ({"os": "XP"}, "is no Windows"),
        ({"registry": ("/no/such.reg",)}, "cannot read"),
    ],
)
def test_questions_that_make_no_sense(options, why):
    with pytest.raises(UsageError, match=why):
        answer(Question(**{"card": CARD, **options}))
