# SPDX-License-Identifier: Apache-2.0
"""RSA with a private key in CRT form and no padding (RFC 8017 §5.1.2), as smart cards offer it.

The padding is the client's affair, and ``cryptography`` has no RSA without padding, so the
exponentiation is done here with Python's integers. Only what is already padded as a PKCS #1 v1.5
signature is left to ``cryptography``, which does it twenty times faster. Ours is
neither blinded nor constant-time nor checked against faults: this is the key of a virtual card in a
test, not of a person.
"""

from functools import cached_property
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

_DIGEST_INFO = {
    "SHA256": bytes.fromhex("3031300D060960864801650304020105000420"),
    "SHA384": bytes.fromhex("3041300D060960864801650304020205000430"),
    "SHA512": bytes.fromhex("3051300D060960864801650304020305000440"),
}
_DIGEST_SIZE = {"SHA256": 32, "SHA384": 48, "SHA512": 64}


class RsaKey:
    """A private key: the two primes, their exponents and the coefficient (RFC 8017 §3.2)."""

    def __init__(self, p: int, q: int, dp: int, dq: int, qinv: int) -> None:
        self.p = p
        self.q = q
        self.dp = dp
        self.dq = dq
        self.qinv = qinv

    def __repr__(self) -> str:
        return f"RsaKey({self.bits} bits)"

    @classmethod
    def generate(cls, bits: int) -> Self:
        """Make a key with public exponent 65537; takes 10 ms to seconds."""
        from cryptography.hazmat.primitives.asymmetric import rsa

        made = rsa.generate_private_key(65537, bits).private_numbers()
        return cls(made.p, made.q, made.dmp1, made.dmq1, made.iqmp)

    @classmethod
    def checked(cls, bits: int, p: int, q: int, dp: int, dq: int, qinv: int) -> Self:
        """Make a key of given numbers, e.g. imported ones.

        Raises:
            ValueError: they do not form an RSA key of ``bits`` bits.
        """
        key = cls(p, q, dp, dq, qinv)
        if min(p, q) < 3 or p == q or min(dp, dq, qinv) < 1 or key.n.bit_length() != bits:
            raise ValueError("not an RSA key of this size")
        if key.e < 3 or pow(dq, -1, q - 1) != key.e % (q - 1) or qinv * q % p != 1:
            raise ValueError("the numbers of the RSA key do not belong together")
        key.to_cryptography(check=True)
        return key

    @cached_property
    def n(self) -> int:
        """The modulus."""
        return self.p * self.q

    @cached_property
    def e(self) -> int:
        """The public exponent, which the CRT form does not carry: the inverse of dp."""
        return pow(self.dp, -1, self.p - 1)

    @property
    def bits(self) -> int:
        """The size of the modulus."""
        return self.n.bit_length()

    def raw(self, data: bytes) -> bytes:
        """Return ``data`` to the power d, both as long as the modulus.

        Raises:
            ValueError: the wrong length, or a number not below the modulus.
        """
        size = self.bits // 8
        message = int.from_bytes(data, "big")
        if len(data) != size or message >= self.n:
            raise ValueError(f"the input must be {size} bytes and below the modulus")
        if data[:2] == b"\0\1" and (found := _signature_input(data)) is not None:
            return self._sign(*found)
        m_p = pow(message, self.dp, self.p)
        m_q = pow(message, self.dq, self.q)
        h = (m_p - m_q) * self.qinv % self.p
        return (m_q + h * self.q).to_bytes(size, "big")

    def _sign(self, name: str, digest: bytes) -> bytes:
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import padding
        from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

        prehashed = Prehashed(getattr(hashes, name)())
        return self._loaded.sign(digest, padding.PKCS1v15(), prehashed)

    @cached_property
    def _loaded(self) -> "RSAPrivateKey":
        return self.to_cryptography()

    def to_cryptography(self, *, check: bool = False) -> "RSAPrivateKey":
        """Return the key for certificates; ``check`` tests the numbers (ValueError), 40 ms."""
        from cryptography.hazmat.primitives.asymmetric import rsa

        d = pow(self.e, -1, (self.p - 1) * (self.q - 1))
        public = rsa.RSAPublicNumbers(self.e, self.n)
        numbers = rsa.RSAPrivateNumbers(self.p, self.q, d, self.dp, self.dq, self.qinv, public)
        return numbers.private_key(unsafe_skip_rsa_key_validation=not check)


def _signature_input(block: bytes) -> tuple[str, bytes] | None:
    """Return name and value of the hash in a PKCS #1 v1.5 signature block (RFC 8017 §9.2).

    None for a block that is none, or not exactly the one that the hash pads to.
    """
    for name, prefix in _DIGEST_INFO.items():
        size = _DIGEST_SIZE[name]
        info = prefix + block[-size:]
        filling = len(block) - 3 - len(info)
        if filling >= 8 and block == b"\0\1" + b"\xff" * filling + b"\0" + info:
            return name, block[-size:]
    return None
