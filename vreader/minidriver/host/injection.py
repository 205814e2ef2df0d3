# SPDX-License-Identifier: Apache-2.0
"""Secure key injection: a server without a card encrypts what passes through the client's computer.

Both have the same minidriver. The server makes a session key and encrypts it under an RSA key of
the card, the card imports it, and what the server encrypts by MDEncryptData the card works on by
CardProcessEncryptedData (WDK "Secure Key Injection"). The encrypted session key is big endian, as
CNG encrypts it; the policies of plain imports are not asked (both assumed).
"""

import secrets
from typing import Final, NamedTuple, Self

from cryptography.hazmat.primitives.asymmetric import padding, rsa

from vreader.host.scard import ScardApi
from vreader.minidriver.abi.blobs import BlobError, PrivateKey, encode_key_data, encode_private
from vreader.minidriver.abi.carddata import CURRENT_VERSION
from vreader.minidriver.abi.codes import (
    ALGORITHM_AES,
    CHAIN_MODE_CBC,
    KEY_DATA_BLOB_TYPE,
    NO_CARD_MODE,
    KeyImport,
    KeyProperty,
    KeySpec,
    SecureFunction,
)
from vreader.minidriver.abi.injection import CARD_CHANGE_AUTHENTICATOR, CARD_IMPORT_KEYPAIR
from vreader.minidriver.abi.pins import ChangeFlag
from vreader.minidriver.abi.properties import CardProperty
from vreader.minidriver.abi.returncodes import NTE, MinidriverError
from vreader.minidriver.callbacks import CardData
from vreader.minidriver.host.basecsp import BaseCsp
from vreader.minidriver.host.callbacks import Callbacks
from vreader.minidriver.host.choosing import choose_key, decrypts
from vreader.minidriver.host.datacache import DataCache
from vreader.minidriver.host.keymaking import create_key
from vreader.minidriver.host.process import HostProcess
from vreader.minidriver.module import Module
from vreader.minidriver.values import Pkcs1

_KEY_BYTES: Final = 32
_BLOCK: Final = 16
_ANSWER: Final = 4096  # no structure that a card answers with is as long
_DWORD: Final = 4


class SessionKey(NamedTuple):
    """A session key as the server tells the card of it.

    Attributes:
        handle: the server's.
        encrypted: its BLOB under the card's key.
        vector: the initialization vector.
    """

    handle: int
    encrypted: bytes
    vector: bytes


