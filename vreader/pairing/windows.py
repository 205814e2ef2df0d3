# SPDX-License-Identifier: Apache-2.0
r"""A Windows as the lab knows it: what its version has of smart card Plug and Play, and its files.

Card devices and inbox drivers for PIV and GIDS cards came with Windows 7 (6.1), the driver of
unknown cards with Windows 8 (6.2) (WDK "Smart Card Plug and Play", "Smart Card Discovery Process").
"""

from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

from vreader.setupapi.dirids import WINDOWS
from vreader.setupapi.package import Package, Signature, read_package
from vreader.setupapi.target import TargetOS
from vreader.winscard.probing import MSCLMD

NULL_DRIVER: Final = "scunknown.inf"
SYSTEM32: Final = rf"{WINDOWS}\System32"
SYSWOW64: Final = rf"{WINDOWS}\SysWOW64"
_ARCHITECTURES_32: Final = ("x86", "arm")


class Windows(NamedTuple):
    """One Windows.

    Attributes:
        target: version and architecture.
    """

    target: TargetOS

    @classmethod
    def parse(cls, text: str) -> "Windows":
        """Read ``10.0-amd64``; raises UsageError."""
        return cls(TargetOS.parse(text))

    @property
    def version(self) -> tuple[int, int]:
        """Major and minor version."""
        return self.target.major, self.target.minor

    @property
    def bits(self) -> int:
        """Of the system: 32 or 64."""
        return 32 if self.target.arch in _ARCHITECTURES_32 else 64

    @property
    def card_pnp(self) -> bool:
        """A card has a device."""
        return self.version >= (6, 1)

    @property
    def null_driver(self) -> bool:
        """A card without a driver is given one that does nothing."""
        return self.version >= (6, 2)

    @property
    def signers_equal(self) -> bool:
        """Trusted signers rank alike (AllSignersEqual)."""
        return self.version >= (6, 1)

    @property
    def inbox(self) -> list[Package]:
        """Driver packages that come with it."""
        return (
            [package for package in _inbox() if self.null_driver or package.name != NULL_DRIVER]
            if self.card_pnp
            else []
        )

    @property
    def files(self) -> set[str]:
        """Card modules that come with it."""
        if not self.card_pnp:
            return set()
        return {rf"{SYSTEM32}\{MSCLMD}"} | ({rf"{SYSWOW64}\{MSCLMD}"} if self.bits == 64 else set())

    def module_path(self, name: str, bits: int) -> str:
        r"""Return the file that a program loads for a card module's name.

        Args:
            name: value 80000001: a file name, looked for in the system's directory, or a path.
            bits: of the program: one of 32 bits on a 64-bit system finds SysWOW64 in the place of
                System32 (Win32 "File System Redirector").
        """
        for variable in ("%SystemRoot%", "%windir%"):
            if name.lower().startswith(variable.lower()):
                name = WINDOWS + name[len(variable) :]
        path = name if "\\" in name or ":" in name else rf"{SYSTEM32}\{name}"
        if bits < self.bits and path.lower().startswith(SYSTEM32.lower() + "\\"):
            path = SYSWOW64 + path[len(SYSTEM32) :]
        return path


@lru_cache(maxsize=1)
def _inbox() -> tuple[Package, ...]:
    return tuple(
        read_package(str(path), Signature.INBOX, "inbox")
        for path in sorted(Path(__file__).with_name("inbox").glob("*.inf"))
    )
