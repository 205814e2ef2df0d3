# SPDX-License-Identifier: Apache-2.0

from vreader.reader.events import ApduEvent, CardEvent
from vreader.smclib.events import DebugEvent
from vreader.trace.recent import Recent
from vreader.wdm.events import IrpEvent


def irp(status):
    return IrpEvent("reader0", "DEVICE_CONTROL", 0x310014, status, 0)


def test_the_last_are_kept_with_their_time():
    now = iter([10.0, 10.5, 11.0, 12.0])
    recent = Recent(2, lambda: next(now))
    for change in ("inserted", "removed", "inserted"):
        recent(CardEvent("reader0", change))
    assert recent.texts() == [
        "  1.000000  reader0   card removed",
        "  2.000000  reader0   card inserted",
    ]
    assert recent.texts(1) == recent.texts()[1:]
    assert recent.texts(0) == recent.texts(-1) == []
    assert recent.texts(7) == recent.texts()


def test_what_only_carries_the_rest_is_left_out():
    recent = Recent(9)
    recent(irp("STATUS_SUCCESS"))
    recent(DebugEvent("reader0", 1, "entering"))
    assert recent.texts() == []
    recent(irp("STATUS_NO_MEDIA"))
    assert "STATUS_NO_MEDIA" in recent.texts()[0]


def test_an_entry_may_have_lines_and_shows_no_secret():
    recent = Recent(9)
    pin = b"\0\x20\0\x80\4\0\0\0\0"
    recent(ApduEvent("reader0", pin, b"\x90\0", ((5, 9),), (), "VERIFY", 0.0))
    (text,) = recent.texts()
    assert "** ** ** **   VERIFY\n" in text
    assert not text.endswith("\n")


def test_a_follower_is_told_of_all_that_comes_after_what_is_kept():
    recent, told = Recent(1, start=0.0, now=lambda: 5.0), []
    first, second, third = (CardEvent("reader0", change) for change in "abc")
    recent(first)
    kept, stop = recent.follow(told.append)
    recent(second)
    recent(irp("STATUS_SUCCESS"))
    stop()
    stop()
    recent(third)
    assert kept == [(5.0, first)]
    assert told == [(5.0, second)]
    assert recent.last() == [(5.0, third)]
