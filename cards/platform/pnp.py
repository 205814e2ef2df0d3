# SPDX-License-Identifier: Apache-2.0
"""The Microsoft Plug and Play application: data object 7F68 tells Windows a device identifier.

Windows selects it when a card is inserted and sends GET DATA 7F68 whether or not that succeeded
(Microsoft, *Smart Card Plug and Play*, "Discovery process"). The object is a DER structure::

    CardID ::= SEQUENCE {
        version INTEGER DEFAULT 0, vendor IA5String, guids SEQUENCE OF OCTET STRING }

The page shows no bytes: whether the answer has the tag 7F68 around it, whether the version is
written, and in which order a GUID's bytes stand are therefore choices of whoever makes the card.
"""

from collections.abc import Sequence
from typing import NamedTuple

from cards.platform.applet import Applet, Refuse
from vreader.card import Description
from vreader.iso7816 import SW, CommandApdu, Tlv

PNP_AID = bytes.fromhex("A0000003974349445F0100")
CARD_ID = 0x7F68
VENDOR = b"MSFT"
GET_DATA = bytes.fromhex("00CA7F68")
_SEQUENCE, _INTEGER, _OCTET_STRING, _IA5_STRING = 0x30, 0x02, 0x04, 0x16


def card_id(guids: Sequence[bytes], *, version: int | None, vendor: bytes) -> bytes:
    """Return a CardID.

    Args:
        guids: 16 bytes each, in the order in which they are to stand there; Windows uses the first.
        version: 0 to 127, or None to leave it out, as DER does with the default.
        vendor: Windows takes ``MSFT`` alone.
    """
    return bytes(
        Tlv.of(
            _SEQUENCE,
            *([] if version is None else [Tlv(_INTEGER, bytes((version,)))]),
            Tlv(_IA5_STRING, vendor),
            Tlv.of(_SEQUENCE, *(Tlv(_OCTET_STRING, guid) for guid in guids)),
        )
    )


def guid_bytes(text: str, *, big_endian: bool) -> bytes:
    """Return the 16 bytes of a GUID as people write it, braces allowed; raises ValueError.

    Windows keeps the first three fields little-endian.
    """
    digits = text.removeprefix("{").removesuffix("}")
    fields = digits.split("-")
    if [len(field) for field in fields] not in ([8, 4, 4, 4, 12], [32]):
        raise ValueError("a GUID is written as 8-4-4-4-12 digits")
    raw = bytes.fromhex("".join(fields))
    if len(raw) != 16:
        raise ValueError("a GUID is written as 8-4-4-4-12 digits")
    return raw if big_endian else raw[3::-1] + raw[5:3:-1] + raw[7:5:-1] + raw[8:]


class GetCardId(NamedTuple):
    """GET DATA 7F68, the only command there is."""


class PnpApplet(Applet[GetCardId]):
    """Answers GET DATA 7F68.

    Args:
        answer: the response data.
        selectable: it can be selected by its AID.
        anywhere: it answers whatever application is selected, and when none is.
    """

    def __init__(self, answer: bytes, *, selectable: bool = True, anywhere: bool = False) -> None:
        self.aid = PNP_AID if selectable else b""
        self.anywhere = anywhere
        self._answer = answer

    def takes(self, apdu: CommandApdu) -> bool:
        """Take GET DATA 7F68."""
        return apdu.header == GET_DATA and not apdu.data

    def parse(self, apdu: CommandApdu) -> GetCardId:
        """Know GET DATA 7F68."""
        if apdu.cla:
            raise Refuse(SW.CLA_NOT_SUPPORTED)
        if apdu.ins != GET_DATA[1]:
            raise Refuse(SW.INS_NOT_SUPPORTED)
        if apdu.header != GET_DATA:
            raise Refuse(SW.REFERENCE_NOT_FOUND)
        if apdu.data:
            raise Refuse(SW.WRONG_LENGTH)
        return GetCardId()

    def execute(self, command: GetCardId) -> bytes:
        """Return the CardID."""
        return self._answer


def describe(c_apdu: bytes) -> Description:
    """Explain what Windows sends to find out what a card is; nothing of it is secret."""
    raw = bytes(c_apdu)
    if len(raw) < 4 or raw[0]:
        return Description("")
    if raw[:4] == GET_DATA:
        return Description("GET DATA 7F68 Plug and Play CardID")
    data = raw[5 : 5 + raw[4]] if len(raw) > 5 else b""
    match raw[1], raw[2]:
        case 0xA4, 0x04 if len(data) >= 5 and PNP_AID.startswith(data):
            return Description("SELECT Plug and Play")
        case 0xA4, 0x00 if data == b"\x3f\x00":
            return Description("SELECT MF")
        case 0xA4, (0x00 | 0x02 | 0x08) if data == b"\x2f\x01":
            return Description("SELECT EF.ATR")
    return Description("")
