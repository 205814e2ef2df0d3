# SPDX-License-Identifier: Apache-2.0
"""What the minidrivers of both cards do alike: properties, signing, decryption.

A card is a handful of functions that a subclass gives (``_keys``, ``_sign_block``, ``_verify`` …).
"""

from abc import abstractmethod
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from vreader.host.scard import ScardApi
from vreader.minidriver.abi.blobs import BlobError, PublicKey, encode_public
from vreader.minidriver.abi.codes import (
    BUFFER_SIZE_ONLY,
    PADDING_INFO_PRESENT,
    CacheMode,
    Calg,
    KeySpec,
    Padding,
)
from vreader.minidriver.abi.pins import PinStrength, Role, pin_set
from vreader.minidriver.abi.properties import CardProperty, ContainerProperty
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.abi.structs import (
    CARD_CAPABILITIES,
    CARD_FREE_SPACE_INFO,
    CARD_KEY_SIZES,
)
from vreader.minidriver.callbacks import CardData
from vreader.minidriver.drivers.link import CardLink
from vreader.minidriver.drivers.pinpad import Pinpad
from vreader.minidriver.drivers.pins import PinFunctions
from vreader.minidriver.padding import HASHES, hash_name, pad, unpad
from vreader.minidriver.rules.base import require
from vreader.minidriver.values import ContainerInfo, DecryptInfo, Pkcs1, Pss, SigningInfo
from vreader.winscard.codes import SCARD, Win32

_TLS_HASHES = 36  # MD5 and SHA-1, one behind the other


