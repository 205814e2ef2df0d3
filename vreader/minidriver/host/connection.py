# SPDX-License-Identifier: Apache-2.0
"""The winscard side of a host: its context, its connection to a card, the card's transaction."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from vreader.host.scard import ScardApi
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.winscard.codes import SCARD, Disposition, ScardError

GONE: Final = frozenset(
    {
        SCARD.W_REMOVED_CARD,
        SCARD.E_NO_SMARTCARD,
        SCARD.E_READER_UNAVAILABLE,
        SCARD.E_NO_SERVICE,
        SCARD.E_SERVICE_STOPPED,
    }
)
"""What says that there is no card any more, or nobody who knows of it."""
RESET: Final = frozenset({SCARD.W_RESET_CARD, SCARD.W_UNPOWERED_CARD})
"""What says that the card has forgotten who was authenticated."""


class Connection:
    """A connection to the card in one reader, made when it is needed.

    Attributes:
        api: the SCard functions of the machine.
        reader: the reader's name.
        context: the SCARDCONTEXT, 0 without one.
        card: the SCARDHANDLE, 0 without one.
        open: this host has the card's transaction.
    """

    def __init__(self, api: ScardApi, reader: str) -> None:
        self.api = api
        self.reader = reader
        self.context = 0
        self.card = 0
        self.open = False

    @property
    def atr(self) -> bytes:
        """The card's ATR."""
        return self.api.SCardStatus(self.card).atr

    def begin(self) -> bool:
        """Connect if that is to be done, and begin a transaction.

        Returns:
            Whether it is a new one; else the card has been looked at, for much may be cached.
        """
        if not self.card:
            if not self.context:
                self.context = self.api.SCardEstablishContext()
            try:
                self.card, _ = self.api.SCardConnect(self.context, self.reader)
            except ScardError:
                self.release()
                raise
        if self.open:
            self.api.SCardStatus(self.card)
            return False
        try:
            self.api.SCardBeginTransaction(self.card)
        except ScardError as error:
            if error.code not in RESET:
                raise
            self.api.SCardReconnect(self.card)
            self.api.SCardBeginTransaction(self.card)
        self.open = True
        return True

    def end(self, disposition: Disposition) -> None:
        """End the transaction; the card may be gone: whoever calls next is told."""
        self.open = False
        with suppress(ScardError):
            self.api.SCardEndTransaction(self.card, disposition)

    def was_reset(self) -> None:
        """Reconnect after a reset, which has ended the transaction; raises ScardError."""
        self.open = False
        self.api.SCardReconnect(self.card)

    def is_dead(self, code: int) -> bool:
        """Whether an error means that the connection is none any more."""
        if code in GONE:
            return True
        if code != SCARD.E_INVALID_HANDLE or not self.card:
            return False
        try:  # a handle of the minidriver's, or this one, since the service was started anew?
            self.api.SCardStatus(self.card)
        except ScardError as asked:
            return asked.code in {*GONE, SCARD.E_INVALID_HANDLE}
        return False

    def drop(self) -> None:
        """Disconnect."""
        card, self.card, self.open = self.card, 0, False
        if card:
            with suppress(ScardError):
                self.api.SCardDisconnect(card)

    def release(self) -> None:
        """Release the context."""
        context, self.context = self.context, 0
        if context:
            with suppress(ScardError):
                self.api.SCardReleaseContext(context)


@contextmanager
def one_kind_of_error() -> Iterator[None]:
    """Return what winscard says, and nobody handles, as what the call returns."""
    try:
        yield
    except ScardError as error:
        raise MinidriverError(error.code) from error
