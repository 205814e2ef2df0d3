# SPDX-License-Identifier: Apache-2.0
import pytest

from vreader.minidriver.abi.carddata import CARD_DATA, HOST_MEMBERS
from vreader.minidriver.abi.ctype import Abi

# Documented for x64.
OFFSETS = {
    "dwVersion": 0,
    "pbAtr": 8,
    "cbAtr": 16,
    "pwszCardName": 24,
    "pfnCspAlloc": 32,
    "pfnCspFree": 48,
    "pfnCspCacheAddFile": 56,
    "pfnCspCacheDeleteFile": 72,
    "pvCacheContext": 80,
    "pfnCspPadData": 88,
    "hSCardCtx": 96,
    "hScard": 104,
    "pvVendorSpecific": 112,
    "pfnCardDeleteContext": 120,
    "pfnCardDeleteContainer": 136,
    "pfnCardCreateContainer": 144,
    "pfnCardGetContainerInfo": 152,
    "pfnCardChangeAuthenticator": 192,
    "pfnCardDeauthenticate": 200,
    "pfnCardCreateDirectory": 208,
    "pvUnused3": 224,
    "pvUnused4": 232,
    "pfnCardCreateFile": 240,
    "pfnCardReadFile": 248,
    "pfnCardQueryKeySizes": 296,
    "pfnCardConstructDHAgreement": 320,
    "pfnCardDeriveKey": 328,
    "pfnCspGetDHAgreement": 344,
    "pfnCardGetChallengeEx": 352,
    "pfnCardSetProperty": 408,
    "pfnCspUnpadData": 416,
    "pfnMDImportSessionKey": 424,
    "pfnCardImportSessionKey": 440,
    "pfnCardProcessEncryptedData": 488,
    "pfnCardCreateContainerEx": 496,
}


def test_offsets_on_x64():
    offsets = CARD_DATA.layout().offsets
    assert {name: offsets[name] for name in OFFSETS} == OFFSETS


def test_every_offset_is_half_on_x86():
    wide, narrow = CARD_DATA.layout(Abi.X64).offsets, CARD_DATA.layout(Abi.X86).offsets
    assert {name: at // 2 for name, at in wide.items()} == narrow


@pytest.mark.parametrize(("version", "size"), [(4, 328), (5, 352), (6, 416), (7, 504)])
def test_size_of_a_version(version, size):
    assert CARD_DATA.layout(Abi.X64, version).size == size
    assert CARD_DATA.layout(Abi.X86, version).size == size // 2
    assert len(CARD_DATA(version).encode()) == size


def test_members_of_the_host_exist():
    assert set(HOST_MEMBERS) < CARD_DATA.layout().offsets.keys()
