# SPDX-License-Identifier: Apache-2.0
"""One row for each rule: a call that keeps it and those that break it, with what they are told."""

import inspect

import pytest
from minidriver_fakes import context

from vreader.minidriver.abi.codes import BUFFER_SIZE_ONLY as SIZE
from vreader.minidriver.abi.codes import PADDING_INFO_PRESENT as PADDED
from vreader.minidriver.abi.codes import RETURN_KEY_HANDLE as HANDLE
from vreader.minidriver.abi.functions import FUNCTIONS
from vreader.minidriver.abi.pins import UnblockFlag
from vreader.minidriver.abi.returncodes import CardWin32, MinidriverError
from vreader.minidriver.abi.structs import (
    CARD_CAPABILITIES,
    CARD_FILE_INFO,
    CARD_FREE_SPACE_INFO,
    CARD_KEY_SIZES,
    PIN_INFO,
)
from vreader.minidriver.interface import Minidriver
from vreader.minidriver.rules.checked import RULES
from vreader.minidriver.values import (
    ContainerInfo,
    DecryptInfo,
    DeriveKeyInfo,
    DhAgreementInfo,
    Pkcs1,
    SigningInfo,
)
from vreader.winscard.codes import SCARD

BAD, OLD, NO = SCARD.E_INVALID_PARAMETER, CardWin32.REVISION_MISMATCH, SCARD.E_UNSUPPORTED_FEATURE
SIGN = SigningInfo(0, 2, b"hash")
PAD = SigningInfo(0, 2, b"hash", 0, PADDED, Pkcs1(), 2)
RSA = DecryptInfo(0, 1, b"data", None, 1)
DH = DhAgreementInfo(0, b"key")
KDF = DeriveKeyInfo("HASH", 0)

