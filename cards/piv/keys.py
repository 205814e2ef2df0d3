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
from cards.platform.rawrsa import RsaKey
from vreader.iso7816 import Tlv

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

PrivateKey = RsaKey | EcKey


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
        if isinstance(self.private, EcKey):
            return bytes(Tlv(0x86, self.private.public_point))
        n = self.private.n.to_bytes(self.private.bits // 8, "big")
        e = self.private.e.to_bytes((self.private.e.bit_length() + 7) // 8, "big")
        return bytes(Tlv(0x81, n)) + bytes(Tlv(0x82, e))

    def use(self, data: bytes, *, agreement: bool) -> bytes:
        """Sign, decipher or agree, whatever this kind of key does with ``data``.

        Raises:
            ValueError: the key cannot do that, or not with this data.
        """
        if isinstance(self.private, EcKey):
            return self.private.agree(data) if agreement else self.private.sign_hash(data)
        if agreement:
            raise ValueError("an RSA key does not agree on keys")
        return self.private.raw(data)

    def to_cryptography(self) -> "RSAPrivateKey | EllipticCurvePrivateKey":
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
    raise ValueError(f"no keys of algorithm {algorithm:02X}")


def import_private(algorithm: Algorithm, elements: "Mapping[int, bytes]") -> PrivateKey:
    """Check a key given from outside: 01…05 for RSA, 06 for EC; raises ValueError."""
    if algorithm in RSA_BITS:
        if set(elements) != {1, 2, 3, 4, 5}:
            raise ValueError("an RSA key has the five elements of the CRT form")
        p, q, dp, dq, qinv = (int.from_bytes(elements[tag], "big") for tag in range(1, 6))
        return RsaKey.checked(RSA_BITS[algorithm], p, q, dp, dq, qinv)
    if algorithm in EC_BITS and set(elements) == {6}:
        return EcKey.checked(EC_BITS[algorithm], elements[6])
    raise ValueError(f"no such key of algorithm {algorithm:02X}")


def encode_private(key: PrivateKey) -> bytes:
    """Return the elements of a key as IMPORT KEY carries them."""
    if isinstance(key, EcKey):
        return bytes(Tlv(0x06, key.scalar))
    numbers = (key.p, key.q, key.dp, key.dq, key.qinv)
    size = key.bits // 16
    return b"".join(
        bytes(Tlv(tag, number.to_bytes(size, "big"))) for tag, number in enumerate(numbers, 1)
    )


def _decode_private(algorithm: Algorithm, elements: "Mapping[int, bytes]") -> PrivateKey:
    if algorithm in EC_BITS:
        return EcKey(EC_BITS[algorithm], elements[6])
    return RsaKey(*(int.from_bytes(elements[tag], "big") for tag in range(1, 6)))
