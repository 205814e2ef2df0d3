# SPDX-License-Identifier: Apache-2.0
"""Whether a card's private key works: it does something that its public key can verify."""

import hashlib
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

from vreader.minidriver.abi.blobs import PublicKey
from vreader.minidriver.abi.codes import KeySpec
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.host.containers import Container, ContainerKey
from vreader.minidriver.host.provider import CryptoProvider
from vreader.winscard.codes import SCARD

MESSAGE: Final = b"vreader scinfo: does this key work?"
_SECRET: Final = b"vreader scinfo"


class KeyVerdict(Enum):
    """What a test has shown."""

    WORKS = "works"
    FAILS = "fails"
    UNSUPPORTED = "not supported"  # the minidriver does not do this at all
    SKIPPED = "not tested"


class KeyTest(NamedTuple):
    """One test of one key.

    Attributes:
        operation: ``sign``, ``decrypt`` or ``agree``.
        provider: that did it.
        result: what it has shown.
        detail: of what exactly, or why not.
    """

    operation: str
    provider: str
    result: KeyVerdict
    detail: str

    def record(self) -> dict[str, object]:
        """Return it under plain names."""
        return self._asdict() | {"result": self.result.value}


class Operation(NamedTuple):
    """A test that a key can be put to.

    Attributes:
        name: ``sign``, ``decrypt`` or ``agree``.
        detail: of what exactly.
        run: does it; whether the answer is right.
    """

    name: str
    detail: str
    run: Callable[[], bool]


def operations(
    provider: CryptoProvider, container: Container, key: ContainerKey
) -> Iterator[Operation]:
    """Yield the tests for a key: all that its specification is for."""
    where, spec, public = container.number, key.spec, key.public
    if spec.is_rsa or not spec.is_exchange:
        how = "RSA, PKCS #1, SHA-256" if spec.is_rsa else "ECDSA, SHA-256"
        yield Operation("sign", how, lambda: _sign(provider, where, spec, public))
    if isinstance(public, rsa.RSAPublicKey) and spec.is_exchange:
        yield Operation("decrypt", "RSA, PKCS #1", lambda: _decrypt(provider, where, spec, public))
    if isinstance(public, ec.EllipticCurvePublicKey) and spec.is_exchange:
        yield Operation("agree", "ECDH, SHA-256", lambda: _agree(provider, where, spec, public))


def run(operation: Operation, name: str) -> KeyTest:
    """Put a key to a test; ``name`` is the provider's."""
    try:
        right = operation.run()
    except MinidriverError as error:
        absent = error.code is SCARD.E_UNSUPPORTED_FEATURE
        verdict = KeyVerdict.UNSUPPORTED if absent else KeyVerdict.FAILS
        return KeyTest(operation.name, name, verdict, f"{operation.detail}: {error}")
    if right:
        return KeyTest(operation.name, name, KeyVerdict.WORKS, operation.detail)
    wrong = "the public key does not verify what the card answers"
    return KeyTest(operation.name, name, KeyVerdict.FAILS, f"{operation.detail}: {wrong}")


def _sign(provider: CryptoProvider, where: int, spec: KeySpec, public: PublicKey) -> bool:
    return verifies(public, provider.sign(MESSAGE, where, spec=spec), MESSAGE)


def verifies(public: PublicKey, signature: bytes, message: bytes) -> bool:
    """Whether a signature with SHA-256 as a provider returns it is right."""
    try:
        if isinstance(public, rsa.RSAPublicKey):
            public.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
        else:
            half = len(signature) // 2
            r, s = (int.from_bytes(part, "big") for part in (signature[:half], signature[half:]))
            der = utils.encode_dss_signature(r, s)
            public.verify(der, message, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def _decrypt(provider: CryptoProvider, where: int, spec: KeySpec, public: rsa.RSAPublicKey) -> bool:
    encrypted = public.encrypt(_SECRET, padding.PKCS1v15())
    return provider.decrypt(encrypted, where, spec=spec) == _SECRET


def _agree(
    provider: CryptoProvider, where: int, spec: KeySpec, public: ec.EllipticCurvePublicKey
) -> bool:
    mine = ec.generate_private_key(public.curve)
    secret = mine.exchange(ec.ECDH(), public)
    agreed = provider.agree(mine.public_key(), where, spec=spec)
    return agreed == hashlib.sha256(secret).digest()
