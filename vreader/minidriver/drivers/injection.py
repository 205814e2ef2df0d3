# SPDX-License-Identifier: Apache-2.0
"""Secure key injection: a session key under an RSA key of the card (WDK "Secure Key Injection").

A server without the card makes a symmetric key and encrypts it with the public key of a container;
the card's side decrypts it with the private key. Both then have a handle, and what the server
encrypts under it is a secure function for the card's side: a key pair to be imported, a PIN.
"""

from dataclasses import replace
from itertools import count
from typing import Final, TypeVar

from vreader.host.scard import ScardApi
from vreader.minidriver.abi.blobs import BlobError, decode_key_data
from vreader.minidriver.abi.codes import (
    CHAIN_MODE_CBC,
    KEY_DATA_BLOB_TYPE,
    CreateContainer,
    KeyImport,
    KeyProperty,
    KeySpec,
    Operation,
    Padding,
    SecureFunction,
)
from vreader.minidriver.abi.ctype import LayoutError
from vreader.minidriver.abi.injection import (
    CARD_AUTHENTICATE,
    CARD_AUTHENTICATE_RESPONSE,
    CARD_CHANGE_AUTHENTICATOR,
    CARD_CHANGE_AUTHENTICATOR_RESPONSE,
    CARD_IMPORT_KEYPAIR,
)
from vreader.minidriver.abi.layout import Struct
from vreader.minidriver.abi.properties import CardProperty
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.callbacks import CardData
from vreader.minidriver.drivers.base import CardMinidriver, dword, fitting
from vreader.minidriver.drivers.sessionkey import KEY_SIZES, SessionKey, block_length
from vreader.minidriver.rules.base import require, struct_version
from vreader.minidriver.values import DecryptInfo, Oaep, PaddingInfo, Pkcs1
from vreader.winscard.codes import SCARD, Win32

_ASYMMETRIC = "RSA"


