# SPDX-License-Identifier: Apache-2.0
"""Typed registry values: a type number and bytes, as RegSetValueEx takes them.

The bytes are kept as they are, well-formed or not: a string without its end, a REG_DWORD of three
bytes can be expressed, as on a real machine. Texts are UTF-16LE. Win32 "Registry value types".
"""

from collections.abc import Iterable, Mapping
from typing import Final

REG_NONE: Final = 0
REG_SZ: Final = 1
REG_EXPAND_SZ: Final = 2
REG_BINARY: Final = 3
REG_DWORD: Final = 4
REG_DWORD_BIG_ENDIAN: Final = 5
REG_LINK: Final = 6
REG_MULTI_SZ: Final = 7
REG_RESOURCE_LIST: Final = 8
REG_FULL_RESOURCE_DESCRIPTOR: Final = 9
REG_RESOURCE_REQUIREMENTS_LIST: Final = 10
REG_QWORD: Final = 11

TYPE_NAMES: Final[Mapping[int, str]] = {
    REG_NONE: "REG_NONE",
    REG_SZ: "REG_SZ",
    REG_EXPAND_SZ: "REG_EXPAND_SZ",
    REG_BINARY: "REG_BINARY",
    REG_DWORD: "REG_DWORD",
    REG_DWORD_BIG_ENDIAN: "REG_DWORD_BIG_ENDIAN",
    REG_LINK: "REG_LINK",
    REG_MULTI_SZ: "REG_MULTI_SZ",
    REG_RESOURCE_LIST: "REG_RESOURCE_LIST",
    REG_FULL_RESOURCE_DESCRIPTOR: "REG_FULL_RESOURCE_DESCRIPTOR",
    REG_RESOURCE_REQUIREMENTS_LIST: "REG_RESOURCE_REQUIREMENTS_LIST",
    REG_QWORD: "REG_QWORD",
}
TEXTS: Final = frozenset({REG_SZ, REG_EXPAND_SZ, REG_LINK})
_NUMBERS: Final[Mapping[int, tuple[int, bool]]] = {
    REG_DWORD: (4, True),
    REG_DWORD_BIG_ENDIAN: (4, False),
    REG_QWORD: (8, True),
}
MAX_TYPE: Final = 0xFFFFFFFF

Decoded = str | int | bytes | list[str]


class Value:
    """One value; it does not change.

    Attributes:
        type: a REG_* number; vendors may use others, up to 32 bits.
        data: the bytes.
    """

    __slots__ = ("data", "type")

    def __init__(self, type: int, data: bytes) -> None:  # noqa: A002 - what Windows calls it
        if not 0 <= type <= MAX_TYPE:
            raise ValueError(f"a registry type has 32 bits: {type}")
        self.type = type
        self.data = bytes(data)

    @classmethod
    def sz(cls, text: str) -> "Value":
        """REG_SZ."""
        return cls(REG_SZ, utf16(text + "\0"))

    @classmethod
    def expand_sz(cls, text: str) -> "Value":
        """REG_EXPAND_SZ: a text with ``%VARIABLE%`` parts."""
        return cls(REG_EXPAND_SZ, utf16(text + "\0"))

    @classmethod
    def multi_sz(cls, texts: Iterable[str]) -> "Value":
        """REG_MULTI_SZ; ValueError for an empty text, which would end the list."""
        texts = list(texts)
        if not all(texts) or any("\0" in text for text in texts):
            raise ValueError("a REG_MULTI_SZ holds no empty text and no NUL")
        return cls(REG_MULTI_SZ, utf16("".join(f"{text}\0" for text in texts) + "\0"))

    @classmethod
    def dword(cls, number: int) -> "Value":
        """REG_DWORD, 32 bits; ValueError for more."""
        return cls._number(REG_DWORD, number)

    @classmethod
    def qword(cls, number: int) -> "Value":
        """REG_QWORD, 64 bits; ValueError for more."""
        return cls._number(REG_QWORD, number)

    @classmethod
    def binary(cls, data: bytes) -> "Value":
        """REG_BINARY."""
        return cls(REG_BINARY, data)

    @classmethod
    def none(cls, data: bytes = b"") -> "Value":
        """REG_NONE."""
        return cls(REG_NONE, data)

    @classmethod
    def _number(cls, kind: int, number: int) -> "Value":
        size, _ = _NUMBERS[kind]
        if not 0 <= number < 1 << 8 * size:
            raise ValueError(f"{number} does not fit into {8 * size} bits")
        return cls(kind, number.to_bytes(size, "little"))

    @property
    def type_name(self) -> str:
        """The type's name, its number in hexadecimal for one without."""
        return TYPE_NAMES.get(self.type, f"0x{self.type:X}")

    @property
    def decoded(self) -> Decoded:
        """The value as Python has it.

        A text without its ending NUL for REG_SZ, EXPAND_SZ and LINK, a list of texts for MULTI_SZ,
        a number for DWORD and QWORD of the right size, and the bytes for all others.
        """
        if self.type in TEXTS:
            return from_utf16(self.data).removesuffix("\0")
        if self.type == REG_MULTI_SZ:
            texts = from_utf16(self.data).split("\0")
            return texts[: texts.index("")] if "" in texts else texts
        size, little = _NUMBERS.get(self.type, (0, True))
        if size and len(self.data) == size:
            return int.from_bytes(self.data, "little" if little else "big")
        return self.data

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Value) and (other.type, other.data) == (self.type, self.data)

    def __hash__(self) -> int:
        return hash((self.type, self.data))

    def __repr__(self) -> str:
        decoded = self.decoded
        shown = decoded.hex(" ").upper() if isinstance(decoded, bytes) else repr(decoded)
        return f"<{self.type_name} {shown}>"


def utf16(text: str) -> bytes:
    """Return a text as the registry stores it, lone surrogates included."""
    return text.encode("utf-16-le", "surrogatepass")


def from_utf16(data: bytes) -> str:
    """Return the text in ``data``; half a character at the end is dropped."""
    return data[: len(data) & ~1].decode("utf-16-le", "surrogatepass")
