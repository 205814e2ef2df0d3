# SPDX-License-Identifier: Apache-2.0
"""An ATR that has given bits, one that a card could send where there is one."""

from collections.abc import Iterator
from functools import lru_cache
from itertools import chain
from typing import Final

from vreader.iso7816.atr import DI, DIRECT, FI, INVERSE, Atr, AtrError

TRIES: Final = 1_000  # arrangements of interface bytes looked at, for masks that leave all open
_TA1: Final = 0x11  # the default's Fi and Di


@lru_cache(1024)
def witness(atr: bytes, mask: bytes, tries: int = TRIES) -> tuple[bytes, bool]:
    """Return an ATR that has the bits of ``atr`` under ``mask``, and whether a card could send it.

    Args:
        atr: the wanted bits; has none outside of the mask.
        mask: of the same length.
        tries: arrangements of interface bytes to look at; masks leave open few of them, as a rule.

    Returns:
        A well-formed ATR with a right TCK and True; or ``atr`` itself and False, where there is no
        such ATR, or none was found among so many arrangements.
    """
    for count, found in enumerate(_candidates(atr, mask)):
        if found is not None:
            return found, True
        if count >= tries:
            break
    return atr, False


def _candidates(atr: bytes, mask: bytes) -> Iterator[bytes | None]:
    """Yield ATRs that are well-formed, and None for each arrangement that leads to none."""
    if not 2 <= len(atr) <= 33:
        return
    for ts in (DIRECT, INVERSE):
        if _fits(ts, atr[0], mask[0]):
            for flags in range(16):
                # The number of historical bytes follows from the length in the end.
                if _fits(flags << 4, atr[1] & 0xF0, mask[1] & 0xF0):
                    yield from _structures(atr, mask, bytes((ts, flags << 4)), flags, {1}, False)


def _structures(
    atr: bytes, mask: bytes, head: bytes, flags: int, fixed: set[int], tck: bool
) -> Iterator[bytes | None]:
    """Go on with the interface bytes that ``flags`` announce; at their end, with the rest.

    Args:
        atr: the wanted bits.
        mask: which those are.
        head: the ATR so far.
        flags: high half byte of the last T0 or TD.
        fixed: places of bytes that must stay as they are.
        tck: a protocol other than T=0 has been announced.
    """
    for flag in (1, 2, 4):
        at = len(head)
        if flags & flag:
            if at >= len(atr):
                yield None
                return
            byte = atr[at]
            if flag == 1 and fixed == {1}:
                ta1 = _ta1(byte, mask[at])
                if ta1 is None:
                    yield None
                    return
                byte, fixed = ta1, {*fixed, at}
            head += bytes((byte,))
    at = len(head)
    if not flags & 8:
        yield _finish(atr, mask, head, fixed, tck)
    elif at >= len(atr):
        yield None
    else:
        for low in range(16):
            for following in range(16):
                td = following << 4 | low
                if _fits(td, atr[at], mask[at]):
                    yield from _structures(
                        atr, mask, head + bytes((td,)), following, {*fixed, at}, tck or low != 0
                    )


def _finish(atr: bytes, mask: bytes, head: bytes, fixed: set[int], tck: bool) -> bytes | None:
    """Add the historical bytes and TCK; None where the bits leave no room for them."""
    historical = len(atr) - len(head) - tck
    t0 = head[1] | historical
    if not 0 <= historical <= 15 or not _fits(t0, atr[1], mask[1]):
        return None
    found = bytearray(head + atr[len(head) :])
    found[1] = t0
    if tck:
        wrong = 0
        for byte in found[1:]:
            wrong ^= byte
        for at in range(len(found) - 1, 1, -1):
            if at not in fixed:
                free = wrong & ~mask[at]
                found[at] ^= free
                wrong ^= free
    try:
        Atr.parse(bytes(found))
    except AtrError:
        return None
    return bytes(found)


def _fits(byte: int, wanted: int, mask: int) -> bool:
    return byte & mask == wanted & mask


def _ta1(wanted: int, mask: int) -> int | None:
    """Return a TA1 with the wanted bits whose Fi and Di are not reserved, or None."""
    for byte in chain((_TA1,), range(256)):
        if _fits(byte, wanted, mask) and FI[byte >> 4] is not None and DI[byte & 15] is not None:
            return byte
    return None
