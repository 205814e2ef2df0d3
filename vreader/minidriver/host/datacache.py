# SPDX-License-Identifier: Apache-2.0
"""What a host remembers of a card, and how it learns that it is out of date.

The card's file ``cardcf`` has counters that every host raises when it changes something. They are
read once a transaction; what was kept under another counter is not used. ``Cache Mode`` says where
things are kept: by the resource manager for all processes (SCardReadCache), by this process until
the card is removed, or nowhere (WDK "File System Requirements", "CardGetProperty").
"""

from contextlib import suppress
from enum import Enum
from typing import Final

from vreader.host.scard import ScardApi
from vreader.minidriver.abi.codes import CacheMode
from vreader.minidriver.abi.files import CARD_ID_SIZE
from vreader.minidriver.abi.structs import CARD_CACHE_FILE_FORMAT
from vreader.minidriver.host.process import HostProcess
from vreader.winscard.codes import SCARD, ScardError

_MISSES: Final = frozenset(
    {SCARD.W_CACHE_ITEM_NOT_FOUND, SCARD.W_CACHE_ITEM_STALE, SCARD.E_UNSUPPORTED_FEATURE}
)


class Kind(Enum):
    """Which counter something is kept under.

    What a minidriver keeps by CspCacheAddFile is under the counters of containers and of files
    together (assumed).
    """

    PINS = "pins"
    CONTAINERS = "containers"
    FILES = "files"
    MINIDRIVER = "minidriver"


class DataCache:
    """The cache of one card as one process sees it.

    Args:
        api: keeps the global cache.
        process: keeps that of the session.

    Attributes:
        card: the card's identifier; empty before it is known, and then only what a minidriver keeps
            is kept, until the transaction ends.
        mode: where things are kept.
        counters: those of the card, as read in this transaction; None before.
        context: the SCARDCONTEXT.
    """

    def __init__(self, api: ScardApi, process: HostProcess) -> None:
        self.card = b""
        self.mode: int = CacheMode.NO_CACHE
        self.counters: CARD_CACHE_FILE_FORMAT | None = None
        self.context = 0
        self._api = api
        self._process = process
        self._early: dict[str, bytes] = {}

    def begin(self) -> None:
        """Begin a transaction: others may have changed the card."""
        self.counters = None
        self._early.clear()

    def find(self, kind: Kind, name: str) -> bytes | None:
        """Return what is kept and not out of date."""
        if not self._ready(kind):
            return self._early.get(name) if kind is Kind.MINIDRIVER else None
        counter = self._counter(kind)
        if self.mode == CacheMode.SESSION_ONLY:
            kept = self._process.session_data.get((self.card, name))
            return kept[1] if kept is not None and kept[0] == counter else None
        try:
            return self._api.SCardReadCache(self.context, self.card, counter, name)
        except ScardError as error:
            if error.code in _MISSES:
                return None
            raise

    def add(self, kind: Kind, name: str, data: bytes) -> None:
        """Keep something, if the mode allows it and it is not too big."""
        if not self._ready(kind):
            if kind is Kind.MINIDRIVER:
                self._early[name] = data
            return
        counter = self._counter(kind)
        if self.mode == CacheMode.SESSION_ONLY:
            self._process.session_data[self.card, name] = counter, data
            return
        with suppress(ScardError):  # what cannot be kept is read again
            self._api.SCardWriteCache(self.context, self.card, counter, name, data)

    def forget(self, kind: Kind, name: str) -> None:
        """Forget something."""
        if not self._ready(kind):
            self._early.pop(name, None)
            return
        if self.mode == CacheMode.SESSION_ONLY:
            self._process.session_data.pop((self.card, name), None)
            return
        with suppress(ScardError):  # there is no function to delete, but what is stale goes
            self._api.SCardReadCache(self.context, self.card, self._counter(kind) ^ 1, name)

    def _ready(self, kind: Kind) -> bool:
        if self.mode == CacheMode.NO_CACHE:
            return False
        return self.counters is not None and len(self.card) == CARD_ID_SIZE

    def _counter(self, kind: Kind) -> int:
        counters = self.counters
        assert counters is not None
        match kind:
            case Kind.PINS:
                return counters.bPinsFreshness
            case Kind.CONTAINERS:
                return counters.wContainersFreshness
            case Kind.FILES:
                return counters.wFilesFreshness
        return counters.wContainersFreshness << 16 | counters.wFilesFreshness
