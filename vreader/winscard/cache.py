# SPDX-License-Identifier: Apache-2.0
"""The card data cache: what minidrivers remember of cards between programs (SDK SCardReadCache).

An item belongs to a card, by its 16-byte identifier, and has a name and a freshness counter: who
asks with another counter than the one it was written with learns that it is stale, and it is
deleted. It is the manager's own: contexts and readers have nothing to do with it.
"""

from vreader.winscard.codes import SCARD, ScardError

CARD_ID_BYTES = 16
CACHE_BYTES = 0x400000  # of all items: what is written then forces the oldest ones out
_OVERHEAD_BYTES = 256  # of an item, roughly: a million empty ones cost memory too


_Key = tuple[bytes, str]


class CardCache:
    """Values by card and name.

    Args:
        item_bytes: the longest value; None refuses every call, for a manager without a cache.

    Attributes:
        size: bytes it holds, at most CACHE_BYTES.
    """

    def __init__(self, item_bytes: int | None) -> None:
        self._item_bytes = item_bytes
        self._items: dict[_Key, tuple[int, bytes]] = {}
        self.size = 0

    def read(self, card: bytes, freshness: int, name: str) -> bytes:
        """Return a value; ScardError W_CACHE_ITEM_NOT_FOUND or W_CACHE_ITEM_STALE."""
        key = self._key(card, name)
        item = self._items.get(key)
        if item is None:
            raise ScardError(SCARD.W_CACHE_ITEM_NOT_FOUND)
        written, value = item
        if written != freshness:
            self._forget(key)
            raise ScardError(SCARD.W_CACHE_ITEM_STALE)
        return value

    def write(self, card: bytes, freshness: int, name: str, value: bytes) -> None:
        """Keep a value in place of the one before; ScardError W_CACHE_ITEM_TOO_BIG."""
        key = self._key(card, name)
        if len(value) > (self._item_bytes or 0):
            raise ScardError(SCARD.W_CACHE_ITEM_TOO_BIG)
        if key in self._items:
            self._forget(key)
        self._items[key] = (freshness, value)
        self.size += _size(key, value)
        while self.size > CACHE_BYTES:
            self._forget(next(iter(self._items)))

    def _forget(self, key: _Key) -> None:
        _, value = self._items.pop(key)
        self.size -= _size(key, value)

    def _key(self, card: bytes, name: str) -> _Key:
        if self._item_bytes is None:
            raise ScardError(SCARD.E_UNSUPPORTED_FEATURE)
        if len(card) != CARD_ID_BYTES or not name:
            raise ScardError(SCARD.E_INVALID_PARAMETER)
        return card, name


def _size(key: _Key, value: bytes) -> int:
    return _OVERHEAD_BYTES + 4 * len(key[1]) + len(value)
