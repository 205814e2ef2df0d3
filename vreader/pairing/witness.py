# SPDX-License-Identifier: Apache-2.0
"""An ATR that has given bits, one that a card could send where there is one.

T0 and TD1, TD2 … say what follows: chains of them are tried out, those of low bytes first. The
number of historical bytes then follows from the length, and whatever else is open makes TCK right.
"""

from functools import lru_cache, reduce
from operator import or_, xor
from typing import Final, NamedTuple

from vreader.iso7816.atr import DI, DIRECT, FI, INVERSE, MAX_ATR_LENGTH

TRIES: Final = 2_000  # enough for all, but where T0 and TDs are open and hardly anything else is
_DEFAULT_TA1: Final = 0x11
_HAS_TA1: Final = 0x10  # of T0


class _Chain(NamedTuple):
    """The beginning of an ATR, the last byte of which says what follows.

    Attributes:
        head: its bytes, TS first; T0 without the number of historical bytes.
        fixed: places of those that do not make TCK right though they have open bits: TA1, the TDs.
        tck: a protocol other than T=0 has been announced.
        free: bits that some byte elsewhere has open.
    """

    head: bytes
    fixed: frozenset[int]
    tck: bool
    free: int


@lru_cache(1024)
def witness(atr: bytes, mask: bytes, tries: int = TRIES) -> tuple[bytes, bool]:
    """Return an ATR that has the bits of ``atr`` under ``mask``, and whether a card could send it.

    Args:
        atr: the wanted bits; has none outside of the mask.
        mask: of the same length.
        tries: chains of T0, TD1, TD2 … to look at.

    Returns:
        A well-formed ATR with a right TCK and True; or ``atr`` itself and False, where there is no
        such ATR, or none was found among so many.
    """
    found = None
    if 2 <= len(atr) <= MAX_ATR_LENGTH:
        found = _search(atr, mask, tries, False) or _search(atr, mask, tries, True)
    return found or atr, found is not None


def _search(atr: bytes, mask: bytes, tries: int, by_tck: bool) -> bytes | None:
    """Look for a well-formed ATR.

    Args:
        atr: the wanted bits.
        mask: which those are.
        tries: chains to look at.
        by_tck: of chains that go on alike, look also at those that differ in what TCK must be; open
            bytes make up for that, as a rule.
    """
    free = ~mask[-1]  # where there is a TCK, this is it
    ts = next((ts for ts in (DIRECT, INVERSE) if _fits(ts, atr[0], mask[0])), None)
    if ts is None:
        return None
    chains = [
        _Chain(bytes((ts, flags << 4)), frozenset((2,) if flags & 1 else ()), False, free)
        for flags in range(15, -1, -1)
        if _fits(flags << 4, atr[1], mask[1] & 0xF0)
    ]
    seen: set[tuple[object, ...]] = set()
    while chains:
        chain = chains.pop()
        flags = chain.head[-1] >> 4
        start = len(chain.head)
        at = start + (flags & 7).bit_count()
        if at + (flags >> 3) > len(atr):
            continue
        head = chain.head + atr[start:at]
        free = reduce(or_, (~mask[i] for i in range(start, at) if i not in chain.fixed), chain.free)
        if not flags & 8:
            found = _finish(atr, mask, chain._replace(head=head, free=free))
            if found is not None:
                return found
            continue
        rest = reduce(xor, head[1:])
        for td in _openings(atr[at], mask[at], free):
            tck = chain.tck or td & 0xF != 0
            # What can become of a chain depends on no more than this.
            left = (rest ^ td) & ~free if by_tck else 0
            key = at, td >> 4, tck, left, free, head[1] & _HAS_TA1
            if key not in seen and len(seen) < tries:
                seen.add(key)
                chains.append(_Chain(head + bytes((td,)), chain.fixed | {at}, tck, free))
    return None


def _finish(atr: bytes, mask: bytes, chain: _Chain) -> bytes | None:
    """Add the historical bytes and TCK; None where the bits leave no room for them."""
    end = len(chain.head)
    historical = len(atr) - end - chain.tck
    if not 0 <= historical <= 15 or not _fits(historical, atr[1], mask[1] & 0xF):
        return None
    found = bytearray(chain.head + atr[end:])
    found[1] |= historical
    free = reduce(or_, (~byte for byte in mask[end:]), chain.free)
    wrong = reduce(xor, found[1:]) if chain.tck else 0
    if found[1] & _HAS_TA1:
        wrong ^= atr[2]
        for ta1 in _ta1s(atr[2], mask[2]):
            if not chain.tck or not (wrong ^ ta1) & ~free:
                break
        else:
            return None
        found[2] = ta1
        wrong ^= ta1
    if chain.tck:
        for at in range(len(found) - 1, 1, -1):
            if at not in chain.fixed:
                turned = wrong & ~mask[at]
                found[at] ^= turned
                wrong ^= turned
        if wrong:
            return None
    return bytes(found)


def _fits(byte: int, wanted: int, mask: int) -> bool:
    return not (byte ^ wanted) & mask


@lru_cache
def _openings(wanted: int, mask: int, free: int) -> tuple[int, ...]:
    """Return the TDs that have the wanted bits; of those that come to the same, one."""
    found = {
        (td >> 4, td & 0xF != 0, td & ~free): td
        for td in range(255, -1, -1)
        if _fits(td, wanted, mask)
    }
    return tuple(sorted(found.values(), reverse=True))


@lru_cache
def _ta1s(wanted: int, mask: int) -> tuple[int, ...]:
    """Return the TA1s that have the wanted bits, and whose Fi and Di are not reserved."""
    return tuple(
        ta1
        for ta1 in sorted(range(256), key=lambda byte: byte != _DEFAULT_TA1)
        if _fits(ta1, wanted, mask) and FI[ta1 >> 4] is not None and DI[ta1 & 15] is not None
    )
