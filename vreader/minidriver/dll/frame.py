# SPDX-License-Identifier: Apache-2.0
"""The memory of one call: buffers, addresses in them, arguments, and what to read afterwards."""

from typing import Any, Final, NamedTuple

from vreader.minidriver.abi.layout import Struct
from vreader.minidriver.abi.structs import (
    BCRYPT_OAEP_PADDING_INFO,
    BCRYPT_PKCS1_PADDING_INFO,
    BCRYPT_PSS_PADDING_INFO,
)
from vreader.minidriver.values import Oaep, PaddingInfo, Pkcs1, Pss

POINTER: Final = 8
DWORD: Final = 4
# Stands in a DWORD for results until something is written there.
UNTOUCHED: Final = 0xA5A5A5A5


class Place(NamedTuple):
    """A buffer of the call, by its number."""

    number: int


class Out(NamedTuple):
    """Where a pointer and a length will stand: buffer and offset of each."""

    pointer: tuple[Place, int]
    length: tuple[Place, int]


class Result:
    """What a call left behind.

    Attributes:
        code: what it returned.
    """

    def __init__(self, reply: dict[str, Any]) -> None:
        self.code = int(reply["r"])
        self._buffers = [bytes.fromhex(one) for one in reply["buffers"]]
        self._reads = [None if one is None else bytes.fromhex(one) for one in reply["reads"]]

    def data(self, place: Place) -> bytes:
        """Return what a buffer holds now."""
        return self._buffers[place.number]

    def dword(self, place: Place) -> int:
        """Return the number a buffer holds now."""
        return int.from_bytes(self.data(place)[:DWORD], "little")

    def read(self, number: int = 0) -> bytes | None:
        """Return the memory of the n-th Out; None for a NULL pointer."""
        return self._reads[number]


class Frame:
    """Builds the arguments of one call, in their order."""

    def __init__(self) -> None:
        self._buffers: list[dict[str, Any]] = []
        self._args: list[int | dict[str, int]] = []
        self._reads: list[list[int]] = []

    def request(self) -> dict[str, Any]:
        """Return the call's part of the request."""
        return {"args": self._args, "buffers": self._buffers, "reads": self._reads}

    # ------------------------------------------------------------------ buffers

    def buffer(self, data: bytes) -> Place:
        """Make a buffer that no argument points to."""
        self._buffers.append({"hex": data.hex(), "to": []})
        return Place(len(self._buffers) - 1)

    def point(self, place: Place, offset: int, target: Place | None) -> None:
        """Write the address of a buffer into another one; None leaves it as it is."""
        if target is not None:
            self._buffers[place.number]["to"].append([offset, target.number])

    def maybe(self, data: bytes | None) -> Place | None:
        """Make a buffer, or none for NULL."""
        return None if data is None else self.buffer(data)

    def given(self, data: bytes | None) -> Place | None:
        """Make a buffer that the call is only given: to change it is a finding. None for NULL."""
        place = self.maybe(data)
        if place is not None:
            self._buffers[place.number]["const"] = True
        return place

    def wide(self, text: str | None) -> Place | None:
        """Make a string of WCHAR."""
        return self.given(None if text is None else utf16(text))

    def struct(self, value: Struct, **pointers: Place | None) -> Place:
        """Make a structure whose named members point to buffers."""
        place = self.buffer(value.encode())
        offsets = type(value).layout(version=value.version).offsets
        for member, target in pointers.items():
            if member in offsets:
                self.point(place, offsets[member], target)
        return place

    def read(self, out: Out, *, null_on_failure: bool = False) -> None:
        """Have memory read, and freed, where the call succeeds.

        With ``null_on_failure`` a pointer that a failed call leaves is a finding.
        """
        (pointer, at), (length, there) = out
        self._reads.append([pointer.number, at, length.number, there, int(null_on_failure)])

    def read_member(self, place: Place, struct: Struct, pointer: str, length: str) -> None:
        """Have the memory read that two members of a structure tell."""
        offsets = type(struct).layout(version=struct.version).offsets
        self.read(Out((place, offsets[pointer]), (place, offsets[length])))

    # ------------------------------------------------------------------ arguments

    def number(self, *values: int) -> None:
        """Pass numbers."""
        self._args += [int(value) & 0xFFFFFFFFFFFFFFFF for value in values]

    def address(self, place: Place | None) -> None:
        """Pass the address of a buffer, NULL for None."""
        self._args.append(0 if place is None else {"b": place.number})

    def text(self, *values: str | None) -> None:
        """Pass wide strings."""
        for value in values:
            self.address(self.wide(value))

    def ansi(self, *values: str | None) -> None:
        """Pass strings in Windows' code page 1252; what it lacks is a question mark."""
        for value in values:
            raw = None if value is None else value.encode("cp1252", "replace") + b"\0"
            self.address(self.given(raw))

    def data(self, value: bytes | None) -> None:
        """Pass bytes and their length."""
        self.address(self.given(value))
        self.number(len(value or b""))

    def dword(self) -> Place:
        """Pass the address of a DWORD for a result."""
        place = self.buffer(UNTOUCHED.to_bytes(DWORD, "little"))
        self.address(place)
        return place

    def memory(self, *, null_on_failure: bool = False) -> None:
        """Pass the addresses of a pointer and of a length; the memory is read back; see read."""
        pointer, length = self.buffer(bytes(POINTER)), self.buffer(bytes(DWORD))
        self.address(pointer)
        self.address(length)
        self.read(Out((pointer, 0), (length, 0)), null_on_failure=null_on_failure)

    def padding(self, info: PaddingInfo | None) -> Place | None:
        """Make the structure behind pPaddingInfo."""
        if info is None:
            return None
        name = self.wide(info.algorithm)
        match info:
            case Pkcs1():
                return self.struct(BCRYPT_PKCS1_PADDING_INFO(), pszAlgId=name)
            case Pss(_, salt):
                return self.struct(BCRYPT_PSS_PADDING_INFO(cbSalt=salt), pszAlgId=name)
            case Oaep(_, label):
                struct = BCRYPT_OAEP_PADDING_INFO(cbLabel=len(label))
                return self.struct(struct, pszAlgId=name, pbLabel=self.given(label or None))


def utf16(text: str) -> bytes:
    """Return a string as Windows has it, with its NUL."""
    return text.encode("utf-16-le", "surrogatepass") + b"\0\0"
