# SPDX-License-Identifier: Apache-2.0
"""Entries as people write them, and the finger of a script."""

import pytest

from vreader.errors import UsageError
from vreader.reader.finger import Key, PinQueue, Prompt, Typed, as_typed, parse_entries
from vreader.reader.pinstruct import Asked

PROMPT = Prompt(Asked.PIN, 4, 8, None, 0)


def shown(entry):
    return (entry.digits, entry.validated) if isinstance(entry, Typed) else entry


def test_one_entry_after_the_other_and_the_last_ever_again():
    finger = PinQueue(["1234", Key.CANCEL, Typed("56", validated=False)])
    assert [shown(finger(PROMPT)) for _ in range(4)] == [
        ("1234", True),
        Key.CANCEL,
        ("56", False),
        ("56", False),
    ]


@pytest.mark.parametrize(
    ("texts", "entries"),
    [
        (["123456"], ["123456"]),
        (["123456,654321", "cancel"], ["123456", "654321", Key.CANCEL]),
        (["timeout , 1"], [Key.TIME_OUT, "1"]),
    ],
)
def test_entries_as_people_write_them(texts, entries):
    told = [e if isinstance(e, Key) else e.digits for e in parse_entries(texts)]
    assert told == entries


@pytest.mark.parametrize("text", ["", "123,", ",", "12a4", "1 2", "Cancel", "-1", "١٢٣٤"])
def test_what_is_no_entry_is_not_shown(text):
    with pytest.raises(UsageError) as refusal:
        parse_entries([text])
    assert refusal.value.hint
    assert not text or text not in str(refusal.value) + refusal.value.hint or text == ","


def test_a_queue_needs_an_entry():
    with pytest.raises(UsageError):
        PinQueue([])


def test_what_no_keypad_types():
    with pytest.raises(UsageError):
        as_typed(1234)  # a number has lost its leading zeros


def test_an_entry_does_not_show_itself():
    assert "271828" not in repr(Typed("271828")) + repr(PinQueue(["271828"]))