class KeyServer:
    """A server that encrypts for cards which it never sees.

    Args:
        api: the SCard functions that its host is linked with; none is called.
        module: the minidriver of those cards.
        card_name: of the card, for CARD_DATA.
        process: that the server is in.

    Raises:
        MinidriverError: as CardAcquireContext does, SCARD_E_UNSUPPORTED_FEATURE for a minidriver
            without key injection.
        VreaderError: the module's DllMain refuses.
    """

    def __init__(self, api: ScardApi, module: Module, card_name: str, process: HostProcess) -> None:
        process.load(module)
        callbacks = Callbacks(DataCache(api, process), oaep=True)
        data = CardData(CURRENT_VERSION, b"", card_name, 0, 0, callbacks)
        self._context = module.CardAcquireContext(data, NO_CARD_MODE)

    def session(self, public: rsa.RSAPublicKey) -> SessionKey:
        """Make a session key for the card with that public key."""
        blob = encode_key_data(secrets.token_bytes(_KEY_BYTES))
        handle = self._context.MDImportSessionKey(KEY_DATA_BLOB_TYPE, ALGORITHM_AES, blob)
        vector = secrets.token_bytes(_BLOCK)
        for name, value in _properties(vector):
            self._context.CardSetKeyProperty(handle, name, value, 0)
        return SessionKey(handle, public.encrypt(blob, padding.PKCS1v15()), vector)

    def encrypt(self, key: SessionKey, function: str, data: bytes) -> list[bytes]:
        """Encrypt what a secure function of the card is to work on."""
        return self._context.MDEncryptData(key.handle, function, data, 0)

    def forget(self, key: SessionKey) -> None:
        """Destroy a session key."""
        self._context.CardDestroyKey(key.handle)

    def close(self) -> None:
        """Delete the context."""
        self._context.CardDeleteContext()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class Channel:
    """A session key that a server and the card share, in a transaction.

    Args:
        csp: the host of the card.
        server: the other side.
        via: the container whose RSA key protects the session key; its PIN is presented.

    Raises:
        MinidriverError: NTE_NOT_SUPPORTED where the card has no key injection under RSA.
    """

    def __init__(self, csp: BaseCsp, server: KeyServer, via: str | int | None) -> None:
        self._csp = csp
        self._server = server
        self._call = csp.session.call
        buffer = bytes(_DWORD)
        try:
            raw = self._call("CardGetProperty", CardProperty.KEY_IMPORT_SUPPORT, buffer, 0)
        except MinidriverError:
            raw = buffer
        if not int.from_bytes(raw[:_DWORD], "little") & KeyImport.RSA_KEYEST:
            raise MinidriverError(NTE.NOT_SUPPORTED)
        key = choose_key(csp, via, KeySpec.KEYEXCHANGE, decrypts)
        if not isinstance(key.public, rsa.RSAPublicKey):
            raise MinidriverError(NTE.BAD_KEY)
        csp.pins.require(csp.pins.of_container(key.container))
        self._theirs = server.session(key.public)
        try:
            self._ours: int = self._call(
                "CardImportSessionKey",
                key.container,
                Pkcs1(),
                KEY_DATA_BLOB_TYPE,
                ALGORITHM_AES,
                self._theirs.encrypted,
                0,
            )
            for name, value in _properties(self._theirs.vector):
                self._call("CardSetKeyProperty", self._ours, name, value, 0)
        except BaseException:
            server.forget(self._theirs)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        try:
            self._server.forget(self._theirs)
        finally:
            self._call("CardDestroyKey", self._ours)

    def pass_on(self, function: str, data: bytes) -> bytes:
        """Have the card do something with what the server encrypts; return its answer."""
        pieces = self._server.encrypt(self._theirs, function, data)
        answer: bytes = self._call(
            "CardProcessEncryptedData", self._ours, function, pieces, _ANSWER, 0
        )
        return answer

    def change_pin(self, pin_id: int, current: bytes, new: bytes) -> None:
        """Change a PIN; everybody's kept one is wrong from now on."""
        change = CARD_CHANGE_AUTHENTICATOR(
            dwFlags=ChangeFlag.CHANGE_PIN,
            dwAuthenticatingPinId=pin_id,
            cbAuthenticatingPinData=len(current),
            dwTargetPinId=pin_id,
            cbTargetData=len(new),
            pbData=current + new,
        )
        self.pass_on(SecureFunction.CHANGE_AUTHENTICATOR, change.encode())
        self._csp.pins.changed(pin_id)


def inject_key(
    csp: BaseCsp,
    server: KeyServer,
    key: PrivateKey,
    spec: KeySpec,
    *,
    name: str,
    via: str | int | None,
    pin_id: int,
) -> int:
    """Do what :meth:`CryptoProvider.inject_key` promises; return the container's index."""
    try:
        blob = encode_private(key, spec)
    except BlobError:
        raise MinidriverError(NTE.BAD_KEY) from None
    csp.files.writable()
    with Channel(csp, server, via) as channel:

        def make(index: int) -> None:
            pair = CARD_IMPORT_KEYPAIR(
                bContainerIndex=index,
                PinId=pin_id,
                dwKeySpec=spec,
                dwKeySize=key.key_size,
                cbInput=len(blob),
                pbInput=blob,
            )
            channel.pass_on(SecureFunction.IMPORT_KEYPAIR, pair.encode())

        return create_key(csp, name, spec, key.key_size, make)


def _properties(vector: bytes) -> tuple[tuple[str, bytes], ...]:
    mode = f"{CHAIN_MODE_CBC}\0".encode("utf-16-le")
    return (
        (KeyProperty.INITIALIZATION_VECTOR, vector),
        (KeyProperty.CHAINING_MODE, mode),
    )
