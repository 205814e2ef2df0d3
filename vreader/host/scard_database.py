# SPDX-License-Identifier: Apache-2.0
"""Names and groups of readers, and the card data cache: what libpcsclite does not have.

Where the profile has none of it the functions fail UNSUPPORTED_FEATURE; the two that list readers
and groups always work.
"""

from collections.abc import Sequence

from vreader.host.scard_base import ScardFunctions
from vreader.winscard.codes import SCARD, ScardError


class DatabaseFunctions(ScardFunctions):
    """The database of readers, and the cache."""

    def SCardListReaders(self, hContext: int, mszGroups: Sequence[str] = ()) -> list[str]:
        """Return the names of the readers that are there, in ``mszGroups`` or all.

        Raises:
            ScardError: NO_READERS_AVAILABLE where that is none.
        """
        self._context(hContext)
        names = self._host.run(self._rm.list_readers, tuple(mszGroups))
        if not names:
            raise ScardError(SCARD.E_NO_READERS_AVAILABLE)
        return names

    def SCardListReaderGroups(self, hContext: int) -> list[str]:
        """Return the groups there are; the default group always is."""
        self._context(hContext)
        return self._host.run(self._rm.list_groups)

    # ------------------------------------------------------------------ names

    def SCardIntroduceReader(self, hContext: int, szReaderName: str, szDeviceName: str) -> None:
        """Give a reader a further name; DUPLICATE_READER when it is taken.

        Args:
            hContext: the context.
            szReaderName: the new name.
            szDeviceName: the reader's system name (SCARD_ATTR_DEVICE_SYSTEM_NAME).
        """
        self._context(hContext)
        rm = self._rm
        self._host.run(lambda: rm.database.introduce(szReaderName, szDeviceName, rm.readers))

    def SCardForgetReader(self, hContext: int, szReaderName: str) -> None:
        """Forget a name; a reader's system name is only not listed any more."""
        self._context(hContext)
        rm = self._rm
        self._host.run(lambda: rm.database.forget(szReaderName, rm.readers))

    # ------------------------------------------------------------------ groups

    def SCardIntroduceReaderGroup(self, hContext: int, szGroupName: str) -> None:
        """Introduce a group; it exists once a reader is in it."""
        self._context(hContext)
        rm = self._rm
        self._host.run(lambda: rm.database.introduce_group(szGroupName))

    def SCardForgetReaderGroup(self, hContext: int, szGroupName: str) -> None:
        """Take every reader out of a group."""
        self._context(hContext)
        rm = self._rm
        self._host.run(lambda: rm.database.forget_group(szGroupName))

    def SCardAddReaderToGroup(self, hContext: int, szReaderName: str, szGroupName: str) -> None:
        """Put a reader into a group, which is made where missing."""
        self._context(hContext)
        rm = self._rm
        self._host.run(lambda: rm.database.add_to_group(szReaderName, szGroupName, rm.readers))

    def SCardRemoveReaderFromGroup(
        self, hContext: int, szReaderName: str, szGroupName: str
    ) -> None:
        """Take a reader out of a group; one without readers is forgotten."""
        self._context(hContext)
        rm = self._rm
        self._host.run(lambda: rm.database.remove_from_group(szReaderName, szGroupName, rm.readers))

    # ------------------------------------------------------------------ card data

    def SCardReadCache(
        self, hContext: int, CardIdentifier: bytes, FreshnessCounter: int, LookupName: str
    ) -> bytes:
        """Return what was written about a card.

        Args:
            hContext: the context.
            CardIdentifier: 16 bytes, the ``cardid`` of a minidriver's card.
            FreshnessCounter: the counter it must have been written with.
            LookupName: its name.

        Raises:
            ScardError: W_CACHE_ITEM_NOT_FOUND; W_CACHE_ITEM_STALE, and it is gone.
        """
        self._context(hContext)
        cache = self._rm.cache
        return self._host.run(cache.read, bytes(CardIdentifier), FreshnessCounter, LookupName)

    def SCardWriteCache(
        self,
        hContext: int,
        CardIdentifier: bytes,
        FreshnessCounter: int,
        LookupName: str,
        Data: bytes,
    ) -> None:
        """Keep something about a card; W_CACHE_ITEM_TOO_BIG for more than an item may have."""
        self._context(hContext)
        cache, card, data = self._rm.cache, bytes(CardIdentifier), bytes(Data)
        self._host.run(cache.write, card, FreshnessCounter, LookupName, data)
