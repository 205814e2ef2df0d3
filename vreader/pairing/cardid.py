# SPDX-License-Identifier: Apache-2.0
"""The card identifier: what data object 7F68 says.

``CardID ::= SEQUENCE { version INTEGER DEFAULT 0, vendor IA5String (SIZE 0..8), guids SEQUENCE OF
OCTET STRING (SIZE 16) }`` (WDK "Smart Card Discovery Process", "Windows Smart Card Framework Card
Identifier"). The page leaves open whether the answer has the tag 7F68 around it, whether version 0
is written, and the order of a GUID's bytes: both forms of the first two are taken, the last is the
caller's choice.
"""

from typing import Final, Literal
from uuid import UUID

from vreader.iso7816 import Tlv
from vreader.iso7816.tlv import TlvError

GuidOrder = Literal["windows", "raw"]

CARD_ID: Final = 0x7F68
_SEQUENCE, _INTEGER, _OCTET_STRING, _IA5_STRING = 0x30, 0x02, 0x04, 0x16
_VENDOR: Final = b"MSFT"


class CardIdError(ValueError):
    """What the card answered is no CardID; the text says why."""


def parse_card_id(answer: bytes, order: GuidOrder = "windows") -> list[UUID]:
    """Read the answer to GET DATA 7F68.

    Args:
        answer: its data, with the tag 7F68 around the SEQUENCE or without; or what EF.ATR holds.
        order: of a GUID's bytes: ``windows`` has the first three fields little-endian, as a GUID
            lies in memory; ``raw`` reads them as they stand.

    Returns:
        The GUIDs, at least one; Windows uses the first alone.

    Raises:
        CardIdError: it is none.
    """
    try:
        found = _choose(answer)
        if found.tag == CARD_ID:
            found = _choose(found.value)
        if found.tag != _SEQUENCE:
            raise CardIdError(f"it begins with tag {found.tag:02X}, not with a SEQUENCE (30)")
        fields = found.children()
        if fields and fields[0].tag == _INTEGER:
            if any(fields[0].value) or not fields[0].value:
                raise CardIdError(f"its version is {fields[0].value.hex()}, not 0")
            del fields[0]
        if [field.tag for field in fields] != [_IA5_STRING, _SEQUENCE]:
            raise CardIdError("it is not version, vendor, GUIDs")
        vendor, guids = fields
        if vendor.value != _VENDOR:
            raise CardIdError(f"its vendor is {vendor.value!r}, not 'MSFT'".replace("b'", "'"))
        items = guids.children()
    except TlvError as error:
        raise CardIdError(f"it is no DER: {error}") from None
    if not items:
        raise CardIdError("it has no GUID")
    if any(item.tag != _OCTET_STRING or len(item.value) != 16 for item in items):
        raise CardIdError("a GUID is an OCTET STRING of 16 bytes")
    return [
        UUID(bytes_le=item.value) if order == "windows" else UUID(bytes=item.value)
        for item in items
    ]


def _choose(data: bytes) -> Tlv:
    """Return the object 7F68, which may stand among others in EF.ATR, else the only one."""
    found = []
    for each in Tlv.iter(data):  # it may be followed by padding, which is no object
        if each.tag == CARD_ID:
            return each
        found.append(each)
    if len(found) != 1:
        raise CardIdError("there is no 7F68 in it" if found else "it is empty")
    return found[0]
