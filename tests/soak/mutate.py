# SPDX-License-Identifier: Apache-2.0
"""Hostile bytes from good ones: the mutations every surface uses. Deterministic for a seed."""

import random
from collections.abc import Sequence

BYTES = (0x00, 0x01, 0x7F, 0x80, 0x81, 0x82, 0x84, 0xFE, 0xFF)
WORDS = (0, 1, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


class Mutator:
    """Changes bytes at random.

    Attributes:
        chance: the random numbers everything comes from.
    """

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance

    def mutate(self, seed: bytes, others: Sequence[bytes]) -> bytes:
        """Return ``seed`` after one to four changes; ``others`` are for splicing."""
        raw = bytearray(seed)
        for _ in range(self.chance.randint(1, 4)):
            self.chance.choice(
                (self._flip, self._set, self._word, self._cut, self._insert, self._repeat)
            )(raw)
            if self.chance.random() < 0.1:
                self._splice(raw, self.chance.choice(others))
        return bytes(raw)

    def noise(self, longest: int) -> bytes:
        """Return random bytes, mostly few."""
        return self.chance.randbytes(int(longest * self.chance.random() ** 3))

    def _at(self, raw: bytearray) -> int:
        return self.chance.randrange(len(raw) + 1)

    def _flip(self, raw: bytearray) -> None:
        if raw:
            raw[self.chance.randrange(len(raw))] ^= 1 << self.chance.randrange(8)

    def _set(self, raw: bytearray) -> None:
        if raw:
            raw[self.chance.randrange(len(raw))] = self.chance.choice(BYTES)

    def _word(self, raw: bytearray) -> None:
        at = self._at(raw) & ~3
        raw[at : at + 4] = self.chance.choice(WORDS).to_bytes(
            4, self.chance.choice(("big", "little"))
        )

    def _cut(self, raw: bytearray) -> None:
        at = self._at(raw)
        del raw[at : at + self.chance.choice((1, 2, 8, len(raw)))]

    def _insert(self, raw: bytearray) -> None:
        at = self._at(raw)
        raw[at:at] = self.chance.randbytes(self.chance.choice((1, 2, 4, 40)))

    def _repeat(self, raw: bytearray) -> None:
        at = self._at(raw)
        raw[at:at] = raw[at : at + 16] * self.chance.choice((1, 2, 20))

    def _splice(self, raw: bytearray, other: bytes) -> None:
        raw[self._at(raw) :] = other[self.chance.randrange(len(other) + 1) :]
