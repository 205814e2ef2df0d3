# SPDX-License-Identifier: Apache-2.0
"""The rules of properties: which exist since when, who may set them, what flags say.

The pages let a minidriver choose between two codes for what it does not have; these rules choose
SCARD_E_INVALID_PARAMETER for reading and SCARD_E_UNSUPPORTED_FEATURE for setting.
"""

from collections.abc import Mapping

from vreader.minidriver.abi.codes import Operation
from vreader.minidriver.abi.pins import MAX_PINS
from vreader.minidriver.abi.properties import (
    CARD_PROPERTIES,
    CONTAINER_PROPERTIES,
    CardProperty,
    Flags,
    Property,
)
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.abi.structs import PIN_INFO
from vreader.minidriver.rules.base import key_spec, require, struct_version
from vreader.winscard.codes import SCARD

_PIN_INFO_VERSION = PIN_INFO().dwVersion


def get_property(version: int, name: str | None, buffer: bytes | None, flags: int) -> None:
    """A readable property of that version, the flags that go with it, a known PIN_INFO."""
    _readable(CARD_PROPERTIES, version, name, flags)
    if name == CardProperty.PIN_INFO:
        _pin_info(buffer)


def get_container_property(
    version: int, _container: int, name: str | None, _buffer: bytes | None, flags: int
) -> None:
    """A readable property of that version; flags are zero."""
    _readable(CONTAINER_PROPERTIES, version, name, flags)


def set_property(version: int, name: str | None, data: bytes | None, flags: int) -> None:
    """A writable property of that version, the flags that go with it, a value."""
    _writable(CARD_PROPERTIES, version, name, data, flags)
    if name == CardProperty.PIN_INFO:
        _pin_info(data)


def set_container_property(
    version: int, _container: int, name: str | None, data: bytes | None, flags: int
) -> None:
    """A writable property of that version; flags are zero, there is a value."""
    _writable(CONTAINER_PROPERTIES, version, name, data, flags)


def _readable(known: Mapping[str, Property], version: int, name: str | None, flags: int) -> None:
    found = known.get(name or "")
    require(found and found.readable and found.since <= version)
    assert found
    _flags(found.flags, flags)


def _writable(
    known: Mapping[str, Property], version: int, name: str | None, data: bytes | None, flags: int
) -> None:
    require(name and data is not None)
    found = known.get(name or "")
    if not (found and found.writable and found.since <= version):
        raise MinidriverError(SCARD.E_UNSUPPORTED_FEATURE)
    _flags(found.flags, flags)


def _flags(meaning: Flags, flags: int) -> None:
    if meaning is Flags.ZERO:
        require(not flags)
    elif meaning is Flags.PIN_ID:
        require(flags < MAX_PINS)
    elif meaning is Flags.KEY_SPEC:
        key_spec(flags)
    else:
        require(flags and not flags & ~(Operation.CIPHER | Operation.ASYMMETRIC))


def _pin_info(data: bytes | None) -> None:
    if data and len(data) >= PIN_INFO.layout().size:
        struct_version(int.from_bytes(data[:4], "little"), _PIN_INFO_VERSION)
