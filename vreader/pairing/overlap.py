# SPDX-License-Identifier: Apache-2.0
"""Conflicts in a set of registered cards: who takes ATRs that another entry takes, too.

Two entries of one length overlap exactly when their ATRs agree in all bits that both masks have:
``(atr1 ^ atr2) & mask1 & mask2 == 0``.
"""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from itertools import combinations, islice
from typing import Final, Generic, NamedTuple

from vreader.errors import UsageError
from vreader.pairing.matching import Bit, E, Verdict, flaw, grouped, mask_of
from vreader.pairing.witness import TRIES, witness

MOST: Final = 100_000  # overlaps: their number may be the square of that of the entries
_ALL_TRIES = 100_000  # for the witnesses of all overlaps, where there are very many
_LEAST_TRIES = 10  # for each of them


class Kind(StrEnum):
    """How the ATRs of two entries lie to each other."""

    SAME = "same ATRs"
    SHADOWED = "second never reached"
    EXCEPTION = "first is a special case of the second"
    PARTLY = "some ATRs of both"


class Overlap(NamedTuple, Generic[E]):
    """Two entries that take the same ATRs.

    Attributes:
        winner: the one that is walked first.
        loser: the other.
        kind: what they share.
        witness: an ATR that both take.
        valid: the witness is a well-formed ATR with a right TCK, that a card could send.
    """

    winner: E
    loser: E
    kind: Kind
    witness: bytes
    valid: bool

    def record(self) -> dict[str, object]:
        """Return it under plain names, bytes in hex."""
        return {
            "winner": self.winner.name,
            "loser": self.loser.name,
            "kind": str(self.kind),
            "witness": self.witness.hex().upper(),
            "valid": self.valid,
        }


class Unmatchable(NamedTuple, Generic[E]):
    """An entry that no ATR can match.

    Attributes:
        entry: that one.
        verdict: why.
        where: the first bit outside of its mask, where that is why.
        text: why, in words.
    """

    entry: E
    verdict: Verdict
    where: Bit | None
    text: str

    def record(self) -> dict[str, object]:
        """Return it under plain names."""
        return {
            "name": self.entry.name,
            "verdict": str(self.verdict),
            "where": None if self.where is None else self.where._asdict(),
            "text": self.text,
        }


class Conflicts(NamedTuple, Generic[E]):
    """What is wrong with a set of entries.

    Attributes:
        overlaps: pairs that take the same ATRs, in the order in which they are walked.
        unmatchable: entries that no ATR can match.
    """

    overlaps: list[Overlap[E]]
    unmatchable: list[Unmatchable[E]]

    def __bool__(self) -> bool:
        return bool(self.overlaps or self.unmatchable)

    def record(self) -> dict[str, object]:
        """Return it under plain names, bytes in hex."""
        return {
            "overlaps": [overlap.record() for overlap in self.overlaps],
            "unmatchable": [entry.record() for entry in self.unmatchable],
        }


def conflicts(entries: Iterable[E]) -> Conflicts[E]:
    """Find all conflicts of a set of entries, given as they are walked.

    An entry that several others cover together, none of them alone, is not told.

    Raises:
        UsageError: there are more than :data:`MOST` overlaps.
    """
    found = list(entries)
    pairs = overlapping(found)
    tries = min(TRIES, max(_LEAST_TRIES, _ALL_TRIES // (len(pairs) or 1)))
    overlaps = [_overlap(found[first], found[second], tries) for first, second in pairs]
    flaws = ((entry, flaw(entry)) for entry in found)
    unmatchable = [Unmatchable(entry, *reason) for entry, reason in flaws if reason is not None]
    return Conflicts(overlaps, unmatchable)


def overlapping(entries: Iterable[E]) -> list[tuple[int, int]]:
    """Return the places of each two entries that overlap, the earlier one first.

    The work grows with entries times *different masks* of a length, and with what is found.

    Raises:
        UsageError: there are more than :data:`MOST` of them.
    """
    found = list(islice(_pairs(entries), MOST + 1))
    if len(found) > MOST:
        raise UsageError(
            f"more than {MOST} overlaps: nearly every entry is in the way of every other",
            hint="look at fewer entries at a time",
        )
    return sorted((i, k) if i < k else (k, i) for i, k in found)


def _pairs(entries: Iterable[E]) -> Iterator[tuple[int, int]]:
    for masks in grouped(entries).values():
        groups = list(masks.items())
        for number, (mask, values) in enumerate(groups):
            for same in values.values():
                yield from combinations(same, 2)
            for other_mask, others in groups[number + 1 :]:
                yield from _joined(values, others, mask & other_mask)


def _joined(
    values: dict[int, list[int]], others: dict[int, list[int]], common: int
) -> Iterator[tuple[int, int]]:
    """Yield each two entries of two masks that agree in the bits both masks have."""
    by_common: dict[int, list[int]] = {}
    for value, indexes in values.items():
        by_common.setdefault(value & common, []).extend(indexes)
    for value, indexes in others.items():
        for first in by_common.get(value & common, ()):
            for second in indexes:
                yield first, second


def _overlap(winner: E, loser: E, tries: int) -> Overlap[E]:
    size = len(winner.atr)
    first, second = int.from_bytes(mask_of(winner)), int.from_bytes(mask_of(loser))
    if first == second:
        kind = Kind.SAME
    elif first & ~second == 0:
        kind = Kind.SHADOWED
    elif second & ~first == 0:
        kind = Kind.EXCEPTION
    else:
        kind = Kind.PARTLY
    atr = (int.from_bytes(winner.atr) | int.from_bytes(loser.atr)).to_bytes(size)
    return Overlap(winner, loser, kind, *witness(atr, (first | second).to_bytes(size), tries))
