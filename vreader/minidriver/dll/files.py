# SPDX-License-Identifier: Apache-2.0
"""The functions of a minidriver DLL that are about files."""

from vreader.minidriver.abi.structs import CARD_FILE_INFO, CARD_FREE_SPACE_INFO
from vreader.minidriver.dll.calling import Calling
from vreader.minidriver.dll.frame import Frame


class DllFiles(Calling):
    """Calls them in the other process."""

    def CardCreateDirectory(self, name: str | None, access: int) -> None:
        """See Minidriver."""
        frame = Frame()
        frame.ansi(name)
        frame.number(access)
        self._call("CardCreateDirectory", frame)

    def CardDeleteDirectory(self, name: str | None) -> None:
        """See Minidriver."""
        frame = Frame()
        frame.ansi(name)
        self._call("CardDeleteDirectory", frame)

    def CardCreateFile(
        self, directory: str | None, name: str | None, size: int, access: int
    ) -> None:
        """See Minidriver."""
        frame = Frame()
        frame.ansi(directory, name)
        frame.number(size, access)
        self._call("CardCreateFile", frame)

    def CardReadFile(self, directory: str | None, name: str | None, flags: int) -> bytes:
        """See Minidriver."""
        frame = Frame()
        frame.ansi(directory, name)
        frame.number(flags)
        frame.memory()
        return self._call("CardReadFile", frame).read() or b""

    def CardWriteFile(
        self, directory: str | None, name: str | None, flags: int, data: bytes | None
    ) -> None:
        """See Minidriver."""
        frame = Frame()
        frame.ansi(directory, name)
        frame.number(flags)
        frame.data(data)
        self._call("CardWriteFile", frame)

    def CardDeleteFile(self, directory: str | None, name: str | None, flags: int) -> None:
        """See Minidriver."""
        frame = Frame()
        frame.ansi(directory, name)
        frame.number(flags)
        self._call("CardDeleteFile", frame)

    def CardEnumFiles(self, directory: str | None, flags: int) -> list[str]:
        """See Minidriver."""
        frame = Frame()
        frame.ansi(directory)
        frame.memory(null_on_failure=True)
        frame.number(flags)
        raw = self._call("CardEnumFiles", frame).read() or b""
        return [name for name in raw.decode("cp1252", "replace").split("\0") if name]

    def CardGetFileInfo(
        self, directory: str | None, name: str | None, info: CARD_FILE_INFO | None
    ) -> CARD_FILE_INFO:
        """See Minidriver."""
        frame = Frame()
        frame.ansi(directory, name)
        return self._fill("CardGetFileInfo", frame, info, CARD_FILE_INFO)

    def CardQueryFreeSpace(
        self, flags: int, info: CARD_FREE_SPACE_INFO | None
    ) -> CARD_FREE_SPACE_INFO:
        """See Minidriver."""
        frame = Frame()
        frame.number(flags)
        return self._fill("CardQueryFreeSpace", frame, info, CARD_FREE_SPACE_INFO)
