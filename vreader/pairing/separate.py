# SPDX-License-Identifier: Apache-2.0
"""ATRs and masks that tell families of cards apart.

A family needs an entry for each length of its ATRs. The tightest one has every bit in its mask that
all these ATRs have in common: it takes no ATR of another family that any entry could keep out. The
loosest one has as few bits as still keep the others out.
"""

from collections.abc import Mapping, Sequence
from functools import reduce
from itertools import combinations
from math import comb
from operator import or_
from typing import Final, NamedTuple

from vreader.errors import UsageError
from vreader.pairing.matching import Bit, Pattern, mask_of
from vreader.pairing.overlap import Overlap, conflicts

_EXACT: Final = 200_000  # bits looked at before the greedy answer has to do


class Clash(NamedTuple):
    """An ATR of another family that no entry can keep out.

    Attributes:
        family: the other one.
        atr: of the other family.
        text: why.
    """

    family: str
    atr: bytes
    text: str

    def record(self) -> dict[str, object]:
        """Return it under plain names, bytes in hex."""
        return {**self._asdict(), "atr": self.atr.hex().upper()}


class Loosest(NamedTuple):
    """An entry with few bits in its mask.

    Attributes:
        pattern: its ATR and mask.
        bits: how many bits count.
        exact: no entry does with fewer; else a greedy search has found it.
    """

    pattern: Pattern
    bits: int
    exact: bool

    def record(self) -> dict[str, object]:
        """Return it under plain names, bytes in hex."""
        return {**_record(self.pattern), "bits": self.bits, "exact": self.exact}


class Separation(NamedTuple):
    """What tells the ATRs of one length of a family from the others.

    Attributes:
        family: its name.
        atrs: the family's, of this length.
        others: how many ATRs of this length other families have.
        tightest: the entry with most bits in its mask.
        bits: how many those are.
        loosest: the entry with fewest, or None: no entry keeps the others out.
        clashes: ATRs that no entry keeps out.
    """

    family: str
    atrs: tuple[bytes, ...]
    others: int
    tightest: Pattern
    bits: int
    loosest: Loosest | None
    clashes: tuple[Clash, ...]

    def record(self) -> dict[str, object]:
        """Return it under plain names, bytes in hex."""
        return {
            "family": self.family,
            "length": len(self.tightest.atr),
            "atrs": [atr.hex().upper() for atr in self.atrs],
            "others": self.others,
            "tightest": {**_record(self.tightest), "bits": self.bits},
            "loosest": None if self.loosest is None else self.loosest.record(),
            "clashes": [clash.record() for clash in self.clashes],
        }


class Answer(NamedTuple):
    """Entries for all families.

    Attributes:
        separations: for each family and length of ATR.
        overlaps: tightest entries that take the same ATRs, be they none of those given.
    """

    separations: tuple[Separation, ...]
    overlaps: tuple[Overlap[Pattern], ...]

    @property
    def clashes(self) -> bool:
        """Some families cannot be told apart."""
        return any(each.clashes for each in self.separations)

    def record(self) -> dict[str, object]:
        """Return it under plain names, bytes in hex."""
        return {
            "separations": [each.record() for each in self.separations],
            "overlaps": [overlap.record() for overlap in self.overlaps],
        }


def separate(families: Mapping[str, Sequence[bytes]], *, distance: int = 1) -> Answer:
    """Find the tightest and the loosest entries that tell families apart.

    Args:
        families: the ATRs of each.
        distance: in how many bits that count every ATR of another family must differ, at least, for
            the loosest entry.

    Raises:
        UsageError: ``distance`` is below 1.
    """
    if distance < 1:
        raise UsageError(f"ATRs cannot differ in {distance} bits", hint="take 1 or more")
    by_length: dict[int, list[tuple[str, bytes]]] = {}
    for name, atrs in families.items():
        for atr in dict.fromkeys(atrs):
            by_length.setdefault(len(atr), []).append((name, atr))
    found = []
    for name, atrs in families.items():
        lengths = sorted({len(atr) for atr in atrs})
        for length in lengths:
            own = tuple(atr for family, atr in by_length[length] if family == name)
            others = [each for each in by_length[length] if each[0] != name]
            label = name if len(lengths) == 1 else f"{name} ({length} bytes)"
            found.append(_separate(name, label, own, others, distance))
    overlaps = conflicts(each.tightest for each in found).overlaps
    return Answer(tuple(found), tuple(overlaps))


