# SPDX-License-Identifier: Apache-2.0
"""Which of a list of ATRs each entry takes, and what changing one bit of a mask does to that."""

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Generic, NamedTuple

from vreader.errors import UsageError
from vreader.pairing.matching import Bit, E, Matcher, Pattern, Registration, flaw, mask_of
from vreader.pairing.order import index_of
from vreader.pairing.overlap import Overlap, conflicts
from vreader.registry.names import fold


class Hold(StrEnum):
    """What an entry has of an ATR."""

    TAKEN = "taken"
    SHADOWED = "shadowed"
    NO = "no"


class Claim(NamedTuple, Generic[E]):
    """Who takes an ATR.

    Attributes:
        atr: that one.
        winner: the entry that is paired with it, or None.
        shadowed: other entries that would take it, but come behind.
    """

    atr: bytes
    winner: E | None
    shadowed: tuple[E, ...]

    def hold(self, entry: Registration) -> Hold:
        """Return what one of the entries has of the ATR."""
        if entry is self.winner:
            return Hold.TAKEN
        return Hold.SHADOWED if any(entry is other for other in self.shadowed) else Hold.NO

    def record(self) -> dict[str, object]:
        """Return it under plain names, bytes in hex."""
        return {
            "atr": self.atr.hex().upper(),
            "winner": None if self.winner is None else self.winner.name,
            "shadowed": [entry.name for entry in self.shadowed],
        }


class Claims(NamedTuple, Generic[E]):
    """The table of entries and ATRs.

    Attributes:
        entries: as they are walked.
        rows: one for each ATR.
    """

    entries: tuple[E, ...]
    rows: tuple[Claim[E], ...]

    def taken(self) -> Iterator[tuple[E, int, int]]:
        """Yield each entry, how many ATRs it takes, and how many others take before it."""
        taken: dict[int, int] = {}
        shadowed: dict[int, int] = {}
        for row in self.rows:
            if row.winner is not None:
                taken[id(row.winner)] = taken.get(id(row.winner), 0) + 1
            for entry in row.shadowed:
                shadowed[id(entry)] = shadowed.get(id(entry), 0) + 1
        for entry in self.entries:
            yield entry, taken.get(id(entry), 0), shadowed.get(id(entry), 0)

    def record(self) -> dict[str, object]:
        """Return it under plain names, bytes in hex."""
        return {
            "atrs": [row.record() for row in self.rows],
            "entries": [
                {"name": entry.name, "taken": taken, "shadowed": shadowed}
                for entry, taken, shadowed in self.taken()
            ],
        }


def claims(entries: Iterable[E], atrs: Iterable[bytes]) -> Claims[E]:
    """Pair each ATR with the entries, given as they are walked."""
    matcher = Matcher(entries)
    rows = []
    for atr in atrs:
        found = matcher.all(atr)
        rows.append(Claim(atr, found[0] if found else None, tuple(found[1:])))
    return Claims(matcher.entries, tuple(rows))


class Change(NamedTuple):
    """An ATR that is paired differently: names of the entries before and after, or None."""

    atr: bytes
    before: str | None
    after: str | None

    def record(self) -> dict[str, object]:
        """Return it under plain names, bytes in hex."""
        return {**self._asdict(), "atr": self.atr.hex().upper()}


