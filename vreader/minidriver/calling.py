# SPDX-License-Identifier: Apache-2.0
"""Calling one function of a minidriver by hand: words become parameters, results become lines.

A word is a number (decimal, ``0x…``, or ``AT_KEYEXCHANGE`` and its like), a text, bytes in
hexadecimal, or ``NULL``. A structure is ``member=value,member=value``, or ``-`` for its defaults.
``-`` in the place of a property's buffer is one that is large enough. Parameters of a derivation
are ``0:SHA256+1:0102``: the number of each and bytes, for number 0 the name of the hash.
"""

import types
import typing
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from vreader.errors import UsageError, near
from vreader.minidriver.abi.codes import PADDING_INFO_PRESENT, KeySpec, Padding
from vreader.minidriver.abi.ctype import LayoutError
from vreader.minidriver.abi.functions import FUNCTIONS
from vreader.minidriver.abi.layout import Struct
from vreader.minidriver.abi.properties import CARD_PROPERTIES, CONTAINER_PROPERTIES
from vreader.minidriver.interface import Minidriver
from vreader.minidriver.values import KdfParameter, Oaep, Pkcs1, Pss, SigningInfo

NULL: Final = "NULL"
DEFAULT: Final = "-"
_ROOM: Final = 1024  # bytes of a property that has no fixed size
_FIXED: Final = {"DWORD": 4, "BOOL": 4, "PIN_ID": 4, "PIN_SET": 4, "BYTE": 1}
_NAMES: Final = {f"AT_{spec.name}": int(spec) for spec in KeySpec}
_KDF_HASH_ALGORITHM: Final = 0  # of BCryptBuffer.BufferType (bcrypt.h): a text
_BYTES: Final = ("container", "secret")  # parameters that are a BYTE
_NOT_BY_HAND: Final = frozenset({"CardDeleteContext"})


class Parameter(NamedTuple):
    """One parameter of a function.

    Attributes:
        name: as in Python.
        type: what it is besides None.
    """

    name: str
    type: Any

    @property
    def form(self) -> str:
        """How it is written."""
        if self.type is int:
            return "NUMBER"
        if self.type is bytes:
            return "HEX"
        if self.type is str:
            return "TEXT"
        return getattr(self.type, "__name__", "VALUE")

    @property
    def default(self) -> str | None:
        """What is taken where it is left out at the end; None where it must be there."""
        if self.name in ("flags", "reserved", "retry_count"):
            return "0"
        return DEFAULT if self.name in ("info", "buffer") else None


def callable_functions() -> list[str]:
    """Return the functions that can be called by hand, in the order of the table."""
    return [one.name for one in FUNCTIONS if one.name not in _NOT_BY_HAND]


def parameters(function: str) -> list[Parameter]:
    """Return a function's parameters; raises UsageError where there is no such function."""
    if function not in callable_functions():
        raise UsageError(
            f"there is no function {function!r} to be called",
            hint=near(function, callable_functions(), 0.6) or "see 'vreader minidriver list'",
        )
    hints = typing.get_type_hints(getattr(Minidriver, function))
    hints.pop("return", None)
    return [Parameter(name, _without_none(hint)) for name, hint in hints.items()]


def usage(function: str) -> str:
    """Return how a function is called."""
    words = [
        f"[{one.name}: {one.form}]" if one.default else f"{one.name}: {one.form}"
        for one in parameters(function)
    ]
    return " ".join([function, *words])


def read_arguments(function: str, words: Sequence[str]) -> list[Any]:
    """Read the words that are a function's parameters; raises UsageError."""
    wanted = parameters(function)
    if len(words) > len(wanted):
        raise UsageError(
            f"{function} has no more than {len(wanted)} parameters", hint=_hint(function)
        )
    found: list[Any] = []
    for number, one in enumerate(wanted):
        word = words[number] if number < len(words) else one.default
        if word is None:
            raise UsageError(f"{function} also needs {one.name}", hint=_hint(function))
        if one.name == "buffer" and word == DEFAULT:
            found.append(_buffer(function, found))
        else:
            found.append(_value(one.type, word, one.name))
    return found


def _hint(function: str) -> str:
    return f"write {usage(function)}"


def _without_none(hint: Any) -> Any:  # noqa: ANN401 - a type
    """Return a type without None; of several only the union is left."""
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        rest = [one for one in typing.get_args(hint) if one is not type(None)]
        return rest[0] if len(rest) == 1 else tuple(rest)
    return hint


def _value(type_: Any, word: str, name: str) -> Any:  # noqa: ANN401 - of that type
    if word == NULL:
        return None
    if type_ is str:
        return word
    if type_ is int:
        return _number(word, name)
    if type_ is bytes:
        return _bytes(word, name)
    if isinstance(type_, tuple):
        return _padding(word, name)
    if typing.get_origin(type_) is tuple:
        return tuple(_derivation(one, name) for one in filter(None, word.split("+")))
    if typing.get_origin(type_) is list:
        return [_bytes(one, name) for one in word.split(",")]
    return _structure(type_, word, name)


