# SPDX-License-Identifier: Apache-2.0
"""Part Q: secure key injection; a server without a card encrypts for one."""

from functools import partial

from cryptography.hazmat.primitives.asymmetric import padding, rsa

from vreader.minidriver.abi.blobs import encode_key_data, encode_private
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
from vreader.minidriver.abi.injection import (
    CARD_AUTHENTICATE,
    CARD_AUTHENTICATE_RESPONSE,
    CARD_CHANGE_AUTHENTICATOR,
    CARD_IMPORT_KEYPAIR,
)
from vreader.minidriver.abi.pins import ChangeFlag, Role
from vreader.minidriver.abi.properties import CardProperty
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.abi.structs import CARD_KEY_SIZES
from vreader.minidriver.certify.bench import ROOM, Bench
from vreader.minidriver.certify.check import NotApplicable, Part, refused, require
from vreader.minidriver.certify.containers import made
from vreader.minidriver.values import ContainerInfo, Pkcs1
from vreader.winscard.codes import SCARD, Win32

PART = Part("Q", "Key injection")

_SOURCE = "WDK Secure Key Injection"
_SESSION_KEY = bytes(range(32))
_VECTOR = bytes(range(16))


class _Pair:
    """A server without a card, a client with one, and a key that both have."""

    def __init__(self, bench: Bench) -> None:
        bench.need("MDImportSessionKey", "CardImportSessionKey", "CardProcessEncryptedData")
        raw = bench.maybe(CardProperty.KEY_IMPORT_SUPPORT)
        if not int.from_bytes(raw, "little") & KeyImport.RSA_KEYEST:
            raise NotApplicable("the card has no key injection under an RSA key")
        self.bench = bench
        data = bench.data(atr=b"", handle=(0, 0))
        self.server = bench.module.CardAcquireContext(data, NO_CARD_MODE)
        bench.user()
        self.container = bench.key(KeySpec.KEYEXCHANGE).container
        blob = encode_key_data(_SESSION_KEY)
        self.there = self.server.MDImportSessionKey(KEY_DATA_BLOB_TYPE, ALGORITHM_AES, blob)
        self.here = self.import_here(self.container, blob)
        mode = (CHAIN_MODE_CBC + "\0").encode("utf-16-le")
        for md, key in ((self.server, self.there), (bench.md, self.here)):
            md.CardSetKeyProperty(key, KeyProperty.CHAINING_MODE, mode, 0)
            md.CardSetKeyProperty(key, KeyProperty.INITIALIZATION_VECTOR, _VECTOR, 0)

    def import_here(self, container: int, blob: bytes) -> int:
        public = self.bench.key(KeySpec.KEYEXCHANGE).public
        if not isinstance(public, rsa.RSAPublicKey):
            raise NotApplicable("the card has no RSA key")
        cipher = public.encrypt(blob, padding.PKCS1v15())
        given = (container, Pkcs1(), KEY_DATA_BLOB_TYPE, ALGORITHM_AES)
        try:  # as CNG encrypts; as CardRSADecrypt takes it; no page says which
            return self.bench.md.CardImportSessionKey(*given, cipher, 0)
        except MinidriverError:
            return self.bench.md.CardImportSessionKey(*given, cipher[::-1], 0)

    def pass_on(self, function: str, data: bytes) -> bytes:
        pieces = self.server.MDEncryptData(self.there, function, data, 0)
        require(data not in pieces, "the data was not encrypted")
        return self.bench.md.CardProcessEncryptedData(self.here, function, pieces, ROOM, 0)


def _new_key(pair: _Pair) -> tuple[int, bytes, int]:
    bench = pair.bench
    bits = bench.md.CardQueryKeySizes(KeySpec.KEYEXCHANGE, 0, CARD_KEY_SIZES()).dwDefaultBitlen
    private = made(KeySpec.KEYEXCHANGE, bits)
    container = bench.free_container()
    blob = encode_private(private, KeySpec.KEYEXCHANGE)
    info = CARD_IMPORT_KEYPAIR(7, container, Role.USER, KeySpec.KEYEXCHANGE, bits, len(blob), blob)
    return container, info.encode(), bits


@PART.check(
    _SOURCE,
    "injection.session-rsa injection.session-server injection.import injection.encrypt "
    "injection.handle-width version.injection-structures",
    silent="In which order the bytes of an encrypted session key are.",
)
def import_pair(bench: Bench) -> None:
    """A private key that the server encrypted becomes a container."""
    bench.writable()
    pair = _Pair(bench)
    container, data, bits = _new_key(pair)
    pair.pass_on(SecureFunction.IMPORT_KEYPAIR, data)
    public = bench.public(container, KeySpec.KEYEXCHANGE)
    due = made(KeySpec.KEYEXCHANGE, bits).public_key()
    require(public and public.public_numbers() == due.public_numbers(), "another key is there")


