# SPDX-License-Identifier: Apache-2.0
"""A card's private key as one of ``cryptography``: for requests, certificates and whatever signs.

Only what the card can do is there; what needs the key itself raises ValueError.
"""

from typing import TYPE_CHECKING, Any, NoReturn

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

from vreader.minidriver.abi.blobs import PublicKey
from vreader.minidriver.abi.codes import KeySpec
from vreader.minidriver.values import Oaep, Pkcs1

if TYPE_CHECKING:
    from vreader.minidriver.host.provider import CryptoProvider

_NAMES = {"md5": "MD5", "sha1": "SHA1", "sha256": "SHA256", "sha384": "SHA384", "sha512": "SHA512"}


class _CardKey:
    """A key of one container."""

    def __init__(
        self,
        provider: "CryptoProvider",
        container: int,
        spec: KeySpec,
        public: PublicKey,
    ) -> None:
        self._provider = provider
        self._container = container
        self._spec = spec
        self._public = public

    @property
    def key_size(self) -> int:
        """The key's size in bits."""
        return int(self._public.key_size)

    def public_key(self) -> Any:  # noqa: ANN401 - RSA or a curve
        """Return the public key."""
        return self._public

    def private_numbers(self) -> NoReturn:
        """Never leaves the card."""
        raise ValueError("the private key does not leave the card")

    def private_bytes(self, *args: Any, **kwargs: Any) -> NoReturn:  # noqa: ANN401 - any
        """Never leave the card."""
        raise ValueError("the private key does not leave the card")

    def __copy__(self) -> Any:  # noqa: ANN401 - itself
        return self

    def __deepcopy__(self, memo: Any) -> Any:  # noqa: ANN401 - itself
        return self

    def _sign(self, data: bytes, algorithm: Any, salt: int | None = None) -> bytes:  # noqa: ANN401
        hashed = isinstance(algorithm, utils.Prehashed)
        used = algorithm._algorithm if hashed else algorithm
        return self._provider.sign(
            bytes(data),
            self._container,
            spec=self._spec,
            algorithm=_name(used),
            pss_salt=salt,
            hashed=hashed,
        )


class CardRsaKey(_CardKey, rsa.RSAPrivateKey):
    """An RSA key."""

    def sign(self, data: Any, padding_: Any, algorithm: Any) -> bytes:  # noqa: ANN401 - cryptography's
        """Sign with PKCS #1 or PSS."""
        salt = None
        if isinstance(padding_, padding.PSS):
            used = algorithm._algorithm if isinstance(algorithm, utils.Prehashed) else algorithm
            told = padding_._salt_length
            salt = told if isinstance(told, int) else used.digest_size
        return self._sign(data, algorithm, salt)

    def decrypt(self, ciphertext: Any, padding_: Any) -> bytes:  # noqa: ANN401 - cryptography's
        """Decrypt with PKCS #1 or OAEP."""
        told: Pkcs1 | Oaep = Pkcs1()
        if isinstance(padding_, padding.OAEP):
            told = Oaep(_name(padding_._algorithm), padding_._label or b"")
        return self._provider.decrypt(
            bytes(ciphertext), self._container, spec=self._spec, padding=told
        )


class CardEcKey(_CardKey, ec.EllipticCurvePrivateKey):
    """A key on a curve."""

    @property
    def curve(self) -> ec.EllipticCurve:
        """The curve."""
        assert isinstance(self._public, ec.EllipticCurvePublicKey)
        return self._public.curve

    def sign(self, data: Any, signature_algorithm: Any) -> bytes:  # noqa: ANN401 - cryptography's
        """Sign with ECDSA; the signature is DER."""
        raw = self._sign(data, signature_algorithm.algorithm)
        half = len(raw) // 2
        r, s = (int.from_bytes(part, "big") for part in (raw[:half], raw[half:]))
        return utils.encode_dss_signature(r, s)

    def exchange(self, algorithm: Any, peer_public_key: Any) -> NoReturn:  # noqa: ANN401
        """Not possible: a card tells derived keys alone, see ``CryptoProvider.agree``."""
        raise ValueError("the secret itself does not leave the card")


def card_key(provider: "CryptoProvider", container: int, spec: KeySpec) -> CardRsaKey | CardEcKey:
    """Return a key on a card.

    Raises:
        ValueError: the container has no such key.
    """
    for one in provider.containers():
        for key in one.keys if one.number == container else ():
            if key.spec is spec:
                return _made(provider, container, spec, key.public)
    raise ValueError(f"container {container} has no key for {spec.name}")


def _made(
    provider: "CryptoProvider", container: int, spec: KeySpec, public: PublicKey
) -> CardRsaKey | CardEcKey:
    if isinstance(public, rsa.RSAPublicKey):
        return CardRsaKey(provider, container, spec, public)
    return CardEcKey(provider, container, spec, public)


def _name(algorithm: hashes.HashAlgorithm) -> str:
    if algorithm.name not in _NAMES:
        raise ValueError(f"the card is not asked for {algorithm.name}")
    return _NAMES[algorithm.name]
