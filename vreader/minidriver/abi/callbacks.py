# SPDX-License-Identifier: Apache-2.0
"""The callbacks of CARD_DATA: functions of the host that a minidriver calls, as data."""

from typing import NamedTuple

from vreader.minidriver.abi.functions import Parameter, parameters


class Callback(NamedTuple):
    """A function of the host's; ``returns`` is its C type."""

    name: str
    since: int
    returns: str
    parameters: tuple[Parameter, ...]

    @property
    def member(self) -> str:
        """The member of CARD_DATA that points to it."""
        return f"pfn{self.name}"


_CACHE = "PVOID pvCacheContext, LPWSTR wszTag, DWORD dwFlags"

CALLBACKS: tuple[Callback, ...] = (
    Callback("CspAlloc", 4, "PVOID", parameters("SIZE_T Size")),
    Callback("CspReAlloc", 4, "PVOID", parameters("PVOID Address, SIZE_T Size")),
    Callback("CspFree", 4, "VOID", parameters("PVOID Address")),
    Callback("CspCacheAddFile", 4, "DWORD", parameters(f"{_CACHE}, PBYTE pbData, DWORD cbData")),
    Callback(
        "CspCacheLookupFile", 4, "DWORD", parameters(f"{_CACHE}, PBYTE *ppbData, PDWORD pcbData")
    ),
    Callback("CspCacheDeleteFile", 4, "DWORD", parameters(_CACHE)),
    Callback(
        "CspPadData",
        4,
        "DWORD",
        parameters(
            "PCARD_SIGNING_INFO pSigningInfo, DWORD cbMaxWidth, PDWORD pcbPaddedBuffer, "
            "PBYTE *ppbPaddedBuffer"
        ),
    ),
    Callback(
        "CspGetDHAgreement",
        5,
        "DWORD",
        parameters(
            "PCARD_DATA pCardData, PVOID hSecretAgreement, PBYTE pbSecretAgreementIndex, "
            "DWORD dwFlags"
        ),
    ),
    Callback(
        "CspUnpadData",
        7,
        "DWORD",
        parameters(
            "PCARD_RSA_DECRYPT_INFO pRSADecryptInfo, PDWORD pcbUnpaddedData, PBYTE *ppbUnpaddedData"
        ),
    ),
)
