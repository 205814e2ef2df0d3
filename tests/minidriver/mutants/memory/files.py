# SPDX-License-Identifier: Apache-2.0
"""Files and directories."""

from memory.base import Base, may
from vreader.minidriver.abi.files import MAY_CREATE_AND_DELETE, RIGHTS
from vreader.minidriver.abi.returncodes import CardWin32, MinidriverError
from vreader.minidriver.abi.structs import CARD_FILE_INFO
from vreader.winscard.codes import SCARD

ROOT = 2


def place(card, directory, name):
    """Return the place of a name; its directory is there."""
    directory = (directory or "").lower()
    if directory and directory not in card.dirs:
        raise MinidriverError(SCARD.E_DIR_NOT_FOUND)
    return directory, name.lower()


def found(card, directory, name):
    """Return the place and the content of a file that is there."""
    where = place(card, directory, name)
    if where not in card.files:
        raise MinidriverError(SCARD.E_FILE_NOT_FOUND)
    return where, card.files[where]


class Files(Base):
    """The functions for files."""

    def CardReadFile(self, directory, name, flags):
        card = self.open()
        _, (data, access) = found(card, directory, name)
        may(card, RIGHTS[access].read)
        return data

    def CardGetFileInfo(self, directory, name, info):
        card = self.open()
        _, (data, access) = found(card, directory, name)
        may(card, RIGHTS[access].read)
        return CARD_FILE_INFO(1, len(data), access)

    def CardWriteFile(self, directory, name, flags, data):
        card = self.writable()
        _, file = found(card, directory, name)
        may(card, RIGHTS[file[1]].write)
        file[0] = data

    def CardDeleteFile(self, directory, name, flags):
        card = self.writable()
        where, (_, access) = found(card, directory, name)
        may(card, RIGHTS[access].write)
        del card.files[where]

    def CardCreateFile(self, directory, name, size, access):
        card = self.writable()
        where = place(card, directory, name)
        may(card, MAY_CREATE_AND_DELETE[card.dirs.get(where[0], ROOT)])
        if where in card.files:
            raise MinidriverError(CardWin32.FILE_EXISTS)
        card.files[where] = [bytes(size), access]

    def CardEnumFiles(self, directory, flags):
        card = self.open()
        inside, _ = place(card, directory, "")
        names = [name for where, name in card.files if where == inside]
        if not names:
            raise MinidriverError(SCARD.E_FILE_NOT_FOUND)
        return names

    def CardCreateDirectory(self, name, access):
        card = self.writable()
        name = name.lower()
        may(card, MAY_CREATE_AND_DELETE[access])
        if name in card.dirs:
            raise MinidriverError(CardWin32.FILE_EXISTS)
        if ("", name) in card.files:
            raise MinidriverError(CardWin32.FILE_EXISTS)
        card.dirs[name] = access

    def CardDeleteDirectory(self, name):
        card = self.writable()
        name = name.lower()
        if name not in card.dirs:
            raise MinidriverError(SCARD.E_DIR_NOT_FOUND)
        may(card, MAY_CREATE_AND_DELETE[card.dirs[name]])
        if any(where == name for where, _ in card.files):
            raise MinidriverError(CardWin32.DIR_NOT_EMPTY)
        del card.dirs[name]