CASES = {
    "CardQueryCapabilities": (
        [(CARD_CAPABILITIES(),), (CARD_CAPABILITIES(0),)],
        [(BAD, None), (OLD, CARD_CAPABILITIES(2))],
    ),
    "CardDeleteContainer": ([(0, 0)], [(BAD, 0, 1)]),
    "CardCreateContainer": (
        [(0, 1, 2, 2048, None), (0, 1, 3, 0, None), (0, 2, 2, 0, b"blob")],
        [
            (BAD, 0, 0, 2, 2048, None),
            (BAD, 0, 3, 2, 2048, None),
            (BAD, 0, 1, 0, 2048, None),
            (BAD, 0, 1, 9, 2048, None),
            (BAD, 0, 1, 3, 256, None),
            (BAD, 0, 2, 2, 0, None),
        ],
    ),
    "CardCreateContainerEx": (
        [(0, 1, 2, 2048, None, 7)],
        [(BAD, 0, 1, 2, 2048, None, 8), (BAD, 0, 0, 2, 2048, None, 1)],
    ),
    "CardGetContainerInfo": (
        [(0, 0, ContainerInfo())],
        [(BAD, 0, 1, ContainerInfo()), (BAD, 0, 0, None), (OLD, 0, 0, ContainerInfo(2))],
    ),
    "CardAuthenticatePin": (
        [("user", b"1"), ("admin", b"1")],
        [(BAD, None, b"1"), (BAD, "anonymous", b"1"), (BAD, "user", None), (BAD, "user", b"")],
    ),
    "CardAuthenticateChallenge": ([(bytes(8),)], [(BAD, None), (BAD, b"")]),
    "CardUnblockPin": (
        [("user", b"1", b"2", 0, 1), ("user", b"1", b"2", 3, 2)],
        [
            (BAD, "admin", b"1", b"2", 0, 1),
            (BAD, "user", None, b"2", 0, 1),
            (BAD, "user", b"1", None, 0, 1),
            (BAD, "user", b"1", b"2", 0, 0),
            (BAD, "user", b"1", b"2", 0, 3),
            (BAD, "user", b"1", b"2", 0, 4),
        ],
    ),
    "CardChangeAuthenticator": (
        [("user", b"1", b"2", 0, 2), ("admin", b"1", b"2", 0, 1)],
        [
            (BAD, "other", b"1", b"2", 0, 2),
            (BAD, "user", None, b"2", 0, 2),
            (BAD, "user", b"1", None, 0, 2),
            (BAD, "user", b"1", b"2", 0, 0),
            (BAD, "user", b"1", b"2", 0, 3),
        ],
    ),
    "CardDeauthenticate": ([("user", 0)], [(BAD, "user", 1), (BAD, "x", 0), (BAD, None, 0)]),
    "CardCreateDirectory": (
        [("mscp", 1), ("mscp", 2)],
        [(BAD, "mscp", 0), (BAD, "mscp", 3), (BAD, None, 1), (BAD, "", 1), (BAD, "x" * 9, 1)],
    ),
    "CardDeleteDirectory": ([("mscp",)], [(BAD, None), (BAD, ""), (BAD, "x" * 9)]),
    "CardCreateFile": (
        [(None, "f", 0, 1), ("mscp", "f", 9, 6)],
        [
            (BAD, None, None, 0, 1),
            (BAD, None, "", 0, 1),
            (BAD, None, "f", 0, 0),
            (BAD, None, "f", 0, 4),
            (BAD, None, "f", 0, 7),
        ],
    ),
    "CardReadFile": (
        [(None, "cardcf", 0), (None, "\u20ac", 0), ("", "cardcf", 0), ("mscp", "cmapfile", 0)],
        [
            (BAD, None, None, 0),
            (BAD, None, "", 0),
            (BAD, None, "x" * 9, 0),
            (BAD, "x" * 9, "f", 0),
            (BAD, None, "\u2603", 0),
            (BAD, None, "a\\b", 0),
            (BAD, None, "a\0", 0),
            (BAD, None, "cardcf", 1),
        ],
    ),
    "CardWriteFile": (
        [(None, "f", 0, b"")],
        [(BAD, None, "f", 0, None), (BAD, None, "f", 1, b"1"), (BAD, None, "", 0, b"1")],
    ),
    "CardDeleteFile": ([(None, "f", 0)], [(BAD, None, "f", 1), (BAD, None, None, 0)]),
    "CardEnumFiles": ([(None, 0), ("mscp", 0)], [(BAD, None, 1), (BAD, "x" * 9, 0)]),
    "CardGetFileInfo": (
        [(None, "f", CARD_FILE_INFO())],
        [(BAD, None, "f", None), (OLD, None, "f", CARD_FILE_INFO(2)), (BAD, None, "", None)],
    ),
    "CardQueryFreeSpace": (
        [(0, CARD_FREE_SPACE_INFO())],
        [(BAD, 1, CARD_FREE_SPACE_INFO()), (BAD, 0, None), (OLD, 0, CARD_FREE_SPACE_INFO(2))],
    ),
    "CardQueryKeySizes": (
        [(1, 0, CARD_KEY_SIZES()), (8, 0, CARD_KEY_SIZES())],
        [
            (BAD, 0, 0, CARD_KEY_SIZES()),
            (BAD, 9, 0, CARD_KEY_SIZES()),
            (BAD, 1, 1, CARD_KEY_SIZES()),
            (BAD, 1, 0, None),
            (OLD, 1, 0, CARD_KEY_SIZES(2)),
        ],
    ),
    "CardSignData": (
        [(SIGN,), (PAD,), (SIGN._replace(flags=SIZE),), (SIGN._replace(version=0),)],
        [
            (BAD, None),
            (OLD, SIGN._replace(version=3)),
            (BAD, SIGN._replace(key_spec=0)),
            (BAD, SIGN._replace(data=None)),
            (BAD, SIGN._replace(flags=1)),
            (BAD, PAD._replace(version=1)),
            (BAD, PAD._replace(padding=None)),
            (BAD, PAD._replace(padding_type=8)),
        ],
    ),
    "CardRSADecrypt": (
        [(RSA,), (RSA._replace(padding_type=2),)],
        [
            (BAD, None),
            (OLD, RSA._replace(version=1)),
            (OLD, RSA._replace(version=3)),
            (BAD, RSA._replace(key_spec=3)),
            (BAD, RSA._replace(data=None)),
            (BAD, RSA._replace(padding_type=4)),
            (BAD, RSA._replace(padding_type=8)),
        ],
    ),
    "CardConstructDHAgreement": (
        [(DH,)],
        [
            (BAD, None),
            (OLD, DH._replace(version=1)),
            (BAD, DH._replace(public_key=None)),
            (BAD, DH._replace(flags=1)),
        ],
    ),
    "CardDeriveKey": (
        [(KDF,), (KDF._replace(flags=SIZE),), (KDF._replace(flags=HANDLE),)],
        [
            (BAD, None),
            (OLD, KDF._replace(version=3)),
            (BAD, KDF._replace(kdf=None)),
            (BAD, KDF._replace(flags=1)),
            (BAD, KDF._replace(flags=HANDLE, version=1)),
        ],
    ),
    "CardDestroyDHAgreement": ([(0, 0)], [(BAD, 0, 1)]),
    "CardGetChallengeEx": ([(2, 0)], [(BAD, 8, 0), (BAD, 0, 0), (BAD, 2, 1)]),
    "CardAuthenticateEx": (
        [(1, 0, b"1"), (1, 0x10000040, b"1"), (1, 0x20000000, b"s"), (1, 0, None)],
        [(BAD, 8, 0, b"1"), (BAD, 0, 0, b"1"), (BAD, 1, 1, b"1"), (BAD, 1, 0x30000000, b"1")],
    ),
    "CardChangeAuthenticatorEx": (
        [(1, 2, b"1", 1, b"2", 0), (2, 1, b"1", 1, b"2", 0), (0x42, 1, b"1", 1, b"2", 0)],
        [
            (BAD, 0, 1, b"1", 1, b"2", 0),
            (BAD, 3, 2, b"1", 1, b"2", 0),
            (BAD, 4, 2, b"1", 1, b"2", 0),
            (BAD, 1, 1, b"1", 1, b"2", 0),
            (BAD, 2, 8, b"1", 1, b"2", 0),
            (BAD, 2, 1, b"1", 8, b"2", 0),
            (BAD, 2, 1, b"1", 1, b"2", 1),
        ],
    ),
    "CardDeauthenticateEx": ([(0xFF, 0)], [(BAD, 0x100, 0), (BAD, 2, 1)]),
    "CardGetContainerProperty": (
        [(0, "Container Info", b"", 0), (0, "PIN Identifier", b"", 0)],
        [(BAD, 0, "Other", b"", 0), (BAD, 0, "Container Info", b"", 1), (BAD, 0, None, b"", 0)],
    ),
    "CardSetContainerProperty": (
        [(0, "PIN Identifier", b"1", 0), (0, "Associated ECDH Key", b"1", 0)],
        [
            (NO, 0, "Container Info", b"", 0),
            (NO, 0, "Other", b"", 0),
            (BAD, 0, "PIN Identifier", b"1", 1),
            (BAD, 0, "PIN Identifier", None, 0),
            (BAD, 0, None, b"", 0),
        ],
    ),
    "CardGetProperty": (
        [
            ("Free Space", b"", 0),
            ("Key Sizes", b"", 3),
            ("PIN Information", PIN_INFO().encode(), 1),
            ("Algorithms", b"", 2),
        ],
        [
            (BAD, "Other", b"", 0),
            (BAD, None, b"", 0),
            (BAD, "Free Space", b"", 1),
            (BAD, "Key Sizes", b"", 0),
            (BAD, "PIN Information", b"", 8),
            (BAD, "Parent Window", b"", 0),
            (BAD, "Algorithms", b"", 0),
            (OLD, "PIN Information", PIN_INFO(5).encode(), 1),
        ],
    ),
    "CardSetProperty": (
        [("Parent Window", bytes(8), 0), ("PIN Context String", b"", 0)],
        [
            (NO, "Free Space", b"", 0),
            (NO, "Other", b"", 0),
            (BAD, None, b"", 0),
            (BAD, "Parent Window", None, 0),
            (BAD, "Parent Window", bytes(8), 1),
            (OLD, "PIN Information", PIN_INFO(7).encode(), 1),
        ],
    ),
}


