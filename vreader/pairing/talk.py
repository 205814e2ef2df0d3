# SPDX-License-Identifier: Apache-2.0
"""A conversation with the card in a reader, through the resource manager."""

from types import TracebackType
from typing import Self, TypeVar

from vreader.host.scard import ScardApi
from vreader.smclib.ioctl import Protocol
from vreader.winscard.codes import Disposition, ScardError
from vreader.winscard.probing import Probe, drive

T = TypeVar("T")


class Talk:
    """A shared connection with a transaction; leaving it resets the card or leaves it as it is.

    Args:
        api: of the machine.
        reader: the reader's name.
        disposition: of the card afterwards. Traces of Windows show a reset after Plug and Play has
            looked at a card; no page says so.

    Attributes:
        atr: of the card.

    Raises:
        ScardError: there is no card, or it does not answer.
    """

    def __init__(
        self, api: ScardApi, reader: str, disposition: Disposition = Disposition.RESET
    ) -> None:
        self._api = api
        self._disposition = disposition
        self._context = api.SCardEstablishContext()
        try:
            self._card, self._protocol = api.SCardConnect(self._context, reader)
            self.atr = api.SCardStatus(self._card).atr
            api.SCardBeginTransaction(self._card)
        except BaseException:
            api.SCardReleaseContext(self._context)
            raise

    def ask(self, probe: Probe[T]) -> T:
        """Let a discovery process ask the card; raises ScardError."""
        return drive(probe, self._transmit)

    def _transmit(self, command: bytes) -> bytes:
        protocol = Protocol.T0 if self._protocol == Protocol.T0 else Protocol.T1
        return self._api.SCardTransmit(self._card, protocol, command)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self._api.SCardEndTransaction(self._card, self._disposition)
            self._api.SCardDisconnect(self._card, Disposition.LEAVE)  # else its end is a reset, too
        except ScardError:
            pass  # the card has gone, and the transaction with it
        finally:
            self._api.SCardReleaseContext(self._context)
