# SPDX-License-Identifier: Apache-2.0
"""Which ATRs each entry takes, and what one bit of a mask changes."""

import pytest
from card_patterns import BELGIAN, BELGIAN_ENTRY, FABRIKAM, FABRIKAM_ENTRY, H, few_bits
from card_patterns import registrations as some_entries
from hypothesis import given
from hypothesis import strategies as st

from vreader.errors import UsageError
from vreader.pairing.claims import Change, Hold, claims, flip
from vreader.pairing.matching import Bit, Matcher, Pattern

WIDE = Pattern("Wide", H("3B0450000000"), H("FFFFF0000000"))
OTHER = H("3B0452FF0800")
NONE = H("3B0412345678")


def test_taken_shadowed_and_no():
    found = claims([FABRIKAM_ENTRY, WIDE], [FABRIKAM, OTHER, NONE])
    assert [[row.hold(entry) for entry in found.entries] for row in found.rows] == [
        [Hold.TAKEN, Hold.SHADOWED],
        [Hold.NO, Hold.TAKEN],
        [Hold.NO, Hold.NO],
    ]
    assert list(found.taken()) == [(FABRIKAM_ENTRY, 1, 0), (WIDE, 1, 1)]
    assert found.record() == {
        "atrs": [
            {"atr": "3B0451FF0800", "winner": "Fabrikam", "shadowed": ["Wide"]},
            {"atr": "3B0452FF0800", "winner": "Wide", "shadowed": []},
            {"atr": "3B0412345678", "winner": None, "shadowed": []},
        ],
        "entries": [
            {"name": "Fabrikam", "taken": 1, "shadowed": 0},
            {"name": "Wide", "taken": 1, "shadowed": 1},
        ],
    }


def test_the_order_decides():
    (row,) = claims([WIDE, FABRIKAM_ENTRY], [FABRIKAM]).rows
    assert (row.winner, row.shadowed) == (WIDE, (FABRIKAM_ENTRY,))


def test_a_bit_that_no_longer_counts_lets_more_in():
    found = flip([FABRIKAM_ENTRY], "fabrikam", Bit(2, 0), [FABRIKAM, H("3B0450FF0800"), OTHER])
    assert found.after == Pattern("Fabrikam", H("3B0450FF0800"), H("FFFFFEFFFFFF"))
    assert found.changes == (Change(H("3B0450FF0800"), None, "Fabrikam"),)
    assert (found.gained, found.lost) == ([H("3B0450FF0800")], [])
    assert found.note == (
        "byte 2 bit 0 no longer counts, and is cleared in the ATR: with the mask alone changed "
        "nothing could match"
    )


def test_a_bit_that_is_0_already_need_not_be_cleared():
    found = flip([FABRIKAM_ENTRY], "Fabrikam", Bit(2, 1), [OTHER])
    assert found.after.atr == FABRIKAM
    assert found.note == "byte 2 bit 1 no longer counts"


def test_a_bit_that_counts_keeps_some_out():
    atrs = [FABRIKAM, OTHER]
    zero = flip([WIDE], "Wide", Bit(2, 0), atrs)
    assert (zero.after.atr, zero.gained, zero.lost) == (WIDE.atr, [], [FABRIKAM])
    assert zero.note == "byte 2 bit 0 counts now and must be 0"
    one = flip([WIDE], "Wide", Bit(2, 0), atrs, value=1)
    assert (one.after.atr, one.lost) == (H("3B0451000000"), [OTHER])


def test_overlaps_come_and_go():
    # Wide's T0 would have to be another one to leave Fabrikam's card alone.
    found = flip([FABRIKAM_ENTRY, WIDE], "Wide", Bit(2, 3), [FABRIKAM], value=1)
    assert [(o.winner.name, o.loser.name) for o in found.gone] == [("Fabrikam", "Wide")]
    assert found.new == ()
    # The same bit back, and both take the card again.
    moved = [FABRIKAM_ENTRY, found.after]
    again = flip(moved, "Wide", Bit(2, 3), [FABRIKAM])
    assert again.after == WIDE
    assert [(o.winner.name, o.loser.name) for o in again.new] == [("Fabrikam", "Wide")]
    assert again.gone == ()


def test_without_a_mask_all_bits_count_before():
    found = flip([Pattern("bare", FABRIKAM)], "bare", Bit(5, 7), [])
    assert found.record() == {
        "bit": {"byte": 5, "bit": 7},
        "before": {"name": "bare", "atr": "3B0451FF0800", "mask": "FFFFFFFFFFFF"},
        "after": {"name": "bare", "atr": "3B0451FF0800", "mask": "FFFFFFFFFF7F"},
        "note": "byte 5 bit 7 no longer counts",
        "gained": [],
        "lost": [],
        "changes": [],
        "new_overlaps": [],
        "gone_overlaps": [],
    }


@pytest.mark.parametrize(
    ("name", "bit", "options", "problem", "hint"),
    [
        (
            "Fabrikan",
            Bit(0, 0),
            {},
            "no card is registered as 'Fabrikan'",
            "did you mean Fabrikam?",
        ),
        ("Fabrikam", Bit(6, 0), {}, "Fabrikam has no byte 6 bit 0", "its mask has bytes 0 to 5"),
        ("Fabrikam", Bit(2, 0), {"value": 1}, "it has no value", "leave the value out"),
        ("broken", Bit(0, 0), {}, "broken: it has no ATR", "mend the entry first"),
    ],
)
def test_what_cannot_be_changed(name, bit, options, problem, hint):
    with pytest.raises(UsageError, match=problem) as caught:
        flip([FABRIKAM_ENTRY, Pattern("broken", b"")], name, bit, [BELGIAN], **options)
    assert caught.value.hint == hint


@given(st.lists(some_entries(flawed=False), min_size=1, max_size=6), st.data())
def test_a_flip_tells_all_that_changes(entries, data):
    entries = list({entry.name: entry for entry in entries}.values())
    old = data.draw(st.sampled_from(entries))
    bit = Bit(data.draw(st.integers(0, len(old.atr) - 1)), data.draw(st.sampled_from((0, 7))))
    atrs = few_bits(len(old.atr))
    found = flip(entries, old.name, bit, atrs)
    changed = [found.after if entry is old else entry for entry in entries]
    before, after = Matcher(entries), Matcher(changed)
    told = {change.atr: (change.before, change.after) for change in found.changes}
    for atr in atrs:
        was, now = before.first(atr), after.first(atr)
        names = was and was.name, now and now.name
        assert told.get(atr, (None, None) if names[0] == names[1] else 0) == (
            names if names[0] != names[1] else (None, None)
        )
    # And back: nothing is left of it.
    value = bit.of(old.atr) if bit.of(old.mask) else None
    assert flip(changed, old.name, bit, [], value=value).after == old


def test_the_belgian_card_by_its_open_bytes():
    taken = claims([BELGIAN_ENTRY], [BELGIAN, BELGIAN[:12] + b"\x10"])
    assert [row.winner for row in taken.rows] == [BELGIAN_ENTRY] * 2
