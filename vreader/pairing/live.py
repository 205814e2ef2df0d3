# SPDX-License-Identifier: Apache-2.0
"""The card in somebody's reader, as a card of ours: a running world's, or a physical one.

It is reached by PC/SC, in libpcsclite's protocol, and for ourselves alone while we have it: what
Windows asks would disturb whoever uses the card meanwhile.
"""

from typing import Final

from vreader.bridge.pcsclite.client import PcscClient, PcscError
from vreader.bridge.pcsclite.find import SYSTEM_SOCKET, find_card, service_socket
from vreader.card import CardGone, CardMute
from vreader.errors import VreaderError
from vreader.winscard.codes import SCARD

_EXCLUSIVE, _T0_OR_T1 = 1, 3
_RESET, _UNPOWER = 1, 2
_MUTE: Final = frozenset({SCARD.W_UNRESPONSIVE_CARD, SCARD.W_UNPOWERED_CARD})


class LiveCard:
    """A card in a reader of a PC/SC service.

    Args:
        path: the service's socket.
        part: part of the reader's name; empty is the first one with a card.

    Attributes:
        reader: the reader's whole name.

    Raises:
        VreaderError: there is no such service, reader or card, or somebody uses the card.
    """

    def __init__(self, path: str, part: str = "") -> None:
        self._client = PcscClient(path)
        try:
            self._client.establish()
            self.reader = find_card(self._client, part)
            try:
                self._card, self._protocol = self._client.connect(
                    self.reader, _EXCLUSIVE, _T0_OR_T1
                )
            except PcscError as error:
                raise VreaderError(
                    f"the card in {self.reader!r} cannot be had: {error}",
                    hint="end the program that uses it, or insert it again",
                ) from None
        except BaseException:
            self._client.close()
            raise

    def power_on(self) -> bytes:
        """Reset the card by its power; return its ATR."""
        return self._reset(_UNPOWER)

    def reset(self) -> bytes:
        """Reset the card, which keeps its power; return its ATR."""
        return self._reset(_RESET)

    def _reset(self, how: int) -> bytes:
        try:
            self._protocol = self._client.reconnect(self._card, _EXCLUSIVE, _T0_OR_T1, how)
            return self._client.status(self._card).atr
        except PcscError as error:
            raise _gone_or_mute(error) from None

    def power_off(self) -> None:
        """Leave its power on: a card without would be anybody's."""

    def transmit(self, c_apdu: bytes) -> bytes:
        """Have the card answer."""
        try:
            return self._client.transmit(self._card, self._protocol, bytes(c_apdu))
        except PcscError as error:
            raise _gone_or_mute(error) from None

    def close(self) -> None:
        """Leave the card, reset, to others."""
        try:
            self._client.disconnect(self._card, _RESET)
        except VreaderError:
            pass  # it has gone, or the service
        self._client.close()


def _gone_or_mute(error: PcscError) -> CardGone | CardMute:
    return CardMute() if error.code in _MUTE else CardGone()


def open_live(where: str) -> LiveCard:
    """Return the card ``where`` names.

    Args:
        where: ``pcsc:NAME`` is a reader of the system's PC/SC service, by part of its name; any
            other text is one of the world this process is in (``PCSCLITE_CSOCK_NAME``), or of the
            system's service where it is in none.

    Raises:
        VreaderError: see :class:`LiveCard`.
    """
    prefix, colon, name = where.partition(":")
    if colon and prefix == "pcsc":
        return LiveCard(SYSTEM_SOCKET, name)
    return LiveCard(service_socket(), where)
