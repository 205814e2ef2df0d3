# SPDX-License-Identifier: Apache-2.0
"""Part K: signatures, verified with the public key of the container."""

from functools import partial
from hashlib import new

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature

from vreader.minidriver.abi.codes import (
    BUFFER_SIZE_ONLY,
    Calg,
    KeySpec,
)
from vreader.minidriver.abi.pins import Role
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.certify.bench import SIGNING, Bench, Key
from vreader.minidriver.certify.check import Failed, NotApplicable, Part, page, refused, require
from vreader.minidriver.certify.csp import DIGEST_INFO, pkcs1
from vreader.minidriver.values import SigningInfo
from vreader.winscard.codes import SCARD

PART = Part("K", "Signatures")

_SIGN = page("CardSignData")
_RSA = (KeySpec.SIGNATURE, KeySpec.KEYEXCHANGE)
_ECDSA = (KeySpec.ECDSA_P256, KeySpec.ECDSA_P384, KeySpec.ECDSA_P521)
HASHES: dict[int, hashes.HashAlgorithm] = {
    Calg.MD5: hashes.MD5(),  # noqa: S303 - likewise
    Calg.SHA1: hashes.SHA1(),  # noqa: S303 - a hash that cards sign
    Calg.SHA_256: hashes.SHA256(),
    Calg.SHA_384: hashes.SHA384(),
    Calg.SHA_512: hashes.SHA512(),
}
_INVALID, _UNSUPPORTED = SCARD.E_INVALID_PARAMETER, SCARD.E_UNSUPPORTED_FEATURE
_MANY = 400  # in one of 128 r or s has leading zeros
# The hash of a curve's own size.
_OF_CURVE = {256: Calg.SHA_256, 384: Calg.SHA_384, 521: Calg.SHA_512}


def digest(algorithm: int) -> bytes:
    """Return the hash of something."""
    return new(HASHES[algorithm].name, b"certification").digest()


def cng_name(algorithm: int) -> str:
    """Return CNG's name of a hash."""
    return HASHES[algorithm].name.upper()


def any_hash(bench: Bench) -> Calg:
    """Return a hash that can be signed; raises NotApplicable where the settings have none."""
    for calg in bench.settings.hashes:
        if calg in HASHES:
            return calg
    raise NotApplicable("the settings have no hash that can be signed")


def ready(bench: Bench, *specs: KeySpec) -> Key:
    """Log in as the user and return a key."""
    bench.user()
    return bench.key(*specs)


def unlock(bench: Bench, container: int) -> None:
    """Present the PIN of a container; raises NotApplicable where nobody told it.

    That of a key that is asked for each time is presented before each use.
    """
    pin = bench.pin_of(container)
    if pin == Role.USER:
        bench.user()
    elif pin != Role.EVERYONE:
        bench.md.CardAuthenticateEx(pin, 0, bench.secret(pin))


def sign(bench: Bench, info: SigningInfo) -> bytes:
    """Return a signature, made right after the container's PIN; raises Failed for a number."""
    unlock(bench, info.container)
    got = bench.md.CardSignData(info)
    if not isinstance(got, bytes):
        raise Failed(f"there is no signature but {got}")
    return got


def job(bench: Bench, key: Key) -> SigningInfo:
    """Return something that a key can sign: a hash of the settings, or of the curve's size."""
    if key.spec.is_rsa:
        calg = any_hash(bench)
        return SigningInfo(key.container, key.spec, digest(calg), calg)
    return SigningInfo(key.container, key.spec, digest(_OF_CURVE[key.spec.bits]))


