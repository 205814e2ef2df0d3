# SPDX-License-Identifier: Apache-2.0
"""The structures that Card* functions are given, besides CARD_DATA.

Members and their order are those of the pages of the Smart Card Minidriver Specification and of the
older "Smart Card API" reference (CARD_SIGNING_INFO, CARD_DERIVE_KEY, CARD_DH_AGREEMENT_INFO …);
those of CARD_SIGNING_INFO alone were confirmed in the MIT-licensed win32metadata project too. The
layout is the default of C compilers for Windows: a BYTE before a DWORD is followed by three bytes
of padding.
"""

from vreader.minidriver.abi.layout import Struct
from vreader.minidriver.abi.types import (
    ALG_ID,
    BOOL,
    BYTE,
    CARD_KEY_HANDLE,
    CONTAINER_NAME,
    DWORD,
    ENUM,
    LPWSTR,
    PBYTE,
    PIN_SET,
    PVOID,
    ULONG,
    WORD,
)


class CARD_CAPABILITIES(Struct):
    """What the card does itself. Without certificate compression the Base CSP compresses."""

    dwVersion: DWORD = 1
    fCertificateCompression: BOOL = False
    fKeyGen: BOOL = False


class CONTAINER_INFO(Struct):
    """The public keys of a container: RSA PUBLICKEYBLOB or BCRYPT_ECCKEY_BLOB, or none."""

    dwVersion: DWORD = 1
    dwReserved: DWORD = 0
    cbSigPublicKey: DWORD = 0
    pbSigPublicKey: PBYTE = 0
    cbKeyExPublicKey: DWORD = 0
    pbKeyExPublicKey: PBYTE = 0


class CARD_SIGNING_INFO(Struct, versions={1: "cbSignedData", 2: "dwPaddingType"}):
    """A hash to be signed, and room for the signature."""

    dwVersion: DWORD = 2
    bContainerIndex: BYTE = 0
    dwKeySpec: DWORD = 0
    dwSigningFlags: DWORD = 0
    aiHashAlg: ALG_ID = 0
    pbData: PBYTE = 0
    cbData: DWORD = 0
    pbSignedData: PBYTE = 0
    cbSignedData: DWORD = 0
    pPaddingInfo: PVOID = 0
    dwPaddingType: DWORD = 0


class CARD_RSA_DECRYPT_INFO(Struct, versions={1: "cbData", 2: "dwPaddingType"}):
    """Data to be decrypted in place."""

    dwVersion: DWORD = 2
    bContainerIndex: BYTE = 0
    dwKeySpec: DWORD = 0
    pbData: PBYTE = 0
    cbData: DWORD = 0
    pPaddingInfo: PVOID = 0
    dwPaddingType: DWORD = 0


class CARD_DH_AGREEMENT_INFO(Struct):
    """The other side's public key; the index of the secret comes back. Version 1 was dropped."""

    dwVersion: DWORD = 2
    bContainerIndex: BYTE = 0
    dwFlags: DWORD = 0
    dwPublicKey: DWORD = 0
    pbPublicKey: PBYTE = 0
    pbReserved: PBYTE = 0
    cbReserved: DWORD = 0
    bSecretAgreementIndex: BYTE = 0


class CARD_DERIVE_KEY(Struct, versions={1: "cbDerivedKey", 2: "hKey"}):
    """How to make a key of a secret, and room for it; version 2 may return a handle instead."""

    dwVersion: DWORD = 2
    dwFlags: DWORD = 0
    pwszKDF: LPWSTR = 0
    bSecretAgreementIndex: BYTE = 0
    pParameterList: PVOID = 0
    pbDerivedKey: PBYTE = 0
    cbDerivedKey: DWORD = 0
    pwszAlgId: LPWSTR = 0
    dwKeyLen: DWORD = 0
    hKey: CARD_KEY_HANDLE = 0


class PIN_CACHE_POLICY(Struct):
    """How long a host may keep a PIN; the info is seconds for PinCacheTimed."""

    dwVersion: DWORD = 6
    PinCachePolicyType: ENUM = 0
    dwPinCachePolicyInfo: DWORD = 0


class PIN_INFO(Struct):
    """A PIN of the card: its kind, its purpose, who may change and unblock it."""

    dwVersion: DWORD = 6
    PinType: ENUM = 0
    PinPurpose: ENUM = 0
    dwChangePermission: PIN_SET = 0
    dwUnblockPermission: PIN_SET = 0
    PinCachePolicy: PIN_CACHE_POLICY = PIN_CACHE_POLICY()
    dwFlags: DWORD = 0


class CARD_FILE_INFO(Struct):
    """Size of a file in bytes, and who may read and write it."""

    dwVersion: DWORD = 1
    cbFileSize: DWORD = 0
    AccessCondition: ENUM = 0


class CARD_FREE_SPACE_INFO(Struct):
    """Bytes and containers that are free; 0xFFFFFFFF where the card cannot tell."""

    dwVersion: DWORD = 1
    dwBytesAvailable: DWORD = 0
    dwKeyContainersAvailable: DWORD = 0
    dwMaxKeyContainers: DWORD = 0


class CARD_KEY_SIZES(Struct):
    """Sizes of keys in bits."""

    dwVersion: DWORD = 1
    dwMinimumBitlen: DWORD = 0
    dwDefaultBitlen: DWORD = 0
    dwMaximumBitlen: DWORD = 0
    dwIncrementalBitlen: DWORD = 0


class CONTAINER_MAP_RECORD(Struct):
    """One record of ``mscp/cmapfile``, 86 bytes; its place is the container's index."""

    wszGuid: CONTAINER_NAME = ""
    bFlags: BYTE = 0
    bReserved: BYTE = 0
    wSigKeySizeBits: WORD = 0
    wKeyExchangeKeySizeBits: WORD = 0


class CARD_CACHE_FILE_FORMAT(Struct):
    """The file ``cardcf``: counters that a host compares to know what of its cache is stale."""

    bVersion: BYTE = 0
    bPinsFreshness: BYTE = 0
    wContainersFreshness: WORD = 0
    wFilesFreshness: WORD = 0


class BCRYPT_PKCS1_PADDING_INFO(Struct):
    """pPaddingInfo for CARD_PADDING_PKCS1; no name means no DigestInfo (CNG reference)."""

    pszAlgId: LPWSTR = 0


class BCRYPT_PSS_PADDING_INFO(Struct):
    """pPaddingInfo for CARD_PADDING_PSS; the salt's length in bytes (CNG reference)."""

    pszAlgId: LPWSTR = 0
    cbSalt: ULONG = 0


class BCRYPT_OAEP_PADDING_INFO(Struct):
    """pPaddingInfo for CARD_PADDING_OAEP (CNG reference)."""

    pszAlgId: LPWSTR = 0
    pbLabel: PBYTE = 0
    cbLabel: ULONG = 0


class BCryptBuffer(Struct):
    """One parameter of a key derivation: its kind is a KDF_* number (CNG reference)."""

    cbBuffer: ULONG = 0
    BufferType: ULONG = 0
    pvBuffer: PVOID = 0


class BCryptBufferDesc(Struct):
    """pParameterList of CARD_DERIVE_KEY: an array of BCryptBuffer (CNG reference)."""

    ulVersion: ULONG = 0
    cBuffers: ULONG = 0
    pBuffers: PVOID = 0
