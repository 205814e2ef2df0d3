# SPDX-License-Identifier: Apache-2.0
"""Pairing an ATR with registered cards: mask, compare, the first equal entry is it.

Windows walks the entries, applies each one's mask to the card's ATR, compares the result with the
ATR of the entry, and stops at the first that is equal; an entry whose own ATR has bits outside of
its mask is never equal (WDK "Smart Card Plug and Play"). What the page does not say, and is assumed
here: an ATR of another length is not equal; an entry without a mask is compared whole, as SDK
"SCardIntroduceCardType" has it; one whose mask has another length than its ATR is passed over.

Bits are counted as in ``4.0``: byte 4, TS being byte 0, and its bit of value 1.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final, Generic, NamedTuple, Protocol, TypeVar

from vreader.errors import UsageError
from vreader.iso7816.atr import MAX_ATR_LENGTH
from vreader.iso7816.atrmask import under

ASSUMED: Final = "assumed, not documented"


class Registration(Protocol):
    """What is needed of a registered card: name, ATR and mask; no mask compares the ATR whole."""

    @property
    def name(self) -> str:
        """The name of its key."""

    @property
    def atr(self) -> bytes:
        """What the card's ATR must be, masked; empty where there is none."""

    @property
    def mask(self) -> bytes | None:
        """The bits that count."""


class Pattern(NamedTuple):
    """A registration that is nothing else."""

    name: str
    atr: bytes
    mask: bytes | None = None


E = TypeVar("E", bound=Registration)


class Bit(NamedTuple):
    """A bit of an ATR: its byte, TS being 0, and its place there, 7 the most significant."""

    byte: int
    bit: int

    @classmethod
    def parse(cls, text: str) -> "Bit":
        """Read ``BYTE.BIT``; raises UsageError."""
        byte, _, bit = text.partition(".")
        if not (
            byte.isdecimal() and bit.isdecimal() and len(byte) < 4 and bit in tuple("01234567")
        ):
            raise UsageError(
                f"{text!r} is no bit of an ATR",
                hint="write BYTE.BIT, for example 4.0: bytes count from 0, bits from 7 down to 0",
            )
        return cls(int(byte), int(bit))

    def of(self, data: bytes) -> int:
        """Return its value in ``data``, 0 or 1."""
        return data[self.byte] >> self.bit & 1

    def __str__(self) -> str:
        return f"byte {self.byte} bit {self.bit}"


class Verdict(StrEnum):
    """What came of comparing one entry."""

    MATCH = "match"
    DIFFERS = "differs"
    LENGTH = "other length"
    NO_ATR = "no ATR"
    TOO_LONG = "too long"
    MASK_LENGTH = "mask of another length"
    NEVER = "can never match"


class Step(NamedTuple):
    """One entry, compared.

    Attributes:
        name: of the entry.
        atr: that it has.
        mask: that it has, or None.
        masked: the card's ATR under the mask; empty where there is nothing to compare.
        verdict: what came of it.
        where: the first bit that differs, or that keeps the entry from ever matching.
        text: the verdict in words, with its reason.
    """

    name: str
    atr: bytes
    mask: bytes | None
    masked: bytes
    verdict: Verdict
    where: Bit | None
    text: str

    def record(self) -> dict[str, object]:
        """Return it under plain names, bytes in hex."""
        return {
            "name": self.name,
            "atr": self.atr.hex().upper(),
            "mask": self.mask.hex().upper() if self.mask else None,
            "masked": self.masked.hex().upper(),
            "verdict": str(self.verdict),
            "where": None if self.where is None else self.where._asdict(),
            "text": self.text,
        }


class Walk(NamedTuple, Generic[E]):
    """A walk through the entries.

    Attributes:
        atr: of the card.
        steps: one for each entry up to the one that matches.
        winner: that one, or None.
        unreached: names of the entries behind it.
    """

    atr: bytes
    steps: tuple[Step, ...]
    winner: E | None
    unreached: tuple[str, ...]

    def record(self) -> dict[str, object]:
        """Return it under plain names, bytes in hex."""
        return {
            "atr": self.atr.hex().upper(),
            "steps": [step.record() for step in self.steps],
            "winner": self.winner.name if self.winner is not None else None,
            "unreached": list(self.unreached),
        }


def walk(entries: Iterable[E], atr: bytes) -> Walk[E]:
    """Compare an ATR with one entry after the other, up to the first that is equal."""
    steps: list[Step] = []
    left = iter(entries)
    for entry in left:
        steps.append(compare(entry, atr))
        if steps[-1].verdict is Verdict.MATCH:
            return Walk(atr, tuple(steps), entry, tuple(entry.name for entry in left))
    return Walk(atr, tuple(steps), None, ())


