# SPDX-License-Identifier: Apache-2.0
"""Keys on a card used as keys of ``cryptography``."""

import copy

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, utils

from vreader.minidriver.abi.codes import KeySpec
from vreader.minidriver.host.cardkey import card_key

DATA = b"data"


@pytest.fixture
def provider(desk):
    provider = desk.open()
    provider.generate(KeySpec.KEYEXCHANGE, bits=2048, name="rsa")
    provider.generate(KeySpec.ECDSA_P256, name="ec")
    return provider


def test_rsa(provider):
    key = card_key(provider, 0, KeySpec.KEYEXCHANGE)
    public = key.public_key()
    assert key.key_size == 2048
    sha256 = hashes.SHA256()
    for pad in (
        padding.PKCS1v15(),
        padding.PSS(padding.MGF1(sha256), 20),
        padding.PSS(padding.MGF1(sha256), padding.PSS.DIGEST_LENGTH),
    ):
        public.verify(key.sign(DATA, pad, sha256), DATA, pad, sha256)
    digest = bytes(range(32))
    signature = key.sign(digest, padding.PKCS1v15(), utils.Prehashed(sha256))
    public.verify(signature, digest, padding.PKCS1v15(), utils.Prehashed(sha256))
    for pad in (padding.PKCS1v15(), padding.OAEP(padding.MGF1(sha256), sha256, None)):
        assert key.decrypt(public.encrypt(DATA, pad), pad) == DATA


def test_ec(provider):
    key = card_key(provider, 1, KeySpec.ECDSA_P256)
    algorithm = ec.ECDSA(hashes.SHA256())
    key.public_key().verify(key.sign(DATA, algorithm), DATA, algorithm)
    assert isinstance(key.curve, ec.SECP256R1)
    with pytest.raises(ValueError, match="does not leave"):
        key.exchange(ec.ECDH(), key.public_key())
    with pytest.raises(ValueError, match="not asked for"):
        key.sign(DATA, ec.ECDSA(hashes.SHA3_256()))


def test_the_key_stays_on_the_card(provider):
    key = card_key(provider, 0, KeySpec.KEYEXCHANGE)
    assert copy.copy(key) is copy.deepcopy(key) is key
    for leave in (key.private_numbers, key.private_bytes):
        with pytest.raises(ValueError, match="does not leave"):
            leave()
    with pytest.raises(ValueError, match="no key"):
        card_key(provider, 0, KeySpec.SIGNATURE)
