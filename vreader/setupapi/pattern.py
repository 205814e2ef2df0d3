# SPDX-License-Identifier: Apache-2.0
"""An ATR under a mask: which part of it is known, and what no card's ATR can be.

A card is the one meant when its ATR has the same length and ``atr & mask == pattern``. Sources: WDK
"Smart Card Plug and Play" (pairing process), SDK SCardIntroduceCardType; ISO/IEC 7816-3:2006 §8.
"""

from functools import reduce
from operator import xor

from vreader.iso7816.atr import DIRECT, INVERSE, MAX_ATR_LENGTH
from vreader.iso7816.atrmask import masked_equal, overlap


class AtrPattern:
    r"""What an entry of ``Calais\SmartCards`` asks of a card's ATR; it does not change.

    Attributes:
        atr, mask: of one length.
        problem: why no card's ATR fits, or empty: too long, a wrong TS, bytes missing or too many.
            The mask decides what is looked at; TCK is :attr:`tck_problem`.
        tck_problem: what TCK should be, or empty: it is right, there is none, or the mask leaves
            one of the bits it is made from open.
    """

    __slots__ = ("_historical", "atr", "mask", "problem", "tck_problem")

    def __init__(self, atr: bytes, mask: bytes) -> None:
        if len(atr) != len(mask):
            raise ValueError(f"{len(atr)} bytes of ATR, {len(mask)} of mask")
        self.atr = atr
        self.mask = mask
        self._historical: tuple[int, int] | None = None
        self.tck_problem = ""
        self.problem = self._look()

    @property
    def historical(self) -> tuple[bytes, bytes] | None:
        """Historical bytes and their mask; None where the pattern leaves open where they are."""
        if self._historical is None:
            return None
        start, end = self._historical
        return self.atr[start:end], self.mask[start:end]

    def takes(self, atr: bytes) -> bool:
        """Say whether a card with this ATR is the one meant."""
        return masked_equal(atr, self.atr, self.mask)

    def takes_historical(self, historical: bytes) -> bool:
        """Say whether a card with these historical bytes can be meant.

        Where the pattern leaves open which bytes they are, and where it is none, it can.
        """
        if self.historical is None:
            return True
        known, mask = self.historical
        return overlap(known, mask, historical, b"\xff" * len(historical))

    def overlaps(self, other: "AtrPattern") -> bool:
        """Say whether one card can be meant by both."""
        return overlap(self.atr, self.mask, other.atr, other.mask)

    def _look(self) -> str:
        """Walk TS, T0, TA1 … TCK as far as the mask lets see; return what cannot be."""
        atr, mask, length = self.atr, self.mask, len(self.atr)
        if not 2 <= length <= MAX_ATR_LENGTH:
            return f"it has {length} bytes; an ATR has 2 to {MAX_ATR_LENGTH}"
        if all((ts ^ atr[0]) & mask[0] for ts in (DIRECT, INVERSE)):
            return f"TS is {atr[0]:02X}; it is 3B or 3F"
        if mask[1] != 0xFF:
            return ""
        count, flags, at, check = atr[1] & 0xF, atr[1] >> 4, 2, False
        while flags & 8:
            at += (flags & 7).bit_count()
            if at >= length:
                return f"interface bytes are announced up to byte {at}, and it has {length} bytes"
            if mask[at] != 0xFF:
                return ""  # which bytes follow is open
            check = check or bool(atr[at] & 0xF)
            flags, at = atr[at] >> 4, at + 1
        at += flags.bit_count()
        end = at + count
        if end + check != length:
            return f"T0 and TD announce {end + check} bytes, and it has {length}"
        self._historical = at, end
        if check and all(byte == 0xFF for byte in mask[1:]) and (rest := reduce(xor, atr[1:])):
            self.tck_problem = f"{atr[-1]:02X}, should be {atr[-1] ^ rest:02X}"
        return ""
