# SPDX-License-Identifier: Apache-2.0
"""Protocol and parameters selection (ISO/IEC 7816-3:2006 §9).

After the ATR of a card in negotiable mode the reader may ask once for a protocol and a speed.
The card echoes what it accepts; PPS1 to PPS3 it may leave out, then the defaults hold. Any other
answer, or none, is a failed exchange.
"""

from collections.abc import Sequence
from functools import reduce
from operator import xor
from typing import NamedTuple, Self

PPSS = 0xFF
_BITS = (0x10, 0x20, 0x40)  # of PPS0: PPS1, PPS2, PPS3 follow


class PpsError(ValueError):
    """A PPS exchange has failed: bytes that are no PPS, or a response to something else."""


class Pps(NamedTuple):
    """A PPS request or response.

    Attributes:
        protocol: T, 0 to 14.
        pps1: the proposed TA1 (Fi and Di indices); None leaves the default F=372, D=1.
        pps2: use of the standard or proprietary C6 contact (SPU), or None.
        pps3: reserved for future use, or None.
    """

    protocol: int
    pps1: int | None = None
    pps2: int | None = None
    pps3: int | None = None

    def __bytes__(self) -> bytes:
        body = bytearray((PPSS, self.protocol))
        for bit, value in zip(_BITS, self[1:], strict=True):
            if value is not None:
                body[1] |= bit
                body.append(value)
        body.append(reduce(xor, body))
        return bytes(body)

    @classmethod
    def parse(cls, raw: bytes) -> Self:
        """Read a request or response; raises PpsError."""
        if len(raw) < 3 or raw[0] != PPSS:
            raise PpsError(f"{len(raw)} bytes that do not start a PPS")
        count = sum(bool(raw[1] & bit) for bit in _BITS)
        if raw[1] & 0x80 or len(raw) != 3 + count:
            raise PpsError(f"PPS0={raw[1]:02X} in a PPS of {len(raw)} bytes")
        if reduce(xor, raw):
            raise PpsError(f"PCK is {raw[-1]:02X}, should be {reduce(xor, raw[:-1]):02X}")
        values = iter(raw[2:-1])
        return cls(raw[1] & 0xF, *(next(values) if raw[1] & bit else None for bit in _BITS))

    def check(self, raw: bytes) -> Self:
        """Read the response to this request and return what was agreed (§9.3).

        Raises:
            PpsError: the response is malformed, names another protocol, or changes a value.
        """
        response = self.parse(raw)
        if response.protocol != self.protocol:
            raise PpsError(f"asked for T={self.protocol}, the card says T={response.protocol}")
        for name in ("pps1", "pps2", "pps3"):
            if getattr(response, name) not in (None, getattr(self, name)):
                raise PpsError(f"the card has changed {name.upper()}")
        return response


def answer(raw: bytes, protocols: Sequence[int], *, ta1: int | None = None) -> bytes | None:
    """Answer a PPS request as a card does; None is silence (§9.2).

    Args:
        raw: the request.
        protocols: the T values the card offers; another one is not answered.
        ta1: the card's TA1. PPS1 is echoed where it is this or the default 11; else left out.
    """
    try:
        request = Pps.parse(raw)
    except PpsError:
        return None
    if request.protocol not in protocols:
        return None
    pps1 = request.pps1 if request.pps1 in (0x11, ta1) else None
    return bytes(Pps(request.protocol, pps1))
