# SPDX-License-Identifier: Apache-2.0
"""PINs that are entered at the reader (PC/SC part 10): is there a keypad, and commands with it.

The keypad can verify a PIN, change one, and set a new one for whoever may unblock it. What is typed
never comes here.
"""

from functools import cached_property
from typing import Final, NamedTuple

from vreader.host.scard import ScardApi
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.drivers.link import Reply, failed
from vreader.reader.part10 import FEATURE_MODIFY_PIN_DIRECT, FEATURE_VERIFY_PIN_DIRECT
from vreader.reader.pinstruct import (
    CONFIRM,
    CURRENT,
    DEFAULT_MESSAGES,
    KEY_PRESSED,
    PIN_MODIFY,
    PIN_VERIFY,
)
from vreader.smclib.ioctl import CM_IOCTL_GET_FEATURE_REQUEST
from vreader.winscard.codes import SCARD, ScardError

_SECONDS = 30
_ASCII_FROM_BYTE_0 = 0x82
_ENGLISH = 0x0409
_MESSAGES = (0, 1, 2)  # enter PIN, enter new PIN, confirm new PIN
# What a reader answers in the card's stead (PC/SC part 10 §2.5). That a new PIN which is not typed
# twice alike, or is too short, is SCARD_E_INVALID_CHV is assumed.
_OWN_ANSWERS: Final = {
    0x6400: SCARD.E_TIMEOUT,
    0x6401: SCARD.W_CANCELLED_BY_USER,
    0x6402: SCARD.E_INVALID_CHV,
    0x6403: SCARD.E_INVALID_CHV,
    0x6B80: SCARD.E_UNSUPPORTED_FEATURE,
}
# SCardControl says so of a reader that knows no such request; Windows has Win32 codes for it.
_UNKNOWN_REQUEST: Final = frozenset(
    {SCARD.E_UNSUPPORTED_FEATURE, SCARD.E_INVALID_PARAMETER, SCARD.E_NOT_TRANSACTED}
)


class PinForm(NamedTuple):
    """How the card wants a PIN in a command.

    Attributes:
        least, most: digits of it.
        pad: what fills it up to ``most`` bytes; empty for a card that wants no padding.
    """

    least: int
    most: int
    pad: bytes = b""

    @property
    def block(self) -> bytes:
        """A place that a PIN is written into; nothing where it is as long as the PIN."""
        return self.pad * self.most

    @property
    def digits(self) -> int:
        """The limits, as wPINMaxExtraDigit has them."""
        return self.least << 8 | self.most


class Pinpad:
    """The keypad of the reader behind a connection, if it has one.

    The functions raise MinidriverError: SCARD_W_CANCELLED_BY_USER, SCARD_E_TIMEOUT,
    SCARD_E_INVALID_CHV for a new PIN that was mistyped, and what SCardControl says.
    """

    def __init__(self, api: ScardApi, card: int) -> None:
        self._api = api
        self._card = card

    @cached_property
    def _features(self) -> dict[int, int]:
        """What the reader can do, and the control codes for it."""
        try:
            told = self._api.SCardControl(self._card, CM_IOCTL_GET_FEATURE_REQUEST)
        except ScardError as error:
            # Only of the reader's own "no" is the answer kept.
            if isinstance(error.code, SCARD) and error.code not in _UNKNOWN_REQUEST:
                raise failed(error) from error
            return {}
        rows = range(0, len(told) - 5, 6)
        return {told[at]: int.from_bytes(told[at + 2 : at + 6], "big") for at in rows}

    @property
    def verifies(self) -> bool:
        """Whether a PIN can be verified at the reader."""
        return FEATURE_VERIFY_PIN_DIRECT in self._features

    @property
    def modifies(self) -> bool:
        """Whether a new PIN can be entered at the reader."""
        return FEATURE_MODIFY_PIN_DIRECT in self._features

    def verify(self, reference: int, form: PinForm) -> Reply:
        """VERIFY with a PIN that a person types.

        Args:
            reference: of the PIN on the card.
            form: of the PIN.
        """
        command = _command(0x20, 0, reference, form.block)
        asked = PIN_VERIFY.pack(
            _SECONDS,
            _SECONDS,
            _ASCII_FROM_BYTE_0,
            len(form.block),
            0,
            form.digits,
            KEY_PRESSED,
            DEFAULT_MESSAGES,
            _ENGLISH,
            0,
            bytes(3),
            len(command),
        )
        return self._control(FEATURE_VERIFY_PIN_DIRECT, asked + command)

    def modify(
        self, header: tuple[int, int, int], form: PinForm, authentication: bytes | None = b""
    ) -> Reply:
        """Send a command with a new PIN that a person types twice.

        Args:
            header: INS, P1 and P2 of the command.
            form: of the new PIN, and of the one that is typed before it.
            authentication: what stands before the new PIN; None for a PIN that is typed as well.
        """
        if not self.modifies:
            raise MinidriverError(SCARD.E_UNSUPPORTED_FEATURE)
        typed = authentication is None
        before = form.block if authentication is None else authentication
        command = _command(*header, before + form.block)
        asked = PIN_MODIFY.pack(
            _SECONDS,
            _SECONDS,
            _ASCII_FROM_BYTE_0,
            len(form.block),
            0,
            0,
            len(before),
            form.digits,
            CONFIRM | CURRENT if typed else CONFIRM,
            KEY_PRESSED,
            3 if typed else 2,
            _ENGLISH,
            *(_MESSAGES if typed else (*_MESSAGES[1:], 0)),
            bytes(3),
            len(command),
        )
        return self._control(FEATURE_MODIFY_PIN_DIRECT, asked + command)

    def _control(self, feature: int, asked: bytes) -> Reply:
        try:
            answer = self._api.SCardControl(self._card, self._features[feature], asked)
        except ScardError as error:
            raise failed(self._reason(error)) from error
        if len(answer) < 2:
            raise MinidriverError(SCARD.E_COMM_DATA_LOST)
        sw = int.from_bytes(answer[-2:], "big")
        if sw in _OWN_ANSWERS:
            raise MinidriverError(_OWN_ANSWERS[sw])
        return Reply(sw)

    def _reason(self, error: ScardError) -> ScardError:
        """Return what the card's handle says where SCardControl only tells a code of Win32."""
        if not isinstance(error.code, SCARD):
            try:
                self._api.SCardStatus(self._card)
            except ScardError as found:
                return found
        return error


def _command(ins: int, p1: int, p2: int, data: bytes) -> bytes:
    return bytes((0x00, ins, p1, p2, len(data))) + data
