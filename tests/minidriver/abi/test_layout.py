# SPDX-License-Identifier: Apache-2.0
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from minidriver_structs import STRUCTS, instances

from vreader.minidriver.abi.ctype import Abi, LayoutError
from vreader.minidriver.abi.injection import CARD_AUTHENTICATE, CARD_CHANGE_AUTHENTICATOR
from vreader.minidriver.abi.structs import (
    CARD_CAPABILITIES,
    CARD_DERIVE_KEY,
    CARD_DH_AGREEMENT_INFO,
    CARD_KEY_SIZES,
    CARD_RSA_DECRYPT_INFO,
    CARD_SIGNING_INFO,
    CONTAINER_MAP_RECORD,
    PIN_INFO,
)


@pytest.mark.parametrize("struct", STRUCTS, ids=lambda s: s.__name__)
@settings(max_examples=25)
@given(st.data(), st.sampled_from(Abi))
def test_decode_undoes_encode(struct, data, abi):
    value = data.draw(instances(struct, abi))
    raw = value.encode(abi)
    assert struct.decode(raw, abi) == value
    assert struct.decode(raw + b"behind", abi) == value
    with pytest.raises(LayoutError):
        struct.decode(raw[:-1], abi)


@given(st.sampled_from(STRUCTS), st.sampled_from(Abi), st.binary(max_size=520))
def test_whatever_bytes_there_are_they_are_a_structure_or_an_error(struct, abi, raw):
    try:
        value = struct.decode(raw, abi)
    except LayoutError:
        return
    assert struct.decode(value.encode(abi), abi) == value


@pytest.mark.parametrize(
    ("struct", "version", "x64", "x86"),
    [
        (CARD_SIGNING_INFO, 1, 56, 36),
        (CARD_SIGNING_INFO, 2, 72, 44),
        (CARD_RSA_DECRYPT_INFO, 1, 32, 20),
        (CARD_RSA_DECRYPT_INFO, 2, 48, 28),
        (CARD_DERIVE_KEY, 1, 48, 28),
        (CARD_DERIVE_KEY, 2, 72, 40),
        (CARD_DH_AGREEMENT_INFO, None, 40, 32),
        (PIN_INFO, None, 36, 36),
        (CONTAINER_MAP_RECORD, None, 86, 86),
    ],
)
def test_sizes(struct, version, x64, x86):
    assert struct.layout(Abi.X64, version).size == x64
    assert struct.layout(Abi.X86, version).size == x86


def test_a_byte_before_a_dword_is_followed_by_padding():
    raw = CARD_SIGNING_INFO(1, 0xAA, 0x01020304).encode()
    assert raw[:12].hex(" ") == "01 00 00 00 aa 00 00 00 04 03 02 01"


def test_version_0_is_version_1():
    assert len(CARD_SIGNING_INFO(0).encode()) == 56
    assert CARD_SIGNING_INFO.decode(bytes(56)) == CARD_SIGNING_INFO(0)


def test_an_unknown_version_has_the_members_of_the_newest():
    assert len(CARD_SIGNING_INFO(9).encode()) == 72


@pytest.mark.parametrize(
    ("value", "named"),
    [
        (CARD_KEY_SIZES(1, 1 << 32), "CARD_KEY_SIZES.dwMinimumBitlen"),
        (CARD_KEY_SIZES(-1), "CARD_KEY_SIZES.dwVersion"),
        (CONTAINER_MAP_RECORD("x" * 40), "CONTAINER_MAP_RECORD.wszGuid"),
        (CONTAINER_MAP_RECORD("a\0b"), "CONTAINER_MAP_RECORD.wszGuid"),
        (CONTAINER_MAP_RECORD("\ud800"), "CONTAINER_MAP_RECORD.wszGuid"),
        (CARD_AUTHENTICATE(cbPinData=3, pbPinData=b"12"), "CARD_AUTHENTICATE.pbPinData"),
    ],
)
def test_an_error_names_the_member(value, named):
    with pytest.raises(LayoutError, match=named):
        value.encode()


def test_data_behind_a_structure_is_as_long_as_promised():
    raw = CARD_CHANGE_AUTHENTICATOR(7, 2, 1, 3, 1, 2, 0, b"oldnw").encode()
    assert CARD_CHANGE_AUTHENTICATOR.decode(raw + b"more").pbData == b"oldnw"
    with pytest.raises(LayoutError, match="pbData is cut off"):
        CARD_CHANGE_AUTHENTICATOR.decode(raw[:-1])


def test_anything_but_zero_is_true():
    assert CARD_CAPABILITIES.decode(bytes.fromhex("01000000 00020000 00000000")) == (
        CARD_CAPABILITIES(1, True, False)
    )
