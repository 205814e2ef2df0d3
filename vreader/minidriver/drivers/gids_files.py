# SPDX-License-Identifier: Apache-2.0
"""The file system of a GIDS card: a file is a data object in the EF whose rights it has.

The card holds the rights. It cannot tell directories that the administrator alone may change, as
one EF has both tables: those are held here. Their mark, the EF of files that the administrator
alone writes, is an assumption; Windows makes no such directory.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from vreader.cardfs import FIRST_FREE_OBJECT, LAST_OBJECT, FileEntry, find_file
from vreader.minidriver.abi.codes import VALUE_UNKNOWN, DirectoryAc, FileAc
from vreader.minidriver.abi.files import CARD_ID, CARD_ID_SIZE
from vreader.minidriver.abi.pins import Role
from vreader.minidriver.abi.returncodes import CardWin32, MinidriverError
from vreader.minidriver.abi.structs import CARD_FILE_INFO, CARD_FREE_SPACE_INFO
from vreader.minidriver.drivers.base import CardMinidriver
from vreader.minidriver.drivers.gids_card import GidsCard
from vreader.minidriver.drivers.gids_objects import TABLES
from vreader.winscard.codes import SCARD

FILE_OF: Final = {
    FileAc.EVERYONE_READ_USER_WRITE: 0xA010,
    FileAc.USER_WRITE_EXECUTE: 0xA011,
    FileAc.EVERYONE_READ_ADMIN_WRITE: 0xA012,
    FileAc.USER_READ_WRITE: 0xA013,
    FileAc.ADMIN_READ_WRITE: 0xA014,
}
_ACCESS_OF: Final = {file_id: access for access, file_id in FILE_OF.items()}
_DIRECTORY_OF: Final = {
    DirectoryAc.USER_CREATE_DELETE: TABLES,
    DirectoryAc.ADMIN_CREATE_DELETE: FILE_OF[FileAc.EVERYONE_READ_ADMIN_WRITE],
}
MAX_CONTAINERS: Final = 32
_MAX_SIZE = 0xFFFF


class GidsFiles(CardMinidriver):
    """The functions for files."""

    _card: GidsCard

    # ------------------------------------------------------------------ directories

    def CardCreateDirectory(self, name: str | None, access: int) -> None:
        """See Minidriver."""
        table = self._card.table()
        found = folded(name)
        if directory_of(table, found) is not None or find_file(table, "", found) is not None:
            raise MinidriverError(CardWin32.FILE_EXISTS)
        entry = FileEntry(found, "", 0, _DIRECTORY_OF[DirectoryAc(access)])
        self._demand_administrator(entry)
        self._card.put_table([*table, entry])

    def CardDeleteDirectory(self, name: str | None) -> None:
        """See Minidriver."""
        table = self._card.table()
        entry = directory_of(table, folded(name))
        if entry is None:
            raise MinidriverError(SCARD.E_DIR_NOT_FOUND)
        if _names(table, folded(name)):
            raise MinidriverError(CardWin32.DIR_NOT_EMPTY)
        self._demand_administrator(entry)
        self._card.put_table([one for one in table if one is not entry])

    def _demand_administrator(self, directory: FileEntry | None) -> None:
        """Raise SCARD_W_SECURITY_VIOLATION where only the administrator may, and is not there."""
        if directory is None or directory.file_id == TABLES:
            return
        if Role.ADMIN not in self._card.who():
            raise MinidriverError(SCARD.W_SECURITY_VIOLATION)

    # ------------------------------------------------------------------ files

    def CardCreateFile(
        self, directory: str | None, name: str | None, size: int, access: int
    ) -> None:
        """See Minidriver; the file starts as so many zeros."""
        table = self._card.table()
        where, wanted = folded(directory), folded(name)
        taken = not where and directory_of(table, wanted) is not None
        if taken or _find(table, where, wanted) is not None:
            raise MinidriverError(CardWin32.FILE_EXISTS)
        self._demand_administrator(directory_of(table, where) if where else None)
        used = {entry.object_tag for entry in table}
        tag = next((t for t in range(FIRST_FREE_OBJECT, LAST_OBJECT + 1) if t not in used), None)
        if tag is None or size > _MAX_SIZE:
            raise MinidriverError(SCARD.E_WRITE_TOO_MANY)
        entry = FileEntry(where, wanted, tag, FILE_OF[FileAc(access)])
        # The object first: a table without it would name a file that cannot be read.
        self._card.write(entry.file_id, tag, bytes(size))
        try:
            self._card.put_table([*table, entry])
        except MinidriverError:
            with suppress(MinidriverError):
                self._card.delete(entry.file_id, tag)
            raise

    def CardReadFile(self, directory: str | None, name: str | None, flags: int) -> bytes:
        """See Minidriver."""
        return self._content(_existing(self._card.table(), folded(directory), folded(name)))

    def CardWriteFile(
        self, directory: str | None, name: str | None, flags: int, data: bytes | None
    ) -> None:
        """See Minidriver; SCARD_E_WRITE_TOO_MANY for what the card has no room for."""
        entry = _existing(self._card.table(), folded(directory), folded(name))
        content = bytes(data or b"")
        if len(content) > _MAX_SIZE:
            raise MinidriverError(SCARD.E_WRITE_TOO_MANY)
        with _there():
            self._card.write(entry.file_id, entry.object_tag, content)

    def CardDeleteFile(self, directory: str | None, name: str | None, flags: int) -> None:
        """See Minidriver."""
        table = self._card.table()
        where = folded(directory)
        entry = _existing(table, where, folded(name))
        self._demand_administrator(directory_of(table, where) if where else None)
        # The right to write it comes first, then the table: a file without object is found again.
        with _there():
            self._card.delete(entry.file_id, entry.object_tag)
        self._card.put_table([one for one in table if one is not entry])

    def CardEnumFiles(self, directory: str | None, flags: int) -> list[str]:
        """See Minidriver."""
        table, where = self._card.table(), folded(directory)
        if where and directory_of(table, where) is None:
            raise MinidriverError(SCARD.E_DIR_NOT_FOUND)
        found = _names(table, where)
        if not found:
            raise MinidriverError(SCARD.E_FILE_NOT_FOUND)
        return found

    def CardGetFileInfo(
        self, directory: str | None, name: str | None, info: CARD_FILE_INFO | None
    ) -> CARD_FILE_INFO:
        """See Minidriver."""
        entry = _existing(self._card.table(), folded(directory), folded(name))
        access = _ACCESS_OF.get(entry.file_id, FileAc.UNKNOWN)
        return CARD_FILE_INFO(1, len(self._content(entry)), access)

    def CardQueryFreeSpace(
        self, flags: int, info: CARD_FREE_SPACE_INFO | None
    ) -> CARD_FREE_SPACE_INFO:
        """See Minidriver; a GIDS card does not tell its free bytes."""
        used = sum(entry.valid for entry in self._card.key_map())
        free = max(0, MAX_CONTAINERS - used)
        return CARD_FREE_SPACE_INFO(1, VALUE_UNKNOWN, free, MAX_CONTAINERS)

    def _content(self, entry: FileEntry) -> bytes:
        with _there():
            found = self._card.read(entry.file_id, entry.object_tag)
        if found is None:
            # Missing is the object of a file that is there, not the file.
            raise MinidriverError(SCARD.E_COMM_DATA_LOST)
        return found

    def _card_id(self) -> bytes:
        found = self._content(_existing(self._card.table(), "", CARD_ID))
        if len(found) != CARD_ID_SIZE:
            raise MinidriverError(SCARD.E_COMM_DATA_LOST)
        return found


@contextmanager
def _there() -> Iterator[None]:
    """Raise SCARD_E_COMM_DATA_LOST where the card has no EF of a file that the table has."""
    try:
        yield
    except MinidriverError as error:
        if error.code is SCARD.E_FILE_NOT_FOUND:
            raise MinidriverError(SCARD.E_COMM_DATA_LOST) from error
        raise


def folded(name: str | None) -> str:
    """Return a name as the card has it: case does not count, NULL is the root."""
    return (name or "").lower()


def directory_of(table: list[FileEntry], name: str) -> FileEntry | None:
    """Return the entry of a directory."""
    return next((e for e in table if folded(e.directory) == name and not e.name), None)


def _names(table: list[FileEntry], directory: str) -> list[str]:
    return [folded(e.name) for e in table if e.name and folded(e.directory) == directory]


def _existing(table: list[FileEntry], directory: str, name: str) -> FileEntry:
    """Return the entry of a file; SCARD_E_DIR_NOT_FOUND, SCARD_E_FILE_NOT_FOUND."""
    found = _find(table, directory, name)
    if found is None:
        raise MinidriverError(SCARD.E_FILE_NOT_FOUND)
    return found


def _find(table: list[FileEntry], directory: str, name: str) -> FileEntry | None:
    """Return the entry of a file, or None; SCARD_E_DIR_NOT_FOUND."""
    if directory and directory_of(table, directory) is None:
        raise MinidriverError(SCARD.E_DIR_NOT_FOUND)
    return find_file(table, directory, name)
