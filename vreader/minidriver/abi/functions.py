# SPDX-License-Identifier: Apache-2.0
"""The function table of a minidriver, as data.

Names and parameters are those of the Smart Card Minidriver Specification; the first parameter of a
Card* function, PCARD_DATA, is left out. All return a DWORD. On x86 they are __stdcall.
"""

from enum import Enum
from typing import NamedTuple

from vreader.minidriver.abi.carddata import CARD_DATA
from vreader.minidriver.abi.ctype import Abi


class ReadOnly(Enum):
    """What a card that nobody can write does with a function ("Developer Guidelines")."""

    WORKS = "must work"
    REFUSES = "must exist and return SCARD_E_UNSUPPORTED_FEATURE"
    MAY_REFUSE = "works or returns SCARD_E_UNSUPPORTED_FEATURE"
    AS_EVER = "as on any other card"


class Parameter(NamedTuple):
    """A parameter in C, e.g. ``PBYTE *`` and ``ppbData``."""

    type: str
    name: str


class Function(NamedTuple):
    """One function.

    Attributes:
        name: as the documentation has it.
        since: version of CARD_DATA whose table has it first.
        optional: whether a minidriver may leave it NULL. The pages allow it for CardDeauthenticate
            and for keys that the card does not have. Of challenges, unblocking, changing and key
            injection they only say that a card need not support them; NULL is accepted there too,
            besides an entry that returns SCARD_E_UNSUPPORTED_FEATURE (assumed).
        read_only: what a read-only card does with it.
        no_card_mode: whether it may be called without a card.
        parameters: without PCARD_DATA.
    """

    name: str
    since: int
    optional: bool
    read_only: ReadOnly
    no_card_mode: bool
    parameters: tuple[Parameter, ...]

    @property
    def member(self) -> str:
        """The member of CARD_DATA that points to it."""
        return f"pfn{self.name}"

    def offset(self, abi: Abi = Abi.X64) -> int:
        """Where in CARD_DATA its pointer is, in bytes."""
        return CARD_DATA.layout(abi).offsets[self.member]


def parameters(text: str) -> tuple[Parameter, ...]:
    """Read parameters as C writes them, separated by comma and space."""
    found = []
    for one in filter(None, text.split(", ")):
        type_, _, name = one.rpartition(" ")
        stars = len(name) - len(name.lstrip("*"))
        found.append(Parameter(f"{type_} {'*' * stars}".rstrip(), name.lstrip("*")))
    return tuple(found)


_WORKS, _REFUSES = ReadOnly.WORKS, ReadOnly.REFUSES
_MAY_REFUSE, _AS_EVER = ReadOnly.MAY_REFUSE, ReadOnly.AS_EVER
_OPTIONAL, _NO_CARD = "optional", "no card"


def _f(name: str, since: int, read_only: ReadOnly, signature: str, *marks: str) -> Function:
    found = parameters(signature)
    return Function(name, since, _OPTIONAL in marks, read_only, _NO_CARD in marks, found)


_FILE = "LPSTR pszDirectoryName, LPSTR pszFileName"
_PROPERTY = "LPCWSTR wszProperty, PBYTE pbData, DWORD cbData, PDWORD pdwDataLen, DWORD dwFlags"
_SETTING = "LPCWSTR wszProperty, PBYTE pbData, DWORD cbDataLen, DWORD dwFlags"
_CREATE = "BYTE bContainerIndex, DWORD dwFlags, DWORD dwKeySpec, DWORD dwKeySize, PBYTE pbKeyData"
_CHALLENGE = "PBYTE *ppbChallengeData, PDWORD pcbChallengeData"

ACQUIRE_CONTEXT = _f("CardAcquireContext", 4, _WORKS, "DWORD dwFlags", _NO_CARD)
"""The one function a module exports; it is no member of the table."""

