# SPDX-License-Identifier: Apache-2.0
"""Raw RSA against cryptography's own."""

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from cards.platform.rawrsa import RsaKey

DIGEST_INFO = bytes.fromhex("3031300D060960864801650304020105000420")


@pytest.fixture(scope="module")
def key():
    return RsaKey.generate(1024)


def numbers(key):
    return {"p": key.p, "q": key.q, "dp": key.dp, "dq": key.dq, "qinv": key.qinv}


def test_the_public_key(key):
    assert key.e == 65537
    assert key.bits == 1024
    public = key.to_cryptography(check=True).public_key().public_numbers()
    assert (public.n, public.e) == (key.n, key.e)


def test_a_padded_hash_becomes_a_signature(key):
    message = b"message"
    digest = hashes.Hash(hashes.SHA256())
    digest.update(message)
    info = DIGEST_INFO + digest.finalize()
    block = b"\0\1" + b"\xff" * (128 - 3 - len(info)) + b"\0" + info
    public = key.to_cryptography().public_key()
    public.verify(key.raw(block), message, padding.PKCS1v15(), hashes.SHA256())


def test_it_deciphers(key):
    secret = key.to_cryptography().public_key().encrypt(b"secret", padding.PKCS1v15())
    assert key.raw(secret).endswith(b"\0secret")


@pytest.mark.parametrize("value", [0, 1, 2])
def test_trivial_values(key, value):
    assert int.from_bytes(key.raw(value.to_bytes(128, "big")), "big") == pow(
        value, pow(65537, -1, (key.p - 1) * (key.q - 1)), key.n
    )


def test_what_does_not_fit_is_refused(key):
    for data in (b"", bytes(127), bytes(129), key.n.to_bytes(128, "big"), b"\xff" * 128):
        with pytest.raises(ValueError, match="below the modulus"):
            key.raw(data)


def test_imported_numbers_are_checked(key):
    good = numbers(key)
    assert RsaKey.checked(1024, **good).n == key.n
    for name in good:
        for value in (0, 1, good[name] + 2):
            with pytest.raises(ValueError, match=r"."):
                RsaKey.checked(1024, **{**good, name: value})
    with pytest.raises(ValueError, match="size"):
        RsaKey.checked(2048, **good)


def test_composite_primes_are_refused():
    other = rsa.generate_private_key(65537, 1024).private_numbers()
    p, q = other.p * 3, other.q
    with pytest.raises(ValueError, match=r"."):
        RsaKey.checked((p * q).bit_length(), p, q, pow(65537, -1, p - 1), other.dmq1, pow(q, -1, p))


def test_it_does_not_show_itself(key):
    assert repr(key) == "RsaKey(1024 bits)"


@pytest.mark.parametrize("name", ["SHA256", "SHA384", "SHA512", "SHA1"])
def test_a_padded_signature_is_what_cryptography_signs(key, name):
    digest, signer = getattr(hashes, name)(), key.to_cryptography()
    signature = signer.sign(b"message", padding.PKCS1v15(), digest)
    block = pow(int.from_bytes(signature, "big"), 65537, key.n).to_bytes(128, "big")
    assert key.raw(block) == signature


@pytest.mark.parametrize("at", [0, 1, 2, 70, 76, 77, 95, 127])
def test_almost_a_padded_signature_is_just_a_number(key, at):
    info = DIGEST_INFO + bytes(range(32))
    block = bytearray(b"\0\1" + b"\xff" * (128 - 3 - len(info)) + b"\0" + info)
    block[at] ^= 1 if at else 0x20
    if int.from_bytes(block, "big") < key.n:
        raised = int.from_bytes(key.raw(bytes(block)), "big")
        assert pow(raised, key.e, key.n) == int.from_bytes(block, "big")


def test_a_padding_that_is_too_short_is_just_a_number():
    key = RsaKey.generate(1024)
    info = DIGEST_INFO + bytes(32)
    block = (b"\0\1" + b"\xff" * 7 + b"\0" + info).ljust(128, b"\0")
    assert pow(int.from_bytes(key.raw(block), "big"), key.e, key.n) == int.from_bytes(block, "big")
