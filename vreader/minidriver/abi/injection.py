# SPDX-License-Identifier: Apache-2.0
"""The structures of secure key injection (version 7): what is encrypted for the card, and answers.

From the page "Secure Key Injection" of the Smart Card Minidriver Specification. They end with data
of variable length; the members before say how long it is.
"""

from vreader.minidriver.abi.layout import Struct
from vreader.minidriver.abi.types import (
    AUTHENTICATOR_TAIL,
    BYTE,
    DWORD,
    INPUT_TAIL,
    KEY_DATA_TAIL,
    PBYTE,
    PIN_ID,
    PIN_TAIL,
    SESSION_PIN_TAIL,
    ULONG,
)


class CARD_ENCRYPTED_DATA(Struct):
    """One piece of encrypted data."""

    pbEncryptedData: PBYTE = 0
    cbEncryptedData: DWORD = 0


class CARD_IMPORT_KEYPAIR(Struct):
    """For "Import Key Pair": a private key for a container; pbInput is its key BLOB."""

    dwVersion: DWORD = 7
    bContainerIndex: BYTE = 0
    PinId: PIN_ID = 0
    dwKeySpec: DWORD = 0
    dwKeySize: DWORD = 0
    cbInput: DWORD = 0
    pbInput: INPUT_TAIL = b""


class CARD_CHANGE_AUTHENTICATOR(Struct):
    """For "Change Authenticator": the data is the authenticating PIN and the new one behind it."""

    dwVersion: DWORD = 7
    dwFlags: DWORD = 0
    dwAuthenticatingPinId: PIN_ID = 0
    cbAuthenticatingPinData: DWORD = 0
    dwTargetPinId: PIN_ID = 0
    cbTargetData: DWORD = 0
    cRetryCount: DWORD = 0
    pbData: AUTHENTICATOR_TAIL = b""


class CARD_CHANGE_AUTHENTICATOR_RESPONSE(Struct):
    """The answer to CARD_CHANGE_AUTHENTICATOR."""

    dwVersion: DWORD = 7
    cAttemptsRemaining: DWORD = 0


class CARD_AUTHENTICATE(Struct):
    """For "Authenticate": a PIN to be verified."""

    dwVersion: DWORD = 7
    dwFlags: DWORD = 0
    PinId: PIN_ID = 0
    cbPinData: DWORD = 0
    pbPinData: PIN_TAIL = b""


class CARD_AUTHENTICATE_RESPONSE(Struct):
    """The answer to CARD_AUTHENTICATE."""

    dwVersion: DWORD = 7
    cbSessionPin: DWORD = 0
    cAttemptsRemaining: DWORD = 0
    pbSessionPin: SESSION_PIN_TAIL = b""


class BCRYPT_KEY_DATA_BLOB(Struct):
    """BCRYPT_KEY_DATA_BLOB_HEADER and the bytes of a symmetric key behind it (CNG reference)."""

    dwMagic: ULONG = 0x4D42444B
    dwVersion: ULONG = 1
    cbKeyData: ULONG = 0
    pbKeyData: KEY_DATA_TAIL = b""