class SecureKeyInjection(CardMinidriver):
    """The functions of key injection.

    Without a card CardImportSessionKey is NULL, and secure functions fail with
    SCARD_E_INVALID_HANDLE. No key is shared beforehand: CardGetSharedKeyHandle is NULL.
    """

    def __init__(
        self, api: ScardApi, data: CardData, version: int, *, no_card: bool = False
    ) -> None:
        super().__init__(api, data, version, no_card=no_card)
        self._session_keys: dict[int, SessionKey] = {}
        self._handles = count(1)

    def _property(self, name: CardProperty, flags: int) -> bytes:
        match name:
            case CardProperty.KEY_IMPORT_SUPPORT:
                return dword(KeyImport.PLAIN_TEXT | KeyImport.RSA_KEYEST)
            case CardProperty.ENUM_ALGORITHMS:
                ciphers = KEY_SIZES if flags & Operation.CIPHER else ()
                return wide(*ciphers, *((_ASYMMETRIC,) if flags & Operation.ASYMMETRIC else ()))
            case CardProperty.PADDING_SCHEMES:
                return dword(Padding.PKCS1 | Padding.OAEP)
            case CardProperty.CHAINING_MODES:
                return wide(CHAIN_MODE_CBC)
        return super()._property(name, flags)

    def CardDeleteContext(self) -> None:
        """Forget the session keys; the card is not asked."""
        self._session_keys.clear()
        super().CardDeleteContext()

    # ------------------------------------------------------------------ session keys

    def MDImportSessionKey(
        self, blob_type: str | None, algorithm: str | None, data: bytes | None
    ) -> int:
        """See KeyInjection."""
        require(blob_type == KEY_DATA_BLOB_TYPE and algorithm in KEY_SIZES and data)
        try:
            key = decode_key_data(data or b"")
        except BlobError:
            raise MinidriverError(SCARD.E_INVALID_PARAMETER) from None
        session = SessionKey(algorithm or "", key)
        handle = next(self._handles)
        self._session_keys[handle] = session
        return handle

    def CardImportSessionKey(
        self,
        container: int,
        padding: PaddingInfo | None,
        blob_type: str | None,
        algorithm: str | None,
        data: bytes | None,
        flags: int,
    ) -> int:
        """See KeyInjection. The BLOB is big endian, as CNG encrypts it."""
        require(blob_type == KEY_DATA_BLOB_TYPE and algorithm in KEY_SIZES and data and not flags)
        require(padding is None or isinstance(padding, Oaep | Pkcs1))
        keys = [key for key in self._keys(container) if key.spec is KeySpec.KEYEXCHANGE]
        if not keys:
            raise MinidriverError(SCARD.E_UNSUPPORTED_FEATURE)
        kind = Padding.OAEP if isinstance(padding, Oaep) else Padding.PKCS1
        blob = self.CardRSADecrypt(
            DecryptInfo(container, KeySpec.KEYEXCHANGE, (data or b"")[::-1], padding, kind)
        )
        return self.MDImportSessionKey(blob_type, algorithm, blob[::-1])

    def CardDestroyKey(self, key: int) -> None:
        """See KeyInjection."""
        self._session_key(key)
        del self._session_keys[key]

    def _session_key(self, handle: int) -> SessionKey:
        if handle not in self._session_keys:
            raise MinidriverError(SCARD.E_INVALID_PARAMETER)
        return self._session_keys[handle]

    # ------------------------------------------------------------------ their properties

    def CardGetAlgorithmProperty(
        self, algorithm: str | None, name: str | None, buffer: bytes | None, flags: int
    ) -> bytes:
        """Return block length and chaining modes of a cipher, padding schemes of RSA."""
        require(not flags)
        if algorithm == _ASYMMETRIC and name == CardProperty.PADDING_SCHEMES:
            return fitting(dword(Padding.PKCS1 | Padding.OAEP), buffer)
        require(algorithm in KEY_SIZES)
        if name == KeyProperty.BLOCK_LENGTH:
            return fitting(dword(block_length(algorithm or "")), buffer)
        require(name == CardProperty.CHAINING_MODES)
        return fitting(wide(CHAIN_MODE_CBC), buffer)

    def CardGetKeyProperty(
        self, key: int, name: str | None, buffer: bytes | None, flags: int
    ) -> bytes:
        """See KeyInjection."""
        require(not flags)
        session = self._session_key(key)
        match name:
            case KeyProperty.CHAINING_MODE:
                return fitting(wide(CHAIN_MODE_CBC)[:-2], buffer)
            case KeyProperty.INITIALIZATION_VECTOR:
                return fitting(session.vector, buffer)
            case KeyProperty.BLOCK_LENGTH:
                return fitting(dword(session.block), buffer)
        raise MinidriverError(SCARD.E_INVALID_PARAMETER)

    def CardSetKeyProperty(
        self, key: int, name: str | None, data: bytes | None, flags: int
    ) -> None:
        """Set the vector, or CBC as the chaining mode."""
        require(not flags)
        session, value = self._session_key(key), data or b""
        if name == KeyProperty.INITIALIZATION_VECTOR:
            require(len(value) == session.block)
            session.vector = bytes(value)
        elif name == KeyProperty.CHAINING_MODE:
            require(value.decode("utf-16-le", "replace").rstrip("\0") == CHAIN_MODE_CBC)
        else:
            raise MinidriverError(SCARD.E_UNSUPPORTED_FEATURE)

    # ------------------------------------------------------------------ secure functions

    def MDEncryptData(
        self, key: int, function: str | None, data: bytes | None, flags: int
    ) -> list[bytes]:
        """See KeyInjection; all of it is one piece."""
        require(function in _FUNCTIONS and data and not flags)
        return [self._session_key(key).encrypt(data or b"")]

    def CardProcessEncryptedData(
        self, key: int, function: str | None, data: list[bytes] | None, size: int, flags: int
    ) -> bytes:
        """See KeyInjection; whatever is wrong with the data, nothing has been done."""
        session = self._session_key(key)
        require(function in _FUNCTIONS and data and not flags)
        plain = session.decrypt(b"".join(data or ()))
        if function == SecureFunction.IMPORT_KEYPAIR:
            self._import(_read(CARD_IMPORT_KEYPAIR, plain))
            return b""
        answer: CARD_CHANGE_AUTHENTICATOR_RESPONSE | CARD_AUTHENTICATE_RESPONSE
        if function == SecureFunction.CHANGE_AUTHENTICATOR:
            answer = CARD_CHANGE_AUTHENTICATOR_RESPONSE()
            change = _read(CARD_CHANGE_AUTHENTICATOR, plain)
            _room(answer, size)
            self._change_encrypted(change)
            pin_id = change.dwTargetPinId
        else:
            answer = CARD_AUTHENTICATE_RESPONSE()
            one = _read(CARD_AUTHENTICATE, plain)
            _room(answer, size)
            self.CardAuthenticateEx(one.PinId, one.dwFlags, one.pbPinData)
            pin_id = one.PinId
        return replace(answer, cAttemptsRemaining=self._attempts(pin_id)).encode()

    def _import(self, pair: CARD_IMPORT_KEYPAIR) -> None:
        self.CardCreateContainerEx(
            pair.bContainerIndex,
            CreateContainer.KEY_IMPORT,
            pair.dwKeySpec,
            pair.dwKeySize,
            pair.pbInput,
            pair.PinId,
        )

    def _change_encrypted(self, change: CARD_CHANGE_AUTHENTICATOR) -> None:
        end = change.cbAuthenticatingPinData
        self.CardChangeAuthenticatorEx(
            change.dwFlags,
            change.dwAuthenticatingPinId,
            change.pbData[:end],
            change.dwTargetPinId,
            change.pbData[end:],
            change.cRetryCount,
        )


_FUNCTIONS: Final = frozenset(SecureFunction)


def _room(answer: Struct, size: int) -> None:
    """Raise ERROR_INSUFFICIENT_BUFFER with the length, before anything is done."""
    length = len(answer.encode())
    if size < length:
        raise MinidriverError(Win32.INSUFFICIENT_BUFFER, length=length)


AnyStruct = TypeVar("AnyStruct", bound=Struct)


def _read(kind: type[AnyStruct], plain: bytes) -> AnyStruct:
    """Read a structure that fills what was decrypted; SCARD_E_INVALID_PARAMETER."""
    require(len(plain) >= 4)
    struct_version(int.from_bytes(plain[:4], "little"), 7)
    try:
        found = kind.decode(plain)
    except LayoutError:
        raise MinidriverError(SCARD.E_INVALID_PARAMETER) from None
    require(found.encode() == plain)
    return found


def wide(*names: str) -> bytes:
    """Return a multi-string of UTF-16: a NUL behind each, and one more."""
    return "".join(f"{name}\0" for name in (*names, "")).encode("utf-16-le")