class Flip(NamedTuple):
    """What changing one bit of a mask does.

    Attributes:
        bit: that bit.
        before: the entry as it was.
        after: as it is then.
        changes: the ATRs that are paired differently.
        new: overlaps that there were not before.
        gone: overlaps that there are no longer.
        note: what became of the entry's own ATR.
    """

    bit: Bit
    before: Pattern
    after: Pattern
    changes: tuple[Change, ...]
    new: tuple[Overlap[Registration], ...]
    gone: tuple[Overlap[Registration], ...]
    note: str

    @property
    def gained(self) -> list[bytes]:
        """ATRs that the entry takes now."""
        name = self.after.name
        return [each.atr for each in self.changes if each.after == name]

    @property
    def lost(self) -> list[bytes]:
        """ATRs that the entry took before."""
        name = self.after.name
        return [each.atr for each in self.changes if each.before == name]

    def record(self) -> dict[str, object]:
        """Return it under plain names, bytes in hex."""
        return {
            "bit": self.bit._asdict(),
            "before": _pattern(self.before),
            "after": _pattern(self.after),
            "note": self.note,
            "gained": [atr.hex().upper() for atr in self.gained],
            "lost": [atr.hex().upper() for atr in self.lost],
            "changes": [change.record() for change in self.changes],
            "new_overlaps": [overlap.record() for overlap in self.new],
            "gone_overlaps": [overlap.record() for overlap in self.gone],
        }


def flip(
    entries: Sequence[Registration],
    name: str,
    bit: Bit,
    atrs: Iterable[bytes],
    *,
    value: int | None = None,
) -> Flip:
    """Change one bit of an entry's mask, and see what becomes of all the ATRs.

    A bit that no longer counts is cleared in the entry's ATR, too: otherwise it could never match.

    Args:
        entries: as they are walked.
        name: of the entry to change.
        bit: of its mask.
        atrs: to try.
        value: what a bit that counts from now on must be; None leaves the entry's ATR as it is.

    Raises:
        UsageError: there is no such entry or bit, or the entry cannot match as it is.
    """
    index = index_of(entries, name)
    old = entries[index]
    reason = flaw(old)
    if reason is not None:
        raise UsageError(f"{old.name}: {reason[2]}", hint="mend the entry first")
    if bit.byte >= len(old.atr):
        raise UsageError(
            f"{old.name} has no {bit!s}", hint=f"its mask has bytes 0 to {len(old.atr) - 1}"
        )
    before = Pattern(old.name, old.atr, mask_of(old))
    after, note = _flipped(before, bit, value)
    changed = [*entries[:index], after, *entries[index + 1 :]]
    one, other = Matcher(entries), Matcher(changed)
    changes = []
    for atr in atrs:
        pair = _name(one.first(atr)), _name(other.first(atr))
        if pair[0] != pair[1]:
            changes.append(Change(atr, *pair))
    was, now = ({_pair(o): o for o in conflicts(each).overlaps} for each in (entries, changed))
    return Flip(
        bit,
        before,
        after,
        tuple(changes),
        tuple(overlap for pair, overlap in now.items() if pair not in was),
        tuple(overlap for pair, overlap in was.items() if pair not in now),
        note,
    )


def _flipped(entry: Pattern, bit: Bit, value: int | None) -> tuple[Pattern, str]:
    atr, mask = bytearray(entry.atr), bytearray(mask_of(entry))
    one = 1 << bit.bit
    mask[bit.byte] ^= one
    if mask[bit.byte] & one:
        if value is not None:
            atr[bit.byte] |= value << bit.bit
        note = f"{bit!s} counts now and must be {bit.of(bytes(atr))}"
    else:
        if value is not None:
            raise UsageError(
                f"{bit!s} no longer counts: it has no value", hint="leave the value out"
            )
        note = f"{bit!s} no longer counts"
        if atr[bit.byte] & one:
            atr[bit.byte] ^= one
            note += ", and is cleared in the ATR: with the mask alone changed nothing could match"
    return Pattern(entry.name, bytes(atr), bytes(mask)), note


def _pair(overlap: Overlap[Registration]) -> tuple[str, str]:
    return fold(overlap.winner.name), fold(overlap.loser.name)


def _name(entry: Registration | None) -> str | None:
    return None if entry is None else entry.name


def _pattern(entry: Pattern) -> dict[str, object]:
    return {
        "name": entry.name,
        "atr": entry.atr.hex().upper(),
        "mask": mask_of(entry).hex().upper(),
    }
