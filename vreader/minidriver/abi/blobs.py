# SPDX-License-Identifier: Apache-2.0
"""Key BLOBs: how CryptoAPI and CNG write keys, from and to keys of ``cryptography``.

RSA keys are PUBLICKEYBLOB and PRIVATEKEYBLOB (wincrypt.h, "Base Provider Key BLOBs"): all numbers
little endian. EC keys are BCRYPT_ECCKEY_BLOB (bcrypt.h): coordinates big endian, each as long as
the field. Symmetric keys are BCRYPT_KEY_DATA_BLOB. The key specification says whether a key signs
or exchanges keys; the BLOB carries that too.
"""

from collections.abc import Callable
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from vreader.minidriver.abi.codes import Calg, KeySpec
from vreader.minidriver.abi.ctype import LayoutError
from vreader.minidriver.abi.injection import BCRYPT_KEY_DATA_BLOB
from vreader.minidriver.abi.layout import Struct
from vreader.minidriver.abi.types import ALG_ID, BYTE, DWORD, ULONG, WORD

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

Key = TypeVar("Key")

_PUBLIC, _PRIVATE = 6, 7
_MAX_BITS = 16384


class BlobError(ValueError):
    """Bytes are no such key."""


class RSA_BLOB_HEADER(Struct):
    """BLOBHEADER and RSAPUBKEY, which stand at the start of an RSA BLOB."""

    bType: BYTE
    bVersion: BYTE = 2
    reserved: WORD = 0
    aiKeyAlg: ALG_ID = 0
    magic: DWORD = 0
    bitlen: DWORD = 0
    pubexp: DWORD = 0


class BCRYPT_ECCKEY_BLOB(Struct):
    """The start of an EC BLOB: which curve and use, and how long a coordinate is."""

    dwMagic: ULONG
    cbKey: ULONG


_RSA_ALGORITHM = {KeySpec.KEYEXCHANGE: Calg.RSA_KEYX, KeySpec.SIGNATURE: Calg.RSA_SIGN}
_RSA_MAGIC = {_PUBLIC: b"RSA1", _PRIVATE: b"RSA2"}
_CURVES: dict[int, type[ec.EllipticCurve]] = {
    256: ec.SECP256R1,
    384: ec.SECP384R1,
    521: ec.SECP521R1,
}
# ECDSA: ECS1, ECS3, ECS5, and 2, 4, 6 for the private key; ECDH: ECK likewise.
_EC_MAGIC = {
    (spec, private): b"EC" + (b"K" if spec.is_exchange else b"S") + b"%d" % (digit + private)
    for spec in KeySpec
    if not spec.is_rsa
    for digit in ({256: 1, 384: 3, 521: 5}[spec.bits],)
    for private in (False, True)
}
_EC_OF = {magic: of for of, magic in _EC_MAGIC.items()}


def encode_public(key: PublicKey, spec: KeySpec) -> bytes:
    """Return PUBLICKEYBLOB or BCRYPT_ECCKEY_BLOB; raises BlobError when key and spec differ."""
    if isinstance(key, rsa.RSAPublicKey):
        n = key.public_numbers()
        return _rsa_header(_PUBLIC, spec, key.key_size, n.e) + _little(n.n, key.key_size)
    point = key.public_numbers()
    return _ec_blob(spec, False, key.key_size, point.x, point.y)


