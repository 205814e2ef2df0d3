# SPDX-License-Identifier: Apache-2.0
"""The functions of a card that nobody can write: they exist and say so.

From the list in "Developer Guidelines" of the Smart Card Minidriver Specification. The rules of
parameters come first all the same.
"""

from typing import NoReturn

from vreader.minidriver.keyinjection import absent
from vreader.minidriver.rules.checked import Checked


class ReadOnly(Checked):
    """SCARD_E_UNSUPPORTED_FEATURE from whatever would change files or containers."""

    def CardCreateContainer(
        self, container: int, flags: int, key_spec: int, key_size: int, key_data: bytes | None
    ) -> NoReturn:
        """Refuse."""
        raise absent()

    def CardCreateContainerEx(
        self,
        container: int,
        flags: int,
        key_spec: int,
        key_size: int,
        key_data: bytes | None,
        pin_id: int,
    ) -> NoReturn:
        """Refuse."""
        raise absent()

    def CardDeleteContainer(self, container: int, reserved: int) -> NoReturn:
        """Refuse."""
        raise absent()

    def CardSetContainerProperty(
        self, container: int, name: str | None, data: bytes | None, flags: int
    ) -> NoReturn:
        """Refuse."""
        raise absent()

    def CardCreateDirectory(self, name: str | None, access: int) -> NoReturn:
        """Refuse."""
        raise absent()

    def CardDeleteDirectory(self, name: str | None) -> NoReturn:
        """Refuse."""
        raise absent()

    def CardCreateFile(
        self, directory: str | None, name: str | None, size: int, access: int
    ) -> NoReturn:
        """Refuse."""
        raise absent()

    def CardWriteFile(
        self, directory: str | None, name: str | None, flags: int, data: bytes | None
    ) -> NoReturn:
        """Refuse."""
        raise absent()

    def CardDeleteFile(self, directory: str | None, name: str | None, flags: int) -> NoReturn:
        """Refuse."""
        raise absent()
