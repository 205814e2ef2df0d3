# SPDX-License-Identifier: Apache-2.0
"""The card's files as a host reads and writes them: through the cache, counters first.

Who changes something raises the counter in ``cardcf`` before, so that a write that fails half way
leaves nothing stale in any cache. Bytes of ``cardcf`` behind the counters belong to applications
and stay. On a read-only card ``cardcf`` is not written (WDK "File System Requirements", "Developer
Guidelines").
"""

from dataclasses import replace

from vreader.minidriver.abi.ctype import LayoutError
from vreader.minidriver.abi.files import CARD_CF
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.abi.structs import CARD_CACHE_FILE_FORMAT
from vreader.minidriver.host.datacache import DataCache, Kind
from vreader.minidriver.host.session import Session
from vreader.winscard.codes import SCARD

_SIZE = CARD_CACHE_FILE_FORMAT.layout().size


class Files:
    """Files of one card. Every function wants to be called in a transaction.

    Attributes:
        read_only: nobody can write to the card.
    """

    def __init__(self, session: Session, cache: DataCache) -> None:
        self.read_only = False
        self._session = session
        self._cache = cache
        self._behind = b""

    # ------------------------------------------------------------------ counters

    def counters(self) -> CARD_CACHE_FILE_FORMAT:
        """Return the card's counters, read once a transaction; zeros where it has none."""
        cache = self._cache
        if cache.counters is None:
            try:
                raw = self._session.call("CardReadFile", None, CARD_CF, 0)
                found = CARD_CACHE_FILE_FORMAT.decode(raw)
            except LayoutError:
                raise MinidriverError(SCARD.E_COMM_DATA_LOST) from None
            except MinidriverError as error:
                if error.code is not SCARD.E_FILE_NOT_FOUND:
                    raise
                return CARD_CACHE_FILE_FORMAT()  # and nothing is kept
            cache.counters, self._behind = found, raw[_SIZE:]
        return cache.counters

    def raise_counters(self, *kinds: Kind) -> None:
        """Write ``cardcf`` with some counters raised by one; they wrap."""
        if self.read_only:
            return
        now = self.counters()
        changed = replace(
            now,
            bPinsFreshness=now.bPinsFreshness + (Kind.PINS in kinds) & 0xFF,
            wContainersFreshness=now.wContainersFreshness + (Kind.CONTAINERS in kinds) & 0xFFFF,
            wFilesFreshness=now.wFilesFreshness + (Kind.FILES in kinds) & 0xFFFF,
        )
        self._session.call("CardWriteFile", None, CARD_CF, 0, changed.encode() + self._behind)
        self._cache.counters = changed

    # ------------------------------------------------------------------ files

    def read(self, directory: str | None, name: str, kind: Kind = Kind.FILES) -> bytes:
        """Return a file; SCARD_E_FILE_NOT_FOUND, SCARD_E_DIR_NOT_FOUND."""
        self.counters()
        key = _key(directory, name)
        found = self._cache.find(kind, key)
        if found is None:
            found = bytes(self._session.call("CardReadFile", directory, name, 0))
            self._cache.add(kind, key, found)
        return found

    def write(self, directory: str | None, name: str, data: bytes, access: int) -> None:
        """Replace a file's content; one that is not there is created with ``access``."""
        self.writable()
        self.raise_counters(Kind.FILES)
        self.put(directory, name, data, access)

    def put(self, directory: str | None, name: str, data: bytes, access: int) -> None:
        """Write without raising a counter."""
        call = self._session.call
        try:
            call("CardWriteFile", directory, name, 0, data)
        except MinidriverError as error:
            if error.code is not SCARD.E_FILE_NOT_FOUND:
                raise
            call("CardCreateFile", directory, name, len(data), access)
            call("CardWriteFile", directory, name, 0, data)

    def delete(self, directory: str | None, name: str) -> None:
        """Delete a file; one that is not there is no error."""
        self.writable()
        self.raise_counters(Kind.FILES)
        try:
            self._session.call("CardDeleteFile", directory, name, 0)
        except MinidriverError as error:
            if error.code is not SCARD.E_FILE_NOT_FOUND:
                raise

    def writable(self) -> None:
        """Raise SCARD_E_READ_ONLY_CARD for a card that nobody can write."""
        if self.read_only:
            raise MinidriverError(SCARD.E_READ_ONLY_CARD)


def _key(directory: str | None, name: str) -> str:
    return f"{directory}/{name}".lower() if directory else name.lower()
