# SPDX-License-Identifier: Apache-2.0
"""A class in a Python file: found, or said what is wrong with it."""

import pytest

from vreader.classfile import load_class
from vreader.errors import UsageError


def test_a_class(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text("class Card:\n    number = 7\nvalue = 3\n")
    assert load_class(str(path), "Card").number == 7
    for name in ("Cart", "value"):
        with pytest.raises(UsageError, match=f"has no class {name}"):
            load_class(str(path), name)


@pytest.mark.parametrize("text", ["raise ValueError('a\\nb')", "import sys; sys.exit(2)", "class"])
def test_a_file_that_fails(tmp_path, text):
    path = tmp_path / "mine.py"
    path.write_text(text)
    with pytest.raises(UsageError, match="cannot be loaded: ") as raised:
        load_class(str(path), "Card")
    assert "\n" not in str(raised.value)


def test_no_file(tmp_path):
    with pytest.raises(UsageError, match="there is no file"):
        load_class(str(tmp_path / "mine.py"), "Card")
    with pytest.raises(UsageError):
        load_class(str(tmp_path), "Card")