def _number(word: str, name: str) -> int:
    most = 0xFF if name.rpartition(".")[2] in _BYTES else 0xFFFFFFFF
    try:
        number = _NAMES[word] if word in _NAMES else int(word, 0)
    except ValueError:
        raise UsageError(
            f"{name}: {word!r} is no number", hint="write 7, 0x20000000 or AT_KEYEXCHANGE"
        ) from None
    if not 0 <= number <= most:
        raise UsageError(f"{name} is a number from 0 to {most}", hint=f"write 7 or 0x{most:X}")
    return number


def _bytes(word: str, name: str) -> bytes:
    try:
        return bytes.fromhex(word)
    except ValueError:
        raise UsageError(
            f"{name}: what was given is not hexadecimal", hint="write bytes as 313233, or NULL"
        ) from None


def _derivation(word: str, name: str) -> KdfParameter:
    """Read a parameter of CardDeriveKey."""
    kind, colon, text = word.partition(":")
    if not colon:
        raise UsageError(
            f"{name}: {word!r} is no parameter of a derivation", hint="write 0:SHA256+1:0102"
        )
    number = _number(kind, name)
    if number == _KDF_HASH_ALGORITHM:
        return KdfParameter(number, (text + "\0").encode("utf-16-le"))
    return KdfParameter(number, _bytes(text, name))


def _padding(word: str, name: str) -> Pkcs1 | Pss | Oaep:
    kind, *rest = word.split(":")
    try:
        if kind == "pkcs1" and len(rest) <= 1:
            return Pkcs1(rest[0] if rest else None)
        if kind == "pss" and len(rest) == 2 and 0 <= int(rest[1]) <= 0xFFFFFFFF:
            return Pss(rest[0], int(rest[1]))
        if kind == "oaep" and 1 <= len(rest) <= 2:
            return Oaep(rest[0], bytes.fromhex(rest[1]) if len(rest) == 2 else b"")
    except ValueError:
        pass
    raise UsageError(
        f"{name}: {word!r} is no padding",
        hint="write pkcs1:SHA256, pkcs1, pss:SHA256:32, oaep:SHA1, oaep:SHA1:6C",
    )


def _structure(type_: Any, word: str, name: str) -> Any:  # noqa: ANN401 - of that type
    hints = typing.get_type_hints(type_) if not issubclass(type_, Struct) else {}
    members = [field.name for field in type_.FIELDS] if issubclass(type_, Struct) else list(hints)
    given: dict[str, Any] = {}
    for pair in filter(None, "".join(word.split()).split(",") if word != DEFAULT else ()):
        member, equals, text = pair.partition("=")
        if member in members and (not equals or member in given):
            raise UsageError(
                f"{name}: {member} " + ("is there twice" if equals else "has no value"),
                hint=f"write {member}=value once",
            )
        if member not in members:
            hint = near(member, members) or f"members: {', '.join(members)}"
            raise UsageError(f"{name}: {type_.__name__} has no member {member!r}", hint=hint)
        kind = _without_none(hints[member]) if hints else int
        given[member] = _value(kind, text, f"{name}.{member}")
    if "padding" in given and "padding_type" not in given:
        given["padding_type"] = _PADDING_TYPES[type(given["padding"])]
        if type_ is SigningInfo:
            given["flags"] = given.get("flags", 0) | PADDING_INFO_PRESENT
    try:
        return type_(**given)
    except TypeError as error:
        missing = f"{error}".partition(":")[2].strip() or f"{error}"
        raise UsageError(
            f"{name}: {type_.__name__} needs {missing}",
            hint=f"write member=value,…; members: {', '.join(members)}",
        ) from None


_PADDING_TYPES: Final[dict[object, int]] = {
    Pkcs1: Padding.PKCS1,
    Pss: Padding.PSS,
    Oaep: Padding.OAEP,
}


def _buffer(function: str, found: list[Any]) -> bytes:
    """Return a buffer for the property that is asked for."""
    known = CONTAINER_PROPERTIES if function == "CardGetContainerProperty" else CARD_PROPERTIES
    name = found[-1]
    form = known[name].value if name in known else ""
    struct = structure_of(form)
    if struct is not None:
        return struct().encode()
    return bytes(_FIXED.get(form, _ROOM))


def structure_of(form: str) -> type[Struct] | None:
    """Return the structure of a property's form, where it is one without pointers."""
    from vreader.minidriver.abi import structs

    found = getattr(structs, form, None)
    if not (isinstance(found, type) and issubclass(found, Struct)) or form == "CONTAINER_INFO":
        return None
    return found


def decoded(form: str, raw: bytes) -> Struct | None:
    """Read a property's value as its structure; None where it is none."""
    struct = structure_of(form)
    try:
        return None if struct is None else struct.decode(raw)
    except LayoutError:
        return None
