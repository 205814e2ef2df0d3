# SPDX-License-Identifier: Apache-2.0
"""The asymmetric keys of a PIV card: what is kept per slot, how it is used, how it is encoded.

No access rules here: whoever calls :meth:`KeyRecord.use` has checked the PIN policy.
"""

from enum import IntEnum
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Self

from cards.piv.tables import (
    DEFAULT_POLICIES,
    EC_BITS,
    RSA_BITS,
    Algorithm,
    PinPolicy,
    Policies,
    TouchPolicy,
    default_pin_policy,
)
from cards.platform.crypto import EcKey
from cards.platform.curve25519 import Ed25519Key, X25519Key
from cards.platform.rawrsa import RsaKey
from vreader.iso7816 import Tlv

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    LoadedKey = RSAPrivateKey | EllipticCurvePrivateKey | Ed25519PrivateKey | X25519PrivateKey

PrivateKey = RsaKey | EcKey | Ed25519Key | X25519Key


class Origin(IntEnum):
    """Where a key comes from, as GET METADATA tells it."""

    GENERATED = 1
    IMPORTED = 2


class KeyRecord:
    """The content of a key slot. The policies are resolved: never DEFAULT."""

    def __init__(
        self, algorithm: Algorithm, policies: Policies, origin: Origin, private: "PrivateKey"
    ) -> None:
        self.algorithm = algorithm
        self.policies = policies
        self.origin = origin
        self.private = private

    @classmethod
    def make(
        cls,
        slot: int,
        algorithm: Algorithm,
        origin: Origin,
        private: PrivateKey,
        policies: Policies = DEFAULT_POLICIES,
    ) -> Self:
        """Make the record of a key in ``slot``, whose default policies take effect."""
        pin = policies.pin or default_pin_policy(slot)
        touch = policies.touch or TouchPolicy.NEVER
        return cls(algorithm, Policies(pin, touch), origin, private)

    def to_bytes(self) -> bytes:
        """Encode for the card's memory: 80 attributes, A1 the key as IMPORT KEY carries it."""
        head = bytes((self.algorithm, *self.policies, self.origin))
        return bytes(Tlv(0x80, head)) + bytes(Tlv(0xA1, encode_private(self.private)))

    @classmethod
    def from_bytes(cls, raw: bytes) -> Self:
        """Decode what :meth:`to_bytes` made."""
        head, key = Tlv.parse_all(raw)
        algorithm = Algorithm(head.value[0])
        elements = {tlv.tag: tlv.value for tlv in Tlv.iter(key.value)}
        return cls(
            algorithm,
            Policies(PinPolicy(head.value[1]), TouchPolicy(head.value[2])),
            Origin(head.value[3]),
            _decode_private(algorithm, elements),
        )

    @cached_property
    def public(self) -> bytes:
        """The public key as it stands in template 7F49: 81 n 82 e, or 86 point."""
        key = self.private
        if isinstance(key, EcKey):
            return bytes(Tlv(0x86, key.public_point))
        if isinstance(key, Ed25519Key | X25519Key):
            return bytes(Tlv(0x86, key.public))
        n = key.n.to_bytes(key.bits // 8, "big")
        e = key.e.to_bytes((key.e.bit_length() + 7) // 8, "big")
        return bytes(Tlv(0x81, n)) + bytes(Tlv(0x82, e))

    def use(self, data: bytes, *, agreement: bool) -> bytes:
        """Sign, decipher or agree, whatever this kind of key does with ``data``.

        Raises:
            ValueError: the key cannot do that, or not with this data.
        """
        key = self.private
        if isinstance(key, EcKey):
            return key.agree(data) if agreement else key.sign_hash(data)
        if isinstance(key, RsaKey) and not agreement:
            return key.raw(data)
        if isinstance(key, Ed25519Key) and not agreement:
            return key.sign(data)
        if isinstance(key, X25519Key) and agreement:
            return key.agree(data)
        raise ValueError("a key of this algorithm cannot do that")

    def to_cryptography(self) -> "LoadedKey":
        """Return the key object of ``cryptography``, for certificates."""
        return self.private.to_cryptography()


# A parsed key is worth keeping: building it costs more than a signature with it.
decode_record = lru_cache(maxsize=64)(KeyRecord.from_bytes)


def generate(algorithm: Algorithm) -> PrivateKey:
    """Make a key; raises ValueError for an algorithm this module does not have."""
    if algorithm in RSA_BITS:
        return RsaKey.generate(RSA_BITS[algorithm])
    if algorithm in EC_BITS:
        return EcKey.generate(EC_BITS[algorithm])
    if algorithm is Algorithm.ED25519:
        return Ed25519Key.generate()
    if algorithm is Algorithm.X25519:
        return X25519Key.generate()
    raise ValueError(f"no keys of algorithm {algorithm:02X}")


def import_private(algorithm: Algorithm, elements: "Mapping[int, bytes]") -> PrivateKey:
    """Check a key given from outside; raises ValueError.

    The elements are 01…05 of an RSA key, 06 of one on a NIST curve, 07 the seed of Ed25519, 08 the
    scalar of X25519.
    """
    if algorithm in RSA_BITS:
        if set(elements) != {1, 2, 3, 4, 5}:
            raise ValueError("an RSA key has the five elements of the CRT form")
        p, q, dp, dq, qinv = (int.from_bytes(elements[tag], "big") for tag in range(1, 6))
        if max(p, q).bit_length() > RSA_BITS[algorithm] // 2:
            raise ValueError("the primes are half as long as the modulus, both of them")
        return RsaKey.checked(RSA_BITS[algorithm], p, q, dp, dq, qinv)
    if algorithm in EC_BITS and set(elements) == {6}:
        return EcKey.checked(EC_BITS[algorithm], elements[6])
    if algorithm is Algorithm.ED25519 and set(elements) == {7}:
        return Ed25519Key(elements[7])
    if algorithm is Algorithm.X25519 and set(elements) == {8}:
        return X25519Key(elements[8])
    raise ValueError(f"no such key of algorithm {algorithm:02X}")


def encode_private(key: PrivateKey) -> bytes:
    """Return the elements of a key as IMPORT KEY carries them."""
    if isinstance(key, EcKey):
        return bytes(Tlv(0x06, key.scalar))
    if isinstance(key, Ed25519Key):
        return bytes(Tlv(0x07, key.seed))
    if isinstance(key, X25519Key):
        return bytes(Tlv(0x08, key.scalar))
    numbers = (key.p, key.q, key.dp, key.dq, key.qinv)
    size = key.bits // 16
    return b"".join(
        bytes(Tlv(tag, number.to_bytes(size, "big"))) for tag, number in enumerate(numbers, 1)
    )


def _decode_private(algorithm: Algorithm, elements: "Mapping[int, bytes]") -> PrivateKey:
    if algorithm in EC_BITS:
        return EcKey(EC_BITS[algorithm], elements[6])
    if algorithm is Algorithm.ED25519:
        return Ed25519Key(elements[7])
    if algorithm is Algorithm.X25519:
        return X25519Key(elements[8])
    return RsaKey(*(int.from_bytes(elements[tag], "big") for tag in range(1, 6)))
