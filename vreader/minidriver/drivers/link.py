# SPDX-License-Identifier: Apache-2.0
"""From a minidriver to its card: whole commands, and what status words and SCard errors mean.

A command longer than a short APDU goes as a chain (ISO/IEC 7816-4 §5.3.3), a response comes by GET
RESPONSE (§5.3.4). The host holds the transaction. A reset or another program may have deselected
the application since the last call; a card that then knows no such command, or no such GET DATA, is
asked again after a SELECT. Hosts read ``cardcf`` first, so a PIN does not go to another
application.
"""

from typing import Final, NamedTuple, NoReturn

from vreader.host.scard import ScardApi
from vreader.iso7816 import SW, CommandApdu
from vreader.minidriver.abi.codes import VALUE_UNKNOWN
from vreader.minidriver.abi.returncodes import CardWin32, MinidriverError
from vreader.winscard.codes import SCARD, ScardError
from vreader.winscard.probing import select

# What a status word means to the caller of a Card* function; SCARD_E_UNEXPECTED for all others.
CODES: Final[dict[int, SCARD | CardWin32]] = {
    SW.SECURITY_STATUS_NOT_SATISFIED: SCARD.W_SECURITY_VIOLATION,
    SW.AUTHENTICATION_BLOCKED: SCARD.W_CHV_BLOCKED,
    SW.CONDITIONS_NOT_SATISFIED: SCARD.W_SECURITY_VIOLATION,
    SW.COMMAND_NOT_ALLOWED: SCARD.W_SECURITY_VIOLATION,
    SW.NO_CURRENT_EF: SCARD.W_SECURITY_VIOLATION,
    SW.WRONG_DATA: SCARD.E_INVALID_PARAMETER,
    SW.WRONG_LENGTH: SCARD.E_INVALID_PARAMETER,
    SW.FUNCTION_NOT_SUPPORTED: SCARD.E_UNSUPPORTED_FEATURE,
    SW.INCORRECT_P1P2: SCARD.E_UNSUPPORTED_FEATURE,
    SW.INS_NOT_SUPPORTED: SCARD.E_UNSUPPORTED_FEATURE,
    SW.CLA_NOT_SUPPORTED: SCARD.E_UNSUPPORTED_FEATURE,
    SW.FILE_NOT_FOUND: SCARD.E_FILE_NOT_FOUND,
    SW.REFERENCE_NOT_FOUND: SCARD.E_FILE_NOT_FOUND,
    SW.NOT_ENOUGH_MEMORY: SCARD.E_WRITE_TOO_MANY,
    SW.FILE_EXISTS: CardWin32.FILE_EXISTS,
    SW.MEMORY_FAILURE: SCARD.E_COMM_DATA_LOST,
}

_NOBODY_THERE: Final = frozenset({SW.INS_NOT_SUPPORTED, SW.CLA_NOT_SUPPORTED})
# What another application answers to a GET DATA that it does not know, and the own one never.
_STRANGERS: Final = frozenset(
    {SW.INCORRECT_P1P2, SW.WRONG_P1P2, SW.REFERENCE_DATA_NOT_USABLE, *_NOBODY_THERE}
)
_GET_DATA = 0xCB
_LINK = 255
_CHAINING = 0x10
_GET_RESPONSE = 0xC0
_MOST_PARTS = 1024  # of 256 bytes; a card that never ends gets no more


class Reply(NamedTuple):
    """What the card has answered: the last status word, all data."""

    sw: int
    data: bytes = b""

    @property
    def ok(self) -> bool:
        """9000."""
        return self.sw == SW.OK

    @property
    def tries(self) -> int | None:
        """The tries that the status word tells; None where it tells none."""
        if self.sw & 0xFFF0 == 0x63C0:
            return self.sw & 0x0F
        return 0 if self.sw == SW.AUTHENTICATION_BLOCKED else None

    def demand(self) -> bytes:
        """Return the data; raises MinidriverError for any other status word than 9000."""
        if not self.ok:
            fail(self.sw)
        return self.data


