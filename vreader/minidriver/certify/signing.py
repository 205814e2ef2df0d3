# SPDX-License-Identifier: Apache-2.0
"""Part K: signatures, verified with the public key of the container."""

from functools import partial
from hashlib import new

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature

from vreader.minidriver.abi.codes import (
    BUFFER_SIZE_ONLY,
    PADDING_INFO_PRESENT,
    Calg,
    KeySpec,
    Padding,
)
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.certify.bench import Bench, Key
from vreader.minidriver.certify.check import Failed, NotApplicable, Part, page, refused, require
from vreader.minidriver.certify.csp import DIGEST_INFO, pkcs1
from vreader.minidriver.values import Pkcs1, Pss, SigningInfo
from vreader.winscard.codes import SCARD

PART = Part("K", "Signatures")

_SIGN = page("CardSignData")
_RSA = (KeySpec.SIGNATURE, KeySpec.KEYEXCHANGE)
_ECDSA = (KeySpec.ECDSA_P256, KeySpec.ECDSA_P384, KeySpec.ECDSA_P521)
_HASH: dict[Calg, hashes.HashAlgorithm] = {
    Calg.SHA1: hashes.SHA1(),  # noqa: S303 - a hash that cards sign
    Calg.SHA_256: hashes.SHA256(),
    Calg.SHA_384: hashes.SHA384(),
    Calg.SHA_512: hashes.SHA512(),
}
_INVALID, _UNSUPPORTED = SCARD.E_INVALID_PARAMETER, SCARD.E_UNSUPPORTED_FEATURE


def digest(algorithm: Calg) -> bytes:
    """Return the hash of something."""
    return new(_HASH[algorithm].name, b"certification").digest()


def ready(bench: Bench, *specs: KeySpec) -> Key:
    """Log in as the user and return a key."""
    bench.user()
    return bench.key(*specs)


def sign(bench: Bench, info: SigningInfo) -> bytes:
    """Return a signature; raises Failed for a number."""
    got = bench.md.CardSignData(info)
    if not isinstance(got, bytes):
        raise Failed(f"there is no signature but {got}")
    return got


def _block(bench: Bench, key: Key, info: SigningInfo) -> bytes:
    """Return what a signature says under the public key: the padded block."""
    if not isinstance(key.public, rsa.RSAPublicKey):
        raise NotApplicable("the card has no RSA key")
    signature = int.from_bytes(sign(bench, info), "little")
    numbers, width = key.public.public_numbers(), key.public.key_size // 8
    require(signature < numbers.n, "the signature is greater than the modulus")
    return pow(signature, numbers.e, numbers.n).to_bytes(width, "big")


def _width(key: Key) -> int:
    return key.public.key_size // 8


def _hashes(bench: Bench, key: Key) -> list[Calg]:
    room = _width(key) - 11
    told = [calg for calg in bench.settings.hashes if calg in _HASH]
    return [c for c in told if len(DIGEST_INFO[c]) + _HASH[c].digest_size <= room]


@PART.check(_SIGN, "sign.supported sign.pkcs1 sign.little-endian sign.pads-by-host")
def by_hash(bench: Bench) -> None:
    """Without padding information a signature has the DigestInfo of aiHashAlg."""
    key = ready(bench, *_RSA)
    for calg in _hashes(bench, key):
        block = _block(bench, key, SigningInfo(key.container, key.spec, digest(calg), calg))
        due = pkcs1(DIGEST_INFO[calg] + digest(calg), _width(key))
        require(block == due, f"a signature for {calg.name} does not verify")


@PART.check(_SIGN, "sign.no-hash")
def no_hash(bench: Bench) -> None:
    """With aiHashAlg 0 there is no DigestInfo."""
    key = ready(bench, *_RSA)
    block = _block(bench, key, SigningInfo(key.container, key.spec, b"short", 0))
    require(block == pkcs1(b"short", _width(key)), "it does not verify without DigestInfo")


@PART.check(_SIGN, "sign.tls")
def tls(bench: Bench) -> None:
    """CALG_SSL3_SHAMD5 signs 36 bytes without DigestInfo."""
    key = ready(bench, *_RSA)
    data = bytes(range(36))
    info = SigningInfo(key.container, key.spec, data, Calg.SSL3_SHAMD5)
    require(_block(bench, key, info) == pkcs1(data, _width(key)), "it does not verify")


@PART.check(_SIGN, "sign.hash-unknown")
def hash_unknown(bench: Bench) -> None:
    """A hash that the card does not know is refused."""
    key = ready(bench, *_RSA)
    info = SigningInfo(key.container, key.spec, bytes(20), 0x8123)
    refused(lambda: bench.md.CardSignData(info), _UNSUPPORTED, _INVALID)


def _padded(key: Key, data: bytes, padding_info: Pkcs1 | Pss | None, kind: int) -> SigningInfo:
    return SigningInfo(key.container, key.spec, data, 0, PADDING_INFO_PRESENT, padding_info, kind)


def _has(bench: Bench, kind: Padding) -> None:
    if kind not in bench.settings.paddings:
        raise NotApplicable(f"the settings have no CARD_PADDING_{kind.name}")


