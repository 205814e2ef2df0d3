# SPDX-License-Identifier: Apache-2.0
"""What a link at TPDU level is asked to be: its kind, its options, what disturbs it.

Written ``t1`` or ``t0``, options behind commas: ``t1,spoil=10,seed=7`` spoils about one block in
ten. Nothing is random that a seed does not repeat.
"""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Self

from vreader.errors import UsageError

KINDS = ("t0", "t1")
SPOIL, LOSE, CUT = "spoil", "lose", "cut"
PPS_ANSWERS = ("echo", "slow", "mute", "garbled")

# Asked of every block, PPS or run of T=0 characters that crosses: whether it goes to the card, and
# its bytes. The answer is SPOIL, LOSE, CUT, or nothing.
Disturb = Callable[[bool, bytes], str]


class Lottery:
    """Disturbs at random, the same way for the same seed.

    Args:
        spoil, lose, cut: one in so many is spoilt, lost, cut short; 0 for none.
        seed: any number.
    """

    def __init__(self, *, spoil: int = 0, lose: int = 0, cut: int = 0, seed: int = 0) -> None:
        self._odds = [(harm, n) for harm, n in ((SPOIL, spoil), (LOSE, lose), (CUT, cut)) if n]
        self._state = seed

    def __call__(self, to_card: bool, raw: bytes) -> str:
        """Draw for one block."""
        for harm, one_in in self._odds:
            # Knuth's 64-bit generator; its high bits are the good ones.
            self._state = (self._state * 6364136223846793005 + 1442695040888963407) % 2**64
            if (self._state >> 33) % one_in == 0:
                return harm
        return ""


class LinkSettings(NamedTuple):
    """How the reader and the card talk below the level of APDUs.

    Attributes:
        kind: ``t0`` or ``t1``. A card whose ATR does not offer it is given one that does.
        disturb: what happens to blocks on their way; None for nothing.
        ifsd: largest T=1 information field the reader accepts; 0 sends no S(IFS request).
        retries: how often an error is answered before resynchronisation.
        repeat: send a command again after a resynchronisation, though it may run twice.
        crc: the ends use a CRC, whatever the ATR says.
        wtx: S(WTX request) multipliers the card asks for before each answer.
        busy: the share of the time that a card has asked for which it uses.
        nulls: NULL bytes the card sends before each answer of T=0.
        single: the card moves T=0 data one byte at a time.
        envelope: more than 255 data bytes cross T=0 in ENVELOPE commands; else they are refused.
        pps: how the card answers a PPS: ``echo``, ``slow`` (leaves the speed out), ``mute``,
            ``garbled``.
    """

    kind: str
    disturb: Disturb | None = None
    ifsd: int = 254
    retries: int = 3
    repeat: bool = False
    crc: bool = False
    wtx: Iterable[int] = ()
    busy: float = 1.0
    nulls: int = 0
    single: bool = False
    envelope: bool = True
    pps: str = "echo"

    @property
    def protocol(self) -> int:
        """The T of the kind."""
        return int(self.kind[1])

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``KIND[,option…]``; raises UsageError naming what is known."""
        kind, *words = text.split(",")
        if kind not in KINDS:
            raise UsageError(f"unknown link {kind!r}", hint="links: " + ", ".join(KINDS))
        numbers: dict[str, int] = {}
        found: dict[str, Any] = {}
        for word in words:
            name, _, value = word.partition("=")
            if name in ("spoil", "lose", "cut", "seed"):
                numbers[name] = _number(word, value, 1 << 62)
            elif name in _LIMITS:
                found[name] = _number(word, value, _LIMITS[name])
            elif name in ("repeat", "crc", "single") and not value:
                found[name] = True
            elif word == "no-envelope":
                found["envelope"] = False
            elif name == "wtx":
                found["wtx"] = tuple(_number(word, part, 255, 1) for part in value.split("+"))
            elif name == "busy":
                found["busy"] = _number(word, value, 100) / 100
            elif name == "pps" and value in PPS_ANSWERS:
                found["pps"] = value
            else:
                raise UsageError(f"unknown link option {word!r}", hint=_HINT)
        if numbers:
            found["disturb"] = Lottery(**numbers)
        return cls(kind, **found)


_LIMITS = {"ifsd": 254, "retries": 100, "nulls": 1000}
_HINT = (
    "options: spoil=N, lose=N, cut=N (one block in N), seed=N, wtx=N[+N…], nulls=N, busy=PERCENT, "
    "single, crc, ifsd=N, retries=N, repeat, no-envelope, pps=" + "|".join(PPS_ANSWERS)
)


def _number(word: str, value: str, limit: int, least: int = 0) -> int:
    if not value.isascii() or not value.isdecimal() or not least <= int(value) <= limit:
        raise UsageError(f"link option {word!r} needs a number from {least} to {limit}", hint=_HINT)
    return int(value)
