# SPDX-License-Identifier: Apache-2.0
"""Where two answers differ, byte by byte.

Parts that are random on both sides (:mod:`vreader.conversation.randomness`) stand for each other,
however long they are. The status word is compared with the status word, whatever the data's length.
"""

from itertools import zip_longest
from typing import Final, NamedTuple

from vreader.conversation.randomness import Ranges
from vreader.iso7816 import SW
from vreader.iso7816.pattern import Pattern

_ROW: Final = 16
_ROWS_SHOWN: Final = 4
_NOTHING: Final[tuple[Ranges, Ranges]] = ((), ())
_RANDOM, _MASKED, _MISSING = "~~", "**", "--"


class ByteDiff(NamedTuple):
    """How an answer differs from the one that was expected.

    Attributes:
        what: the difference in words; no secret is in them.
        at: the first byte of the answer that differs.
        differing: how many do.
        rows: the bytes of both, one above the other, and a line that marks those that differ;
            ``~~`` stands for random bytes, ``**`` for masked ones, ``--`` for none.
    """

    what: str
    at: int
    differing: int
    rows: tuple[str, ...]


class _Cell(NamedTuple):
    at: int  # in what was got
    expected: str
    got: str
    differs: bool = False


def compare(
    expected: Pattern,
    got: bytes,
    *,
    random_expected: Ranges = (),
    random_got: Ranges = (),
    hidden: tuple[Ranges, Ranges] = _NOTHING,
    status: bool = True,
) -> ByteDiff | None:
    """Return how an answer differs from the expected one; None where it does not.

    Args:
        expected: the answer that was expected; its masked bytes may be anything.
        got: the answer.
        random_expected: what of the expected answer is random.
        random_got: what of the answer is.
        hidden: what of the expected answer, and of the answer, nobody may see.
        status: both end in a status word; an ATR does not.
    """
    cells = _cells(expected, got, random_expected, random_got, hidden, 2 if status else 0)
    differing = [cell for cell in cells if cell.differs]
    if not differing:
        return None
    what = _in_words(expected, got, differing, status=status)
    return ByteDiff(what, differing[0].at, len(differing), tuple(_rows(cells)))


# ---------------------------------------------------------------------- side by side


def _cells(
    expected: Pattern,
    got: bytes,
    random_expected: Ranges,
    random_got: Ranges,
    hidden: tuple[Ranges, Ranges],
    tail: int,
) -> list[_Cell]:
    """Return all bytes of both, those that stand for each other side by side."""
    # Where one is too short for a status word there is none to set apart.
    tail = tail if min(len(expected.value), len(got)) >= tail else 0
    ends = len(expected.value) - tail, len(got) - tail
    ranges = (
        [r for r in random_expected if r[0] < ends[0]],
        [r for r in random_got if r[0] < ends[1]],
    )
    if len(ranges[0]) != len(ranges[1]):
        ranges = [], []
    cells: list[_Cell] = []
    at_expected = at_got = 0
    for free_expected, free_got in zip(*ranges, strict=True):
        mine, theirs = (at_expected, free_expected[0]), (at_got, free_got[0])
        cells += _fixed(expected, got, mine, theirs, hidden)
        cells.append(_Cell(free_got[0], _RANDOM, _RANDOM))
        at_expected, at_got = min(free_expected[1], ends[0]), min(free_got[1], ends[1])
    cells += _fixed(expected, got, (at_expected, ends[0]), (at_got, ends[1]), hidden)
    for back in range(tail, 0, -1):
        back_mine, back_theirs = len(expected.value) - back, len(got) - back
        if _inside(back_mine, random_expected) and _inside(back_theirs, random_got):
            cells.append(_Cell(back_theirs, _RANDOM, _RANDOM))
        else:
            cells.append(_cell(expected, got, back_mine, back_theirs, _NOTHING))
    return cells


def _fixed(
    expected: Pattern,
    got: bytes,
    mine: tuple[int, int],
    theirs: tuple[int, int],
    hidden: tuple[Ranges, Ranges],
) -> list[_Cell]:
    return [
        _cell(expected, got, a, b, hidden, theirs[1])
        for a, b in zip_longest(range(*mine), range(*theirs))
    ]


def _cell(
    expected: Pattern,
    got: bytes,
    mine: int | None,
    theirs: int | None,
    hidden: tuple[Ranges, Ranges],
    end: int = 0,
) -> _Cell:
    at = end if theirs is None else theirs
    if mine is None:
        wanted, differs = _MISSING, True
    elif not expected.mask[mine]:
        wanted, differs = _MASKED, theirs is None
    else:
        shown = _MASKED if _inside(mine, hidden[0]) else f"{expected.value[mine]:02X}"
        wanted, differs = shown, theirs is None or expected.value[mine] != got[theirs]
    if theirs is None:
        return _Cell(at, wanted, _MISSING, differs)
    masked = _inside(theirs, hidden[1]) or wanted == _MASKED
    return _Cell(at, wanted, _MASKED if masked else f"{got[theirs]:02X}", differs)


def _inside(at: int, ranges: Ranges) -> bool:
    return any(start <= at < end for start, end in ranges)


# ---------------------------------------------------------------------- for people


def _in_words(expected: Pattern, got: bytes, differing: list[_Cell], *, status: bool) -> str:
    if status and len(got) < 2:
        return f"{len(got)} bytes, and no status word"
    sizes = len(got) - 2 * status, max(0, len(expected.value) - 2 * status)
    if status and (words := [c for c in differing if c.at >= sizes[0] and c.got != _MISSING]):
        told = [str(SW(int.from_bytes(data[-2:], "big"))).strip() for data in (got, expected.value)]
        if words and len(expected.value) >= 2:
            return f"the status word is {told[0]}, not {told[1]}"
    first = differing[0]
    if _MISSING in (first.expected, first.got):
        return f"{sizes[0]} bytes, not {sizes[1]}; the others are the same"
    more = f" ({len(differing)} bytes differ)" if len(differing) > 1 else ""
    if _MASKED in (first.expected, first.got):
        return f"byte {first.at} differs{more}"
    return f"byte {first.at} is {first.got}, not {first.expected}{more}"


def _rows(cells: list[_Cell]) -> list[str]:
    """Return rows of both, from the first that differs on."""
    rows: list[str] = []
    shown = left_out = 0
    for start in range(0, len(cells), _ROW):
        row = cells[start : start + _ROW]
        if not any(cell.differs for cell in row):
            continue
        if shown == _ROWS_SHOWN:
            left_out += sum(cell.differs for cell in row)
            continue
        shown += 1
        head = f"{row[0].at:04X}"
        rows.append(f"expected  {head}  " + " ".join(cell.expected for cell in row))
        rows.append(f"got       {head}  " + " ".join(cell.got for cell in row))
        marks = " ".join("^^" if cell.differs else "  " for cell in row)
        rows.append(f"{'':16}{marks}".rstrip())
    if left_out:
        rows.append(f"… and {left_out} more bytes behind that")
    return rows
