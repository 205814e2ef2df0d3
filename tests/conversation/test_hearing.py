# SPDX-License-Identifier: Apache-2.0
"""What a world remembers of what was said to its cards."""

import pytest

from vreader.conversation.hearing import Hearing
from vreader.errors import VreaderError
from vreader.reader.events import ApduEvent, CardEvent, PinEvent


def apdu(reader="reader0", problem=""):
    return ApduEvent(reader, b"\0\xa4\0\0", b"\x90\0", (), (), "", 0.1, problem)


def test_resets_and_commands_of_one_reader():
    hearing = Hearing()
    cold, warm = CardEvent("reader0", "cold reset", b";"), CardEvent("reader0", "warm reset", b";")
    for event in (
        CardEvent("reader0", "inserted"), cold, apdu("reader1"), warm, apdu(),
        PinEvent("reader0", "PIN", "typed"), apdu(problem="late"), CardEvent("reader0", "removed"),
    ):  # fmt: skip
        hearing(event)
    assert hearing.said("reader0") == [cold, warm, apdu()]
    assert hearing.said("reader1") == [apdu("reader1")]
    assert hearing.said("reader2") == []


def test_a_mark_begins_anew():
    hearing = Hearing(limit=1)
    hearing(apdu())
    hearing(apdu())
    with pytest.raises(VreaderError, match="more than 1 commands"):
        hearing.said("reader0")
    hearing.mark()
    assert hearing.said("reader0") == []