@PART.check(_SOURCE, "injection.damaged")
def damaged(bench: Bench) -> None:
    """Damaged data is refused and makes no container."""
    bench.writable()
    pair = _Pair(bench)
    container, data, _bits = _new_key(pair)
    function = SecureFunction.IMPORT_KEYPAIR
    pieces = pair.server.MDEncryptData(pair.there, function, data, 0)
    bad = [bytes(byte ^ 0x55 for byte in piece) for piece in pieces]
    refused(lambda: bench.md.CardProcessEncryptedData(pair.here, function, bad, ROOM, 0))
    refused(lambda: bench.md.CardGetContainerInfo(container, 0, ContainerInfo()))


@PART.check(_SOURCE, "injection.change")
def change(bench: Bench) -> None:
    """A PIN is changed by encrypted data."""
    pair = _Pair(bench)
    info = CARD_CHANGE_AUTHENTICATOR(
        7,
        ChangeFlag.CHANGE_PIN,
        1,
        len(bench.pin),
        1,
        len(bench.new_pin),
        0,
        bench.pin + bench.new_pin,
    )
    pair.pass_on(SecureFunction.CHANGE_AUTHENTICATOR, info.encode())
    bench.md.CardAuthenticatePin("user", bench.new_pin)


@PART.check(_SOURCE, "injection.authenticate")
def authenticate(bench: Bench) -> None:
    """A PIN is verified by encrypted data; the answer is CARD_AUTHENTICATE_RESPONSE."""
    pair = _Pair(bench)
    info = CARD_AUTHENTICATE(7, 0, Role.USER, len(bench.pin), bench.pin)
    answer = pair.pass_on(SecureFunction.AUTHENTICATE, info.encode())
    told = CARD_AUTHENTICATE_RESPONSE.decode(answer)
    require(told.dwVersion == 7, f"its version is {told.dwVersion}")


@PART.check(_SOURCE, "injection.properties injection.read-back")
def properties(bench: Bench) -> None:
    """A key property that was set is read back; the block length can be read."""
    pair = _Pair(bench)
    name = KeyProperty.INITIALIZATION_VECTOR
    got = bench.md.CardGetKeyProperty(pair.here, name, bytes(ROOM), 0)
    require(got == _VECTOR, f"the vector is {got.hex(' ')}")
    raw = bench.md.CardGetKeyProperty(pair.here, KeyProperty.BLOCK_LENGTH, bytes(ROOM), 0)
    require(raw == b"\x10\0\0\0", f"the block length is {raw!r}")


@PART.check(_SOURCE, "injection.short-buffer")
def short_buffer(bench: Bench) -> None:
    """A short buffer for a key property is refused, and the length is written."""
    pair = _Pair(bench)
    error = refused(
        lambda: bench.md.CardGetKeyProperty(pair.here, KeyProperty.BLOCK_LENGTH, b"", 0),
        Win32.INSUFFICIENT_BUFFER,
    )
    require(error.length == 4, f"the length written is {error.length}")


@PART.check(_SOURCE, "injection.unknown-function")
def unknown_function(bench: Bench) -> None:
    """An unknown secure function is refused."""
    pair = _Pair(bench)
    refused(
        lambda: pair.pass_on("No Such Function", bytes(16)),
        SCARD.E_INVALID_PARAMETER,
        SCARD.E_UNSUPPORTED_FEATURE,
    )


@PART.check(_SOURCE, "injection.destroyed injection.unknown-handle")
def handles(bench: Bench) -> None:
    """A destroyed handle, or one that was never given, cannot be used."""
    pair = _Pair(bench)
    bench.md.CardDestroyKey(pair.here)
    for handle in (pair.here, 0x7FFF):
        name = KeyProperty.BLOCK_LENGTH
        refused(partial(bench.md.CardGetKeyProperty, handle, name, bytes(ROOM), 0))


@PART.check(_SOURCE, "injection.container")
def container(bench: Bench) -> None:
    """A session key for a container that is not there is SCARD_E_NO_KEY_CONTAINER."""
    pair = _Pair(bench)
    blob = encode_key_data(_SESSION_KEY)
    refused(lambda: pair.import_here(99, blob), SCARD.E_NO_KEY_CONTAINER)


@PART.check(_SOURCE, "injection.optional injection.shared")
def optional(bench: Bench) -> None:
    """What of key injection is not supported is NULL or SCARD_E_UNSUPPORTED_FEATURE."""
    if "CardGetSharedKeyHandle" not in bench.md.table():
        raise NotApplicable("CardGetSharedKeyHandle is NULL")
    try:
        output, handle = bench.md.CardGetSharedKeyHandle(b"")
    except MinidriverError as error:
        codes = (SCARD.E_UNSUPPORTED_FEATURE, SCARD.E_INVALID_PARAMETER)
        require(error.code in codes, f"it returned {error}")
    else:
        require(output and handle, "there is no handle")