def verify(bench: Bench, key: Key) -> None:
    """Require a signature of a key that its public half verifies."""
    info = job(bench, key)
    if isinstance(key.public, rsa.RSAPublicKey):
        got = block(bench, key, info)
        due = pkcs1(DIGEST_INFO[Calg(info.hash_alg)] + (info.data or b""), width_of(key))
        require(got == due, "the signature does not verify")
        return
    if not isinstance(key.public, ec.EllipticCurvePublicKey):
        raise Failed("the key is not on a curve")
    calg = _OF_CURVE[key.public.key_size]
    signature = sign(bench, info)
    half = -(-key.public.key_size // 8)
    require(len(signature) == 2 * half, f"it has {len(signature)} bytes, not {2 * half}")
    r, s = (int.from_bytes(part, "big") for part in (signature[:half], signature[half:]))
    der, algorithm = encode_dss_signature(r, s), ec.ECDSA(Prehashed(HASHES[calg]))
    try:
        key.public.verify(der, digest(calg), algorithm)
    except InvalidSignature:
        raise Failed("the signature does not verify") from None


def block(bench: Bench, key: Key, info: SigningInfo) -> bytes:
    """Return what a signature says under the public key: the padded block."""
    if not isinstance(key.public, rsa.RSAPublicKey):
        raise NotApplicable("the card has no RSA key")
    signature, width = sign(bench, info), width_of(key)
    require(len(signature) == width, f"it has {len(signature)} bytes, not {width}")
    number, numbers = int.from_bytes(signature, "little"), key.public.public_numbers()
    require(number < numbers.n, "the signature is greater than the modulus")
    return pow(number, numbers.e, numbers.n).to_bytes(width, "big")


def width_of(key: Key) -> int:
    """Return the bytes of an RSA key's modulus."""
    return key.public.key_size // 8


def hashes_of(bench: Bench, key: Key, head: int = 11) -> list[Calg]:
    """Return the hashes of the settings that fit with their DigestInfo, or what ``head`` takes."""
    told = [calg for calg in bench.settings.hashes if calg in HASHES]
    return [c for c in told if len(DIGEST_INFO[c]) + len(digest(c)) + head <= width_of(key)]


def each(bench: Bench, *specs: KeySpec) -> list[Key]:
    """Return an unlocked key of each specification that the card has or can make."""
    found, missing = [], ""
    for spec in specs:
        try:
            key = bench.key(spec)
            unlock(bench, key.container)
            found.append(key)
        except NotApplicable as reason:
            missing = missing or str(reason)
    if not found:
        raise NotApplicable(missing)
    return found


@PART.check(
    _SIGN, "sign.supported sign.pkcs1 sign.little-endian sign.pads-by-host read-only.CardSignData"
)
def by_hash(bench: Bench) -> None:
    """Without padding information a signature has the DigestInfo of aiHashAlg."""
    for key in each(bench, *_RSA):
        for calg in hashes_of(bench, key):
            got = block(bench, key, SigningInfo(key.container, key.spec, digest(calg), calg))
            due = pkcs1(DIGEST_INFO[calg] + digest(calg), width_of(key))
            require(got == due, f"a signature for {calg.name} does not verify")


@PART.check(_SIGN, "sign.supported container.generate")
def own_key(bench: Bench) -> None:
    """Each container signs with its own key, one that was just made too."""
    bench.user()
    known = (Role.EVERYONE, *bench.settings.pins)
    keys = [key for key in bench.keys(*SIGNING) if bench.pin_of(key.container) in known]
    if not bench.read_only and bench.specs:
        spec = keys[-1].spec if keys and keys[-1].spec in bench.specs else bench.spec(*SIGNING)
        container = bench.free_container()
        bench.generate(container, spec)
        public = bench.public(container, spec)
        if public is None:
            raise Failed("a container that was generated is not there")
        keys.append(Key(container, spec, public))
    if not keys:
        raise NotApplicable("the card has no key that signs")
    for key in keys:
        verify(bench, key)


@PART.check(_SIGN, "sign.no-hash")
def no_hash(bench: Bench) -> None:
    """With aiHashAlg 0 there is no DigestInfo."""
    key = ready(bench, *_RSA)
    got = block(bench, key, SigningInfo(key.container, key.spec, b"short", 0))
    require(got == pkcs1(b"short", width_of(key)), "it does not verify without DigestInfo")


@PART.check(_SIGN, "sign.tls")
def tls(bench: Bench) -> None:
    """CALG_SSL3_SHAMD5 signs 36 bytes without DigestInfo."""
    key = ready(bench, *_RSA)
    data = bytes(range(36))
    info = SigningInfo(key.container, key.spec, data, Calg.SSL3_SHAMD5)
    try:
        got = block(bench, key, info)
    except MinidriverError as error:
        if error.code == _UNSUPPORTED and Calg.SSL3_SHAMD5 not in bench.settings.hashes:
            raise NotApplicable("neither card nor settings know the hash of TLS 1.0") from None
        raise
    require(got == pkcs1(data, width_of(key)), "it does not verify")


@PART.check(_SIGN, "sign.hash-unknown", silent="SCARD_E_INVALID_PARAMETER is accepted too.")
def hash_unknown(bench: Bench) -> None:
    """A hash that the card does not know is refused."""
    key = ready(bench, *_RSA)
    info = SigningInfo(key.container, key.spec, bytes(20), 0x8123)
    refused(lambda: bench.md.CardSignData(info), _UNSUPPORTED, _INVALID)


@PART.check(_SIGN, "sign.size-only sign.size-true")
def size_only(bench: Bench) -> None:
    """CARD_BUFFER_SIZE_ONLY returns the length of the signature alone."""
    if not bench.settings.size_only:
        raise NotApplicable("the settings say that the length is not told")
    for key in each(bench, *SIGNING):
        info = job(bench, key)
        told = bench.md.CardSignData(info._replace(flags=BUFFER_SIZE_ONLY))
        size = len(sign(bench, info))
        require(told == size, f"{told!r} was told, the signature has {size} bytes")


@PART.check(_SIGN, "sign.ecdsa")
def ecdsa(bench: Bench) -> None:
    """An ECDSA signature is r and s, each as long as the field, and verifies."""
    for key in each(bench, *_ECDSA):
        verify(bench, key)


@PART.check(_SIGN, "sign.ecdsa")
def ecdsa_width(bench: Bench) -> None:
    """An ECDSA signature whose r or s has leading zeros is as long as any other."""
    key = ready(bench, *_ECDSA)
    half = -(-key.public.key_size // 8)
    info = job(bench, key)
    for _ in range(_MANY):
        got = len(sign(bench, info))
        require(got == 2 * half, f"one has {got} bytes, not {2 * half}")


@PART.check(_SIGN, "sign.no-container")
def no_container(bench: Bench) -> None:
    """Signing with a container that is not there is SCARD_E_NO_KEY_CONTAINER."""
    key = ready(bench, *_RSA, *_ECDSA)
    container = 99 if bench.read_only else bench.free_container()
    info = job(bench, key)._replace(container=container)
    refused(lambda: bench.md.CardSignData(info), SCARD.E_NO_KEY_CONTAINER)


@PART.check(_SIGN, "sign.data-length")
def data_length(bench: Bench) -> None:
    """A hash of the wrong length, and data longer than the key, is refused."""
    key = ready(bench, *_RSA)
    long = bytes(width_of(key) + 1)
    calg = any_hash(bench)
    for data, algorithm in ((digest(calg)[1:], calg), (long, 0)):
        info = SigningInfo(key.container, key.spec, data, algorithm)
        refused(partial(bench.md.CardSignData, info))
