# SPDX-License-Identifier: Apache-2.0
"""What a host gives to a minidriver: the members of CARD_DATA that it fills, in Python.

Memory is Python's own, so that CspAlloc, CspReAlloc and CspFree have no methods here: only whether
a host passed them is seen, in ``CardData.callbacks``.
"""

from abc import ABC, abstractmethod
from typing import NamedTuple

from vreader.minidriver.abi.callbacks import CALLBACKS
from vreader.minidriver.values import DecryptInfo, SigningInfo

ALL_CALLBACKS = frozenset(callback.name for callback in CALLBACKS)
MEMORY_CALLBACKS = frozenset({"CspAlloc", "CspReAlloc", "CspFree"})


class HostCallbacks(ABC):
    """The callbacks of CARD_DATA. Each raises MinidriverError when it fails."""

    @abstractmethod
    def CspCacheAddFile(self, tag: str, flags: int, data: bytes) -> None:
        """Keep data under a tag in the host's cache for this card."""

    @abstractmethod
    def CspCacheLookupFile(self, tag: str, flags: int) -> bytes:
        """Return what is kept under a tag; SCARD_E_FILE_NOT_FOUND when nothing (fresh) is."""

    @abstractmethod
    def CspCacheDeleteFile(self, tag: str, flags: int) -> None:
        """Forget what is kept under a tag."""

    @abstractmethod
    def CspPadData(self, info: SigningInfo, width: int) -> bytes:
        """Return data padded to ``width`` bytes, little endian as RSA is at this interface."""

    @abstractmethod
    def CspGetDHAgreement(self, secret: int, flags: int) -> int:
        """Return the index of the secret agreement behind a host's handle (version 5)."""

    @abstractmethod
    def CspUnpadData(self, info: DecryptInfo) -> bytes:
        """Return decrypted data without its padding, both little endian (version 7).

        ERROR_REVISION_MISMATCH for version 1 of CARD_RSA_DECRYPT_INFO; PKCS#1 under both providers,
        OAEP under the KSP alone.
        """


class CardData(NamedTuple):
    """What a host fills into CARD_DATA before CardAcquireContext.

    Attributes:
        version: dwVersion, the version asked for.
        atr: the card's; None for NULL, empty without a card.
        card_name: the name in the Calais registry; None for NULL.
        context, card: hSCardCtx and hScard; 0 without a card.
        host: the callbacks.
        callbacks: names of those that are not NULL.
    """

    version: int
    atr: bytes | None
    card_name: str | None
    context: int
    card: int
    host: HostCallbacks
    callbacks: frozenset[str] = ALL_CALLBACKS
