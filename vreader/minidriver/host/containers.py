# SPDX-License-Identifier: Apache-2.0
"""The containers of a card: ``cmapfile``, their public keys, their certificates.

A record's place in ``cmapfile`` is the container's index; a record without the flag "valid" is
free. Certificates are the files kxcNN and kscNN in ``mscp``, compressed by the host where the card
does not do that itself (WDK "File System Requirements", "CardQueryCapabilities").
"""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from vreader.cardfs import compress_certificate, expand_certificate
from vreader.minidriver.abi.blobs import BlobError, PublicKey, decode_public
from vreader.minidriver.abi.codes import (
    MAX_CONTAINER_NAME,
    VALUE_UNKNOWN,
    ContainerFlag,
    FileAc,
    KeySpec,
)
from vreader.minidriver.abi.ctype import LayoutError
from vreader.minidriver.abi.files import CONTAINER_MAP, MSCP, certificate_file
from vreader.minidriver.abi.returncodes import NTE, MinidriverError
from vreader.minidriver.abi.structs import (
    CARD_CAPABILITIES,
    CARD_FREE_SPACE_INFO,
    CONTAINER_MAP_RECORD,
)
from vreader.minidriver.host.datacache import DataCache, Kind
from vreader.minidriver.host.files import Files
from vreader.minidriver.host.session import Session
from vreader.minidriver.values import ContainerInfo
from vreader.winscard.codes import SCARD

_RECORD = CONTAINER_MAP_RECORD.layout().size
_NO_FILE = frozenset({SCARD.E_FILE_NOT_FOUND, SCARD.E_DIR_NOT_FOUND})
MAX_CONTAINERS = 256  # an index is a byte


class ContainerKey(NamedTuple):
    """A key of a container: what it is for, and its public half."""

    spec: KeySpec
    public: PublicKey


class Container(NamedTuple):
    """One container.

    Attributes:
        number: the container's index on the card.
        name: as ``cmapfile`` has it, a GUID as a rule.
        default: it is the card's default container.
        keys: none, one, or one to sign and one for key exchange.
    """

    number: int
    name: str
    default: bool
    keys: tuple[ContainerKey, ...]


