# SPDX-License-Identifier: Apache-2.0
"""The primitives of cards that ``cryptography`` has: block ciphers and elliptic curves.

Bytes in, bytes out, in the encodings cards use; which algorithm identifier means what is the affair
of each card. ``cryptography`` is loaded on first use: a card that is only read never needs it.
"""

from functools import cached_property
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import (
        ECDSA,
        EllipticCurve,
        EllipticCurvePrivateKey,
    )

# DES keys that encrypt twice to the same, and the pairs that undo each other (NIST SP 800-67r2
# §3.3.2), parity bits cleared.
_WEAK_DES = frozenset(map(bytes.fromhex, (
    "0000000000000000", "fefefefefefefefe", "e0e0e0e0f0f0f0f0", "1e1e1e1e0e0e0e0e",
    "001e001e000e000e", "1e001e000e000e00", "00e000e000f000f0", "e000e000f000f000",
    "00fe00fe00fe00fe", "fe00fe00fe00fe00", "1ee01ee00ef00ef0", "e01ee01ef00ef00e",
    "1efe1efe0efe0efe", "fe1efe1efe0efe0e", "e0fee0fef0fef0fe", "fee0fee0fef0fef0",
)))  # fmt: skip


def is_weak_des(key: bytes) -> bool:
    """Tell whether any of the 8-byte parts of a DES or 3DES key is weak or semi-weak."""
    bare = bytes(byte & 0xFE for byte in key)
    return any(bare[at : at + 8] in _WEAK_DES for at in range(0, len(bare), 8))


def encrypt_block(key: bytes, block: bytes, *, triple_des: bool) -> bytes:
    """Encrypt one block: 8 bytes with 3DES (24-byte key), 16 with AES (16, 24 or 32)."""
    from cryptography.hazmat.primitives.ciphers import Cipher, modes
    from cryptography.hazmat.primitives.ciphers.algorithms import AES

    if triple_des:
        from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES

        encryptor = Cipher(TripleDES(key), modes.ECB()).encryptor()  # noqa: S305 - one block
    else:
        encryptor = Cipher(AES(key), modes.ECB()).encryptor()  # noqa: S305 - one block
    return encryptor.update(block) + encryptor.finalize()


class EcKey:
    """A private key on P-256, P-384 or P-521 (FIPS 186-5, SEC 1).

    Attributes:
        bits: 256, 384 or 521.
        scalar: the private key, :attr:`size` bytes, big-endian.
    """

    def __init__(self, bits: int, scalar: bytes) -> None:
        self.bits = bits
        self.scalar = scalar

    def __repr__(self) -> str:
        return f"EcKey(P-{self.bits})"

    @property
    def size(self) -> int:
        """Bytes of a coordinate and of the scalar."""
        return (self.bits + 7) // 8

    @classmethod
    def generate(cls, bits: int) -> Self:
        """Make a key."""
        from cryptography.hazmat.primitives.asymmetric import ec

        made = ec.generate_private_key(_curve(bits)).private_numbers().private_value
        return cls(bits, made.to_bytes((bits + 7) // 8, "big"))

    @classmethod
    def checked(cls, bits: int, scalar: bytes) -> Self:
        """Make a key of a given scalar, shorter or with leading zeros; raises ValueError."""
        value = int.from_bytes(scalar, "big")
        if value.bit_length() > bits:
            raise ValueError("the private key is longer than the curve")
        key = cls(bits, value.to_bytes((bits + 7) // 8, "big"))
        key.to_cryptography()
        return key

    @cached_property
    def public_point(self) -> bytes:
        """The public key as 04, X, Y."""
        from cryptography.hazmat.primitives import serialization

        public = self.to_cryptography().public_key()
        return public.public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )

    def sign_hash(self, value: bytes) -> bytes:
        """Sign a hash value with ECDSA and return DER ``SEQUENCE {r, s}``.

        Clients send hashes that lost leading zeros or are shorter than the curve: a value of 1
        to ``bits // 8`` bytes (64 for P-521) is taken as a number. Raises ValueError for any other
        length.
        """
        size = min(self.bits // 8, 64)
        if not 1 <= len(value) <= size:
            raise ValueError(f"a hash value for this curve has 1 to {size} bytes")
        return self._loaded.sign(value.rjust(size, b"\0"), self._ecdsa)

    def agree(self, point: bytes) -> bytes:
        """Return the X coordinate of the ECDH secret with the point 04, X, Y; raises ValueError."""
        from cryptography.hazmat.primitives.asymmetric import ec

        if len(point) != 1 + 2 * self.size or point[0] != 4:
            raise ValueError("not an uncompressed point of this curve")
        peer = ec.EllipticCurvePublicKey.from_encoded_point(_curve(self.bits), point)
        return self.to_cryptography().exchange(ec.ECDH(), peer)

    def to_cryptography(self) -> "EllipticCurvePrivateKey":
        """Return the key object; raises ValueError for a scalar out of range."""
        return self._loaded

    @cached_property
    def _ecdsa(self) -> "ECDSA":
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

        made = {256: hashes.SHA256(), 384: hashes.SHA384(), 521: hashes.SHA512()}[self.bits]
        return ec.ECDSA(Prehashed(made))

    @cached_property
    def _loaded(self) -> "EllipticCurvePrivateKey":
        from cryptography.hazmat.primitives.asymmetric import ec

        return ec.derive_private_key(int.from_bytes(self.scalar, "big"), _curve(self.bits))


def _curve(bits: int) -> "EllipticCurve":
    from cryptography.hazmat.primitives.asymmetric import ec

    return {256: ec.SECP256R1(), 384: ec.SECP384R1(), 521: ec.SECP521R1()}[bits]
