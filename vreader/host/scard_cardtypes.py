# SPDX-License-Identifier: Apache-2.0
"""The database of card types, and finding cards by name: what libpcsclite does not have.

Where the profile has none of it the functions fail UNSUPPORTED_FEATURE. A context of 0 is NULL: no
context, where the SDK's page of the function allows that; else INVALID_HANDLE.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

from vreader.host.host import PATIENCE_S
from vreader.host.scard_base import ScardFunctions
from vreader.iso7816 import Atr, AtrError
from vreader.winscard.codes import SCARD, ScardError, Win32
from vreader.winscard.manager import ResourceManager
from vreader.winscard.status_change import ReaderState

if TYPE_CHECKING:
    from uuid import UUID

    from vreader.winscard.call import Operation
    from vreader.winscard.cardtypes import CardTypes
    from vreader.winscard.discovery import Discovery, ProbeOrder
    from vreader.winscard.locate import AtrMask

T = TypeVar("T")

SCARD_PROVIDER_PRIMARY = 1
SCARD_PROVIDER_CSP = 2
SCARD_PROVIDER_KSP = 3
SCARD_PROVIDER_CARD_MODULE = 0x80000001


class CardTypeFunctions(ScardFunctions):
    """Card types as a program of 32 or 64 bits sees them, and cards by name."""

    _bits: int
    _probe_order: "ProbeOrder"
    _blocking: bool

    # ------------------------------------------------------------------ changing the database

    def SCardIntroduceCardType(
        self,
        hContext: int,
        szCardName: str,
        pguidPrimaryProvider: "UUID | None",
        rgguidInterfaces: "Sequence[UUID] | None",
        pbAtr: bytes,
        pbAtrMask: bytes | None = None,
        cbAtrLen: int | None = None,
    ) -> None:
        """Add a card type.

        Args:
            hContext: the context.
            szCardName: its name.
            pguidPrimaryProvider: its primary service provider, if any.
            rgguidInterfaces: that it supports, if any.
            pbAtr: its ATR as it is under the mask.
            pbAtrMask: bits of an ATR that count; None for all.
            cbAtrLen: bytes of ATR and mask to take; by default all there are. 0 takes as many as
                the ATR itself says it has, and then there must be no mask.

        Raises:
            ScardError: ERROR_ALREADY_EXISTS for a name that is taken, INVALID_VALUE for what can be
                no name, INVALID_ATR, INVALID_PARAMETER for lengths that do not fit.
        """
        self._context(hContext)
        atr, mask = _cut(bytes(pbAtr), bytes(pbAtrMask or b""), cbAtrLen)
        self._host.run(
            lambda: self._types(hContext).introduce(
                szCardName,
                atr,
                mask,
                primary_provider=pguidPrimaryProvider,
                interfaces=tuple(rgguidInterfaces or ()),
            )
        )

    def SCardForgetCardType(self, hContext: int, szCardName: str) -> None:
        """Remove a card type; UNKNOWN_CARD where there is none of the name."""
        self._context(hContext)
        self._host.run(lambda: self._types(hContext).forget(szCardName))

    def SCardSetCardTypeProviderName(
        self, hContext: int, szCardName: str, dwProviderId: int, szProvider: str
    ) -> None:
        """Name a provider of a card type; the context may be NULL.

        Args:
            hContext: the context, or 0.
            szCardName: the card type.
            dwProviderId: which: SCARD_PROVIDER_*.
            szProvider: its name; a GUID as text for SCARD_PROVIDER_PRIMARY, else INVALID_VALUE.

        Raises:
            ScardError: ERROR_FILE_NOT_FOUND for a card type there is none of, INVALID_PARAMETER for
                another number.
        """
        self._host.run(
            lambda: self._types(hContext).set_provider(szCardName, dwProviderId, szProvider)
        )

    # ------------------------------------------------------------------ asking the database

    def SCardGetCardTypeProviderName(
        self, hContext: int, szCardName: str, dwProviderId: int
    ) -> str:
        """Return the name of a card type's provider; the context may be NULL.

        Raises:
            ScardError: ERROR_FILE_NOT_FOUND where there is no such card type, or no such provider
                of it; INVALID_PARAMETER for a number that is none of SCARD_PROVIDER_*.
        """
        return self._host.run(lambda: self._types(hContext).provider(szCardName, dwProviderId))

    def SCardGetProviderId(self, hContext: int, szCard: str) -> "UUID":
        """Return a card type's primary service provider.

        Raises:
            ScardError: UNKNOWN_CARD; ERROR_FILE_NOT_FOUND where it has none.
        """
        self._context(hContext)
        entry = self._host.run(lambda: self._types(hContext).find(szCard))
        if entry is None:
            raise ScardError(SCARD.E_UNKNOWN_CARD)
        if entry.primary_provider is None:
            raise ScardError(Win32.FILE_NOT_FOUND)
        return entry.primary_provider

    def SCardListInterfaces(self, hContext: int, szCard: str) -> "list[UUID]":
        """Return the interfaces a card type supports; UNKNOWN_CARD where there is none of it."""
        self._context(hContext)
        entry = self._host.run(lambda: self._types(hContext).find(szCard))
        if entry is None:
            raise ScardError(SCARD.E_UNKNOWN_CARD)
        return list(entry.interfaces)

    # ------------------------------------------------------------------ finding cards

    def SCardListCards(
        self,
        hContext: int,
        pbAtr: bytes | None = None,
        rgguidInterfaces: "Sequence[UUID] | None" = None,
    ) -> list[str]:
        """Return the names of cards, sorted; the context may be NULL.

        Where no card type matches the ATR, a card in a reader that has it is asked for its
        application (WDK "Smart Card Discovery Process").

        Args:
            hContext: the context, or 0.
            pbAtr: only those that a card with this ATR is; all bytes of it count.
            rgguidInterfaces: only those that support all of these.
        """
        from vreader.winscard.locate import list_cards

        types = self._types(hContext)
        atr = None if pbAtr is None else bytes(pbAtr)
        return self._search(
            list_cards(self._manager, types, atr, tuple(rgguidInterfaces or ()), self._probe_order)
        )

    def SCardLocateCards(
        self, hContext: int, mszCards: Sequence[str], rgReaderStates: Sequence[ReaderState]
    ) -> list[ReaderState]:
        """Say which readers have a card of one of these names, at once.

        Args:
            hContext: the context.
            mszCards: names; unknown ones are ignored.
            rgReaderStates: readers, as with SCardGetStatusChange.

        Returns:
            The same list with ``event_state``, ATRMATCH in it for such a card, and ``atr``.

        Raises:
            ScardError: UNKNOWN_READER.
        """
        from vreader.winscard.locate import locate_cards

        self._context(hContext)
        types = self._types(hContext)
        return self._search(
            locate_cards(
                self._manager, types, tuple(mszCards), list(rgReaderStates), self._probe_order
            )
        )

    def SCardLocateCardsByATR(
        self, hContext: int, rgAtrMasks: "Sequence[AtrMask]", rgReaderStates: Sequence[ReaderState]
    ) -> list[ReaderState]:
        """Say which readers have a card with one of these ATRs, at once; as SCardLocateCards."""
        from vreader.winscard.locate import locate_by_atr

        self._context(hContext)
        self._types(hContext)
        return self._host.run(locate_by_atr, self._manager, tuple(rgAtrMasks), list(rgReaderStates))

    def discover(self, atr: bytes, reader: str = "") -> "Discovery":
        """Return what SCardListCards finds out about an ATR, and how.

        Args:
            atr: the card's.
            reader: the one whose card may be asked, else UNKNOWN_READER; any that has the ATR by
                default.
        """
        from vreader.winscard.locate import discover

        types, rm = self._types(0), self._manager
        readers = list(rm.readers)
        if reader:
            found = self._host.run(rm.find_reader, reader)
            if found is None:
                raise ScardError(SCARD.E_UNKNOWN_READER)
            readers = [found.name]
        return self._search(discover(rm, types, bytes(atr), readers, self._probe_order))

    # ------------------------------------------------------------------

    @property
    def _manager(self) -> ResourceManager:
        """The manager, whether or not there are readers; NO_SERVICE without one."""
        rm = self._host.rm
        if rm is None or rm.closed:
            raise ScardError(SCARD.E_NO_SERVICE)
        return rm

    def _types(self, number: int) -> "CardTypes":
        if number:
            self._context(number)
        return self._manager.card_types(self._bits)

    def _search(self, operation: "Operation[T]") -> T:
        """Search, and wait for others' transactions as long as one of them can be idle."""
        idle_s = self._manager.profile.transaction_idle_s or 0.0
        patience_s = idle_s + PATIENCE_S if self._blocking else 0.0
        return self._host.call(operation, patience_s=patience_s)


def _cut(atr: bytes, mask: bytes, length: int | None) -> tuple[bytes, bytes]:
    """Return ATR and mask as long as the caller says they are."""
    if length is None:
        return atr, mask
    if length == 0:
        if mask:
            raise ScardError(SCARD.E_INVALID_PARAMETER)
        return atr[: _atr_length(atr)], b""
    if not 0 < length <= len(atr):
        raise ScardError(SCARD.E_INVALID_PARAMETER)
    return atr[:length], mask[:length]


def _atr_length(atr: bytes) -> int:
    """Return how many bytes an ATR has by what it says itself; bytes behind it do not matter."""
    for length in range(2, len(atr) + 1):
        try:
            Atr.parse(atr[:length])
        except AtrError:
            continue
        return length
    raise ScardError(SCARD.E_INVALID_ATR)
