# SPDX-License-Identifier: Apache-2.0
"""The asymmetric keys of a GIDS card: how they are kept, imported and used.

No access rules here, and no command: whoever calls has the right to do so. All functions that take
data from outside raise ValueError for what they cannot use.
"""

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from cards.gids.tables import EC_BITS, RSA_BITS, Padding
from cards.platform.crypto import EcKey
from cards.platform.rawrsa import RsaKey
from vreader.iso7816 import Tlv

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey


class KeyRecord(NamedTuple):
    """A private key and the lower half of its algorithm references."""

    algorithm: int
    private: RsaKey | EcKey

    def __repr__(self) -> str:
        return f"KeyRecord({self.algorithm:02X}, …)"

    def __bytes__(self) -> bytes:
        return bytes((self.algorithm,)) + _to_der(self.private)

    @property
    def public(self) -> bytes:
        """The public key as data object 7F49 (ISO/IEC 7816-8): 81 n 82 e, or 86 point."""
        key = self.private
        if isinstance(key, EcKey):
            return bytes(Tlv.of(0x7F49, Tlv(0x86, key.public_point)))
        n = key.n.to_bytes(key.bits // 8, "big")
        e = key.e.to_bytes((key.e.bit_length() + 7) // 8, "big")
        return bytes(Tlv.of(0x7F49, Tlv(0x81, n), Tlv(0x82, e)))

    def to_cryptography(self) -> "RSAPrivateKey | EllipticCurvePrivateKey":
        """Return the key object of ``cryptography``, for certificates."""
        return self.private.to_cryptography()


@lru_cache(maxsize=64)
def decode_record(raw: bytes) -> KeyRecord:
    """Read what ``bytes(record)`` made; a parsed key is worth keeping."""
    if raw[0] in EC_BITS:
        return KeyRecord(raw[0], EcKey(EC_BITS[raw[0]], _ec_scalar(raw[1:])))
    return KeyRecord(raw[0], RsaKey(*_rsa_numbers(raw[1:])))


def generate(algorithm: int) -> KeyRecord:
    """Make a key; raises ValueError for an algorithm this card does not have."""
    if algorithm in RSA_BITS:
        return KeyRecord(algorithm, RsaKey.generate(RSA_BITS[algorithm]))
    if algorithm in EC_BITS:
        return KeyRecord(algorithm, EcKey.generate(EC_BITS[algorithm]))
    raise ValueError(f"no keys of algorithm {algorithm:02X}")


def import_der(algorithm: int, der: bytes) -> KeyRecord:
    """Check a key given from outside, RSAPrivateKey (RFC 8017) or ECPrivateKey (RFC 5915)."""
    if algorithm in RSA_BITS:
        return KeyRecord(algorithm, RsaKey.checked(RSA_BITS[algorithm], *_rsa_numbers(der)))
    if algorithm in EC_BITS:
        return KeyRecord(algorithm, EcKey.checked(EC_BITS[algorithm], _ec_scalar(der)))
    raise ValueError(f"no keys of algorithm {algorithm:02X}")


def from_cryptography(key: object) -> KeyRecord:
    """Take over a key of ``cryptography``."""
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    if isinstance(key, rsa.RSAPrivateKey):
        rsa_of = {bits: algorithm for algorithm, bits in RSA_BITS.items()}
        made = key.private_numbers()
        crt = (made.p, made.q, made.dmp1, made.dmq1, made.iqmp)
        if key.key_size in rsa_of:
            return KeyRecord(rsa_of[key.key_size], RsaKey.checked(key.key_size, *crt))
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name.startswith("secp"):
        ec_of = {bits: algorithm for algorithm, bits in EC_BITS.items()}
        scalar = key.private_numbers().private_value
        if key.key_size in ec_of and key.curve.name.endswith("r1"):
            size = (key.key_size + 7) // 8
            made_ec = EcKey.checked(key.key_size, scalar.to_bytes(size, "big"))
            return KeyRecord(ec_of[key.key_size], made_ec)
    raise ValueError("a GIDS card takes RSA keys of 1024 to 4096 bits, P-256, P-384 and P-521")


def sign(record: KeyRecord, padding: int, data: bytes) -> bytes:
    """Sign; RSA pads a DigestInfo with PKCS #1 v1.5 or takes a block padded outside.

    ECDSA takes a hash value and returns r and s, each as long as the curve.
    """
    if isinstance(record.private, EcKey):
        from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

        size = record.private.size
        r, s = decode_dss_signature(record.private.sign_hash(data))
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")
    size = record.private.bits // 8
    match padding:
        case Padding.RAW_SIGNATURE:
            return record.private.raw(data)
        case Padding.PKCS1_SIGNATURE if 0 < len(data) <= size - 11:
            return record.private.raw(b"\0\1" + b"\xff" * (size - 3 - len(data)) + b"\0" + data)
    raise ValueError("no such padding, or too much data for it")


def decipher(record: KeyRecord, padding: int, cryptogram: bytes) -> bytes:
    """Decipher with RSA and take the padding off: none, PKCS #1 v1.5 or OAEP with SHA-1."""
    if isinstance(record.private, EcKey):
        raise ValueError("keys on curves do not decipher")
    match padding:
        case Padding.NONE:
            return record.private.raw(cryptogram)
        case Padding.PKCS1_DECIPHER:
            return _without_pkcs1(record.private.raw(cryptogram))
        case Padding.OAEP:
            return _without_oaep(record.private, cryptogram)
    raise ValueError("no such padding")


def _without_pkcs1(block: bytes) -> bytes:
    """Take off RFC 8017 §7.2.2 padding. Done here: OpenSSL hides that a padding was wrong."""
    end = block.find(b"\0", 2)
    if block[:2] != b"\0\2" or end < 10:
        raise ValueError("the padding is wrong")
    return block[end + 1 :]


def _without_oaep(key: RsaKey, cryptogram: bytes) -> bytes:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    sha1 = hashes.SHA1()  # noqa: S303 - the specification's
    oaep = padding.OAEP(padding.MGF1(sha1), sha1, None)
    return key.to_cryptography().decrypt(cryptogram, oaep)


def _to_der(key: RsaKey | EcKey) -> bytes:
    if isinstance(key, EcKey):
        return bytes(Tlv.of(0x30, _integer(1), Tlv(0x04, key.scalar)))
    d = pow(key.e, -1, (key.p - 1) * (key.q - 1))
    numbers = (0, key.n, key.e, d, key.p, key.q, key.dp, key.dq, key.qinv)
    return bytes(Tlv.of(0x30, *map(_integer, numbers)))


def _integer(number: int) -> Tlv:
    return Tlv(0x02, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def _rsa_numbers(der: bytes) -> tuple[int, int, int, int, int]:
    """Return p, q, dp, dq and qinv of an RSAPrivateKey."""
    parts = Tlv.parse(der).children()
    if der[:1] != b"\x30" or len(parts) != 9 or any(part.tag != 0x02 for part in parts):
        raise ValueError("not an RSAPrivateKey")
    p, q, dp, dq, qinv = (int.from_bytes(part.value, "big") for part in parts[4:])
    return p, q, dp, dq, qinv


def _ec_scalar(der: bytes) -> bytes:
    scalar = Tlv.parse(der).find(0x04)
    if der[:1] != b"\x30" or scalar is None:
        raise ValueError("not an ECPrivateKey")
    return scalar.value