def tightest(name: str, atrs: Sequence[bytes]) -> Pattern:
    """Return the entry with the most bits in its mask that takes all ATRs, of one length."""
    length, first = len(atrs[0]), int.from_bytes(atrs[0])
    mask = (1 << 8 * length) - 1
    for atr in atrs:
        mask &= ~(int.from_bytes(atr) ^ first)
    return Pattern(name, (first & mask).to_bytes(length), mask.to_bytes(length))


def _separate(
    family: str,
    label: str,
    own: tuple[bytes, ...],
    others: list[tuple[str, bytes]],
    distance: int,
) -> Separation:
    tight = tightest(label, own)
    mask, value = int.from_bytes(mask_of(tight)), int.from_bytes(tight.atr)
    clashes = []
    for other, atr in others:
        if int.from_bytes(atr) & mask == value:
            why = (
                "the same ATR is in both families"
                if atr in own
                else f"it has all {mask.bit_count()} bits that the ATRs of {family} have in common"
            )
            clashes.append(Clash(other, atr, why))
    loose = None
    if not clashes:
        loose = _loosest(tight, [int.from_bytes(atr) for _, atr in others], distance)
    return Separation(family, own, len(others), tight, mask.bit_count(), loose, tuple(clashes))


def _loosest(tight: Pattern, others: Sequence[int], distance: int) -> Loosest | None:
    """Choose bits of the tightest mask so that each other ATR differs in enough of them."""
    length, value = len(tight.atr), int.from_bytes(tight.atr)
    mask = int.from_bytes(mask_of(tight))
    wanted = list(dict.fromkeys((other ^ value) & mask for other in others))
    if any(differ.bit_count() < distance for differ in wanted):
        return None
    # Bits that tell the same ATRs apart are worth the same: more of them than needed are no help.
    columns: dict[int, list[int]] = {}
    for place in range(8 * length - 1, -1, -1):
        if mask >> place & 1:
            tells = sum(1 << row for row, differ in enumerate(wanted) if differ >> place & 1)
            if tells and len(same := columns.setdefault(tells, [])) < distance:
                same.append(place)
    bits = [
        (tells, place)
        for tells, places in columns.items()
        if distance > 1 or not any(tells & ~more == 0 for more in columns if more != tells)
        for place in places
    ]
    greedy = _greedy(bits, len(wanted), distance)
    chosen, exact = _fewest(bits, len(wanted), distance, greedy)
    loose = sum(1 << place for place in chosen)
    pattern = Pattern(tight.name, (value & loose).to_bytes(length), loose.to_bytes(length))
    return Loosest(pattern, len(chosen), exact)


def _greedy(bits: Sequence[tuple[int, int]], rows: int, distance: int) -> list[int]:
    """Choose places so that each row is told ``distance`` times: the bit that tells most, first."""
    needed = [distance] * rows
    left = list(bits)
    chosen = []
    while open_rows := sum(1 << row for row, need in enumerate(needed) if need > 0):
        best = max(left, key=lambda bit: (bit[0] & open_rows).bit_count())
        left.remove(best)
        chosen.append(best[1])
        needed = [need - (best[0] >> row & 1) for row, need in enumerate(needed)]
    return chosen


def _fewest(
    bits: Sequence[tuple[int, int]], rows: int, distance: int, greedy: list[int]
) -> tuple[list[int], bool]:
    """Return fewer places than the greedy ones where there are, and whether none do with less."""
    every, work = (1 << rows) - 1, 0
    for size in range(distance if rows else 0, len(greedy)):
        work += comb(len(bits), size) * size * (1 if distance == 1 else rows)
        if work > _EXACT:
            return greedy, False
        for some in combinations(bits, size):
            told = (tells for tells, _ in some)
            if reduce(or_, told, 0) == every and (
                distance == 1
                or all(sum(t >> row & 1 for t, _ in some) >= distance for row in range(rows))
            ):
                return [place for _, place in some], True
    return greedy, True


def describe_bits(mask: bytes) -> list[Bit]:
    """Return the bits of a mask, the most significant first."""
    return [
        Bit(at, bit) for at, byte in enumerate(mask) for bit in range(7, -1, -1) if byte >> bit & 1
    ]


def _record(pattern: Pattern) -> dict[str, object]:
    return {
        "name": pattern.name,
        "atr": pattern.atr.hex().upper(),
        "mask": mask_of(pattern).hex().upper(),
    }
