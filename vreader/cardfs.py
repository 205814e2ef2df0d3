# SPDX-License-Identifier: Apache-2.0
"""The files that Windows keeps on a smart card, as bytes and as values; no card is needed for it.

Names, contents and access are those of Microsoft's "Smart card minidriver" documentation: the card
file system with ``cardid``, ``cardcf``, ``cardapps`` and the directory ``mscp`` with the container
map and the certificates. On a GIDS card a file is a data object in one of six EFs, and a file table
says which; a key map says in which EF the key of a container is.
"""

import zlib
from typing import NamedTuple, Self

NAME_SIZE, ENTRY_SIZE = 9, 28
RECORD_SIZE, GUID_CHARACTERS = 86, 40
KEY_ENTRY_SIZE = 12

# Data objects of Microsoft's profile: the file table and the key map in EF A000, fixed files.
FILE_TABLE, KEY_MAP = 0xDF1F, 0xDF20
CARD_ID, CARD_APPS, CARD_CF, CONTAINER_MAP = 0xDF20, 0xDF21, 0xDF22, 0xDF23
FIRST_FREE_OBJECT, LAST_OBJECT = 0xDF24, 0xDF7F

MSCP = "mscp"
CARD_APPS_CONTENT = b"mscp\0\0\0\0"
VALID, DEFAULT = 1, 2
EXCHANGE, SIGNATURE = 0x9A, 0x9C
NO_FILE = 0xFFFF


class FileEntry(NamedTuple):
    """One line of the file table.

    Attributes:
        directory: its name, empty for the root.
        name: up to 8 characters; empty for the directory itself.
        object_tag: the data object that holds the content; 0 for a directory.
        file_id: the EF that holds the data object and so decides who may read and write it.
    """

    directory: str
    name: str
    object_tag: int
    file_id: int


def encode_file_table(entries: list[FileEntry]) -> bytes:
    """Return the content of data object DF1F: 01, then 28 bytes for each entry.

    Raises:
        ValueError: a name or a number is too long for its place.
    """
    return b"\x01" + b"".join(
        _name(e.directory)
        + _name(e.name)
        + b"\0\0"
        + _number(e.object_tag, 4, "a data object's tag")
        + _number(e.file_id, 4, "a file identifier")
        for e in entries
    )


def decode_file_table(raw: bytes) -> list[FileEntry]:
    """Read data object DF1F; raises ValueError when it is none."""
    if raw[:1] != b"\x01":
        raise ValueError("a file table starts with 01")
    return [
        FileEntry(
            _text(line[:NAME_SIZE]),
            _text(line[NAME_SIZE : 2 * NAME_SIZE]),
            int.from_bytes(line[20:24], "little"),
            int.from_bytes(line[24:28], "little"),
        )
        for line in _lines(raw[1:], ENTRY_SIZE, "file table")
    ]


def find_file(entries: list[FileEntry], directory: str, name: str) -> FileEntry | None:
    """Return the entry of a file, case ignored as Windows does, or None."""
    wanted = (directory.lower(), name.lower())
    return next((e for e in entries if (e.directory.lower(), e.name.lower()) == wanted), None)


class Container(NamedTuple):
    """CONTAINER_MAP_RECORD: one key container of the card; its place is the container index.

    Attributes:
        name: up to 39 characters, mostly a GUID.
        flags: VALID, and DEFAULT on one of them at most; 0 is a free place.
        signature_bits, exchange_bits: size of the key for AT_SIGNATURE and AT_KEYEXCHANGE, or 0.
    """

    name: str = ""
    flags: int = 0
    signature_bits: int = 0
    exchange_bits: int = 0

    @property
    def valid(self) -> bool:
        """Whether there is a container at this index."""
        return bool(self.flags & VALID)

    def __bytes__(self) -> bytes:
        name = self.name.encode("utf-16-le")
        if len(name) > 2 * (GUID_CHARACTERS - 1):
            raise ValueError(f"a container name has at most {GUID_CHARACTERS - 1} characters")
        return (
            name.ljust(2 * GUID_CHARACTERS, b"\0")
            + _number(self.flags, 1, "the flags")
            + b"\0"
            + _number(self.signature_bits, 2, "the size of a key")
            + _number(self.exchange_bits, 2, "the size of a key")
        )

    @classmethod
    def read(cls, raw: bytes) -> Self:
        """Read one record of 86 bytes."""
        name = raw[: 2 * GUID_CHARACTERS].decode("utf-16-le", "replace").partition("\0")[0]
        bits = (int.from_bytes(raw[at : at + 2], "little") for at in (82, 84))
        return cls(name, raw[80], *bits)


def encode_container_map(containers: list[Container]) -> bytes:
    """Return the content of ``mscp/cmapfile``."""
    return b"".join(map(bytes, containers))


def decode_container_map(raw: bytes) -> list[Container]:
    """Read ``mscp/cmapfile``; raises ValueError when it is none."""
    return [Container.read(line) for line in _lines(raw, RECORD_SIZE, "container map")]


