# SPDX-License-Identifier: Apache-2.0
"""Small tools of every applet's ``parse`` and every kind's ``describe``.

The first raise :class:`cards.platform.applet.Refuse`, the last one reads bytes of any kind and
never raises.
"""

from cards.platform.applet import Refuse
from vreader.iso7816 import SW, ApduError, CommandApdu, Tlv, TlvError

Span = tuple[tuple[int, int], ...]


def require(condition: bool, sw: SW) -> None:
    """Raise Refuse(sw) unless ``condition`` holds."""
    if not condition:
        raise Refuse(sw)


def read_tlvs(data: bytes, sw: SW = SW.WRONG_DATA) -> dict[int, bytes]:
    """Read a series of data objects, each tag once at most; raises Refuse(sw)."""
    try:
        tlvs = Tlv.parse_all(data)
    except TlvError:
        raise Refuse(sw) from None
    found = {tlv.tag: tlv.value for tlv in tlvs}
    require(len(found) == len(tlvs), sw)
    return found


def read_template(data: bytes, tag: int, sw: SW = SW.WRONG_DATA) -> dict[int, bytes]:
    """Read the one template ``tag`` that fills ``data``; raises Refuse(sw)."""
    try:
        outer = Tlv.parse(data)
    except TlvError:
        raise Refuse(sw) from None
    require(outer.tag == tag, sw)
    return read_tlvs(outer.value, sw)


def data_span(raw: bytes) -> Span:
    """Return where the data field of a C-APDU lies; of a malformed one, all behind the header."""
    try:
        apdu = CommandApdu.parse(raw)
    except ApduError:
        return ((5, len(raw)),) if len(raw) > 5 else ()
    if not apdu.data:
        return ()
    start = 7 if raw[4] == 0 else 5
    return ((start, start + len(apdu.data)),)
