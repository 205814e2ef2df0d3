# SPDX-License-Identifier: Apache-2.0
"""What a minidriver's function has returned, for people: bytes, and what they mean."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from vreader.cardfs import expand_certificate
from vreader.minidriver.abi.blobs import BlobError, decode_public
from vreader.minidriver.abi.codes import ContainerFlag
from vreader.minidriver.abi.ctype import LayoutError
from vreader.minidriver.abi.files import CARD_APPS_RECORD, CARD_CF, CONTAINER_MAP, MSCP
from vreader.minidriver.abi.layout import Struct
from vreader.minidriver.abi.properties import CARD_PROPERTIES, CONTAINER_PROPERTIES
from vreader.minidriver.abi.structs import CARD_CACHE_FILE_FORMAT, CONTAINER_MAP_RECORD
from vreader.minidriver.calling import decoded
from vreader.minidriver.scinfo.certificate import facts, key_name, load
from vreader.minidriver.values import ContainerInfo

_LINE: Final = 16
_PROPERTIES: Final = {
    "CardGetProperty": (CARD_PROPERTIES, 0),
    "CardGetContainerProperty": (CONTAINER_PROPERTIES, 1),
}


def told(function: str, arguments: Sequence[Any], result: object) -> Iterator[str]:
    """Yield the lines that tell a result; none for a function that returns nothing."""
    if result is None:
        return
    if isinstance(result, bytes | bytearray):
        raw = bytes(result)
        yield from dump(raw)
        yield from _meaning(function, arguments, raw)
    elif isinstance(result, ContainerInfo):
        for what, blob in (("signature", result.signature), ("exchange", result.exchange)):
            yield f"{what}: {_key(blob)}"
    elif isinstance(result, Struct):
        yield from _members(result)
    elif isinstance(result, list):
        for one in result:
            yield one.hex().upper() if isinstance(one, bytes) else str(one)
    else:
        yield str(result)


def dump(raw: bytes) -> Iterator[str]:
    """Yield bytes as hexadecimal and text, sixteen a line."""
    for at in range(0, len(raw), _LINE):
        part = raw[at : at + _LINE]
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
        yield f"{at:04X}  {part.hex(' ').upper():<47}  {text}"
    if not raw:
        yield "(empty)"


def _meaning(function: str, arguments: Sequence[Any], raw: bytes) -> Iterator[str]:
    if function in _PROPERTIES:
        known, place = _PROPERTIES[function]
        name = arguments[place]
        form = known[name].value if name in known else ""
        struct = decoded(form, raw)
        if struct is not None:
            yield from _members(struct)
        elif form in ("DWORD", "BOOL", "BYTE", "PIN_ID", "PIN_SET"):
            yield f"{form} {int.from_bytes(raw, 'little')}"
    elif function == "CardReadFile":
        directory, name = ((one or "").lower() for one in arguments[:2])
        yield from _file(directory, name, raw)


def _file(directory: str, name: str, raw: bytes) -> Iterator[str]:
    read: Callable[[bytes], Iterator[str]] | None = None
    if (directory, name) == (MSCP, CONTAINER_MAP):
        read = _container_map
    elif (directory, name) == ("", CARD_CF):
        read = _counters
    elif (directory, name) == ("", "cardapps"):
        read = _applications
    elif directory == MSCP and name.startswith(("kxc", "ksc")):
        read = _certificate
    if read is not None and raw:
        try:
            yield from read(raw)
        except (LayoutError, ValueError) as error:
            yield f"this is no such file: {error}"


def _container_map(raw: bytes) -> Iterator[str]:
    size = CONTAINER_MAP_RECORD.layout().size
    for index, at in enumerate(range(0, len(raw), size)):
        record = CONTAINER_MAP_RECORD.decode(raw[at : at + size])
        flags = ContainerFlag(record.bFlags & 3)
        names = [flag.name.lower() for flag in flags if flag.name] or ["free"]
        yield (
            f"container {index}: {record.wszGuid or '-'}, {' and '.join(names)}, signature "
            f"{record.wSigKeySizeBits}, exchange {record.wKeyExchangeKeySizeBits} bits"
        )


def _counters(raw: bytes) -> Iterator[str]:
    yield from _members(CARD_CACHE_FILE_FORMAT.decode(raw))


def _applications(raw: bytes) -> Iterator[str]:
    for at in range(0, len(raw), CARD_APPS_RECORD):
        yield f"directory {raw[at : at + CARD_APPS_RECORD].rstrip(bytes(1)).decode('ascii')}"


def _certificate(raw: bytes) -> Iterator[str]:
    der = expand_certificate(raw)
    how = "not compressed" if der == raw else "compressed"
    certificate = load(der)
    if certificate is None:
        raise ValueError("neither a certificate nor a compressed one")
    seen = facts(certificate)
    yield f"certificate of {seen.subject or '(no subject)'}, {seen.key}, {how}"


def _members(struct: Struct) -> Iterator[str]:
    for field in struct.FIELDS:
        value = getattr(struct, field.name)
        if isinstance(value, Struct):
            inner = ", ".join(_members(value))
            yield f"{field.name} ({inner})"
        elif isinstance(value, bytes):
            yield f"{field.name} {value.hex().upper()}"
        else:
            yield f"{field.name} {int(value) if isinstance(value, int) else value}"


def _key(blob: bytes | None) -> str:
    if blob is None:
        return "none"
    try:
        key, spec = decode_public(blob)
    except BlobError as error:
        return f"{len(blob)} bytes that are no public key: {error}"
    return f"{key_name(key)}, AT_{spec.name}"
