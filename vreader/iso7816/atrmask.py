# SPDX-License-Identifier: Apache-2.0
"""ATRs under masks: when a card's ATR is a stored one, and when two stored ones share a card.

A card is found by its ATR: under a mask it must be the stored ATR (SDK "SCardIntroduceCardType",
WDK "Smart Card Plug and Play"). That an ATR of another length is not, whatever the mask says, and
that a mask of another length finds no card, no page says: both are assumed.
"""


def under(atr: bytes, mask: bytes) -> bytes:
    """Return an ATR under a mask of its length."""
    return (int.from_bytes(atr) & int.from_bytes(mask)).to_bytes(len(atr))


def masked_equal(atr: bytes, stored: bytes, mask: bytes | None = None) -> bool:
    """Say whether an ATR is the stored one under the mask; without one they are compared whole.

    A stored ATR with bits outside of its mask is none, nor is an empty one.
    """
    if not stored or len(atr) != len(stored):
        return False
    if not mask:
        return atr == stored
    return len(mask) == len(stored) and under(atr, mask) == stored


def overlap(atr: bytes, mask: bytes, other: bytes, other_mask: bytes) -> bool:
    """Say whether some ATR is both stored ones under their masks: they agree where both count.

    Args:
        atr: one of them; has no bits outside of its mask.
        mask: of its length.
        other: another one, likewise.
        other_mask: of that one's length.
    """
    if len(atr) != len(other):
        return False
    differ = int.from_bytes(atr) ^ int.from_bytes(other)
    return not differ & int.from_bytes(mask) & int.from_bytes(other_mask)
