# SPDX-License-Identifier: Apache-2.0
"""The card in somebody's reader, as a card of ours: a running world's, or a physical one.

It is reached by PC/SC, in libpcsclite's protocol, and for ourselves alone while we have it: what
Windows asks would disturb whoever uses the card meanwhile.
"""

from pathlib import Path
from typing import Final, NamedTuple

from vreader.bridge.pcsclite.client import PcscClient, PcscError
from vreader.bridge.pcsclite.find import SYSTEM_SOCKET, find_card, find_readers, service_socket
from vreader.card import CardGone, CardMute
from vreader.errors import VreaderError
from vreader.smclib.ioctl import Protocol
from vreader.winscard.codes import SCARD, Disposition, ShareMode

_SYSTEM: Final = "pcsc:"
_T0_OR_T1: Final = Protocol.T0 | Protocol.T1
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
                    self.reader, ShareMode.EXCLUSIVE, _T0_OR_T1
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
        return self._reset(Disposition.UNPOWER)

    def reset(self) -> bytes:
        """Reset the card, which keeps its power; return its ATR."""
        return self._reset(Disposition.RESET)

    def _reset(self, how: Disposition) -> bytes:
        try:
            self._protocol = self._client.reconnect(self._card, ShareMode.EXCLUSIVE, _T0_OR_T1, how)
            return self._client.status(self._card).atr
        except VreaderError as error:
            raise _gone_or_mute(error) from None

    def power_off(self) -> None:
        """Leave its power on: a card without would be anybody's."""

    def transmit(self, c_apdu: bytes) -> bytes:
        """Have the card answer."""
        try:
            return self._client.transmit(self._card, self._protocol, bytes(c_apdu))
        except VreaderError as error:
            raise _gone_or_mute(error) from None

    def close(self) -> None:
        """Leave the card, reset, to others."""
        try:
            self._client.disconnect(self._card, Disposition.RESET)
        except VreaderError:
            pass  # it has gone, or the service
        self._client.close()


def _gone_or_mute(error: VreaderError) -> CardGone | CardMute:
    """Tell a card that does not answer from one that has gone, or whose service has."""
    return CardMute() if isinstance(error, PcscError) and error.code in _MUTE else CardGone()


def open_live(where: str) -> LiveCard:
    """Return the card ``where`` names.

    Args:
        where: ``pcsc:NAME`` is a reader of the system's PC/SC service, by part of its name; any
            other text is one of the world this process is in (``PCSCLITE_CSOCK_NAME``), or of the
            system's service where it is in none.

    Raises:
        VreaderError: see :class:`LiveCard`.
    """
    return LiveCard(*_service(where))


class LiveReader(NamedTuple):
    """A reader of a PC/SC service.

    Attributes:
        name: its whole name.
        full: a card is in it.
        where: names it, for :func:`open_live`.
    """

    name: str
    full: bool
    where: str


def live_readers(where: str) -> list[LiveReader]:
    """Return the readers that ``where`` names; all of the service's where it names none.

    Args:
        where: as for :func:`open_live`.

    Raises:
        VreaderError: there is no such service or reader.
    """
    path, part = _service(where)
    prefix = _SYSTEM if where.startswith(_SYSTEM) else ""
    with PcscClient(path) as client:
        client.establish()
        return [
            LiveReader(state.name, bool(state.atr), prefix + state.name)
            for state in find_readers(client, part)
        ]


def _service(where: str) -> tuple[str, str]:
    """Return the socket of the service that is meant, and the part of a reader's name."""
    of_system = where.startswith(_SYSTEM)
    path = SYSTEM_SOCKET if of_system else service_socket()
    if not Path(path).exists():
        raise VreaderError(
            f"no PC/SC service is at {path}",
            hint="start pcscd, or a world: vreader run --card SPEC -- COMMAND",
        )
    return path, where.removeprefix(_SYSTEM)
