# SPDX-License-Identifier: Apache-2.0
"""The data objects that a card is born with, as their contents (SP 800-73-5 part 1 §3.1)."""

from vreader.iso7816 import Tlv

# FASC-N of a card that no agency issued: agency code 9999 (SP 800-73-5 part 1 §3.1).
_FASCN = bytes.fromhex("D4E739DA739CED39CE739D836858210842108421C84210C3EB")


def chuid(guid: bytes) -> bytes:
    """Card Holder Unique Identifier (SP 800-73-5 part 1 §3.1), 59 bytes."""
    return b"".join(
        bytes(Tlv(tag, value))
        for tag, value in (
            (0x30, _FASCN),
            (0x34, guid),
            (0x35, b"20300101"),
            (0x3E, b""),
            (0xFE, b""),
        )
    )


def ccc(identifier: bytes) -> bytes:
    """Card Capability Container (SP 800-73-5 part 1 §3.1), 51 bytes; it names no card URL."""
    return b"".join(
        bytes(Tlv(tag, value))
        for tag, value in (
            (0xF0, bytes.fromhex("A000000116FF02") + identifier),
            (0xF1, b"\x21"),
            (0xF2, b"\x21"),
            (0xF3, b""),
            (0xF4, b"\0"),
            (0xF5, b"\x10"),
            *((tag, b"") for tag in (0xF6, 0xF7, 0xFA, 0xFB, 0xFC, 0xFD, 0xFE)),
        )
    )
