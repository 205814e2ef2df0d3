# SPDX-License-Identifier: Apache-2.0
"""CARD_DATA: what host and minidriver share for one context; most of it is the function table.

Order and offsets are those of the Smart Card Minidriver Specification, versions 4 to 7. The host
fills the members of HOST_MEMBERS before CardAcquireContext; they are its own and stay as they are.
"""

from vreader.minidriver.abi.layout import Struct
from vreader.minidriver.abi.types import DWORD, LPWSTR, PBYTE, PFN, PVOID, SCARDCONTEXT, SCARDHANDLE

MINIMUM_VERSION, CURRENT_VERSION = 4, 7


class CARD_DATA(
    Struct,
    versions={
        4: "pfnCardConstructDHAgreement",
        5: "pfnCspGetDHAgreement",
        6: "pfnCardSetProperty",
        7: "pfnCardCreateContainerEx",
    },
):
    """One context of a minidriver; the members of a version are there from that version on."""

    dwVersion: DWORD = CURRENT_VERSION
    pbAtr: PBYTE = 0
    cbAtr: DWORD = 0
    pwszCardName: LPWSTR = 0
    pfnCspAlloc: PFN = 0
    pfnCspReAlloc: PFN = 0
    pfnCspFree: PFN = 0
    pfnCspCacheAddFile: PFN = 0
    pfnCspCacheLookupFile: PFN = 0
    pfnCspCacheDeleteFile: PFN = 0
    pvCacheContext: PVOID = 0
    pfnCspPadData: PFN = 0
    hSCardCtx: SCARDCONTEXT = 0
    hScard: SCARDHANDLE = 0
    pvVendorSpecific: PVOID = 0
    pfnCardDeleteContext: PFN = 0
    pfnCardQueryCapabilities: PFN = 0
    pfnCardDeleteContainer: PFN = 0
    pfnCardCreateContainer: PFN = 0
    pfnCardGetContainerInfo: PFN = 0
    pfnCardAuthenticatePin: PFN = 0
    pfnCardGetChallenge: PFN = 0
    pfnCardAuthenticateChallenge: PFN = 0
    pfnCardUnblockPin: PFN = 0
    pfnCardChangeAuthenticator: PFN = 0
    pfnCardDeauthenticate: PFN = 0
    pfnCardCreateDirectory: PFN = 0
    pfnCardDeleteDirectory: PFN = 0
    pvUnused3: PVOID = 0
    pvUnused4: PVOID = 0
    pfnCardCreateFile: PFN = 0
    pfnCardReadFile: PFN = 0
    pfnCardWriteFile: PFN = 0
    pfnCardDeleteFile: PFN = 0
    pfnCardEnumFiles: PFN = 0
    pfnCardGetFileInfo: PFN = 0
    pfnCardQueryFreeSpace: PFN = 0
    pfnCardQueryKeySizes: PFN = 0
    pfnCardSignData: PFN = 0
    pfnCardRSADecrypt: PFN = 0
    pfnCardConstructDHAgreement: PFN = 0
    # version 5
    pfnCardDeriveKey: PFN = 0
    pfnCardDestroyDHAgreement: PFN = 0
    pfnCspGetDHAgreement: PFN = 0
    # version 6
    pfnCardGetChallengeEx: PFN = 0
    pfnCardAuthenticateEx: PFN = 0
    pfnCardChangeAuthenticatorEx: PFN = 0
    pfnCardDeauthenticateEx: PFN = 0
    pfnCardGetContainerProperty: PFN = 0
    pfnCardSetContainerProperty: PFN = 0
    pfnCardGetProperty: PFN = 0
    pfnCardSetProperty: PFN = 0
    # version 7
    pfnCspUnpadData: PFN = 0
    pfnMDImportSessionKey: PFN = 0
    pfnMDEncryptData: PFN = 0
    pfnCardImportSessionKey: PFN = 0
    pfnCardGetSharedKeyHandle: PFN = 0
    pfnCardGetAlgorithmProperty: PFN = 0
    pfnCardGetKeyProperty: PFN = 0
    pfnCardSetKeyProperty: PFN = 0
    pfnCardDestroyKey: PFN = 0
    pfnCardProcessEncryptedData: PFN = 0
    pfnCardCreateContainerEx: PFN = 0


# dwVersion is the host's too, but CardAcquireContext may lower it.
HOST_MEMBERS = (
    "pbAtr",
    "cbAtr",
    "pwszCardName",
    "pfnCspAlloc",
    "pfnCspReAlloc",
    "pfnCspFree",
    "pfnCspCacheAddFile",
    "pfnCspCacheLookupFile",
    "pfnCspCacheDeleteFile",
    "pvCacheContext",
    "pfnCspPadData",
    "hSCardCtx",
    "hScard",
    "pfnCspGetDHAgreement",
    "pfnCspUnpadData",
)
