# SPDX-License-Identifier: Apache-2.0
"""BER-TLV data objects (ISO/IEC 7816-4:2020 §6.3, ISO/IEC 8825-1 §8.1).

Cards use non-minimal lengths and tags of two and three bytes, which DER libraries refuse; both are
read here, and a data object that was read writes itself back byte for byte.
"""

from collections.abc import Iterator
from typing import NamedTuple, Self

MAX_TAG_BYTES = 4
MAX_LENGTH_BYTES = 4


class TlvError(ValueError):
    """A malformed data object; ``position`` is the offset of the byte that cannot be right."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(f"{message} (at byte {position})")
        self.position = position


def encode_tag(tag: int) -> bytes:
    """Return the tag's own bytes: 0x5FC102 becomes 5F C1 02."""
    return tag.to_bytes((tag.bit_length() + 7) // 8 or 1, "big")


def encode_length(length: int, octets: int = 0) -> bytes:
    """Return the length field of ``octets`` bytes; 0 takes the shortest form.

    Raises:
        ValueError: ``octets`` are too few to say ``length``.
    """
    if not octets:
        octets = 1 if length < 128 else 1 + (length.bit_length() + 7) // 8
    if length >= (128 if octets == 1 else 1 << 8 * (octets - 1)):
        raise ValueError(f"{octets} length bytes cannot say {length}")
    if octets == 1:
        return bytes((length,))
    return bytes((0x80 | (octets - 1),)) + length.to_bytes(octets - 1, "big")


class Tlv(NamedTuple):
    """One data object.

    Attributes:
        tag: all tag bytes read as one number, e.g. 0x7F49.
        value: the value field.
        length_octets: bytes of the length field; 0 stands for the shortest form.
    """

    tag: int
    value: bytes = b""
    length_octets: int = 0

    @property
    def constructed(self) -> bool:
        """Whether the value field is itself a series of data objects (bit 6 of the first byte)."""
        return bool(encode_tag(self.tag)[0] & 0x20)

    def __bytes__(self) -> bytes:
        tag, value, octets = self
        if tag < 0x100 and len(value) < 0x80 and octets < 2:
            return bytes((tag, len(value))) + value
        return encode_tag(tag) + encode_length(len(value), octets) + value

    @classmethod
    def of(cls, tag: int, *children: "Tlv | bytes") -> Self:
        """Build a data object whose value is the concatenation of ``children``."""
        return cls(tag, b"".join(map(bytes, children)))

    def children(self) -> "list[Tlv]":
        """Parse the value field as a series of data objects; raises TlvError."""
        return list(Tlv.iter(self.value))

    def find(self, tag: int) -> "Tlv | None":
        """Return the first direct child with ``tag``, or None; raises TlvError."""
        return next((t for t in Tlv.iter(self.value) if t.tag == tag), None)

    @classmethod
    def parse(cls, raw: bytes) -> Self:
        """Read exactly one data object that fills ``raw``; raises TlvError."""
        tlv, end = cls.read(raw, 0)
        if end != len(raw):
            raise TlvError(f"{len(raw) - end} bytes after the data object", end)
        return tlv

    @classmethod
    def iter(cls, raw: bytes) -> Iterator[Self]:
        """Yield the data objects that fill ``raw`` one after the other; raises TlvError."""
        position = 0
        while position < len(raw):
            tlv, position = cls.read(raw, position)
            yield tlv

    @classmethod
    def parse_all(cls, raw: bytes) -> list[Self]:
        """Read the data objects that fill ``raw``; raises TlvError."""
        found, position, size = [], 0, len(raw)
        while position < size:
            tlv, position = cls.read(raw, position)
            found.append(tlv)
        return found

    @classmethod
    def read(cls, raw: bytes, position: int) -> tuple[Self, int]:
        """Read the data object at ``position``; return it and the offset behind it."""
        # Nearly all data objects of commands have one byte for the tag and one for the length;
        # they are read several times for each signature.
        head = raw[position : position + 2]
        if len(head) == 2 and head[0] > 0 and head[0] & 0x1F != 0x1F and head[1] < 0x80:
            end = position + 2 + head[1]
            if end <= len(raw):
                return cls(head[0], bytes(raw[position + 2 : end])), end
        tag, at = _read_tag(raw, position)
        length, octets, at = _read_length(raw, at)
        end = at + length
        if end > len(raw):
            raise TlvError(f"tag {tag:X} claims {length} bytes, {len(raw) - at} are there", at)
        if octets == 1 or octets == len(encode_length(length)):
            octets = 0
        return cls(tag, bytes(raw[at:end]), octets), end


def _read_tag(raw: bytes, at: int) -> tuple[int, int]:
    start = at
    if at >= len(raw):
        raise TlvError("a tag is missing", at)
    tag = raw[at]
    at += 1
    if tag & 0x1F == 0x1F:
        while True:
            if at >= len(raw):
                raise TlvError("the tag ends too soon", at)
            if at - start >= MAX_TAG_BYTES:
                raise TlvError(f"the tag is longer than {MAX_TAG_BYTES} bytes", start)
            byte = raw[at]
            tag = tag << 8 | byte
            at += 1
            if not byte & 0x80:
                break
    elif tag == 0:
        raise TlvError("00 is not a tag", start)
    return tag, at


def _read_length(raw: bytes, at: int) -> tuple[int, int, int]:
    if at >= len(raw):
        raise TlvError("the length is missing", at)
    first = raw[at]
    if first < 0x80:
        return first, 1, at + 1
    count = first & 0x7F
    if not 1 <= count <= MAX_LENGTH_BYTES:
        raise TlvError(f"length byte {first:02X} is not supported", at)
    if at + 1 + count > len(raw):
        raise TlvError("the length ends too soon", len(raw))
    return int.from_bytes(raw[at + 1 : at + 1 + count], "big"), 1 + count, at + 1 + count
