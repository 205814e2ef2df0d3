# SPDX-License-Identifier: Apache-2.0
"""The data objects of a GIDS card, and the two in EF A000 that tell where files and keys are.

See :mod:`vreader.cardfs` for what is in them.
"""

from typing import Final

from vreader.cardfs import (
    FILE_TABLE,
    KEY_MAP,
    FileEntry,
    KeyMapEntry,
    decode_file_table,
    decode_key_map,
    encode_file_table,
    encode_key_map,
)
from vreader.iso7816 import SW, Tlv, TlvError
from vreader.iso7816.tlv import encode_tag
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.drivers.link import CardLink
from vreader.winscard.codes import SCARD

# The EF of the two tables, who may write them is who may create files in mscp.
TABLES: Final = 0xA000
_LAST_FILE = 0xFFFF


class GidsObjects:
    """The data objects behind a link. Every function raises MinidriverError."""

    def __init__(self, link: CardLink) -> None:
        self._link = link

    def read(self, file_id: int, tag: int) -> bytes | None:
        """Return a data object; None where there is none."""
        wanted = bytes(Tlv(0x5C, encode_tag(tag)))
        reply = self._link.send(0xCB, file_id >> 8, file_id & 0xFF, wanted)
        if reply.sw == SW.REFERENCE_NOT_FOUND:
            return None
        try:
            found = Tlv.parse(reply.demand())
        except TlvError:
            raise MinidriverError(SCARD.E_COMM_DATA_LOST) from None
        if found.tag != tag:
            raise MinidriverError(SCARD.E_COMM_DATA_LOST)
        return found.value

    def write(self, file_id: int, tag: int, value: bytes) -> None:
        """Set a data object, made where there is none."""
        if not value:
            # Emptying one that is empty deletes it.
            self._put(file_id, Tlv(tag, b"\0"))
        self._put(file_id, Tlv(tag, value))

    def delete(self, file_id: int, tag: int) -> None:
        """Delete a data object; one that is not there too."""
        self.write(file_id, tag, b"")
        self._put(file_id, Tlv(tag))

    def _put(self, file_id: int, tlv: Tlv) -> None:
        reply = self._link.send(0xDB, file_id >> 8, file_id & 0xFF, bytes(tlv), 0)
        if reply.sw == SW.WRONG_LENGTH:  # longer than the card can take
            raise MinidriverError(SCARD.E_WRITE_TOO_MANY)
        reply.demand()

    def table(self) -> list[FileEntry]:
        """Return the file table; an empty one for a card without file system."""
        raw = self._tables(FILE_TABLE)
        try:
            entries = [] if raw is None else decode_file_table(raw)
        except ValueError:
            raise MinidriverError(SCARD.E_COMM_DATA_LOST) from None
        if any(entry.file_id > _LAST_FILE for entry in entries):
            raise MinidriverError(SCARD.E_COMM_DATA_LOST)
        return entries

    def put_table(self, entries: list[FileEntry]) -> None:
        """Write the file table; SCARD_E_INVALID_PARAMETER for a name it cannot hold."""
        try:
            raw = encode_file_table(entries)
        except ValueError:
            raise MinidriverError(SCARD.E_INVALID_PARAMETER) from None
        self.write(TABLES, FILE_TABLE, raw)

    def key_map(self) -> list[KeyMapEntry]:
        """Return the key map."""
        raw = self._tables(KEY_MAP)
        try:
            return decode_key_map(raw) if raw else []
        except ValueError:
            raise MinidriverError(SCARD.E_COMM_DATA_LOST) from None

    def put_key_map(self, entries: list[KeyMapEntry]) -> None:
        """Write the key map."""
        self.write(TABLES, KEY_MAP, encode_key_map(entries))

    def _tables(self, tag: int) -> bytes | None:
        try:
            return self.read(TABLES, tag)
        except MinidriverError as error:
            if error.code is SCARD.E_FILE_NOT_FOUND:
                return None
            raise