class KeyMapEntry(NamedTuple):
    """Where the key of a container is; the place of the entry is the container index.

    Attributes:
        algorithm: the key's algorithm, lower half of GIDS' algorithm references.
        key_type: EXCHANGE or SIGNATURE.
        file_id: the EF of the key; its low byte is the key reference.
        valid: False for a free place.
        second_algorithm, second_type, second_file: the same of a second key, for the other use.
            Recorded cards have FFFF and zeros here; what they are for is assumed.
    """

    algorithm: int
    key_type: int
    file_id: int
    valid: bool = True
    second_algorithm: int = 0
    second_type: int = 0
    second_file: int = NO_FILE

    def __bytes__(self) -> bytes:
        return (
            int(self.valid).to_bytes(4, "little")
            + _number(self.algorithm, 1, "an algorithm")
            + _number(self.key_type, 1, "a key type")
            + _number(self.file_id, 2, "a file identifier")
            + _number(self.second_file, 2, "a file identifier")
            + _number(self.second_algorithm, 1, "an algorithm")
            + _number(self.second_type, 1, "a key type")
        )

    @classmethod
    def read(cls, raw: bytes) -> Self:
        """Read one entry of 12 bytes."""
        first, second = (int.from_bytes(raw[at : at + 2], "little") for at in (6, 8))
        return cls(raw[4], raw[5], first, any(raw[:4]), raw[10], raw[11], second)


def encode_key_map(entries: list[KeyMapEntry]) -> bytes:
    """Return the content of data object DF20 in EF A000: 01, then 12 bytes for each key."""
    return b"\x01" + b"".join(map(bytes, entries))


def decode_key_map(raw: bytes) -> list[KeyMapEntry]:
    """Read data object DF20 of EF A000; raises ValueError when it is none."""
    if raw[:1] != b"\x01":
        raise ValueError("a key map starts with 01")
    return [KeyMapEntry.read(line) for line in _lines(raw[1:], KEY_ENTRY_SIZE, "key map")]


class CardCf(NamedTuple):
    """The file ``cardcf``: counters by which Windows sees what of its cache is stale."""

    version: int = 0
    pins: int = 0
    containers: int = 0
    files: int = 0

    def __bytes__(self) -> bytes:
        return (
            bytes((self.version, self.pins))
            + self.containers.to_bytes(2, "little")
            + self.files.to_bytes(2, "little")
        )

    @classmethod
    def read(cls, raw: bytes) -> Self:
        """Read the first six bytes; what applications add behind them is not looked at."""
        if len(raw) < 6:
            raise ValueError("cardcf has at least six bytes")
        counters = (int.from_bytes(raw[at : at + 2], "little") for at in (2, 4))
        return cls(raw[0], raw[1], *counters)

    def changed(self, *, pins: int = 0, containers: int = 0, files: int = 0) -> Self:
        """Return the counters after so many changes; they wrap."""
        return self._replace(
            pins=(self.pins + pins) & 0xFF,
            containers=(self.containers + containers) & 0xFFFF,
            files=(self.files + files) & 0xFFFF,
        )


def certificate_file(index: int, *, signature: bool = False) -> str:
    """Return the name of a container's certificate in ``mscp``: kxcNN or kscNN."""
    return f"k{'s' if signature else 'x'}c{index:02d}"


def compress_certificate(der: bytes) -> bytes:
    """Return a certificate as Windows stores it: 01 00, its length in 16 bits, zlib data.

    Raises:
        ValueError: it is longer than that length can say.
    """
    return b"\x01\x00" + _number(len(der), 2, "a certificate's length") + zlib.compress(der)


def expand_certificate(raw: bytes) -> bytes:
    """Return the certificate of a file, which may also be plain DER; raises ValueError."""
    if raw[:2] != b"\x01\x00":
        return raw
    size = int.from_bytes(raw[2:4], "little")
    try:
        # No more than was promised: a few bytes of zlib data can stand for gigabytes.
        worker = zlib.decompressobj()
        der = worker.decompress(raw[4:], size + 1)
    except zlib.error as error:
        raise ValueError("the compressed certificate is damaged") from error
    if len(der) != size:
        what = "is damaged" if len(der) < size and not worker.eof else "has another length"
        raise ValueError(f"the compressed certificate {what}: it claims {size} bytes")
    if not worker.eof:  # its end has the checksum
        raise ValueError("the compressed certificate is damaged: its end is missing")
    return der


def _number(value: int, size: int, what: str) -> bytes:
    if not 0 <= value < 1 << 8 * size:
        raise ValueError(f"{what} has {size} bytes, which cannot say {value}")
    return value.to_bytes(size, "little")


def _name(text: str) -> bytes:
    try:
        raw = text.encode("latin-1")
    except UnicodeEncodeError:
        raise ValueError(f"a file name has Latin letters alone, not {text!r}") from None
    if len(raw) >= NAME_SIZE:
        raise ValueError(f"a file name has at most {NAME_SIZE - 1} characters")
    return raw.ljust(NAME_SIZE, b"\0")


def _text(raw: bytes) -> str:
    return raw.partition(b"\0")[0].decode("latin-1")


def _lines(raw: bytes, size: int, what: str) -> list[bytes]:
    if len(raw) % size:
        raise ValueError(f"a {what} is made of {size} bytes for each entry")
    return [raw[at : at + size] for at in range(0, len(raw), size)]
