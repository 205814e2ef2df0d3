# SPDX-License-Identifier: Apache-2.0
"""Private keys of a card as the two providers use them (CardSignData, CardRSADecrypt, …).

The host hashes. Under the CSP a signature is PKCS #1 with the hash named by ALG_ID; under the KSP
padding information comes along. The CSP knows no curves, no PSS and no OAEP. RSA crosses the
interface little endian and is big endian here; an ECDSA signature is r and s, each as long as the
field, as CNG has it. Before version 7 the card decrypts and the host removes the padding; from then
on the minidriver does, or asks CspUnpadData.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from vreader.minidriver.abi.blobs import PublicKey, encode_public
from vreader.minidriver.abi.codes import PADDING_INFO_PRESENT, Calg, Kdf, KeySpec, Padding
from vreader.minidriver.abi.returncodes import NTE, MinidriverError
from vreader.minidriver.host.callbacks import Callbacks
from vreader.minidriver.host.session import Session
from vreader.minidriver.padding import ALG_IDS, digest, unpad
from vreader.minidriver.values import (
    DecryptInfo,
    DeriveKeyInfo,
    DhAgreementInfo,
    KdfParameter,
    Oaep,
    PaddingInfo,
    Pkcs1,
    Pss,
    SigningInfo,
)

KDF_HASH_ALGORITHM: Final = 0
_TLS_HASH: Final = 36  # bytes of MD5 and SHA-1 one after the other
_UNPADDED_VERSION: Final = 7  # of CARD_DATA: from here on CARD_RSA_DECRYPT_INFO has version 2
_ECDH_OF: Final = {256: KeySpec.ECDHE_P256, 384: KeySpec.ECDHE_P384, 521: KeySpec.ECDHE_P521}


class KeyRef(NamedTuple):
    """A key on the card: its container, what it is for, its public half."""

    container: int
    spec: KeySpec
    public: PublicKey


class Keys:
    """Operations with private keys. Every function wants to be called in a transaction.

    Args:
        session: of the card.
        callbacks: they know the handles of secret agreements.
        ksp: do as the KSP does, else as the CSP.
    """

    def __init__(self, session: Session, callbacks: Callbacks, *, ksp: bool) -> None:
        self._session = session
        self._callbacks = callbacks
        self._ksp = ksp
        self._next_secret = 1

    def sign(self, key: KeyRef, hashed: bytes, algorithm: str | None, pss: Pss | None) -> bytes:
        """Sign a hash.

        Args:
            key: which.
            hashed: the hash; NTE_BAD_LEN for one that is too short or too long.
            algorithm: CNG's name of it; None for PKCS #1 without DigestInfo, as TLS 1.0 has it.
            pss: for RSA, instead of PKCS #1.
        """
        is_rsa = isinstance(key.public, rsa.RSAPublicKey)
        if algorithm is not None and (
            algorithm not in ALG_IDS or len(hashed) != len(digest(algorithm, b""))
        ):
            raise MinidriverError(NTE.BAD_ALGID if algorithm not in ALG_IDS else NTE.BAD_LEN)
        tls = Calg.SSL3_SHAMD5 if len(hashed) == _TLS_HASH else 0
        alg_id = tls if algorithm is None else ALG_IDS[algorithm]
        info = SigningInfo(key.container, key.spec, hashed, alg_id, version=1)
        if not self._ksp and (pss is not None or not is_rsa):
            raise MinidriverError(NTE.NOT_SUPPORTED)
        if pss is not None and not is_rsa:
            raise MinidriverError(NTE.NOT_SUPPORTED)
        if is_rsa and self._ksp:
            padding: PaddingInfo = pss or Pkcs1(algorithm)
            kind = Padding.PSS if pss else Padding.PKCS1
            info = info._replace(
                hash_alg=0,
                flags=PADDING_INFO_PRESENT,
                padding=padding,
                padding_type=kind,
                version=2,
            )
        elif not is_rsa:
            info = info._replace(hash_alg=0)
        signature = self._session.call("CardSignData", info)
        if not isinstance(signature, bytes | bytearray):
            raise MinidriverError(NTE.FAIL)
        return bytes(signature[::-1] if is_rsa else signature)

    def decrypt(self, key: KeyRef, data: bytes, padding: PaddingInfo | None) -> bytes:
        """Decrypt with an RSA key; no padding information is the raw operation.

        Raises:
            MinidriverError: NTE_BAD_LEN for data that is not as long as the modulus, NTE_BAD_DATA
                where there is no such padding.
        """
        if not isinstance(key.public, rsa.RSAPublicKey):
            raise MinidriverError(NTE.BAD_KEY)
        if len(data) != -(-key.public.key_size // 8):
            raise MinidriverError(NTE.BAD_LEN)
        kind = Padding.NONE
        if padding is not None:
            kind = Padding.OAEP if isinstance(padding, Oaep) else Padding.PKCS1
        if kind is Padding.OAEP and not self._ksp:
            raise MinidriverError(NTE.NOT_SUPPORTED)
        by_card = self._session.version >= _UNPADDED_VERSION
        info = DecryptInfo(key.container, key.spec, data[::-1], version=1)
        if by_card:
            told = padding if kind is Padding.OAEP else None
            info = info._replace(padding=told, padding_type=kind, version=2)
        found = self._session.call("CardRSADecrypt", info)
        if not isinstance(found, bytes | bytearray):
            raise MinidriverError(NTE.FAIL)
        block = bytes(found[::-1])
        return block if by_card else unpad(block, kind, padding)

    def agree(
        self,
        key: KeyRef,
        other: ec.EllipticCurvePublicKey,
        kdf: str,
        parameters: Sequence[KdfParameter],
    ) -> bytes:
        """Agree on a secret and derive a key of it; the secret is destroyed in any case."""
        if not isinstance(key.public, ec.EllipticCurvePublicKey) or not key.spec.is_exchange:
            raise MinidriverError(NTE.BAD_KEY)
        if other.key_size != key.public.key_size:
            raise MinidriverError(NTE.BAD_KEY)
        if not self._ksp:
            raise MinidriverError(NTE.NOT_SUPPORTED)
        blob = encode_public(other, _ECDH_OF[other.key_size])
        secret = self._session.call(
            "CardConstructDHAgreement", DhAgreementInfo(key.container, blob)
        )
        handle, self._next_secret = self._next_secret, self._next_secret + 1
        self._callbacks.secrets[handle] = secret
        try:
            version = 2 if self._session.version >= _UNPADDED_VERSION else 1
            derived = self._session.call(
                "CardDeriveKey", DeriveKeyInfo(kdf, secret, tuple(parameters), version=version)
            )
        finally:
            del self._callbacks.secrets[handle]
            self._session.call("CardDestroyDHAgreement", secret, 0)
        if not isinstance(derived, bytes | bytearray):
            raise MinidriverError(NTE.FAIL)
        return bytes(derived)


def hash_parameters(algorithm: str) -> tuple[KdfParameter, ...]:
    """Return the parameters of BCRYPT_KDF_HASH with a hash of CNG's."""
    return (KdfParameter(KDF_HASH_ALGORITHM, f"{algorithm}\0".encode("utf-16-le")),)


DEFAULT_KDF: Final = Kdf.HASH
