# SPDX-License-Identifier: Apache-2.0
"""The rules of the functions for containers and keys."""

from vreader.minidriver.abi.codes import (
    BUFFER_SIZE_ONLY,
    PADDING_INFO_PRESENT,
    RETURN_KEY_HANDLE,
    CreateContainer,
    KeySpec,
    Padding,
)
from vreader.minidriver.rules.base import key_spec, pin_number, require, struct_version
from vreader.minidriver.values import (
    ContainerInfo,
    DecryptInfo,
    DeriveKeyInfo,
    DhAgreementInfo,
    SigningInfo,
)


def get_container_info(
    _version: int, _container: int, flags: int, info: ContainerInfo | None
) -> None:
    """Flags are zero, the structure is of version 1."""
    require(info and not flags)
    assert info
    struct_version(info.version, 1)


def create_container(
    _version: int, _container: int, flags: int, spec: int, size: int, data: bytes | None
) -> None:
    """Generate or import; data to import; no size for a curve that the card generates."""
    require(flags in (CreateContainer.KEY_GEN, CreateContainer.KEY_IMPORT))
    key_spec(spec)
    if flags == CreateContainer.KEY_IMPORT:
        require(data)
    else:
        require(KeySpec(spec).is_rsa or not size)


def create_container_ex(
    version: int, container: int, flags: int, spec: int, size: int, data: bytes | None, pin: int
) -> None:
    """As CardCreateContainer; a PIN has a number from 0 to 7."""
    create_container(version, container, flags, spec, size, data)
    pin_number(pin)


def delete_container(_version: int, _container: int, reserved: int) -> None:
    """The reserved parameter is zero."""
    require(not reserved)


def sign_data(_version: int, info: SigningInfo | None) -> None:
    """A known version, key specification, flags and padding; something to sign."""
    require(info)
    assert info
    version = struct_version(info.version, 1, 2)
    key_spec(info.key_spec)
    require(info.data and not info.flags & ~(PADDING_INFO_PRESENT | BUFFER_SIZE_ONLY))
    if info.flags & PADDING_INFO_PRESENT:
        require(version == 2 and info.padding_type in (Padding.NONE, Padding.PKCS1, Padding.PSS))
        require(info.padding is not None or info.padding_type == Padding.NONE)


def rsa_decrypt(card_version: int, info: DecryptInfo | None) -> None:
    """An RSA key, data; at version 7 of CARD_DATA the structure has version 2."""
    require(info)
    assert info
    known = (2,) if card_version >= 7 else (1, 2)
    version = struct_version(info.version, *known)
    require(info.key_spec in (KeySpec.KEYEXCHANGE, KeySpec.SIGNATURE) and info.data)
    if version == 2:
        require(info.padding_type in (Padding.NONE, Padding.PKCS1, Padding.OAEP))
        require(info.padding is not None or info.padding_type != Padding.OAEP)


def construct_dh_agreement(_version: int, info: DhAgreementInfo | None) -> None:
    """Version 2, the other side's public key, no flags."""
    require(info)
    assert info
    struct_version(info.version, 2)
    require(info.public_key and not info.flags)


def derive_key(_version: int, info: DeriveKeyInfo | None) -> None:
    """A known version, a KDF, known flags; a handle needs version 2."""
    require(info)
    assert info
    version = struct_version(info.version, 1, 2)
    require(info.kdf and not info.flags & ~(BUFFER_SIZE_ONLY | RETURN_KEY_HANDLE))
    require(version == 2 or not info.flags & RETURN_KEY_HANDLE)


def destroy_dh_agreement(_version: int, _secret: int, flags: int) -> None:
    """Flags are zero."""
    require(not flags)
