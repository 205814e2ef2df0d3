# SPDX-License-Identifier: Apache-2.0
from functools import cache

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from vreader.minidriver.abi.blobs import (
    BlobError,
    decode_key_data,
    decode_private,
    decode_public,
    encode_key_data,
    encode_private,
    encode_public,
)
from vreader.minidriver.abi.codes import KeySpec

RSA_SPECS = [spec for spec in KeySpec if spec.is_rsa]
EC_SPECS = [spec for spec in KeySpec if not spec.is_rsa]
CURVES = {256: ec.SECP256R1(), 384: ec.SECP384R1(), 521: ec.SECP521R1()}


@cache
def key_for(spec):
    if spec.is_rsa:
        return rsa.generate_private_key(65537, 2048)
    return ec.generate_private_key(CURVES[spec.bits])


@pytest.mark.parametrize("spec", KeySpec)
def test_decode_undoes_encode(spec):
    key = key_for(spec)
    public, public_spec = decode_public(encode_public(key.public_key(), spec))
    private, private_spec = decode_private(encode_private(key, spec))
    assert public == key.public_key()
    assert private.private_numbers() == key.private_numbers()
    assert public_spec == private_spec == spec


@pytest.mark.parametrize(
    ("spec", "algorithm"), [(KeySpec.KEYEXCHANGE, "00a40000"), (KeySpec.SIGNATURE, "00240000")]
)
def test_an_rsa_public_key_is_little_endian(spec, algorithm):
    key = key_for(spec).public_key()
    start = f"06020000 {algorithm} 52534131 00080000 01000100"
    expected = bytes.fromhex(start) + key.public_numbers().n.to_bytes(256, "little")
    assert encode_public(key, spec) == expected


def test_an_rsa_private_key_has_its_numbers_in_this_order():
    n = key_for(KeySpec.SIGNATURE).private_numbers()
    numbers = [(n.public_numbers.n, 256), (n.p, 128), (n.q, 128), (n.dmp1, 128), (n.dmq1, 128)]
    numbers += [(n.iqmp, 128), (n.d, 256)]
    start = bytes.fromhex("07020000 00240000 52534132 00080000 01000100")
    expected = start + b"".join(number.to_bytes(size, "little") for number, size in numbers)
    assert encode_private(key_for(KeySpec.SIGNATURE), KeySpec.SIGNATURE) == expected


@pytest.mark.parametrize(
    ("spec", "public", "private", "size"),
    [
        (KeySpec.ECDSA_P256, b"ECS1", b"ECS2", 32),
        (KeySpec.ECDSA_P384, b"ECS3", b"ECS4", 48),
        (KeySpec.ECDSA_P521, b"ECS5", b"ECS6", 66),
        (KeySpec.ECDHE_P256, b"ECK1", b"ECK2", 32),
        (KeySpec.ECDHE_P384, b"ECK3", b"ECK4", 48),
        (KeySpec.ECDHE_P521, b"ECK5", b"ECK6", 66),
    ],
)
def test_a_key_on_a_curve_is_big_endian(spec, public, private, size):
    secret = key_for(spec).private_numbers()
    point = secret.public_numbers
    tail = bytes((size, 0, 0, 0)) + point.x.to_bytes(size, "big") + point.y.to_bytes(size, "big")
    assert encode_public(key_for(spec).public_key(), spec) == public + tail
    secret_part = secret.private_value.to_bytes(size, "big")
    assert encode_private(key_for(spec), spec) == private + tail + secret_part


@pytest.mark.parametrize("spec", RSA_SPECS)
def test_a_key_on_a_curve_is_none_for_an_rsa_specification(spec):
    key = key_for(KeySpec.ECDSA_P256)
    with pytest.raises(BlobError):
        encode_public(key.public_key(), spec)
    with pytest.raises(BlobError):
        encode_private(key, spec)


@pytest.mark.parametrize("spec", EC_SPECS)
def test_an_rsa_key_is_none_for_a_curve(spec):
    key = key_for(KeySpec.SIGNATURE)
    with pytest.raises(BlobError):
        encode_public(key.public_key(), spec)
    with pytest.raises(BlobError):
        encode_private(key, spec)


@given(st.data(), st.sampled_from(KeySpec), st.booleans())
def test_damaged_keys_are_refused_or_other_keys(data, spec, private):
    encode, decode = (encode_private, decode_private) if private else (encode_public, decode_public)
    raw = bytearray(encode(key_for(spec) if private else key_for(spec).public_key(), spec))
    for at in data.draw(st.lists(st.integers(0, 40), min_size=1, max_size=3)):
        raw[at] ^= data.draw(st.integers(1, 255))
    with_cut = bytes(raw[: data.draw(st.integers(0, len(raw)))])
    for damaged in (bytes(raw), with_cut):
        try:
            decode(damaged)
        except BlobError:
            pass


@pytest.mark.parametrize("decode", [decode_public, decode_private, decode_key_data])
@given(raw=st.binary(max_size=200))
def test_random_bytes_are_refused(decode, raw):
    with pytest.raises(BlobError):
        decode(raw)


def test_a_point_that_is_not_on_the_curve():
    with pytest.raises(BlobError, match="no key"):
        decode_public(b"ECS1" + bytes((32, 0, 0, 0)) + bytes(63) + b"\1")


def test_a_private_key_is_no_public_key():
    for spec in (KeySpec.SIGNATURE, KeySpec.ECDSA_P256):
        with pytest.raises(BlobError):
            decode_public(encode_private(key_for(spec), spec))
        with pytest.raises(BlobError):
            decode_private(encode_public(key_for(spec).public_key(), spec))


@given(st.binary(max_size=64))
def test_key_data(key):
    raw = encode_key_data(key)
    assert raw == b"KDBM\1\0\0\0" + len(key).to_bytes(4, "little") + key
    assert decode_key_data(raw) == key
    with pytest.raises(BlobError):
        decode_key_data(raw + b"\0")
