# SPDX-License-Identifier: Apache-2.0
"""Keys on Curve25519, as cards hold them: Ed25519 signs (RFC 8032), X25519 agrees (RFC 7748).

Bytes in, bytes out; ``cryptography`` is loaded on first use.
"""

from functools import cached_property
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

SIZE = 32


class Ed25519Key:
    """A private key for signatures.

    Attributes:
        seed: the private key of RFC 8032 §5.1.5, 32 bytes.
    """

    def __init__(self, seed: bytes) -> None:
        if len(seed) != SIZE:
            raise ValueError(f"a private key of this curve has {SIZE} bytes")
        self.seed = seed

    def __repr__(self) -> str:
        return "Ed25519Key(…)"

    @classmethod
    def generate(cls) -> Self:
        """Make a key."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return cls(Ed25519PrivateKey.generate().private_bytes_raw())

    @cached_property
    def public(self) -> bytes:
        """The public key, 32 bytes."""
        return self._loaded.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """Sign a message, not its hash; return R and S, 64 bytes."""
        return self._loaded.sign(message)

    def to_cryptography(self) -> "Ed25519PrivateKey":
        """Return the key object."""
        return self._loaded

    @cached_property
    def _loaded(self) -> "Ed25519PrivateKey":
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return Ed25519PrivateKey.from_private_bytes(self.seed)


class X25519Key:
    """A private key for key agreement.

    Attributes:
        scalar: the private key of RFC 7748 §5 before clamping, 32 bytes, little-endian.
    """

    def __init__(self, scalar: bytes) -> None:
        if len(scalar) != SIZE:
            raise ValueError(f"a private key of this curve has {SIZE} bytes")
        self.scalar = scalar

    def __repr__(self) -> str:
        return "X25519Key(…)"

    @classmethod
    def generate(cls) -> Self:
        """Make a key."""
        from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

        return cls(X25519PrivateKey.generate().private_bytes_raw())

    @cached_property
    def public(self) -> bytes:
        """The public key, 32 bytes, little-endian."""
        return self._loaded.public_key().public_bytes_raw()

    def agree(self, point: bytes) -> bytes:
        """Return the shared secret, 32 bytes.

        Raises:
            ValueError: not 32 bytes, or a point of small order (RFC 7748 §6.1).
        """
        from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

        return self._loaded.exchange(X25519PublicKey.from_public_bytes(point))

    def to_cryptography(self) -> "X25519PrivateKey":
        """Return the key object, which cannot sign."""
        return self._loaded

    @cached_property
    def _loaded(self) -> "X25519PrivateKey":
        from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

        return X25519PrivateKey.from_private_bytes(self.scalar)
