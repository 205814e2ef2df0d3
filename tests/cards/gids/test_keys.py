# SPDX-License-Identifier: Apache-2.0
"""Keys: made, imported, used; every result is checked by cryptography."""

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature

from vreader.iso7816 import Tlv

MESSAGE = b"something to sign or to keep secret"
SIGN, DECIPHER, GENERATE = "002A9E9A", "002A8086", "00470000"
RSA = {0x06: 1024, 0x07: 2048, 0x08: 3072}
CURVES = {0x0C: ec.SECP256R1(), 0x0D: ec.SECP384R1(), 0x0E: ec.SECP521R1()}
SHA1 = hashes.SHA1()
OAEP = padding.OAEP(padding.MGF1(SHA1), SHA1, None)
SHA256_INFO = bytes.fromhex("3031300D060960864801650304020105000420")


def digest(algorithm=None):
    made = hashes.Hash(algorithm or hashes.SHA256())
    made.update(MESSAGE)
    return made.finalize()


def check_rsa(client, key, reference, algorithm):
    """Use the key in every way there is."""
    size = key.key_size // 8
    assert client.choose(0xB6, 0x50 | algorithm, reference) == "9000"
    signature = client.ok(SIGN, SHA256_INFO + digest())
    key.verify(signature, MESSAGE, padding.PKCS1v15(), hashes.SHA256())
    assert client.choose(0xB6, 0x10 | algorithm, reference) == "9000"
    block = b"\0\1" + b"\xff" * (size - 54) + b"\0" + SHA256_INFO + digest()
    assert client.ok(SIGN, block) == signature
    assert client.sw(SIGN, b"\xff" * size) == "6A80"
    for name, pad in ((0x40, padding.PKCS1v15()), (0x80, OAEP)):
        assert client.choose(0xB8, name | algorithm, reference) == "9000"
        assert client.ok(DECIPHER, key.encrypt(MESSAGE, pad)) == MESSAGE
        assert client.sw(DECIPHER, b"\x11" * size) == "6A80"
        assert client.sw(DECIPHER, b"\x11" * 20) == "6A80"
    assert client.choose(0xB8, algorithm, reference) == "9000"
    raw = client.ok(DECIPHER, key.encrypt(MESSAGE, padding.PKCS1v15()))
    assert raw[:2] == b"\0\2"
    assert raw.endswith(b"\0" + MESSAGE)


@pytest.mark.parametrize("algorithm", RSA)
def test_rsa(user, algorithm):
    key = user.generate(0x81, algorithm)
    assert key.key_size == RSA[algorithm]
    assert user.public_key(0x81) == key
    check_rsa(user, key, 0x81, algorithm)


def test_rsa_4096_imported_and_pss(user):
    check_import(user, rsa.generate_private_key(65537, 4096), 0x09)


def test_pss_that_the_host_has_padded(user):
    key = user.generate(0x81, 0x07)
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), salt_length=32)
    twin = rsa.generate_private_key(65537, 2048)
    numbers = twin.public_key().public_numbers()
    block = pow(int.from_bytes(twin.sign(MESSAGE, pss, hashes.SHA256()), "big"), 65537, numbers.n)
    user.choose(0xB6, 0x17, 0x81)
    signature, sw = user.send(SIGN, block.to_bytes(256, "big"))
    # A block for another modulus is too large for this one sometimes.
    if sw == "9000":
        key.verify(signature, MESSAGE, pss, hashes.SHA256())
    else:
        assert block >= key.public_numbers().n


def check_import(client, private, algorithm):
    der = private.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    assert client.create_key(0x82, algorithm) == "9000"
    assert client.sw("00DB3FFF", put_key(0x82, der)) == "9000"
    assert client.public_key(0x82) == private.public_key()
    if algorithm in RSA:
        check_rsa(client, private.public_key(), 0x82, algorithm)


def put_key(reference, der):
    inner = Tlv.of(0xA5, Tlv(0x83, b"\2"), Tlv(0x84, b"\0"), Tlv(0x87, der))
    return bytes(Tlv.of(0x70, Tlv(0x84, bytes((reference,))), inner))


def test_rsa_import(user):
    check_import(user, rsa.generate_private_key(65537, 2048), 0x07)


