# SPDX-License-Identifier: Apache-2.0
"""Splits answers into the data objects they are made of (BER-TLV), and names those of the standard.

Interindustry tags mean the same in every application (ISO/IEC 7816-4, -6 and -8); others are shown
by their number. Nothing is said of an answer that data objects do not fill from end to end.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from vreader.iso7816 import Tlv, TlvError
from vreader.iso7816.tlv import encode_tag
from vreader.reader.events import ApduEvent
from vreader.trace.notation import hex_pairs

_DEPTH: Final = 8
_LINES: Final = 64
_MOST: Final = 1 << 20  # bytes of one answer, however often GET RESPONSE fetches more
_GET_RESPONSE: Final = 0xC0
# Commands whose answers are data objects, if the card has any: SELECT, GET DATA, GENERATE
# ASYMMETRIC KEY PAIR, GENERAL AUTHENTICATE. Others answer bytes that may look like some by chance.
_OF_OBJECTS: Final = frozenset((0xA4, 0xCA, 0xCB, 0x46, 0x47, 0x86, 0x87))

_ANYWHERE: Final[Mapping[int, str]] = {
    0x42: "issuer identification number", 0x43: "card service data", 0x45: "card issuer's data",
    0x46: "pre-issuing data", 0x47: "card capabilities", 0x4F: "application identifier",
    0x50: "application label", 0x51: "file reference", 0x53: "discretionary data",
    0x5C: "tag list", 0x5F20: "cardholder name", 0x5F24: "expiration date",
    0x5F25: "effective date", 0x5F2D: "language preference", 0x5F2F: "PIN usage policy",
    0x5F35: "sex", 0x5F50: "uniform resource locator", 0x5F51: "historical bytes of an ATR",
    0x5F52: "historical bytes", 0x61: "application template", 0x62: "file control parameters",
    0x64: "file management data", 0x65: "cardholder related data", 0x66: "card data",
    0x6E: "application related data", 0x6F: "file control information",
    0x73: "discretionary template", 0x79: "coexistent tag allocation authority",
    0x7A: "security support template", 0x7C: "dynamic authentication data",
    0x7E: "interindustry objects", 0x7F21: "card verifiable certificate",
    0x7F49: "public key", 0x7F66: "extended length information",
}  # fmt: skip
_FILE: Final[Mapping[int, str]] = {
    0x80: "data bytes in the file", 0x81: "bytes of the file", 0x82: "file descriptor",
    0x83: "file identifier", 0x84: "DF name", 0x85: "proprietary", 0x86: "security attribute",
    0x88: "short file identifier", 0x8A: "life cycle status", 0x8C: "security attribute, compact",
    0xA5: "proprietary", 0xAB: "security attribute, expanded",
}  # fmt: skip
_INSIDE: Final[Mapping[int, Mapping[int, str]]] = {
    0x62: _FILE,
    0x64: _FILE,
    0x6F: _FILE,
    0x7C: {0x80: "witness", 0x81: "challenge", 0x82: "response", 0x85: "exponential"},
    0x7F49: {0x81: "modulus", 0x82: "public exponent", 0x86: "public point"},
}


class Objects:
    """Follows one reader's conversation, so that what GET RESPONSE fetched is one answer.

    Args:
        limit: bytes of a value that are shown; None for all of them, and all objects of an answer.
    """

    def __init__(self, limit: int | None = 32) -> None:
        self._limit = limit
        self._data = b""
        self._readable = False

    def lines(self, event: ApduEvent) -> list[str]:
        """Return the objects of an answer that ends here, one a line; call it for every event."""
        command, data, sw = event.command, event.response[:-2], event.response[-2:]
        if command[1:2] != bytes((_GET_RESPONSE,)):
            self._data = b""
            self._readable = len(command) > 1 and command[1] in _OF_OBJECTS
        if event.masked_response or event.problem or len(self._data) > _MOST:
            self._readable = False
        if not self._readable:
            return []
        self._data += data
        if sw[:1] == b"\x61":
            return []
        data, self._data, self._readable = self._data, b"", False
        try:
            objects = Tlv.parse_all(data)
        except TlvError:
            return []
        found = list(self._told(objects, 0, 0))
        if self._limit is not None and len(found) > _LINES:
            found[_LINES:] = [f"… and {len(found) - _LINES} more"]
        return found

    def _told(self, objects: list[Tlv], parent: int, depth: int) -> Iterator[str]:
        names = {**_ANYWHERE, **_INSIDE.get(parent, {})}
        for one in objects:
            name = names.get(one.tag, "")
            head = f"{'  ' * depth}{encode_tag(one.tag).hex(' ').upper()}"
            inner = _inner(one) if depth < _DEPTH else []
            size = f"{len(one.value)} B"
            value = size if inner else self._value(one.value)
            yield "  ".join(filter(None, (head, name, value)))
            yield from self._told(inner, one.tag, depth + 1)

    def _value(self, value: bytes) -> str:
        shown = value if self._limit is None else value[: self._limit]
        text = " ".join(hex_pairs(shown))
        if len(shown) < len(value):
            return f"{text} … ({len(value)} bytes)"
        if len(value) > 3 and value.isascii() and value.decode("ascii").isprintable():
            return f"{text}  {value.decode('ascii')!r}"
        return text


def _inner(one: Tlv) -> list[Tlv]:
    """Return the objects inside another; none of a certificate's, which are not the card's."""
    if one.tag == 0x30 or not (one.constructed or one.tag == 0x53):
        return []
    try:
        return one.children()
    except TlvError:
        return []
