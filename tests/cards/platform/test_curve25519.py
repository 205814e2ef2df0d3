# SPDX-License-Identifier: Apache-2.0
"""Ed25519 and X25519 against published values and cryptography's own keys."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from cards.platform.curve25519 import Ed25519Key, X25519Key


def test_ed25519_of_rfc_8032():
    key = Ed25519Key(
        bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    )
    assert key.public.hex() == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    assert key.sign(b"").hex() == (
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
    )


def test_x25519_of_rfc_7748():
    key = X25519Key(
        bytes.fromhex("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4")
    )
    point = bytes.fromhex("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c")
    assert key.agree(point).hex() == (
        "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"
    )


def test_generated_keys():
    signer, agreer = Ed25519Key.generate(), X25519Key.generate()
    Ed25519PublicKey.from_public_bytes(signer.public).verify(signer.sign(b"m"), b"m")
    peer = X25519PrivateKey.generate()
    secret = peer.exchange(X25519PublicKey.from_public_bytes(agreer.public))
    assert agreer.agree(peer.public_key().public_bytes_raw()) == secret
    assert signer.to_cryptography().private_bytes_raw() == signer.seed
    assert agreer.to_cryptography().private_bytes_raw() == agreer.scalar


@pytest.mark.parametrize("length", [0, 31, 33])
def test_lengths(length):
    for kind in (Ed25519Key, X25519Key):
        with pytest.raises(ValueError, match="32 bytes"):
            kind(bytes(length))
    with pytest.raises(ValueError):
        X25519Key.generate().agree(bytes(length))


def test_points_of_small_order_are_refused():
    for point in (bytes(32), b"\1" + bytes(31)):
        with pytest.raises(ValueError):
            X25519Key.generate().agree(point)


def test_no_secret_is_shown():
    for key in (Ed25519Key(b"S" * 32), X25519Key(b"S" * 32)):
        assert "S" * 4 not in repr(key)