class CardKey(NamedTuple):
    """A key on the card.

    Attributes:
        spec: what it is for.
        bits: of the modulus, or of the curve.
        reference: the card's own name of it.
        algorithm: the card's own name of its kind.
    """

    spec: KeySpec
    bits: int
    reference: int
    algorithm: int

    @property
    def width(self) -> int:
        """Bytes of the modulus or of a coordinate."""
        return -(-self.bits // 8)


class CardMinidriver(PinFunctions):
    """One context for a card behind an SCard API.

    Args:
        api: the SCard functions that ``data.card`` belongs to.
        data, version, no_card: see :class:`~vreader.minidriver.interface.Minidriver`.
    """

    AID: bytes
    """The application, or the beginning of its name."""

    READ_ONLY = False
    CACHE_MODE = CacheMode.GLOBAL_CACHE

    def __init__(
        self, api: ScardApi, data: CardData, version: int, *, no_card: bool = False
    ) -> None:
        super().__init__(data, version, no_card=no_card)
        self._link = CardLink(api, data.card, self.AID)
        self._pinpad = Pinpad(api, data.card)

    def _entered_at_reader(self, pin_id: int) -> bool:
        return pin_id != Role.ADMIN and self._pinpad.verifies

    # ------------------------------------------------------------------ the card

    @abstractmethod
    def _keys(self, container: int) -> list[CardKey]:
        """Return the keys of a container, one or two; SCARD_E_NO_KEY_CONTAINER."""

    @abstractmethod
    def _public(self, key: CardKey) -> PublicKey:
        """Return the public half of a key."""

    @abstractmethod
    def _pin_of(self, container: int) -> int:
        """Return the PIN that a container wants."""

    @abstractmethod
    def _sign_block(self, key: CardKey, block: bytes) -> bytes:
        """Return the RSA signature of a padded block, both big endian."""

    @abstractmethod
    def _sign_hash(self, key: CardKey, value: bytes) -> bytes:
        """Return an ECDSA signature of a hash: r and s, each as long as a coordinate."""

    @abstractmethod
    def _decrypt(self, key: CardKey, data: bytes) -> bytes:
        """Return the raw RSA decryption of data, both big endian and as long as the modulus."""

    @abstractmethod
    def _card_id(self) -> bytes:
        """Return the 16 bytes that name the card."""

    # ------------------------------------------------------------------ context and properties

    def CardDeleteContext(self) -> None:
        """End the context; the card is not asked."""

    def CardGetProperty(self, name: str | None, buffer: bytes | None, flags: int) -> bytes:
        """See Minidriver."""
        return fitting(self._property(CardProperty(name or ""), flags), buffer)

    def _property(self, name: CardProperty, flags: int) -> bytes:
        """Return a property of the card; SCARD_E_INVALID_PARAMETER for one it does not have."""
        match name:
            case CardProperty.FREE_SPACE:
                return self.CardQueryFreeSpace(0, CARD_FREE_SPACE_INFO()).encode()
            case CardProperty.CAPABILITIES:
                return self.CardQueryCapabilities(CARD_CAPABILITIES()).encode()
            case CardProperty.KEY_SIZES:
                return self.CardQueryKeySizes(flags, 0, CARD_KEY_SIZES()).encode()
            case CardProperty.READ_ONLY:
                return dword(self.READ_ONLY)
            case CardProperty.X509_ENROLLMENT:
                return dword(not self.READ_ONLY)
            case CardProperty.CACHE_MODE:
                return dword(self.CACHE_MODE)
            case CardProperty.GUID | CardProperty.SERIAL_NO:
                return self._card_id()
            case CardProperty.PIN_INFO:
                return self._pin_info(flags).encode()
            case CardProperty.LIST_PINS:
                return dword(pin_set(self._pins))
            case CardProperty.AUTHENTICATED_STATE:
                return dword(pin_set(self._authenticated()))
            case CardProperty.PIN_STRENGTH_VERIFY | CardProperty.PIN_STRENGTH_CHANGE:
                self._pin_info(flags)
                return dword(PinStrength.PLAINTEXT)
            case CardProperty.PIN_STRENGTH_UNBLOCK:
                permitted = self._pin_info(flags).dwUnblockPermission
                return dword(PinStrength.PLAINTEXT if permitted else 0)
            case CardProperty.KEY_IMPORT_SUPPORT:
                return dword(0)
        raise MinidriverError(SCARD.E_INVALID_PARAMETER)

    def CardSetProperty(self, name: str | None, data: bytes | None, flags: int) -> None:
        """Take the window and the string of prompts, which are not shown; refuse the rest."""
        if name not in (CardProperty.PARENT_WINDOW, CardProperty.PIN_CONTEXT_STRING):
            raise MinidriverError(SCARD.E_UNSUPPORTED_FEATURE)

    def CardGetContainerProperty(
        self, container: int, name: str | None, buffer: bytes | None, flags: int
    ) -> bytes | ContainerInfo:
        """See Minidriver; no container has an associated ECDH key."""
        keys = self._keys(container)
        match name:
            case ContainerProperty.INFO:
                return self._container_info(keys)
            case ContainerProperty.PIN_IDENTIFIER:
                return fitting(dword(self._pin_of(container)), buffer)
        raise MinidriverError(SCARD.E_INVALID_PARAMETER)

    def CardGetContainerInfo(
        self, container: int, flags: int, info: ContainerInfo | None
    ) -> ContainerInfo:
        """See Minidriver."""
        return self._container_info(self._keys(container))

    def _container_info(self, keys: list[CardKey]) -> ContainerInfo:
        blobs: dict[bool, bytes] = {}
        for key in keys:
            try:
                blobs[key.spec.is_exchange] = encode_public(self._public(key), key.spec)
            except BlobError:  # the card's key is not what the card says of it
                raise MinidriverError(SCARD.E_COMM_DATA_LOST) from None
        return ContainerInfo(1, blobs.get(False), blobs.get(True))

    # ------------------------------------------------------------------ private keys

    def key(self, container: int, spec: int) -> CardKey:
        """Return a key; SCARD_E_NO_KEY_CONTAINER, SCARD_E_INVALID_PARAMETER for another use."""
        for key in self._keys(container):
            if key.spec == spec:
                return key
        raise MinidriverError(SCARD.E_INVALID_PARAMETER)

    def CardSignData(self, info: SigningInfo | None) -> bytes | int:
        """See Minidriver. The padding is made here."""
        assert info, "the rules have seen it"
        assert info.data, "the rules have seen it"
        key = self.key(info.container, info.key_spec)
        if not key.spec.is_rsa:
            hash_name(info.hash_alg)
            if info.flags & BUFFER_SIZE_ONLY:
                return 2 * key.width
            return self._sign_hash(key, info.data[: key.bits // 8])
        block = _block(info, key.width)
        if info.flags & BUFFER_SIZE_ONLY:
            return key.width
        return self._sign_block(key, block)[::-1]

    def CardRSADecrypt(self, info: DecryptInfo | None) -> bytes:
        """See Minidriver. The padding is removed here, of version 1 by the host."""
        assert info, "the rules have seen it"
        assert info.data, "the rules have seen it"
        key = self.key(info.container, info.key_spec)
        require(len(info.data) == key.width)
        block = self._decrypt(key, info.data[::-1])
        if info.version < 2 or info.padding_type == Padding.NONE:
            return block[::-1]
        return unpad(block, info.padding_type, info.padding)[::-1]


def dword(value: int) -> bytes:
    """Return a DWORD or a BOOL."""
    return int(value).to_bytes(4, "little")


def fitting(value: bytes, buffer: bytes | None) -> bytes:
    """Return a property's value, or its length with ERROR_INSUFFICIENT_BUFFER."""
    if buffer is None or len(buffer) < len(value):
        raise MinidriverError(Win32.INSUFFICIENT_BUFFER, length=len(value))
    return value


def plain_signature(found: bytes, width: int) -> bytes:
    """Return r and s of a signature, which some cards give as DER; SCARD_E_COMM_DATA_LOST."""
    if len(found) == 2 * width:
        return found
    try:
        r, s = decode_dss_signature(found)
        return r.to_bytes(width, "big") + s.to_bytes(width, "big")
    except (ValueError, OverflowError):
        raise MinidriverError(SCARD.E_COMM_DATA_LOST) from None


def _block(info: SigningInfo, width: int) -> bytes:
    """Return what the private key is to be used on, big endian."""
    data = info.data or b""
    if not info.flags & PADDING_INFO_PRESENT:
        require(info.hash_alg != Calg.SSL3_SHAMD5 or len(data) == _TLS_HASHES)
        return pad(data, width, Pkcs1(hash_name(info.hash_alg)))
    if info.padding_type == Padding.NONE:
        require(len(data) == width)
        return data
    kind = Pss if info.padding_type == Padding.PSS else Pkcs1
    require(isinstance(info.padding, kind))
    assert isinstance(info.padding, Pss | Pkcs1)
    name = info.padding.algorithm
    if name not in HASHES and not (name is None and kind is Pkcs1):
        raise MinidriverError(SCARD.E_UNSUPPORTED_FEATURE)
    return pad(data, width, info.padding)
