# SPDX-License-Identifier: Apache-2.0
"""Block ciphers and elliptic curves: published vectors, and cryptography's public half."""

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from cards.platform.crypto import EcKey, encrypt_block, is_weak_des

CURVES = {256: ec.SECP256R1(), 384: ec.SECP384R1()}


def public(key):
    return ec.EllipticCurvePublicKey.from_encoded_point(CURVES[key.bits], key.public_point)


@pytest.mark.parametrize(
    ("key", "expected"),
    [  # FIPS 197 appendix C
        ("000102030405060708090A0B0C0D0E0F", "69C4E0D86A7B0430D8CDB78070B4C55A"),
        ("000102030405060708090A0B0C0D0E0F1011121314151617", "DDA97CA4864CDFE06EAF70A0EC0D7191"),
        ("000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F",
         "8EA2B7CA516745BFEAFC49904B496089"),
    ],
)  # fmt: skip
def test_aes(key, expected):
    block = bytes.fromhex("00112233445566778899AABBCCDDEEFF")
    assert encrypt_block(bytes.fromhex(key), block, triple_des=False).hex().upper() == expected


def test_triple_des():
    # The DES example of the literature, as 3DES with three equal keys.
    key, block = bytes.fromhex("133457799BBCDFF1") * 3, bytes.fromhex("0123456789ABCDEF")
    assert encrypt_block(key, block, triple_des=True).hex().upper() == "85E813540F0AB405"


@pytest.mark.parametrize(
    "part",
    [
        "0101010101010101",
        "0000000000000000",
        "FEFEFEFEFEFEFEFE",
        "1F1F1F1F0E0E0E0E",
        "01FE01FE01FE01FE",
        "FEE0FEE0FEF1FEF1",
    ],
)
def test_weak_des_keys(part):
    good = bytes(range(1, 17))
    assert is_weak_des(good + bytes.fromhex(part))
    assert is_weak_des(bytes.fromhex(part) + good)
    assert not is_weak_des(good + bytes(range(1, 9)))


@pytest.mark.parametrize("bits", [256, 384])
def test_signatures_of_hash_values_of_any_length(bits):
    key = EcKey.generate(bits)
    size = bits // 8
    digest = Prehashed(hashes.SHA256() if bits == 256 else hashes.SHA384())
    for length in (1, 20, size - 2, size - 1, size):
        value = bytes(range(1, length + 1))
        public(key).verify(key.sign_hash(value), value.rjust(size, b"\0"), ec.ECDSA(digest))
    with pytest.raises(InvalidSignature):
        public(key).verify(key.sign_hash(b"\1"), b"\2".rjust(size, b"\0"), ec.ECDSA(digest))
    for value in (b"", bytes(size + 1)):
        with pytest.raises(ValueError, match="hash value"):
            key.sign_hash(value)


@pytest.mark.parametrize("bits", [256, 384])
def test_key_agreement(bits):
    key, peer = EcKey.generate(bits), ec.generate_private_key(CURVES[bits])
    numbers = peer.public_key().public_numbers()
    size = bits // 8
    point = b"\4" + numbers.x.to_bytes(size, "big") + numbers.y.to_bytes(size, "big")
    assert key.agree(point) == peer.exchange(ec.ECDH(), public(key))
    for bad in (b"", point[:-1], point + b"\0", b"\2" + point[1:], b"\4" + bytes(2 * size),
                point[:-1] + bytes((point[-1] ^ 1,))):  # fmt: skip
        with pytest.raises(ValueError, match=r"."):
            key.agree(bad)


def test_given_scalars_are_checked():
    key = EcKey.generate(256)
    assert EcKey.checked(256, b"\0" * 8 + key.scalar).public_point == key.public_point
    assert EcKey.checked(256, b"\1").scalar == b"\1".rjust(32, b"\0")
    for scalar in (b"", bytes(32), b"\xff" * 32, b"\1" + bytes(32)):
        with pytest.raises(ValueError, match=r"."):
            EcKey.checked(256, scalar)


def test_it_does_not_show_itself():
    assert repr(EcKey.generate(256)) == "EcKey(P-256)"
