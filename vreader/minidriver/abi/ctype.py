# SPDX-License-Identifier: Apache-2.0
"""The kinds of C types that members of a structure have: numbers, strings, data at the end."""

from collections.abc import Mapping
from enum import Enum
from typing import Any, NamedTuple, Protocol


class Abi(Enum):
    """A processor architecture of Windows; the value is the size of a pointer in bytes."""

    X64 = 8
    X86 = 4

    @property
    def pointer(self) -> int:
        """The size of a pointer in bytes."""
        return int(self.value)


class LayoutError(ValueError):
    """A value does not fit its member, or bytes are no such structure."""


class CType(Protocol):
    """The type of a member.

    Attributes:
        c: its name in C; ``[n]`` behind it for an array.
    """

    @property
    def c(self) -> str:
        """See above."""

    def size(self, abi: Abi) -> int:
        """Return its size in bytes."""

    def alignment(self, abi: Abi) -> int:
        """Return of what its offset is a multiple."""

    def encode(self, value: Any, abi: Abi) -> bytes:  # noqa: ANN401 - each type has its own
        """Return the bytes of a value; raises LayoutError when it does not fit."""

    def decode(self, raw: bytes, abi: Abi) -> Any:  # noqa: ANN401
        """Read a value of exactly that size."""


class Scalar(NamedTuple):
    """An unsigned number; with no size it is as wide as a pointer."""

    c: str
    width: int = 0

    def size(self, abi: Abi) -> int:
        """Its size in bytes."""
        return self.width or abi.pointer

    def alignment(self, abi: Abi) -> int:
        """Its size."""
        return self.size(abi)

    def encode(self, value: int, abi: Abi) -> bytes:
        """Return it little endian."""
        size = self.size(abi)
        if not 0 <= value < 1 << 8 * size:
            raise LayoutError(f"{self.c} has {size} bytes, which cannot say {value}")
        return int(value).to_bytes(size, "little")

    def decode(self, raw: bytes, _abi: Abi) -> int:
        """Read it."""
        return int.from_bytes(raw, "little")


class Truth(Scalar):
    """A BOOL: four bytes, anything but zero is true."""

    __slots__ = ()

    def decode(self, raw: bytes, _abi: Abi) -> bool:
        """Read it."""
        return any(raw)


class Wide(NamedTuple):
    """An array of WCHAR that holds a string with a NUL behind it."""

    characters: int

    @property
    def c(self) -> str:
        """Its declaration."""
        return f"WCHAR[{self.characters}]"

    def size(self, _abi: Abi) -> int:
        """Its size in bytes."""
        return 2 * self.characters

    def alignment(self, _abi: Abi) -> int:
        """Of one character."""
        return 2

    def encode(self, value: str, abi: Abi) -> bytes:
        """Return the string, padded with NUL."""
        try:
            raw = value.encode("utf-16-le")
        except UnicodeEncodeError:
            raise LayoutError(f"{value!r} cannot be written in UTF-16") from None
        if "\0" in value or len(raw) > 2 * (self.characters - 1):
            raise LayoutError(f"at most {self.characters - 1} characters without NUL fit")
        return raw.ljust(self.size(abi), b"\0")

    def decode(self, raw: bytes, _abi: Abi) -> str:
        """Read what stands before the first NUL."""
        return raw.decode("utf-16-le", "replace").partition("\0")[0]


class Tail(NamedTuple):
    """``BYTE x[0]``: data behind the structure, as long as the named members say together."""

    counts: tuple[str, ...]
    c: str = "BYTE[0]"

    def size(self, _abi: Abi) -> int:
        """Nothing, for sizeof."""
        return 0

    def alignment(self, _abi: Abi) -> int:
        """Of a byte."""
        return 1

    def encode(self, value: bytes, _abi: Abi) -> bytes:
        """Return the data."""
        return bytes(value)

    def decode(self, raw: bytes, _abi: Abi) -> bytes:
        """Read the data."""
        return bytes(raw)

    def length(self, values: Mapping[str, Any]) -> int:
        """Return how many bytes the members before it promise."""
        return sum(int(values[name]) for name in self.counts)

    def check(self, struct: object, name: str, raw: bytes) -> None:
        """Refuse data of another length than promised."""
        promised = sum(int(getattr(struct, count)) for count in self.counts)
        if promised != len(raw):
            where = f"{type(struct).__name__}.{name}"
            raise LayoutError(f"{where} has {len(raw)} bytes, but {promised} are promised")
