# SPDX-License-Identifier: Apache-2.0
"""What differs between builds of pyscard: signs of codes, numbers of protocols and states.

pyscard has the numbers of the machine it was compiled for; programs have them from there. The
resource manager has winscard.h's throughout.
"""

from typing import Any

from vreader.bridge.pcsclite import wire
from vreader.smclib.ioctl import Protocol
from vreader.smclib.states import CardState
from vreader.winscard.codes import INFINITE, SCARD, Code

# pyscard's INFINITE, on every machine; to the resource manager it is 25 days.
PYSCARD_INFINITE = 0x7FFFFFFF
_SIGN, _WRAP = 0x80000000, 0x100000000
_COUNTER = 0xFFFF0000


class Numbers:
    """The numbers of one compiled part.

    Args:
        native: pyscard's ``_scard``, for its constants.
    """

    def __init__(self, native: Any) -> None:  # noqa: ANN401 - a module
        self._native = native
        self._lite = native.SCARD_PROTOCOL_RAW == wire.PROTOCOL_RAW
        self._signed = native.SCARD_F_INTERNAL_ERROR < 0
        self._codes: dict[Code, int] = {}
        self.headers = {
            native.SCARD_PROTOCOL_T0: Protocol.T0,
            native.SCARD_PROTOCOL_T1: Protocol.T1,
            native.SCARD_PROTOCOL_RAW: Protocol.RAW,
            native.SCARD_PROTOCOL_UNDEFINED: Protocol.RAW,
        }
        """What SCardTransmit takes as its header, and the protocol that is."""

    def code(self, code: Code) -> int:
        """Return a result as pyscard's constants have it."""
        found = self._codes.get(code)
        if found is None:
            number = int(code)
            if isinstance(code, SCARD):
                # pcsc-lite says UNEXPECTED and UNSUPPORTED_FEATURE with one number.
                number = getattr(self._native, f"SCARD_{code.name}", number)
            if self._signed and number >= _SIGN:
                number -= _WRAP
            found = self._codes[code] = number
        return found

    def protocols_in(self, mask: int) -> int:
        """Return protocols that a program asks for, as the resource manager has them."""
        return wire.protocols_from_wire(mask) if self._lite else mask

    def protocols_out(self, mask: int) -> int:
        """Return protocols of the resource manager as a program has them."""
        return wire.protocols_to_wire(int(mask)) if self._lite else int(mask)

    def state(self, state: CardState, flags: int) -> int:
        """Return a card's state, as SCardStatus tells it: bits or a number.

        Args:
            state: the state.
            flags: what SCardGetStatusChange says; pcsc-lite puts the counter of events, their high
                word, before the bits.
        """
        return wire.STATE_BITS[state] | flags & _COUNTER if self._lite else int(state)

    @staticmethod
    def timeout(milliseconds: int) -> int:
        """Return a time limit in which pyscard's INFINITE is winscard.h's."""
        return INFINITE if milliseconds >= PYSCARD_INFINITE else milliseconds
