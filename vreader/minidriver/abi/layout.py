# SPDX-License-Identifier: Apache-2.0
"""How a C compiler for Windows lays out a structure, on x64 and on x86.

A structure is a frozen dataclass whose members are annotated with C types, so that its body reads
like the declaration::

    class CARD_CAPABILITIES(Struct):
        dwVersion: DWORD = 1
        fCertificateCompression: BOOL = False
        fKeyGen: BOOL = False

Every member stands at a multiple of its own alignment and the whole is padded to the greatest one.
Pointers, handles and function pointers are addresses here: numbers. Members that a later version of
a structure added are told by ``versions``: a version holds the members up to the one it names.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Self, dataclass_transform

from vreader.minidriver.abi.ctype import Abi, CType, LayoutError, Tail


class Field(NamedTuple):
    """One member of a structure."""

    name: str
    type: CType


class Layout(NamedTuple):
    """Where the members of one version of a structure are.

    Attributes:
        fields: the members of that version.
        offsets: bytes from the start, by member.
        size: what sizeof says.
        alignment: of the whole.
    """

    fields: tuple[Field, ...]
    offsets: Mapping[str, int]
    size: int
    alignment: int


@dataclass_transform(frozen_default=True)
class Struct:
    """A C structure as a value; see the module.

    Attributes:
        FIELDS: all members, those of the newest version.
        VERSIONS: version → its last member; empty when there is only one version.
    """

    FIELDS: ClassVar[tuple[Field, ...]] = ()
    VERSIONS: ClassVar[Mapping[int, str]] = {}

    def __init_subclass__(cls, versions: Mapping[int, str] | None = None) -> None:
        cls.FIELDS = tuple(Field(name, _ctype(a)) for name, a in cls.__annotations__.items())
        cls.VERSIONS = versions or {}
        dataclass(frozen=True)(cls)

    @classmethod
    def layout(cls, abi: Abi = Abi.X64, version: int | None = None) -> Layout:
        """Return the layout of a version; of the newest for None, of the nearest for an unknown."""
        return _layout(cls, abi, version)

    @property
    def version(self) -> int | None:
        """What dwVersion says, where the structure has several versions; 0 counts as 1."""
        return (getattr(self, "dwVersion", 0) or 1) if self.VERSIONS else None

    def encode(self, abi: Abi = Abi.X64) -> bytes:
        """Return the bytes of the version that dwVersion names.

        Raises:
            LayoutError: a value does not fit.
        """
        return b"".join(self._parts(abi))

    def _parts(self, abi: Abi) -> list[bytes]:
        layout = self.layout(abi, self.version)
        parts, at = [], 0
        for name, type_ in layout.fields:
            try:
                raw = type_.encode(getattr(self, name), abi)
            except LayoutError as error:
                raise LayoutError(f"{type(self).__name__}.{name}: {error}") from None
            if isinstance(type_, Tail):
                type_.check(self, name, raw)
            parts += [bytes(layout.offsets[name] - at), raw]
            at = layout.offsets[name] + len(raw)
        parts.append(bytes(max(layout.size - at, 0)))
        return parts

    @classmethod
    def decode(cls, raw: bytes, abi: Abi = Abi.X64) -> Self:
        """Read a structure; what follows it is not looked at.

        Raises:
            LayoutError: there are too few bytes for the version they name.
        """
        version = int.from_bytes(raw[:4], "little") or 1 if cls.VERSIONS else None
        layout = cls.layout(abi, version)
        if len(raw) < layout.size:
            raise LayoutError(f"{cls.__name__} has {layout.size} bytes, not {len(raw)}")
        values: dict[str, Any] = {}
        for name, type_ in layout.fields:
            at = layout.offsets[name]
            length = type_.length(values) if isinstance(type_, Tail) else type_.size(abi)
            if len(raw) < at + length:
                raise LayoutError(f"{cls.__name__}.{name} is cut off")
            values[name] = type_.decode(raw[at : at + length], abi)
        return cls(**values)


_LAYOUTS: dict[tuple[type[Struct], Abi, int | None], Layout] = {}


def _layout(struct: type[Struct], abi: Abi, version: int | None) -> Layout:
    key = struct, abi, version if struct.VERSIONS else None
    if key not in _LAYOUTS:
        _LAYOUTS[key] = _laid_out(_fields(struct, version), abi)
    return _LAYOUTS[key]


def _laid_out(fields: tuple[Field, ...], abi: Abi) -> Layout:
    offsets, at, greatest = {}, 0, 1
    for name, type_ in fields:
        alignment = type_.alignment(abi)
        at = offsets[name] = _up(at, alignment)
        at += type_.size(abi)
        greatest = max(greatest, alignment)
    return Layout(fields, offsets, _up(at, greatest), greatest)


def _fields(struct: type[Struct], version: int | None) -> tuple[Field, ...]:
    if version is None or not struct.VERSIONS:
        return struct.FIELDS
    known = [number for number in struct.VERSIONS if number <= version] or [min(struct.VERSIONS)]
    names = [field.name for field in struct.FIELDS]
    return struct.FIELDS[: names.index(struct.VERSIONS[max(known)]) + 1]


def _up(offset: int, alignment: int) -> int:
    return -(-offset // alignment) * alignment


class Nested(NamedTuple):
    """A structure inside a structure."""

    struct: type[Struct]

    @property
    def c(self) -> str:
        """The structure's name."""
        return self.struct.__name__

    def size(self, abi: Abi) -> int:
        """Its size in bytes."""
        return self.struct.layout(abi).size

    def alignment(self, abi: Abi) -> int:
        """Return that of its widest member."""
        return self.struct.layout(abi).alignment

    def encode(self, value: Struct, abi: Abi) -> bytes:
        """Return its bytes."""
        return value.encode(abi)

    def decode(self, raw: bytes, abi: Abi) -> Struct:
        """Read it."""
        return self.struct.decode(raw, abi)


def _ctype(annotation: Any) -> CType:  # noqa: ANN401 - an Annotated alias has no type of its own
    if isinstance(annotation, type) and issubclass(annotation, Struct):
        return Nested(annotation)
    found: CType = annotation.__metadata__[0]
    return found
