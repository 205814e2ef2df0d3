# SPDX-License-Identifier: Apache-2.0
"""The card data cache: what minidrivers remember of cards between programs (SDK SCardReadCache).

An item belongs to a card, by its 16-byte identifier, and has a name and a freshness counter: who
asks with another counter than the one it was written with learns that it is stale, and it is
deleted. It is the manager's own: contexts and readers have nothing to do with it.
"""

from vreader.winscard.codes import SCARD, ScardError

CARD_ID_BYTES = 16


class CardCache:
    """Values by card and name.

    Args:
        item_bytes: the longest value; None refuses every call, for a manager without a cache.
    """

    def __init__(self, item_bytes: int | None) -> None:
        self._item_bytes = item_bytes
        self._items: dict[tuple[bytes, str], tuple[int, bytes]] = {}

    def read(self, card: bytes, freshness: int, name: str) -> bytes:
        """Return a value; ScardError W_CACHE_ITEM_NOT_FOUND or W_CACHE_ITEM_STALE."""
        key = self._key(card, name)
        item = self._items.get(key)
        if item is None:
            raise ScardError(SCARD.W_CACHE_ITEM_NOT_FOUND)
        written, value = item
        if written != freshness:
            del self._items[key]
            raise ScardError(SCARD.W_CACHE_ITEM_STALE)
        return value

    def write(self, card: bytes, freshness: int, name: str, value: bytes) -> None:
        """Keep a value in place of the one before; ScardError W_CACHE_ITEM_TOO_BIG."""
        key = self._key(card, name)
        if len(value) > (self._item_bytes or 0):
            raise ScardError(SCARD.W_CACHE_ITEM_TOO_BIG)
        self._items[key] = (freshness, value)

    def _key(self, card: bytes, name: str) -> tuple[bytes, str]:
        if self._item_bytes is None:
            raise ScardError(SCARD.E_UNSUPPORTED_FEATURE)
        if len(card) != CARD_ID_BYTES or not name:
            raise ScardError(SCARD.E_INVALID_PARAMETER)
        return card, name
