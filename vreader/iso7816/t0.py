# SPDX-License-Identifier: Apache-2.0
"""Words of the transmission protocol T=0 (ISO/IEC 7816-3:2006 §10.3, §12.2).

A command TPDU is a header of five bytes, CLA INS P1 P2 P3, and data in one direction at most: to
the card, P3 bytes, or from it, P3 bytes where 00 stands for 256. The header does not say which; a
card knows it from its own commands. The card steers the exchange with procedure bytes.
"""

HEADER = 5
NULL = 0x60  # wait on
GET_RESPONSE, ENVELOPE = 0xC0, 0xC2
MAX_SEGMENT = 255


class T0Error(ValueError):
    """The protocol T=0 has failed, or was used in a way it does not allow."""


class T0LostError(T0Error):
    """What came is no procedure byte, or not all came; only a reset of the card helps.

    Attributes:
        mute: the card has fallen silent.
    """

    def __init__(self, message: str, *, mute: bool = False) -> None:
        super().__init__(message)
        self.mute = mute


class T0CommandError(T0Error):
    """A command that T=0 cannot carry; nothing was sent."""


def is_status(byte: int) -> bool:
    """Whether a procedure byte is SW1: 6x or 9x, but not NULL (§10.3.3)."""
    return byte & 0xF0 in (0x60, 0x90) and byte != NULL


def is_valid_ins(ins: int) -> bool:
    """Whether ``ins`` can be told from a status byte: 6x and 9x cannot (§10.3.2)."""
    return ins & 0xF0 not in (0x60, 0x90)


# ISO/IEC 7816-4 commands, and some of the field, whose data go to the card. GET DATA and the
# READ commands do so with an odd INS only.
_INCOMING = frozenset(
    (0x0E, 0x0F, 0x10, 0x12, 0x14, 0x16, 0x20, 0x21, 0x22, 0x24, 0x25, 0x2A, 0x2B, 0x2C, 0x2D,
     0x34, 0x44, 0x46, 0x47, 0x82, 0x86, 0x87, 0x88, 0x89, 0xA0, 0xA1, 0xA2, 0xA4, 0xB1, 0xB3,
     0xC2, 0xC3, 0xCB, 0xD0, 0xD1, 0xD2, 0xD3, 0xD6, 0xD7, 0xD8, 0xDA, 0xDB, 0xDC, 0xDD, 0xE0,
     0xE2, 0xE4, 0xE6, 0xE8, 0xFF)
)  # fmt: skip


def takes_data(header: bytes) -> bool:
    """Guess from INS alone whether the P3 data bytes of a command go to the card."""
    return header[1] in _INCOMING