@pytest.mark.parametrize("algorithm", CURVES)
def test_ecdsa(user, algorithm):
    key = user.generate(0x81, algorithm)
    hashed = {0x0C: hashes.SHA256(), 0x0D: hashes.SHA384(), 0x0E: hashes.SHA512()}[algorithm]
    assert user.choose(0xB6, 0x10 | algorithm, 0x81) == "9000"
    raw = user.ok(SIGN, digest(hashed))
    half = (key.key_size + 7) // 8
    assert len(raw) == 2 * half
    r, s = (int.from_bytes(part, "big") for part in (raw[:half], raw[half:]))
    key.verify(encode_dss_signature(r, s), digest(hashed), ec.ECDSA(Prehashed(hashed)))
    assert user.choose(0xB8, algorithm, 0x81) == "9000"
    assert user.sw(DECIPHER, bytes(32)) == "6A80"


@pytest.mark.parametrize("algorithm", CURVES)
def test_ec_import(user, algorithm):
    check_import(user, ec.generate_private_key(CURVES[algorithm]), algorithm)


@pytest.mark.parametrize("damage", [b"", b"\x30\x00", b"\x30\x03\x02\x01\x00", bytes(24)])
def test_what_is_no_key(user, damage):
    user.create_key(0x81, 0x07)
    assert user.sw("00DB3FFF", put_key(0x81, damage)) == "6A80"
    assert user.raw("00CB3FFF0A7008840181A5037F498000") == "6A88"


def test_a_key_of_another_size_is_refused(user):
    user.create_key(0x81, 0x07)
    small = rsa.generate_private_key(65537, 1024).private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    assert user.sw("00DB3FFF", put_key(0x81, small)) == "6A80"


def test_keys_are_the_users_alone(client):
    assert client.create_key(0x81, 0x06) == "6982"
    assert client.mutual() == "9000"
    assert client.create_key(0x81, 0x06) == "9000"
    generate = bytes.fromhex("AC06800106830181")
    assert client.sw(GENERATE, generate) == "6982"
    assert client.choose(0xB6, 0x56, 0x81) == "6982"
    client.verify()
    # Without Le the card makes the key and keeps its public part for later.
    assert client.raw("0047000008" + generate.hex()) == "9000"
    assert client.choose(0xB6, 0x56, 0x81) == "9000"
    client.raw("00200082")
    assert client.sw(SIGN, b"x") == "6982"
    client.verify()
    signature = client.ok(SIGN, SHA256_INFO + digest())
    client.public_key(0x81).verify(signature, MESSAGE, padding.PKCS1v15(), hashes.SHA256())
    client.raw("00200082")
    # The public key is for everybody.
    assert client.public_key(0x81).key_size == 1024
    assert client.sw("00DB3FFF", put_key(0x81, b"\x30\x00")) == "6982"


def test_what_a_key_is_for(user):
    user.create_key(0x81, 0x06, "B610 B650")
    user.ok(GENERATE, bytes.fromhex("AC06800106830181"))
    assert user.choose(0xB8, 0x46, 0x81) == "6A80"
    assert user.choose(0xB6, 0x57, 0x81) == "6A80"
    assert user.choose(0xB6, 0x56, 0x99) == "6A88"
    assert user.choose(0xB6, 0x56, 0x80) == "6A80"
    assert user.sw(SIGN, b"x") == "6985"
    assert user.sw(DECIPHER, b"x") == "6985"
    assert user.sw(GENERATE, bytes.fromhex("AC06800107830181")) == "6A80"
    assert user.sw(GENERATE, bytes.fromhex("AC06800107830199")) == "6A88"


def test_keys_survive_and_go_with_their_file(user):
    key = user.generate(0x81, 0x06)
    user.card.reset()
    user.select()
    user.verify()
    assert user.sw(SIGN, b"x") == "6985"
    user.choose(0xB6, 0x56, 0x81)
    signature = user.ok(SIGN, SHA256_INFO + digest())
    key.verify(signature, MESSAGE, padding.PKCS1v15(), hashes.SHA256())
    with pytest.raises(InvalidSignature):
        key.verify(signature, b"other", padding.PKCS1v15(), hashes.SHA256())
    assert user.raw("00A4000C02B081") == "9000"
    assert user.raw("00E40000") == "9000"
    assert user.sw(SIGN, b"x") == "6A88"
    assert not user.card.nvm.area("gids").names("key.")
