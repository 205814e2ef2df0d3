# SPDX-License-Identifier: Apache-2.0
"""What experiments with masks have found, for people, line by line."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from vreader.pairing.claims import Claims, Flip
from vreader.pairing.matching import E, Pattern, mask_of
from vreader.pairing.overlap import Conflicts, Kind, Overlap
from vreader.pairing.registrations import Registered, Replaced
from vreader.pairing.separate import Answer, Separation, describe_bits
from vreader.registry.show import printable

_WIDTH = 9  # of the labels
_FEW_BITS = 8

_KINDS = {
    Kind.SAME: "both take the same ATRs, {loser} is never reached",
    Kind.SHADOWED: "{winner} takes all ATRs of {loser}, which is never reached",
    Kind.EXCEPTION: "{winner} takes some ATRs of {loser}, and no others",
    Kind.PARTLY: "{winner} takes some ATRs of {loser}",
}

Texts = Mapping[bytes, str]
"""What a list says of its ATRs."""


def hexed(data: bytes) -> str:
    """Return bytes as people read them."""
    return data.hex(" ").upper()


def conflict_lines(
    found: Conflicts[Registered], replaced: Sequence[Replaced], entries: int
) -> Iterator[str]:
    """Yield the conflicts of a set of entries, and how many there are."""
    for each in replaced:
        yield _line("replaced", f"{each.after.name}: {each.after.source} writes over")
        yield _line("", f"ATR {hexed(each.before.atr)} of {each.before.source}")
    for unmatchable in found.unmatchable:
        entry = unmatchable.entry
        yield _line("never", f"{entry.name} ({entry.source}): {unmatchable.text}")
    for overlap in found.overlaps:
        yield from _overlap(overlap, f" ({overlap.winner.source}, {overlap.loser.source})")
    yield (
        f"{_count(entries, 'entry', 'entries')}: "
        f"{_count(len(found.overlaps), 'overlap')}, {len(found.unmatchable)} that can never match"
        + (f", {len(replaced)} replaced" if replaced else "")
    )


def _overlap(overlap: Overlap[E], sources: str = "") -> Iterator[str]:
    names = {"winner": overlap.winner.name, "loser": overlap.loser.name}
    yield _line("overlap", _KINDS[overlap.kind].format(**names) + sources)
    remark = "" if overlap.valid else ", not a well-formed ATR: none was found"
    yield _line("", f"witness {hexed(overlap.witness)}{remark}")


def claim_lines(found: Claims[Registered], texts: Texts, *, every: bool = False) -> Iterator[str]:
    """Yield who takes each ATR, then how many ATRs each entry takes.

    Args:
        found: the table.
        texts: what to say of the ATRs.
        every: also of those that no entry takes.
    """
    rows = [row for row in found.rows if every or row.winner is not None]
    table = [
        (
            hexed(row.atr),
            row.winner.name if row.winner is not None else "-",
            ", ".join(entry.name for entry in row.shadowed) or "-",
            texts.get(row.atr, ""),
        )
        for row in rows
    ]
    yield from _columns(("ATR", "taken by", "in the shadow", ""), table)
    yield ""
    counts = [(entry.name, str(taken), str(shadowed), entry.source)
              for entry, taken, shadowed in found.taken()]  # fmt: skip
    yield from _columns(("entry", "takes", "shadowed", "file"), counts)
    none = sum(row.winner is None for row in found.rows)
    yield ""
    yield f"{_count(len(found.rows), 'ATR')}, {none} of them taken by no entry"


def flip_lines(found: Flip, texts: Texts) -> Iterator[str]:
    """Yield what changing one bit of a mask does."""
    yield printable(f"{found.after.name}: {found.note}")
    yield _line("before", f"ATR  {hexed(found.before.atr)}")
    yield _line("", f"mask {hexed(mask_of(found.before))}")
    yield _line("after", f"ATR  {hexed(found.after.atr)}")
    yield _line("", f"mask {hexed(mask_of(found.after))}")
    name = found.after.name
    for change in found.changes:
        text = f"{hexed(change.atr)} {texts.get(change.atr, '')}".rstrip()
        if change.after == name:
            yield _line("gained", text)
            yield _line("", f"taken by {change.before or 'none'} before")
        elif change.before == name:
            yield _line("lost", text)
            yield _line("", f"taken by {change.after or 'none'} now")
    for label, overlaps in (("new", found.new), ("gone", found.gone)):
        for overlap in overlaps:
            lines = _overlap(overlap)
            yield f"{label} {next(lines)}"
            yield from lines
    yield f"{len(found.gained)} gained, {len(found.lost)} lost"


def separation_lines(found: Answer) -> Iterator[str]:
    """Yield what tells families of cards apart."""
    for number, each in enumerate(found.separations):
        if number:
            yield ""
        yield from _separation(each)
    if found.overlaps:
        yield ""
    for overlap in found.overlaps:
        yield from _overlap(overlap)
    if found.overlaps:
        yield "overlaps are those of the tightest entries, in the order of the file"


def _separation(found: Separation) -> Iterator[str]:
    size = len(found.tightest.atr)
    others = _count(found.others, "ATR")
    yield printable(
        f"{found.family}: {_count(len(found.atrs), 'ATR')} of {size} bytes, "
        f"{others} of other families"
    )
    yield from _pattern("tightest", found.tightest, found.bits, "")
    loose = found.loosest
    if loose is not None and not found.others:
        yield _line("loosest", "no bit is needed: no other family has ATRs of this length")
    elif loose is not None:
        how = "none does with fewer" if loose.exact else "by a greedy search, perhaps not the least"
        yield from _pattern("loosest", loose.pattern, loose.bits, f": {how}")
        if loose.bits <= _FEW_BITS and loose.pattern.mask:
            bits = ", ".join(map(str, describe_bits(loose.pattern.mask)))
            yield _line("", f"     {bits}")
    elif not found.clashes:
        yield _line("loosest", "none: others do not differ in as many bits")
    for clash in found.clashes:
        yield _line("clash", f"{hexed(clash.atr)} of {clash.family}: {clash.text}")


def _pattern(label: str, pattern: Pattern, bits: int, remark: str) -> Iterator[str]:
    yield _line(label, f"ATR  {hexed(pattern.atr)}")
    yield _line("", f"mask {hexed(mask_of(pattern))}  {_count(bits, 'bit')}{remark}")


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


def _columns(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    table = [head, *rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield printable("  ".join(cells)).rstrip()


def _line(label: str, text: str) -> str:
    return f"{label:<{_WIDTH}}{printable(text)}"