def fail(sw: int) -> NoReturn:
    """Raise what a status word means; wrong and blocked PINs carry the attempts left."""
    tries = Reply(sw).tries
    if tries == 0:
        raise MinidriverError(SCARD.W_CHV_BLOCKED, attempts=0)
    if tries is not None:
        raise MinidriverError(SCARD.W_WRONG_CHV, attempts=tries)
    if sw == SW.VERIFY_FAILED:
        raise MinidriverError(SCARD.W_WRONG_CHV, attempts=VALUE_UNKNOWN)
    raise MinidriverError(CODES.get(sw, SCARD.E_UNEXPECTED))


def failed(error: ScardError) -> MinidriverError:
    """Return what the failure of an SCard function means to the caller of a Card* function."""
    # What is no code of SCard's own comes from the reader: ERROR_IO_DEVICE and the like.
    known = isinstance(error.code, SCARD)
    return MinidriverError(error.code if known else SCARD.E_COMM_DATA_LOST)


class CardLink:
    """A connection to one application of a card.

    Args:
        api: the SCard functions.
        card: the host's handle.
        aid: the application, or the beginning of its name.

    Attributes:
        resets: how often the application was found deselected; who was logged in is not any more.

    Every function raises MinidriverError with what SCardTransmit fails with: SCARD_W_REMOVED_CARD,
    SCARD_W_RESET_CARD, SCARD_E_INVALID_HANDLE; SCARD_E_COMM_DATA_LOST where the reader failed.
    """

    def __init__(self, api: ScardApi, card: int, aid: bytes) -> None:
        self.resets = 0
        self._api = api
        self._card = card
        self._select = CommandApdu.parse(select(aid))
        self._protocol = 0

    def select(self) -> Reply:
        """SELECT the application."""
        return self._exchange(self._select)

    def send(self, ins: int, p1: int, p2: int, data: bytes = b"", ne: int = 256) -> Reply:
        """Send one command of class 00, chained where it must be, and gather its response."""
        reply = self._whole(ins, p1, p2, data, ne)
        strange = _STRANGERS if ins == _GET_DATA else _NOBODY_THERE
        if reply.sw in strange and self.select().ok:
            self.resets += 1
            reply = self._whole(ins, p1, p2, data, ne)
        return reply

    def _whole(self, ins: int, p1: int, p2: int, data: bytes, ne: int) -> Reply:
        at = 0
        while len(data) - at > _LINK:
            link = CommandApdu(_CHAINING, ins, p1, p2, data[at : at + _LINK])
            reply = self._exchange(link)
            if not reply.ok:
                return reply
            at += _LINK
        return self._exchange(CommandApdu(0, ins, p1, p2, data[at:], ne))

    def _exchange(self, command: CommandApdu) -> Reply:
        response = self._answer(command)
        data = response[:-2]
        parts = 1
        while response[-2] == 0x61 and parts < _MOST_PARTS:
            parts += 1
            response = self._answer(CommandApdu(0, _GET_RESPONSE, ne=response[-1] or 256))
            data += response[:-2]
            if len(response) == 2:
                break
        return Reply(int.from_bytes(response[-2:], "big"), data)

    def _answer(self, command: CommandApdu) -> bytes:
        """Send a command, again with the right Le where the card tells it."""
        response = self._transmit(bytes(command))
        if response[-2] == 0x6C:
            response = self._transmit(bytes(command._replace(ne=response[-1] or 256)))
        return response

    def _transmit(self, command: bytes) -> bytes:
        try:
            if not self._protocol:
                self._protocol = self._api.SCardStatus(self._card).protocol
            try:
                response = self._api.SCardTransmit(self._card, self._protocol, command)
            except ScardError as error:
                if error.code is not SCARD.E_PROTO_MISMATCH:
                    raise
                # The host has reconnected, and the card now speaks another one.
                self._protocol = self._api.SCardStatus(self._card).protocol
                response = self._api.SCardTransmit(self._card, self._protocol, command)
        except ScardError as error:
            raise failed(error) from error
        return response
