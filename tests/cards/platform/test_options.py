# SPDX-License-Identifier: Apache-2.0
"""What people type as options, and how they are told that it cannot be used."""

import pytest

from cards.platform.options import choice_option, hex_option
from vreader.errors import UsageError


def test_hex():
    assert hex_option({"key": "01 02"}, "key", 2) == b"\1\2"
    assert hex_option({"key": ""}, "key", 0, 3) == b""


@pytest.mark.parametrize(
    ("value", "sizes", "problem", "hint"),
    [
        ("01", (2,), "key must be 2 bytes in hex", "write 4 hex digits"),
        ("xy", (2,), "key must be 2 bytes in hex", "write 4 hex digits"),
        ("xy", (1, 2), "key must be bytes in hex", "for example key=3B80"),
        ("", (1, 2), "key has 1 to 2 bytes, not 0", "add some"),
        ("010203", (1, 2), "key has 1 to 2 bytes, not 3", "leave some out"),
    ],
)
def test_what_is_no_such_value(value, sizes, problem, hint):
    with pytest.raises(UsageError) as caught:
        hex_option({"key": value}, "key", *sizes)
    assert (str(caught.value), caught.value.hint) == (problem, hint)


def test_choice():
    assert choice_option({}, "way", ("in", "out")) == "in"
    assert choice_option({"way": "out"}, "way", ("in", "out")) == "out"
    with pytest.raises(UsageError, match="way=up is not possible") as caught:
        choice_option({"way": "up"}, "way", ("in", "out"))
    assert caught.value.hint == "use in or out"