@PART.check(_SIGN, "sign.padding-none")
def padding_none(bench: Bench) -> None:
    """With padding none a block is signed as it is."""
    _has(bench, Padding.NONE)
    key = ready(bench, *_RSA)
    data = pkcs1(b"as it is", _width(key))
    block = _block(bench, key, _padded(key, data[::-1], None, Padding.NONE))
    require(data in (block, block[::-1]), "another block was signed")


@PART.check(_SIGN, "sign.padding-pkcs1")
def padding_pkcs1(bench: Bench) -> None:
    """With padding PKCS#1 the name of the hash makes the DigestInfo, no name none."""
    _has(bench, Padding.PKCS1)
    key = ready(bench, *_RSA)
    data = digest(Calg.SHA_256)
    for name, head in (("SHA256", DIGEST_INFO[Calg.SHA_256]), (None, b"")):
        block = _block(bench, key, _padded(key, data, Pkcs1(name), Padding.PKCS1))
        require(block == pkcs1(head + data, _width(key)), f"it does not verify for {name}")


@PART.check(_SIGN, "sign.padding-pss", silent="A salt as long as the hash, as OpenSC demands.")
def padding_pss(bench: Bench) -> None:
    """With padding PSS hash and salt are those of the padding information."""
    _has(bench, Padding.PSS)
    key = ready(bench, *_RSA)
    data = digest(Calg.SHA_256)
    try:
        signature = sign(bench, _padded(key, data, Pss("SHA256", 32), Padding.PSS))
    except MinidriverError as error:
        if error.code == _UNSUPPORTED:
            raise NotApplicable("the card has no PSS") from None
        raise
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    if isinstance(key.public, rsa.RSAPublicKey):
        try:
            key.public.verify(signature[::-1], data, pss, Prehashed(hashes.SHA256()))
        except InvalidSignature:
            raise Failed("the signature does not verify") from None


@PART.check(_SIGN, "sign.padding-ignored")
def padding_ignored(bench: Bench) -> None:
    """Without CARD_PADDING_INFO_PRESENT the padding information is ignored."""
    key = ready(bench, *_RSA)
    data = digest(Calg.SHA1)
    info = SigningInfo(key.container, key.spec, data, Calg.SHA1, 0, Pss("SHA1", 20), Padding.PSS)
    due = pkcs1(DIGEST_INFO[Calg.SHA1] + data, _width(key))
    require(_block(bench, key, info) == due, "it does not verify by aiHashAlg")


@PART.check(_SIGN, "sign.size-only sign.size-true")
def size_only(bench: Bench) -> None:
    """CARD_BUFFER_SIZE_ONLY returns the length of the signature alone."""
    if not bench.settings.size_only:
        raise NotApplicable("the settings say that the length is not told")
    key = ready(bench, *_RSA, *_ECDSA)
    info = SigningInfo(key.container, key.spec, digest(Calg.SHA1), Calg.SHA1)
    told = bench.md.CardSignData(info._replace(flags=BUFFER_SIZE_ONLY))
    size = len(sign(bench, info))
    require(told == size, f"{told!r} was told, the signature has {size} bytes")


@PART.check(_SIGN, "sign.ecdsa")
def ecdsa(bench: Bench) -> None:
    """An ECDSA signature is r and s, each as long as the field, and verifies."""
    bench.spec(*_ECDSA)
    key = ready(bench, *_ECDSA)
    if not isinstance(key.public, ec.EllipticCurvePublicKey):
        raise Failed("the key is not on a curve")
    signature = sign(bench, SigningInfo(key.container, key.spec, digest(Calg.SHA_256)))
    half = -(-key.public.key_size // 8)
    require(len(signature) == 2 * half, f"it has {len(signature)} bytes")
    r, s = (int.from_bytes(part, "big") for part in (signature[:half], signature[half:]))
    der, algorithm = encode_dss_signature(r, s), ec.ECDSA(Prehashed(hashes.SHA256()))
    try:
        key.public.verify(der, digest(Calg.SHA_256), algorithm)
    except InvalidSignature:
        raise Failed("the signature does not verify") from None


@PART.check(_SIGN, "sign.no-container")
def no_container(bench: Bench) -> None:
    """Signing with a container that is not there is SCARD_E_NO_KEY_CONTAINER."""
    key = ready(bench, *_RSA, *_ECDSA)
    for container in (bench.free_container() if not bench.read_only else 99,):
        info = SigningInfo(container, key.spec, bytes(20), Calg.SHA1)
        refused(partial(bench.md.CardSignData, info), SCARD.E_NO_KEY_CONTAINER)


@PART.check(_SIGN, "sign.data-length")
def data_length(bench: Bench) -> None:
    """A hash of the wrong length, and data longer than the key, is refused."""
    key = ready(bench, *_RSA)
    long = bytes(_width(key) + 1)
    for data, calg in ((digest(Calg.SHA1)[1:], Calg.SHA1), (long, 0)):
        info = SigningInfo(key.container, key.spec, data, calg)
        refused(partial(bench.md.CardSignData, info))