def test_every_function_with_parameters_has_a_rule_and_cases():
    without = {"CardDeleteContext", "CardGetChallenge"}
    injection = {f.name for f in FUNCTIONS if f.no_card_mode} | {"CardImportSessionKey"}
    assert RULES.keys() == CASES.keys() == {f.name for f in FUNCTIONS} - without - injection


@pytest.mark.parametrize("name", RULES)
def test_a_rule_has_the_parameters_of_its_function(name):
    rule = list(inspect.signature(RULES[name]).parameters)
    function = list(inspect.signature(getattr(Minidriver, name)).parameters)
    assert len(rule) == len(function)


@pytest.mark.parametrize("name", CASES)
def test_rules(name):
    kept, broken = CASES[name]
    for parameters in kept:
        RULES[name](7, *parameters)
    for code, *parameters in broken:
        with pytest.raises(MinidriverError) as failed:
            RULES[name](7, *parameters)
        assert failed.value.code is code, parameters


@pytest.mark.parametrize("name", ["CardUnblockPin", "CardChangeAuthenticator"])
def test_one_flag_is_wanted_whatever_flags_somebody_made_before(name):
    kept, _ = CASES[name]
    for flags in (UnblockFlag(0), UnblockFlag(3)):  # enum keeps them as if they were members
        with pytest.raises(MinidriverError) as failed:
            RULES[name](7, *kept[0][:-1], int(flags))
        assert failed.value.code is BAD


def test_before_version_7_decryption_may_use_version_1():
    RULES["CardRSADecrypt"](6, RSA._replace(version=1, padding_type=0))


def test_before_version_7_its_properties_do_not_exist():
    with pytest.raises(MinidriverError):
        RULES["CardGetProperty"](6, "Key Import Support", b"", 0)
    RULES["CardGetProperty"](7, "Key Import Support", b"", 0)


def test_a_checked_minidriver_keeps_the_rules():
    assert context().CardReadFile("mscp", "cmapfile", 0) == b"content"
    with pytest.raises(MinidriverError) as failed:
        context().CardReadFile("mscp", "", 0)
    assert failed.value.code is BAD
