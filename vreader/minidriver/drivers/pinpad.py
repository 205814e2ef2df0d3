# SPDX-License-Identifier: Apache-2.0
"""PINs that are entered at the reader (PC/SC part 10): is there a keypad, and verify with it."""

from functools import cached_property
from typing import Final

from vreader.host.scard import ScardApi
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.drivers.link import Reply
from vreader.reader.part10 import FEATURE_VERIFY_PIN_DIRECT
from vreader.reader.pinstruct import DEFAULT_MESSAGES, KEY_PRESSED, PIN_VERIFY
from vreader.smclib.ioctl import CM_IOCTL_GET_FEATURE_REQUEST
from vreader.winscard.codes import SCARD, ScardError

_SECONDS = 30
_ASCII_FROM_BYTE_0 = 0x82
_ENGLISH = 0x0409
# What a reader answers in the card's stead (PC/SC part 10 §2.5).
_OWN_ANSWERS: Final = {
    0x6400: SCARD.E_TIMEOUT,
    0x6401: SCARD.W_CANCELLED_BY_USER,
    0x6B80: SCARD.E_UNSUPPORTED_FEATURE,
}


class Pinpad:
    """The keypad of the reader behind a connection, if it has one."""

    def __init__(self, api: ScardApi, card: int) -> None:
        self._api = api
        self._card = card

    @cached_property
    def code(self) -> int:
        """The control code of FEATURE_VERIFY_PIN_DIRECT; 0 for a reader without a keypad."""
        try:
            told = self._api.SCardControl(self._card, CM_IOCTL_GET_FEATURE_REQUEST)
        except ScardError:
            return 0
        features = {told[at]: told[at + 2 : at + 6] for at in range(0, len(told) - 5, 6)}
        return int.from_bytes(features.get(FEATURE_VERIFY_PIN_DIRECT, b""), "big")

    def verify(self, reference: int, sizes: tuple[int, int], block: bytes) -> Reply:
        """VERIFY with a PIN that a person types.

        Args:
            reference: of the PIN on the card.
            sizes: of the PIN, the fewest and the most digits.
            block: what a PIN is written into, with its padding; empty for a card that pads none.

        Raises:
            MinidriverError: SCARD_W_CANCELLED_BY_USER, SCARD_E_TIMEOUT, and what SCardControl says.
        """
        header = bytes((0x00, 0x20, 0x00, reference, len(block)))
        asked = PIN_VERIFY.pack(
            _SECONDS,
            _SECONDS,
            _ASCII_FROM_BYTE_0,
            len(block),
            0,
            sizes[0] << 8 | sizes[1],
            KEY_PRESSED,
            DEFAULT_MESSAGES,
            _ENGLISH,
            0,
            bytes(3),
            len(header) + len(block),
        )
        try:
            answer = self._api.SCardControl(self._card, self.code, asked + header + block)
        except ScardError as error:
            raise MinidriverError(error.code) from error
        sw = int.from_bytes(answer[-2:], "big")
        if sw in _OWN_ANSWERS:
            raise MinidriverError(_OWN_ANSWERS[sw])
        return Reply(sw)
