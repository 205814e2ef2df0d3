# SPDX-License-Identifier: Apache-2.0
"""The entry that an ATR comes nearest to, and the first bit that keeps them apart."""

from collections.abc import Iterable
from typing import Generic, NamedTuple

from vreader.iso7816.atr import byte_names
from vreader.iso7816.atrmask import under
from vreader.pairing.matching import Bit, E, Verdict, first_bit, flaw, mask_of


class Nearest(NamedTuple, Generic[E]):
    """The entry an ATR is nearest to.

    Attributes:
        entry: that one.
        lengths: bytes that the entry's ATR has more than the card's, negative where fewer.
        bits: how many differ of those that count, as far as both ATRs go.
        where: the first of them; with none the first that keeps the entry from ever matching.
        byte: what the card's byte there is: TS, T0, TA1, historical byte 3, TCK and so on.
        has: the card's byte there.
        wants: the entry's.
        mask: the entry's, of that byte.
        never: no card can match the entry: its ATR has bits outside of its mask.
        text: all of it in words.
    """

    entry: E
    lengths: int
    bits: int
    where: Bit | None
    byte: str
    has: int | None
    wants: int | None
    mask: int | None
    never: bool
    text: str

    def record(self) -> dict[str, object]:
        """Return it under plain names, bytes in hex."""
        return {
            "name": self.entry.name,
            "lengths": self.lengths,
            "bits": self.bits,
            "where": None if self.where is None else self.where._asdict(),
            "byte": self.byte,
            "has": _hex(self.has),
            "wants": _hex(self.wants),
            "mask": _hex(self.mask),
            "never": self.never,
            "text": self.text,
        }


def nearest(entries: Iterable[E], atr: bytes) -> Nearest[E] | None:
    """Return the entry that an ATR is nearest to, or None: there is none to compare with.

    Nearest is the entry of the ATR's length with the fewest bits that differ under its mask;
    without one of that length, the entry whose length differs least, and then whose bits do.

    Args:
        entries: as they are walked; of equals the first is returned. None should match.
        atr: of the card.
    """
    best: tuple[tuple[int, int], E] | None = None
    for entry in entries:
        reason = flaw(entry)
        if reason is not None and reason[0] is not Verdict.NEVER:
            continue
        score = abs(len(entry.atr) - len(atr)), _distance(entry.atr, mask_of(entry), atr)
        if best is None or score < best[0]:
            best = score, entry
    return None if best is None else _explain(best[1], atr, best[0][1])


def _distance(own: bytes, mask: bytes, atr: bytes) -> int:
    """Count the bits that differ under the mask, as far as both ATRs go."""
    least = min(len(own), len(atr))
    differ = int.from_bytes(own[:least]) ^ int.from_bytes(atr[:least])
    return (differ & int.from_bytes(mask[:least])).bit_count()


def _explain(entry: E, atr: bytes, bits: int) -> Nearest[E]:
    own, mask = entry.atr, mask_of(entry)
    least = min(len(own), len(atr))
    lengths = len(own) - len(atr)
    never = flaw(entry) is not None
    where = first_bit(under(atr[:least], mask[:least]), under(own[:least], mask[:least]))
    parts = []
    if lengths:
        parts.append(f"its ATR has {len(own)} bytes, the card's {len(atr)}")
    if where is not None:
        parts.append(_difference(where, own, mask, atr, bits))
    elif lengths:
        parts.append("all before that is equal under its mask")
    else:
        parts.append("the card's ATR is equal to it under its mask")
    if never:
        outside = first_bit(own, under(own, mask))
        assert outside is not None
        where = where or outside
        parts.append(
            "no card can ever match: its stored ATR has bits outside of its mask, the first "
            f"{outside!s}"
        )
    inside = where is not None and where.byte < len(atr)
    return Nearest(
        entry,
        lengths,
        bits,
        where,
        byte_names(atr)[where.byte] if where is not None and inside else "",
        atr[where.byte] if where is not None and inside else None,
        own[where.byte] if where is not None else None,
        mask[where.byte] if where is not None else None,
        never,
        "; ".join(parts),
    )


def _difference(where: Bit, own: bytes, mask: bytes, atr: bytes, bits: int) -> str:
    at = where.byte
    more = "" if bits == 1 else f", the first of {bits} bits that differ"
    return (
        f"{where!s} ({byte_names(atr)[at]}) is {where.of(atr)} and should be {where.of(own)}: "
        f"the card has {atr[at]:02X}, it wants {own[at]:02X} under mask {mask[at]:02X}{more}"
    )


def _hex(byte: int | None) -> str | None:
    return None if byte is None else f"{byte:02X}"
