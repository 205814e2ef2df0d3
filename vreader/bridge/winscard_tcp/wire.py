# SPDX-License-Identifier: Apache-2.0
"""What our winscard.dll and the door write to each other.

A connection begins with HELLO: magic, version, token, client (0 for a new one), and is answered by
a code and the client's number. Each request is its length, the number of a function and parameters;
each reply its length, a code of winscard.h and, where that is success, results. Everything is
little endian. Parameters and results are told by one letter each:

``i`` a number of eight bytes, ``b`` bytes behind their length in four (0xFFFFFFFF for NULL), ``s``
a string as such bytes in UTF-16, ``g`` a GUID as such bytes, ``L`` and ``G`` lists of strings and
of GUIDs behind their count in four bytes, ``R`` a list of reader states (name, current state, event
state, ATR), ``M`` a list of ATR masks.
"""

import struct
from collections.abc import Callable, Sequence
from typing import Any, Final
from uuid import UUID

from vreader.winscard.locate import AtrMask
from vreader.winscard.status_change import ReaderState

MAGIC: Final = 0x43535256  # "VRSC"
VERSION: Final = 1
TOKEN_BYTES: Final = 32
HELLO: Final = struct.Struct(f"<II{TOKEN_BYTES}sQ")
WELCOME: Final = struct.Struct("<IQ")
LENGTH: Final = struct.Struct("<I")
MAX_REQUEST: Final = 1 << 20
_NUMBER = struct.Struct("<Q")
_NULL: Final = 0xFFFFFFFF
_MAX_ITEMS: Final = 4096


class WireError(Exception):
    """A request that is none: its connection ends."""


class Reader:
    """Reads parameters from a request."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._at = 0

    def _take(self, size: int) -> bytes:
        end = self._at + size
        if end > len(self._raw):
            raise WireError("a request is shorter than its parameters")
        taken = self._raw[self._at : end]
        self._at = end
        return taken

    def end(self) -> None:
        """Raise WireError when something is left."""
        if self._at != len(self._raw):
            raise WireError(f"{len(self._raw) - self._at} bytes behind the parameters")

    def number(self) -> int:
        """Read ``i``."""
        number: int = _NUMBER.unpack(self._take(8))[0]
        return number

    def count(self) -> int:
        """Read how many things a list has."""
        count: int = LENGTH.unpack(self._take(4))[0]
        if count > _MAX_ITEMS:
            raise WireError(f"a list of {count} things")
        return count

    def data(self) -> bytes | None:
        """Read ``b``."""
        length: int = LENGTH.unpack(self._take(4))[0]
        return None if length == _NULL else self._take(length)

    def text(self) -> str:
        """Read ``s``; NULL is empty, where our DLL lets it through."""
        try:
            return (self.data() or b"").decode("utf-16-le")
        except UnicodeDecodeError:
            raise WireError("a string is no UTF-16") from None

    def guid(self) -> UUID | None:
        """Read ``g``."""
        raw = self.data()
        if raw is None:
            return None
        if len(raw) != 16:
            raise WireError(f"a GUID of {len(raw)} bytes")
        return UUID(bytes_le=raw)

    def guids(self) -> list[UUID]:
        """Read ``G``."""
        found = [self.guid() for _ in range(self.count())]
        return [guid for guid in found if guid is not None]

    def texts(self) -> list[str]:
        """Read ``L``."""
        return [self.text() for _ in range(self.count())]

    def states(self) -> list[ReaderState]:
        """Read ``R``."""
        return [
            ReaderState(self.text(), self.number(), self.number(), self.data() or b"")
            for _ in range(self.count())
        ]

    def masks(self) -> list[AtrMask]:
        """Read ``M``."""
        return [AtrMask(self.data() or b"", self.data() or b"") for _ in range(self.count())]


_READ: dict[str, Callable[[Reader], Any]] = {
    "i": Reader.number,
    "b": Reader.data,
    "s": Reader.text,
    "g": Reader.guid,
    "L": Reader.texts,
    "G": Reader.guids,
    "R": Reader.states,
    "M": Reader.masks,
}


def read(letters: str, raw: bytes) -> list[Any]:
    """Read parameters; raises WireError when they are not exactly these."""
    reader = Reader(raw)
    found = [_READ[letter](reader) for letter in letters]
    reader.end()
    return found


def number(value: int) -> bytes:
    """Write ``i``."""
    return _NUMBER.pack(value)


def data(value: bytes | None) -> bytes:
    """Write ``b``."""
    return LENGTH.pack(_NULL) if value is None else LENGTH.pack(len(value)) + value


def text(value: str) -> bytes:
    """Write ``s``."""
    return data(value.encode("utf-16-le", "surrogatepass"))


def guid(value: UUID | None) -> bytes:
    """Write ``g``."""
    return data(None if value is None else value.bytes_le)


def _many(write: Callable[[Any], bytes]) -> Callable[[Sequence[Any]], bytes]:
    return lambda values: LENGTH.pack(len(values)) + b"".join(map(write, values))


def _state(state: ReaderState) -> bytes:
    return (
        text(state.reader)
        + number(state.current_state)
        + number(state.event_state)
        + data(state.atr)
    )


def _mask(mask: AtrMask) -> bytes:
    return data(mask.atr) + data(mask.mask)


_WRITE: dict[str, Callable[[Any], bytes]] = {
    "i": number,
    "b": data,
    "s": text,
    "g": guid,
    "L": _many(text),
    "G": _many(guid),
    "R": _many(_state),
    "M": _many(_mask),
}


def write(letters: str, values: Sequence[Any]) -> bytes:
    """Write values by their letters."""
    return b"".join(_WRITE[letter](v) for letter, v in zip(letters, values, strict=True))