class Containers:
    """The containers of one card. Every function wants to be called in a transaction."""

    def __init__(self, session: Session, files: Files, cache: DataCache) -> None:
        self._session = session
        self._files = files
        self._cache = cache

    # ------------------------------------------------------------------ looking

    def records(self) -> list[CONTAINER_MAP_RECORD]:
        """Return all records, free ones too; none where the card has no ``cmapfile``."""
        try:
            raw = self._files.read(MSCP, CONTAINER_MAP, Kind.CONTAINERS)
        except MinidriverError as error:
            if error.code in _NO_FILE:
                return []
            raise
        try:
            return [
                CONTAINER_MAP_RECORD.decode(raw[at : at + _RECORD])
                for at in range(0, len(raw), _RECORD)
            ]
        except LayoutError:
            raise MinidriverError(SCARD.E_COMM_DATA_LOST) from None

    def listed(self) -> list[Container]:
        """Return the containers there are."""
        return [
            Container(
                index,
                record.wszGuid,
                bool(record.bFlags & ContainerFlag.DEFAULT),
                self.keys(index),
            )
            for index, record in enumerate(self.records())
            if record.bFlags & ContainerFlag.VALID
        ]

    def keys(self, index: int) -> tuple[ContainerKey, ...]:
        """Return the public keys of a container."""
        self._files.counters()
        key = f"container{index}"
        raw = self._cache.find(Kind.CONTAINERS, key)
        if raw is None:
            try:
                info = self._session.call("CardGetContainerInfo", index, 0, ContainerInfo())
            except MinidriverError as error:
                if error.code is not SCARD.E_NO_KEY_CONTAINER:
                    raise
                info = ContainerInfo()
            raw = _packed(info.signature) + _packed(info.exchange)
            self._cache.add(Kind.CONTAINERS, key, raw)
        found = []
        while raw:
            end = 4 + int.from_bytes(raw[:4], "little")
            if end > 4:
                try:
                    public, spec = decode_public(raw[4:end])
                except BlobError:
                    raise MinidriverError(NTE.BAD_KEY) from None
                found.append(ContainerKey(spec, public))
            raw = raw[end:]
        return tuple(found)

    # ------------------------------------------------------------------ changing

    def place(self, name: str, spec: KeySpec) -> int:
        """Return where a new key goes: into the container of that name, or the first free one.

        Raises:
            MinidriverError: SCARD_E_INVALID_PARAMETER for what can be no name, NTE_EXISTS for a key
                that is there, NTE_TOKEN_KEYSET_STORAGE_FULL.
        """
        if not 0 < len(name) <= MAX_CONTAINER_NAME or "\\" in name or "\0" in name:
            raise MinidriverError(SCARD.E_INVALID_PARAMETER)
        records = self.records()
        free = len(records)
        for index, record in reversed(list(enumerate(records))):
            if not record.bFlags & ContainerFlag.VALID:
                free = index
            elif record.wszGuid == name:
                taken = any(key.spec.is_exchange is spec.is_exchange for key in self.keys(index))
                if taken:
                    raise MinidriverError(NTE.EXISTS)
                return index
        space = self._session.call("CardQueryFreeSpace", 0, CARD_FREE_SPACE_INFO())
        most = min(space.dwMaxKeyContainers, MAX_CONTAINERS)
        if not space.dwKeyContainersAvailable or (
            free >= most and space.dwMaxKeyContainers != VALUE_UNKNOWN
        ):
            raise MinidriverError(NTE.TOKEN_KEYSET_STORAGE_FULL)
        return free

    def create(
        self,
        index: int,
        name: str,
        spec: KeySpec,
        bits: int,
        make: Callable[[int], None],
    ) -> None:
        """Make a key in a container; when that fails ``cmapfile`` is as it was.

        ``cardcf`` and ``cmapfile`` are written in the order in which Windows was seen to do it:
        counter of containers, record, the key, counter of files, the key's size, counter again.
        """
        before = self.records()
        records = before + [CONTAINER_MAP_RECORD()] * (index + 1 - len(before))
        valid = records[index].bFlags & ContainerFlag.VALID
        mark: int = ContainerFlag.VALID
        if not any(record.bFlags & ContainerFlag.DEFAULT for record in before):
            mark |= ContainerFlag.DEFAULT
        if not valid:
            records[index] = CONTAINER_MAP_RECORD(name, mark)
        self._files.raise_counters(Kind.CONTAINERS)
        self._put(records)
        try:
            make(index)
        except BaseException:
            self._put(before or [CONTAINER_MAP_RECORD()])
            raise
        record = records[index]
        if spec.is_exchange:
            records[index] = replace(record, wKeyExchangeKeySizeBits=bits)
        else:
            records[index] = replace(record, wSigKeySizeBits=bits)
        self._files.raise_counters(Kind.FILES)
        self._put(records)
        self._files.raise_counters(Kind.CONTAINERS)

    def delete(self, index: int) -> None:
        """Delete a container with its certificates; the record stays, all zero."""
        records = self.records()
        self._files.raise_counters(Kind.CONTAINERS)
        self._session.call("CardDeleteContainer", index, 0)
        if index < len(records):
            records[index] = CONTAINER_MAP_RECORD()
            self._put(records)
        for spec in (KeySpec.KEYEXCHANGE, KeySpec.SIGNATURE):
            self._files.delete(MSCP, certificate_file(index, spec))

    def make_default(self, index: int) -> None:
        """Make a container the default one, and no other."""
        records = [
            replace(record, bFlags=record.bFlags & ~ContainerFlag.DEFAULT)
            for record in self.records()
        ]
        if index >= len(records) or not records[index].bFlags & ContainerFlag.VALID:
            raise MinidriverError(SCARD.E_NO_KEY_CONTAINER)
        flags = records[index].bFlags | ContainerFlag.DEFAULT
        records[index] = replace(records[index], bFlags=flags)
        self._files.raise_counters(Kind.CONTAINERS)
        self._put(records)

    def _put(self, records: list[CONTAINER_MAP_RECORD]) -> None:
        raw = b"".join(record.encode() for record in records)
        self._files.put(MSCP, CONTAINER_MAP, raw, FileAc.EVERYONE_READ_USER_WRITE)

    # ------------------------------------------------------------------ certificates

    def certificate(self, index: int, spec: KeySpec) -> bytes | None:
        """Return the certificate of a key in DER; None where there is none."""
        try:
            raw = self._files.read(MSCP, certificate_file(index, spec))
        except MinidriverError as error:
            if error.code in _NO_FILE:
                return None
            raise
        if self._compresses() or not raw:
            return raw or None
        try:
            return expand_certificate(raw)
        except ValueError:
            raise MinidriverError(NTE.BAD_DATA) from None

    def write_certificate(self, index: int, spec: KeySpec, der: bytes) -> None:
        """Write the certificate of a key; NTE_BAD_LEN for one of 64 KiB and more."""
        data = der
        if not self._compresses():
            try:
                data = compress_certificate(der)
            except ValueError:
                raise MinidriverError(NTE.BAD_LEN) from None
        name = certificate_file(index, spec)
        self._files.write(MSCP, name, data, FileAc.EVERYONE_READ_USER_WRITE)

    def _compresses(self) -> bool:
        """Whether the card compresses certificates itself."""
        return self.capabilities().fCertificateCompression

    def capabilities(self) -> CARD_CAPABILITIES:
        """Return what the card can do itself; asked once while nothing changes."""
        self._files.counters()
        raw = self._cache.find(Kind.CONTAINERS, "capabilities")
        if raw is not None:
            return CARD_CAPABILITIES.decode(raw)
        found: CARD_CAPABILITIES = self._session.call("CardQueryCapabilities", CARD_CAPABILITIES())
        self._cache.add(Kind.CONTAINERS, "capabilities", found.encode())
        return found


def _packed(blob: bytes | None) -> bytes:
    blob = blob or b""
    return len(blob).to_bytes(4, "little") + blob
