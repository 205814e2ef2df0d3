# SPDX-License-Identifier: Apache-2.0
"""What Card* functions are given and return in Python where the structure has pointers.

A pointer and its length become ``bytes``, a string ``str``, NULL is None. Structures without
pointers are those of :mod:`vreader.minidriver.abi.structs`.
"""

from typing import NamedTuple


class ContainerInfo(NamedTuple):
    """CONTAINER_INFO: the public keys of a container as BLOBs; None where there is no such key."""

    version: int = 1
    signature: bytes | None = None
    exchange: bytes | None = None


class Pkcs1(NamedTuple):
    """BCRYPT_PKCS1_PADDING_INFO: CNG's name of the hash; None for no DigestInfo."""

    algorithm: str | None = None


class Pss(NamedTuple):
    """BCRYPT_PSS_PADDING_INFO: CNG's name of the hash, the salt's length in bytes."""

    algorithm: str | None
    salt: int


class Oaep(NamedTuple):
    """BCRYPT_OAEP_PADDING_INFO: CNG's name of the hash, the label."""

    algorithm: str | None
    label: bytes = b""


PaddingInfo = Pkcs1 | Pss | Oaep


class SigningInfo(NamedTuple):
    """CARD_SIGNING_INFO as the host fills it; version 1 has no padding members.

    Attributes:
        container: bContainerIndex.
        key_spec: an AT_* number.
        data: the hash, not padded.
        hash_alg: an ALG_ID, or 0.
        flags: PADDING_INFO_PRESENT, BUFFER_SIZE_ONLY.
        padding_type: a CARD_PADDING_* number; ``padding`` goes with it.
    """

    container: int
    key_spec: int
    data: bytes | None
    hash_alg: int = 0
    flags: int = 0
    padding: PaddingInfo | None = None
    padding_type: int = 0
    version: int = 2


class DecryptInfo(NamedTuple):
    """CARD_RSA_DECRYPT_INFO as the host fills it; data is as long as the modulus."""

    container: int
    key_spec: int
    data: bytes | None
    padding: PaddingInfo | None = None
    padding_type: int = 0
    version: int = 2


class DhAgreementInfo(NamedTuple):
    """CARD_DH_AGREEMENT_INFO as the host fills it; the public key is the other side's."""

    container: int
    public_key: bytes | None
    flags: int = 0
    version: int = 2


class KdfParameter(NamedTuple):
    """One BCryptBuffer of pParameterList: a KDF_* number and its value."""

    kind: int
    value: bytes


class DeriveKeyInfo(NamedTuple):
    """CARD_DERIVE_KEY as the host fills it.

    Attributes:
        kdf: BCRYPT_KDF_*.
        secret: bSecretAgreementIndex.
        flags: BUFFER_SIZE_ONLY, RETURN_KEY_HANDLE.
        algorithm, key_length: what a key handle is wanted for (version 2), the length in bits.
    """

    kdf: str | None
    secret: int
    parameters: tuple[KdfParameter, ...] = ()
    flags: int = 0
    algorithm: str | None = None
    key_length: int = 0
    version: int = 2