FUNCTIONS: tuple[Function, ...] = (
    _f("CardDeleteContext", 4, _WORKS, "", _NO_CARD),
    _f("CardQueryCapabilities", 4, _WORKS, "PCARD_CAPABILITIES pCardCapabilities"),
    _f("CardDeleteContainer", 4, _REFUSES, "BYTE bContainerIndex, DWORD dwReserved"),
    _f("CardCreateContainer", 4, _REFUSES, _CREATE),
    _f(
        "CardGetContainerInfo",
        4,
        _WORKS,
        "BYTE bContainerIndex, DWORD dwFlags, PCONTAINER_INFO pContainerInfo",
    ),
    _f(
        "CardAuthenticatePin",
        4,
        _WORKS,
        "LPWSTR pwszUserId, PBYTE pbPin, DWORD cbPin, PDWORD pcAttemptsRemaining",
    ),
    _f("CardGetChallenge", 4, _MAY_REFUSE, _CHALLENGE, _OPTIONAL),
    _f(
        "CardAuthenticateChallenge",
        4,
        _MAY_REFUSE,
        "PBYTE pbResponseData, DWORD cbResponseData, PDWORD pcAttemptsRemaining",
        _OPTIONAL,
    ),
    _f(
        "CardUnblockPin",
        4,
        _MAY_REFUSE,
        "LPWSTR pwszUserId, PBYTE pbAuthenticationData, DWORD cbAuthenticationData, "
        "PBYTE pbNewPinData, DWORD cbNewPinData, DWORD cRetryCount, DWORD dwFlags",
        _OPTIONAL,
    ),
    _f(
        "CardChangeAuthenticator",
        4,
        _MAY_REFUSE,
        "LPWSTR pwszUserId, PBYTE pbCurrentAuthenticator, DWORD cbCurrentAuthenticator, "
        "PBYTE pbNewAuthenticator, DWORD cbNewAuthenticator, DWORD cRetryCount, DWORD dwFlags, "
        "PDWORD pcAttemptsRemaining",
        _OPTIONAL,
    ),
    _f("CardDeauthenticate", 4, _AS_EVER, "LPWSTR pwszUserId, DWORD dwFlags", _OPTIONAL),
    _f(
        "CardCreateDirectory",
        4,
        _REFUSES,
        "LPSTR pszDirectoryName, CARD_DIRECTORY_ACCESS_CONDITION AccessCondition",
    ),
    _f("CardDeleteDirectory", 4, _REFUSES, "LPSTR pszDirectoryName"),
    _f(
        "CardCreateFile",
        4,
        _REFUSES,
        f"{_FILE}, DWORD cbInitialCreationSize, CARD_FILE_ACCESS_CONDITION AccessCondition",
    ),
    _f("CardReadFile", 4, _WORKS, f"{_FILE}, DWORD dwFlags, PBYTE *ppbData, PDWORD pcbData"),
    _f("CardWriteFile", 4, _REFUSES, f"{_FILE}, DWORD dwFlags, PBYTE pbData, DWORD cbData"),
    _f("CardDeleteFile", 4, _REFUSES, f"{_FILE}, DWORD dwFlags"),
    _f(
        "CardEnumFiles",
        4,
        _WORKS,
        "LPSTR pszDirectoryName, LPSTR *pmszFileNames, LPDWORD pdwcbFileName, DWORD dwFlags",
    ),
    _f("CardGetFileInfo", 4, _WORKS, f"{_FILE}, PCARD_FILE_INFO pCardFileInfo"),
    _f(
        "CardQueryFreeSpace",
        4,
        _WORKS,
        "DWORD dwFlags, PCARD_FREE_SPACE_INFO pCardFreeSpaceInfo",
    ),
    _f(
        "CardQueryKeySizes",
        4,
        _WORKS,
        "DWORD dwKeySpec, DWORD dwFlags, PCARD_KEY_SIZES pKeySizes",
    ),
    _f("CardSignData", 4, _WORKS, "PCARD_SIGNING_INFO pInfo"),
    _f("CardRSADecrypt", 4, _AS_EVER, "PCARD_RSA_DECRYPT_INFO pInfo", _OPTIONAL),
    _f(
        "CardConstructDHAgreement", 4, _AS_EVER, "PCARD_DH_AGREEMENT_INFO pAgreementInfo", _OPTIONAL
    ),
    _f("CardDeriveKey", 5, _AS_EVER, "PCARD_DERIVE_KEY pAgreementInfo", _OPTIONAL),
    _f(
        "CardDestroyDHAgreement",
        5,
        _AS_EVER,
        "BYTE bSecretAgreementIndex, DWORD dwFlags",
        _OPTIONAL,
    ),
    _f(
        "CardGetChallengeEx",
        6,
        _MAY_REFUSE,
        f"PIN_ID PinId, {_CHALLENGE}, DWORD dwFlags",
        _OPTIONAL,
    ),
    _f(
        "CardAuthenticateEx",
        6,
        _WORKS,
        "PIN_ID PinId, DWORD dwFlags, PBYTE pbPinData, DWORD cbPinData, PBYTE *ppbSessionPin, "
        "PDWORD pcbSessionPin, PDWORD pcAttemptsRemaining",
    ),
    _f(
        "CardChangeAuthenticatorEx",
        6,
        _MAY_REFUSE,
        "DWORD dwFlags, PIN_ID dwAuthenticatingPinId, PBYTE pbAuthenticatingPinData, "
        "DWORD cbAuthenticatingPinData, PIN_ID dwTargetPinId, PBYTE pbTargetData, "
        "DWORD cbTargetData, DWORD cRetryCount, PDWORD pcAttemptsRemaining",
        _OPTIONAL,
    ),
    _f("CardDeauthenticateEx", 6, _WORKS, "PIN_SET PinId, DWORD dwFlags"),
    _f("CardGetContainerProperty", 6, _WORKS, f"BYTE bContainerIndex, {_PROPERTY}"),
    _f("CardSetContainerProperty", 6, _REFUSES, f"BYTE bContainerIndex, {_SETTING}"),
    _f("CardGetProperty", 6, _WORKS, _PROPERTY),
    _f("CardSetProperty", 6, _WORKS, _SETTING),
    _f(
        "MDImportSessionKey",
        7,
        _MAY_REFUSE,
        "LPCWSTR pwszBlobType, LPCWSTR pwszAlgId, PCARD_KEY_HANDLE phKey, PBYTE pbInput, "
        "DWORD cbInput",
        _OPTIONAL,
        _NO_CARD,
    ),
    _f(
        "MDEncryptData",
        7,
        _MAY_REFUSE,
        "CARD_KEY_HANDLE hKey, LPCWSTR pwszSecureFunction, PBYTE pbInput, DWORD cbInput, "
        "DWORD dwFlags, PCARD_ENCRYPTED_DATA *ppEncryptedData, PDWORD pcEncryptedData",
        _OPTIONAL,
        _NO_CARD,
    ),
    _f(
        "CardImportSessionKey",
        7,
        _MAY_REFUSE,
        "BYTE bContainerIndex, PVOID pPaddingInfo, LPCWSTR pwszBlobType, LPCWSTR pwszAlgId, "
        "PCARD_KEY_HANDLE phKey, PBYTE pbInput, DWORD cbInput, DWORD dwFlags",
        _OPTIONAL,
    ),
    _f(
        "CardGetSharedKeyHandle",
        7,
        _MAY_REFUSE,
        "PBYTE pbInput, DWORD cbInput, PBYTE *ppbOutput, PDWORD pcbOutput, PCARD_KEY_HANDLE phKey",
        _OPTIONAL,
        _NO_CARD,
    ),
    _f(
        "CardGetAlgorithmProperty",
        7,
        _MAY_REFUSE,
        "LPCWSTR pwszAlgId, " + _PROPERTY.replace("wszProperty", "pwszProperty"),
        _OPTIONAL,
        _NO_CARD,
    ),
    _f(
        "CardGetKeyProperty",
        7,
        _MAY_REFUSE,
        "CARD_KEY_HANDLE hKey, " + _PROPERTY.replace("wszProperty", "pwszProperty"),
        _OPTIONAL,
        _NO_CARD,
    ),
    _f(
        "CardSetKeyProperty",
        7,
        _MAY_REFUSE,
        "CARD_KEY_HANDLE hKey, LPCWSTR pwszProperty, PBYTE pbInput, DWORD cbInput, DWORD dwFlags",
        _OPTIONAL,
        _NO_CARD,
    ),
    _f("CardDestroyKey", 7, _MAY_REFUSE, "CARD_KEY_HANDLE hKey", _OPTIONAL, _NO_CARD),
    _f(
        "CardProcessEncryptedData",
        7,
        _MAY_REFUSE,
        "CARD_KEY_HANDLE hKey, LPCWSTR pwszSecureFunction, PCARD_ENCRYPTED_DATA pEncryptedData, "
        "DWORD cEncryptedData, PBYTE pbOutput, DWORD cbOutput, PDWORD pdwOutputLen, DWORD dwFlags",
        _OPTIONAL,
        _NO_CARD,
    ),
    _f("CardCreateContainerEx", 7, _MAY_REFUSE, f"{_CREATE}, PIN_ID PinId"),
)
"""Every member of the table, in the order of CARD_DATA."""

FUNCTION = {function.name: function for function in (ACQUIRE_CONTEXT, *FUNCTIONS)}
