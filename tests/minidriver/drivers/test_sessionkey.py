# SPDX-License-Identifier: Apache-2.0
"""Session keys."""

import pytest
from driving import code_of
from hypothesis import given
from hypothesis import strategies as st

from vreader.minidriver.drivers.sessionkey import KEY_SIZES, SessionKey
from vreader.winscard.codes import SCARD

INVALID = SCARD.E_INVALID_PARAMETER
KINDS = [(name, size) for name, sizes in KEY_SIZES.items() for size in sizes]


@given(st.sampled_from(KINDS), st.binary(max_size=70), st.binary(min_size=16, max_size=16))
def test_what_is_encrypted_comes_back(kind, data, vector):
    name, size = kind
    one, other = (SessionKey(name, bytes(range(size))) for _ in range(2))
    one.vector = other.vector = vector[: one.block]
    hidden = one.encrypt(data)
    assert len(hidden) % one.block == 0
    assert len(hidden) > len(data)
    assert other.decrypt(hidden) == data


def test_the_vector_counts():
    # FIPS 197, appendix C.1: one block, which is the first of CBC with zeros for a vector.
    key = SessionKey("AES", bytes(range(16)))
    plain = bytes.fromhex("00112233445566778899aabbccddeeff")
    assert key.encrypt(plain)[:16].hex() == "69c4e0d86a7b0430d8cdb78070b4c55a"
    key.vector = plain
    assert key.encrypt(bytes(16))[:16].hex() == "69c4e0d86a7b0430d8cdb78070b4c55a"


@pytest.mark.parametrize("data", [b"", bytes(15), bytes(16), bytes(32)])
def test_what_is_not_encrypted_so(data):
    assert code_of(SessionKey("AES", bytes(16)).decrypt, data) is INVALID


@pytest.mark.parametrize(("name", "size"), [("AES", 15), ("AES", 0), ("3DES", 16), ("3DES", 8)])
def test_keys_of_another_length(name, size):
    assert code_of(SessionKey, name, bytes(size)) is INVALID


def test_nobody_sees_it():
    assert repr(SessionKey("AES", b"0123456789abcdef")) == "SessionKey(…)"
