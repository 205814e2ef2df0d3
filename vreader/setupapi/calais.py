# SPDX-License-Identifier: Apache-2.0
r"""The cards that lines of an INF register: keys below ``Calais\SmartCards`` and their values.

Source: WDK "Minidriver Registration".
"""

from collections.abc import Iterable
from typing import Final

from vreader.registry import REG_BINARY
from vreader.registry.names import fold
from vreader.setupapi.pattern import AtrPattern
from vreader.setupapi.regops import DELVAL, RegLine

BASE_CSP: Final = "Microsoft Base Smart Card Crypto Provider"
BASE_KSP: Final = "Microsoft Smart Card Key Storage Provider"
CSP: Final = "Crypto Provider"
KSP: Final = "Smart Card Key Storage Provider"
MODULE: Final = "80000001"
INBOX_MODULE: Final = "MSCLMD.DLL"  # folded: the class minidriver of Windows, for PIV and GIDS

_CALAIS: Final = r"Microsoft\Cryptography\Calais"
SMART_CARDS: Final = rf"SOFTWARE\{_CALAIS}\SmartCards"
SMART_CARDS_WOW64: Final = rf"SOFTWARE\Wow6432Node\{_CALAIS}\SmartCards"
_NATIVE: Final = fold(rf"HKLM\{SMART_CARDS}") + "\\"
_WOW64: Final = fold(rf"HKLM\{SMART_CARDS_WOW64}") + "\\"
_CALAIS_WOW64: Final = fold(rf"HKLM\SOFTWARE\Wow6432Node\{_CALAIS}") + "\\"


class CardEntry:
    """One card in one view of the registry.

    Attributes:
        name: of its key.
        wow64: it is the view of 32-bit programs on 64-bit Windows.
        line: the first that is about it.
        values: the line that sets a value, by folded name; the last one where there are several.
    """

    __slots__ = ("line", "name", "values", "wow64")

    def __init__(self, name: str, line: int, *, wow64: bool) -> None:
        self.name = name
        self.wow64 = wow64
        self.line = line
        self.values: dict[str, RegLine] = {}

    @property
    def label(self) -> str:
        """The card's name, and the view if it is not the system's own."""
        return f"{self.name} in Wow6432Node" if self.wow64 else self.name

    def data(self, name: str) -> bytes | None:
        """Return a value that is REG_BINARY; None for none and for another type."""
        line = self.values.get(fold(name))
        value = None if line is None else line.value
        return value.data if value is not None and value.type == REG_BINARY else None

    def text(self, name: str) -> str | None:
        """Return a value that is a text; None for none and for another type."""
        line = self.values.get(fold(name))
        decoded = None if line is None or line.value is None else line.value.decoded
        return decoded if isinstance(decoded, str) else None

    @property
    def pattern(self) -> AtrPattern | None:
        """ATR and mask, all of whose bits count where there is none; None where they are bad."""
        atr, mask = self.data("ATR"), self.data("ATRMask")
        if atr is not None and mask is None and "ATRMASK" not in self.values:
            mask = b"\xff" * len(atr)
        if atr is None or mask is None or len(atr) != len(mask):
            return None
        return AtrPattern(atr, mask)


Cards = dict[tuple[str, bool], CardEntry]


def card_entries(lines: Iterable[RegLine], *, wow64: bool) -> Cards:
    """Collect the cards that lines of add-registry sections register.

    Args:
        lines: in order.
        wow64: the system has two views; where it has one, flags choose none.

    Returns:
        The entries by folded name and view.
    """
    found: Cards = {}
    for line in lines:
        named = card_of(line, wow64=wow64)
        if named is None or line.flags & DELVAL:
            continue
        name, view = named
        key = fold(name), view
        entry = found.get(key)
        if entry is None:
            entry = found[key] = CardEntry(name, line.line, wow64=view)
        if line.value is not None:
            entry.values[fold(line.name)] = line
    return found


def card_of(line: RegLine, *, wow64: bool) -> tuple[str, bool] | None:
    """Return the card a line is about, and whether in the view of 32-bit programs, or None."""
    if line.root != "HKLM":
        return None
    path = line.path("", wow64=wow64)
    folded = fold(path)
    for prefix, view in ((_NATIVE, False), (_WOW64, True)):
        if folded.startswith(prefix):
            name = path[len(prefix) :]
            return None if "\\" in name else (name, view)
    return None


def is_calais_wow64(line: RegLine, *, wow64: bool) -> bool:
    r"""Say whether a line writes below ``Wow6432Node\…\Calais``."""
    if line.root != "HKLM":
        return False
    return fold(line.path("", wow64=wow64) + "\\").startswith(_CALAIS_WOW64)
