# SPDX-License-Identifier: Apache-2.0
"""Numbers of the minidriver interface: keys, containers, files, padding, algorithms.

Each docstring names the page they are from; "Overview" is "Smart Card Minidriver Overview" of the
WDK. PINs have their own file, :mod:`vreader.minidriver.abi.pins`.
"""

from enum import IntEnum, IntFlag, StrEnum

# CARD_DATA_VALUE_UNKNOWN ("Overview"): attempts, bytes or containers that the card cannot tell.
VALUE_UNKNOWN = 0xFFFFFFFF

# CardAcquireContext ("Secure Key Injection"): no card, only the functions of key injection.
NO_CARD_MODE = 0x1

# dwFlags of CARD_SIGNING_INFO ("CardSignData") and CARD_DERIVE_KEY ("CardDeriveKey").
BUFFER_SIZE_ONLY = 0x20000000
PADDING_INFO_PRESENT = 0x40000000
RETURN_KEY_HANDLE = 0x01000000


class KeySpec(IntEnum):
    """AT_*: which key of a container ("CardCreateContainer")."""

    KEYEXCHANGE = 1
    SIGNATURE = 2
    ECDSA_P256 = 3
    ECDSA_P384 = 4
    ECDSA_P521 = 5
    ECDHE_P256 = 6
    ECDHE_P384 = 7
    ECDHE_P521 = 8

    @property
    def is_rsa(self) -> bool:
        """Whether such a key is an RSA key."""
        return self <= KeySpec.SIGNATURE

    @property
    def is_exchange(self) -> bool:
        """Whether it stands in the container's key exchange place."""
        return self is KeySpec.KEYEXCHANGE or self >= KeySpec.ECDHE_P256

    @property
    def bits(self) -> int:
        """The size of the curve; 0 for RSA, where the size is a parameter."""
        return 0 if self.is_rsa else (256, 384, 521)[self % 3]


class CreateContainer(IntFlag):
    """dwFlags of CardCreateContainer[Ex] (page of the same name); one of the two."""

    KEY_GEN = 1
    KEY_IMPORT = 2


class ContainerFlag(IntFlag):
    """bFlags of CONTAINER_MAP_RECORD ("File System Requirements")."""

    VALID = 1
    DEFAULT = 2


MAX_CONTAINER_NAME = 39
"""Characters of a container's name, without the NUL ("File System Requirements")."""


class DirectoryAc(IntEnum):
    """CARD_DIRECTORY_ACCESS_CONDITION ("CardCreateDirectory")."""

    INVALID = 0
    USER_CREATE_DELETE = 1
    ADMIN_CREATE_DELETE = 2


class FileAc(IntEnum):
    """CARD_FILE_ACCESS_CONDITION ("CardCreateFile")."""

    INVALID = 0
    EVERYONE_READ_USER_WRITE = 1
    USER_WRITE_EXECUTE = 2
    EVERYONE_READ_ADMIN_WRITE = 3
    UNKNOWN = 4
    USER_READ_WRITE = 5
    ADMIN_READ_WRITE = 6


class Padding(IntEnum):
    """CARD_PADDING_*: dwPaddingType ("CardSignData", "CardRSADecrypt"); bits of a set too."""

    NONE = 1
    PKCS1 = 2
    PSS = 4
    OAEP = 8


class Calg(IntEnum):
    """ALG_ID of CryptoAPI (wincrypt.h): aiHashAlg, aiKeyAlg of a BLOB. 0 is no algorithm."""

    MD2 = 0x8001
    MD4 = 0x8002
    MD5 = 0x8003
    SHA1 = 0x8004
    SSL3_SHAMD5 = 0x8008
    SHA_256 = 0x800C
    SHA_384 = 0x800D
    SHA_512 = 0x800E
    RSA_SIGN = 0x2400
    RSA_KEYX = 0xA400


class KeyImport(IntFlag):
    """CARD_KEY_IMPORT_*: the value of "Key Import Support" ("Secure Key Injection")."""

    PLAIN_TEXT = 1
    RSA_KEYEST = 2
    ECC_KEYEST = 4
    SHARED_SYMMETRIC = 8


class Operation(IntFlag):
    """CARD_*_OPERATION: dwFlags of "Algorithms" ("Secure Key Injection")."""

    CIPHER = 1
    ASYMMETRIC = 2


class CacheMode(IntEnum):
    """CP_CACHE_MODE_*: the value of "Cache Mode" ("CardGetProperty")."""

    GLOBAL_CACHE = 1
    SESSION_ONLY = 2
    NO_CACHE = 3


class SecureFunction(StrEnum):
    """CSF_*: what encrypted data is for ("Secure Key Injection")."""

    IMPORT_KEYPAIR = "Import Key Pair"
    CHANGE_AUTHENTICATOR = "Change Authenticator"
    AUTHENTICATE = "Authenticate"


class KeyProperty(StrEnum):
    """CKP_*: properties of a session key ("CardSetKeyProperty")."""

    CHAINING_MODE = "ChainingMode"
    INITIALIZATION_VECTOR = "IV"
    BLOCK_LENGTH = "BlockLength"


class Kdf(StrEnum):
    """BCRYPT_KDF_*: how a key is made of a secret ("CardDeriveKey"; CNG reference)."""

    HASH = "HASH"
    HMAC = "HMAC"
    TLS_PRF = "TLS_PRF"
    SP80056A_CONCAT = "SP800_56A_CONCAT"


# Names of CNG (bcrypt.h) that key injection uses for ciphers, their mode and the key's BLOB.
ALGORITHM_3DES, ALGORITHM_3DES_112, ALGORITHM_AES = "3DES", "3DES_112", "AES"
CHAIN_MODE_CBC = "ChainingModeCBC"
KEY_DATA_BLOB_TYPE = "KeyDataBlob"
