# SPDX-License-Identifier: Apache-2.0
"""Where commands of a recording are sent: a world in this process, or a PC/SC service.

Both have the card for themselves, and leave it reset.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from vreader.bridge.pcsclite.client import PcscClient, PcscError
from vreader.bridge.pcsclite.find import find_card, service_socket
from vreader.card import CardGone, CardMute
from vreader.errors import VreaderError
from vreader.host.scard import ScardApi
from vreader.winscard.codes import SCARD, Disposition, ScardError, ShareMode

_T0_OR_T1: Final = 3
_GONE: Final = frozenset((
    SCARD.E_NO_SMARTCARD, SCARD.W_REMOVED_CARD, SCARD.E_READER_UNAVAILABLE,
    SCARD.E_UNKNOWN_READER, SCARD.E_NO_READERS_AVAILABLE,
))  # fmt: skip
_MUTE: Final = frozenset((
    SCARD.E_NOT_TRANSACTED, SCARD.F_COMM_ERROR, SCARD.E_COMM_DATA_LOST, SCARD.E_TIMEOUT,
    SCARD.W_UNRESPONSIVE_CARD, SCARD.W_UNPOWERED_CARD, SCARD.W_UNSUPPORTED_CARD,
    SCARD.E_PROTO_MISMATCH,
))  # fmt: skip


class End(Protocol):
    """What commands are sent to; both calls raise CardGone or CardMute where nobody answers."""

    def reset(self, *, cold: bool) -> bytes:
        """Reset the card, by its power or without; return its ATR."""

    def transmit(self, command: bytes) -> bytes:
        """Return what the card answers."""


class ScardEnd:
    """The card in a reader of a world in this process.

    Args:
        api: the world's SCard* functions.
        reader: its full name.

    Raises:
        VreaderError: no card can be used there.
    """

    def __init__(self, api: ScardApi, reader: str) -> None:
        self._api = api
        self._context = api.SCardEstablishContext()
        try:
            with _told_of(reader):
                self._card, self._protocol = api.SCardConnect(
                    self._context, reader, ShareMode.EXCLUSIVE
                )
        except BaseException:
            api.SCardReleaseContext(self._context)
            raise

    def reset(self, *, cold: bool) -> bytes:
        """See End."""
        with _as_a_card():
            self._protocol = self._api.SCardReconnect(
                self._card, ShareMode.EXCLUSIVE, _T0_OR_T1, _initialization(cold)
            )
            return self._api.SCardStatus(self._card).atr

    def transmit(self, command: bytes) -> bytes:
        """See End."""
        with _as_a_card():
            return self._api.SCardTransmit(self._card, self._protocol, command)

    def close(self) -> None:
        """Let others have the card."""
        try:
            self._api.SCardDisconnect(self._card, Disposition.RESET)
        except ScardError:
            pass  # it is gone
        self._api.SCardReleaseContext(self._context)


class ServiceEnd:
    """The card in a reader of the PC/SC service that programs here find.

    Args:
        part: the reader's name, or a part of it; empty is the first with a card.

    Raises:
        VreaderError: there is no service, reader or card, or somebody else uses it.
    """

    def __init__(self, part: str) -> None:
        self._client = PcscClient(service_socket())
        try:
            self._client.establish()
            self.reader = find_card(self._client, part)
            with _told_of(self.reader):
                self._card, self._protocol = self._client.connect(
                    self.reader, ShareMode.EXCLUSIVE, _T0_OR_T1
                )
        except BaseException:
            self._client.close()
            raise

    def reset(self, *, cold: bool) -> bytes:
        """See End."""
        with _as_a_card():
            self._protocol = self._client.reconnect(
                self._card, ShareMode.EXCLUSIVE, _T0_OR_T1, _initialization(cold)
            )
            return self._client.status(self._card).atr

    def transmit(self, command: bytes) -> bytes:
        """See End."""
        with _as_a_card():
            return self._client.transmit(self._card, self._protocol, command)

    def close(self) -> None:
        """Let others have the card."""
        try:
            self._client.disconnect(self._card, Disposition.RESET)
        except VreaderError:
            pass  # it is gone, or the service is
        self._client.close()


def _initialization(cold: bool) -> int:
    return Disposition.UNPOWER if cold else Disposition.RESET


@contextmanager
def _as_a_card() -> Iterator[None]:
    """Turn errors of a call into what the card did, others into what a person can read."""
    try:
        yield
    except (ScardError, PcscError) as error:
        if error.code in _GONE:
            raise CardGone from None
        if error.code in _MUTE:
            raise CardMute from None
        raise VreaderError(
            f"the card cannot be used: {error}", hint="does another program use the reader?"
        ) from None


@contextmanager
def _told_of(reader: str) -> Iterator[None]:
    try:
        yield
    except (ScardError, PcscError) as error:
        hint = "is the card in, and the right way round?"
        if error.code == SCARD.E_SHARING_VIOLATION:
            hint = "end the program that uses it"
        raise VreaderError(f"no card can be used in {reader!r}: {error}", hint=hint) from None