def encode_private(key: PrivateKey, spec: KeySpec) -> bytes:
    """Return PRIVATEKEYBLOB or a private BCRYPT_ECCKEY_BLOB.

    Raises:
        BlobError: key and spec differ, or the primes are not half as long as the modulus.
    """
    if isinstance(key, rsa.RSAPrivateKey):
        n, bits = key.private_numbers(), key.key_size
        half = -(-bits // 2)
        return (
            _rsa_header(_PRIVATE, spec, bits, n.public_numbers.e)
            + _little(n.public_numbers.n, bits)
            + b"".join(_little(value, half) for value in (n.p, n.q, n.dmp1, n.dmq1, n.iqmp))
            + _little(n.d, bits)
        )
    secret = key.private_numbers()
    point = secret.public_numbers
    return _ec_blob(spec, True, key.key_size, point.x, point.y, secret.private_value)


def decode_public(raw: bytes) -> tuple[PublicKey, KeySpec]:
    """Read a public key and what it is for; raises BlobError."""
    if _is_rsa(raw):
        header, spec, parts = _rsa_parts(raw, _PUBLIC, (1,))
        return _checked(lambda: rsa.RSAPublicNumbers(header.pubexp, parts[0]).public_key()), spec
    spec, (x, y) = _ec_parts(raw, private=False)
    return _checked(ec.EllipticCurvePublicNumbers(x, y, _CURVES[spec.bits]()).public_key), spec


def decode_private(raw: bytes) -> tuple[PrivateKey, KeySpec]:
    """Read a private key and what it is for; raises BlobError, also for one that is no key."""
    if _is_rsa(raw):
        header, spec, parts = _rsa_parts(raw, _PRIVATE, (1, 2, 2, 2, 2, 2, 1))
        modulus, p, q, dmp1, dmq1, iqmp, d = parts
        public = rsa.RSAPublicNumbers(header.pubexp, modulus)
        return _checked(
            lambda: rsa.RSAPrivateNumbers(p, q, d, dmp1, dmq1, iqmp, public).private_key()
        ), spec
    spec, (x, y, secret) = _ec_parts(raw, private=True)
    point = ec.EllipticCurvePublicNumbers(x, y, _CURVES[spec.bits]())
    return _checked(lambda: ec.EllipticCurvePrivateNumbers(secret, point).private_key()), spec


def encode_key_data(key: bytes) -> bytes:
    """Return a symmetric key as BCRYPT_KEY_DATA_BLOB."""
    return BCRYPT_KEY_DATA_BLOB(cbKeyData=len(key), pbKeyData=key).encode()


def decode_key_data(raw: bytes) -> bytes:
    """Read BCRYPT_KEY_DATA_BLOB; raises BlobError."""
    try:
        blob = BCRYPT_KEY_DATA_BLOB.decode(raw)
    except LayoutError as error:
        raise BlobError(str(error)) from None
    if blob != BCRYPT_KEY_DATA_BLOB(cbKeyData=blob.cbKeyData, pbKeyData=blob.pbKeyData):
        raise BlobError("a symmetric key starts with KDBM and version 1")
    if len(raw) != len(blob.encode()):
        raise BlobError(f"{len(raw) - len(blob.encode())} bytes too many")
    return blob.pbKeyData


def _is_rsa(raw: bytes) -> bool:
    return raw[:1] in (bytes((_PUBLIC,)), bytes((_PRIVATE,)))


def _rsa_header(kind: int, spec: KeySpec, bits: int, exponent: int) -> bytes:
    if spec not in _RSA_ALGORITHM:
        raise BlobError(f"an RSA key is none for {spec.name}")
    if exponent >= 1 << 32:
        raise BlobError("a public exponent has 32 bits at most")
    magic = int.from_bytes(_RSA_MAGIC[kind], "little")
    algorithm = _RSA_ALGORITHM[spec]
    return RSA_BLOB_HEADER(kind, 2, 0, algorithm, magic, bits, exponent).encode()


def _rsa_parts(
    raw: bytes, kind: int, divisors: tuple[int, ...]
) -> tuple[RSA_BLOB_HEADER, KeySpec, list[int]]:
    """Cut a BLOB into its numbers; each has the modulus' bits divided by its divisor."""
    try:
        header = RSA_BLOB_HEADER.decode(raw)
    except LayoutError as error:
        raise BlobError(str(error)) from None
    specs = [spec for spec, algorithm in _RSA_ALGORITHM.items() if algorithm == header.aiKeyAlg]
    magic = header.magic.to_bytes(4, "little")
    if header.bType != kind or magic != _RSA_MAGIC[kind] or header.bVersion != 2 or not specs:
        raise BlobError(f"no RSA BLOB of type {kind}: {raw[:12].hex(' ')}")
    sizes = [-(-header.bitlen // (8 * divisor)) for divisor in divisors]
    at = RSA_BLOB_HEADER.layout().size
    if header.bitlen > _MAX_BITS or len(raw) != at + sum(sizes):
        raise BlobError(f"a key of {header.bitlen} bits does not have {len(raw)} bytes")
    parts = []
    for size in sizes:
        parts.append(int.from_bytes(raw[at : at + size], "little"))
        at += size
    return header, specs[0], parts


def _ec_blob(spec: KeySpec, private: bool, bits: int, *numbers: int) -> bytes:
    if spec.bits != bits:
        raise BlobError(f"a key of {bits} bits on a curve is none for {spec.name}")
    size = -(-bits // 8)
    magic = int.from_bytes(_EC_MAGIC[spec, private], "little")
    return BCRYPT_ECCKEY_BLOB(magic, size).encode() + b"".join(
        number.to_bytes(size, "big") for number in numbers
    )


def _ec_parts(raw: bytes, private: bool) -> tuple[KeySpec, list[int]]:
    spec, is_private = _EC_OF.get(raw[:4], (None, None))
    if spec is None or is_private is not private:
        raise BlobError(f"no {'private' if private else 'public'} key BLOB: {raw[:8].hex(' ')}")
    size = -(-spec.bits // 8)
    if int.from_bytes(raw[4:8], "little") != size or len(raw) != 8 + (2 + private) * size:
        raise BlobError(f"a number of a {spec.bits} bit key has {size} bytes")
    return spec, [int.from_bytes(raw[at : at + size], "big") for at in range(8, len(raw), size)]


def _little(number: int, bits: int) -> bytes:
    try:
        return number.to_bytes(-(-bits // 8), "little")
    except OverflowError:
        raise BlobError("the primes are not half as long as the modulus") from None


def _checked(make: Callable[[], Key]) -> Key:
    try:
        return make()
    except ValueError as error:
        raise BlobError(f"the numbers are no key: {error}") from None