def compare(entry: Registration, atr: bytes) -> Step:
    """Compare an ATR with one entry."""
    own, mask = entry.atr, mask_of(entry)
    verdict, where, text = flaw(entry) or (None, None, "")
    masked = b""
    if verdict is None and len(own) != len(atr):
        verdict = Verdict.LENGTH
        text = f"{len(own)} bytes, the card's has {len(atr)} ({ASSUMED}: no match)"
    elif verdict is None or (verdict is Verdict.NEVER and len(own) == len(atr)):
        masked = under(atr, mask)
    if verdict is None:
        where = first_bit(masked, own)
        if where is None:
            verdict, text = Verdict.MATCH, "equal"
        else:
            verdict = Verdict.DIFFERS
            text = f"{where!s} is {where.of(atr)}, it wants {where.of(own)}"
        if not entry.mask:
            text += f"; it has no mask ({ASSUMED} for a registry entry: compared whole)"
    return Step(entry.name, own, entry.mask or None, masked, verdict, where, text)


def flaw(entry: Registration) -> tuple[Verdict, Bit | None, str] | None:
    """Say why an entry can match no ATR whatever; None where it can."""
    own, mask = entry.atr, mask_of(entry)
    if not own:
        # What a registry holds may be an ATR that cannot be read; then the entry says why.
        return Verdict.NO_ATR, None, getattr(entry, "problem", "") or "it has no ATR"
    if len(own) > MAX_ATR_LENGTH:
        text = f"its ATR has {len(own)} bytes, a card's {MAX_ATR_LENGTH} at most"
        return Verdict.TOO_LONG, None, text
    if len(mask) != len(own):
        text = f"its mask has {len(mask)} bytes, its ATR {len(own)} ({ASSUMED}: passed over)"
        return Verdict.MASK_LENGTH, None, text
    outside = first_bit(own, under(own, mask))
    if outside is None:
        return None
    return (
        Verdict.NEVER,
        outside,
        f"can never match: the stored ATR has bits outside of its mask, the first {outside!s}",
    )


def mask_of(entry: Registration) -> bytes:
    """Return an entry's mask, that of all bits where it has none."""
    return entry.mask or b"\xff" * len(entry.atr)


def first_bit(one: bytes, other: bytes) -> Bit | None:
    """Return the first bit in which two texts of one length differ, the most significant first."""
    for at, (a, b) in enumerate(zip(one, other, strict=True)):
        if a != b:
            return Bit(at, (a ^ b).bit_length() - 1)
    return None


def grouped(entries: Iterable[Registration]) -> dict[int, dict[int, dict[int, list[int]]]]:
    """Return the places of the entries that can match: by length, mask and ATR, as numbers."""
    groups: dict[int, dict[int, dict[int, list[int]]]] = {}
    for index, entry in enumerate(entries):
        if flaw(entry) is None:
            masks = groups.setdefault(len(entry.atr), {})
            values = masks.setdefault(int.from_bytes(mask_of(entry)), {})
            values.setdefault(int.from_bytes(entry.atr), []).append(index)
    return groups


class Matcher(Generic[E]):
    """Many ATRs against many entries.

    It decides what :func:`walk` does. Entries of one length and mask are looked up together, so a
    decision costs less, the more entries share their mask.

    Attributes:
        entries: as they are walked.
    """

    def __init__(self, entries: Iterable[E]) -> None:
        self.entries = tuple(entries)
        # Length → (first entry, mask, ATR → entries) for each mask, in the order of first entries.
        self._groups = {
            length: [
                (min(found[0] for found in values.values()), mask, values)
                for mask, values in masks.items()
            ]
            for length, masks in grouped(self.entries).items()
        }

    def first(self, atr: bytes) -> E | None:
        """Return the entry that an ATR is paired with, or None."""
        best = none = len(self.entries)
        number = int.from_bytes(atr)
        for first, mask, values in self._groups.get(len(atr), ()):
            if first > best:
                break
            found = values.get(number & mask)
            if found is not None and found[0] < best:
                best = found[0]
        return self.entries[best] if best < none else None

    def all(self, atr: bytes) -> list[E]:
        """Return all entries that an ATR is equal to under their masks, in their order."""
        number = int.from_bytes(atr)
        indexes: list[int] = []
        for _, mask, values in self._groups.get(len(atr), ()):
            indexes += values.get(number & mask, ())
        return [self.entries[index] for index in sorted(indexes)]
