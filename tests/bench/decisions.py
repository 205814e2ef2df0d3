# SPDX-License-Identifier: Apache-2.0
"""How fast ATRs are paired with entries, where that is hardest: every entry has a mask of its own.

Entries that share masks, as most of a real registry do, are decided together, faster.
"""

import random
import time
from typing import NamedTuple

from vreader.iso7816.atrmask import under
from vreader.pairing.matching import Matcher, Pattern

LENGTH = 20
TIMES = 3


class Size(NamedTuple):
    """How much is decided."""

    entries: int
    atrs: int

    @property
    def decisions(self) -> int:
        return self.entries * self.atrs


PLAIN = "pairing, 250 entries, 2,000 ATRs"
MORE_ENTRIES, MORE_ATRS = "pairing, 1,000 entries, 2,000 ATRs", "pairing, 250 entries, 8,000 ATRs"
DECISIONS = {
    PLAIN: Size(250, 2000),
    MORE_ENTRIES: Size(1000, 2000),
    MORE_ATRS: Size(250, 8000),
}


def deciding(name: str) -> list[int]:
    """Nanoseconds that it takes to decide all, some times; no ATR is taken by any entry."""
    size, chance = DECISIONS[name], random.Random(1)
    masks = {b"\xff" + chance.randbytes(LENGTH - 1) for _ in range(size.entries)}
    entries = [
        Pattern(str(number), under(b"\x3b" + chance.randbytes(LENGTH - 1), mask), mask)
        for number, mask in enumerate(sorted(masks))
    ]
    atrs = [b"\x3f" + chance.randbytes(LENGTH - 1) for _ in range(size.atrs)]
    took = []
    for _ in range(TIMES):
        start = time.perf_counter_ns()
        first = Matcher(entries).first
        taken = sum(first(atr) is not None for atr in atrs)
        took.append(time.perf_counter_ns() - start)
        assert not taken
    return took
