# SPDX-License-Identifier: Apache-2.0
"""What a certificate says of its key."""

import pki
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from vreader.minidriver.abi.codes import KeySpec
from vreader.minidriver.drivers.piv_slots import read_slot

RSA_1024 = rsa.generate_private_key(65537, 1024)


def der(key):
    return pki.certificate(key).public_bytes(Encoding.DER)


@pytest.mark.parametrize(
    ("key", "specs"),
    [
        (RSA_1024, (KeySpec.KEYEXCHANGE, KeySpec.SIGNATURE, KeySpec.KEYEXCHANGE)),
        (
            ec.generate_private_key(ec.SECP256R1()),
            (KeySpec.ECDSA_P256, KeySpec.ECDSA_P256, KeySpec.ECDHE_P256),
        ),
        (
            ec.generate_private_key(ec.SECP384R1()),
            (KeySpec.ECDSA_P384, KeySpec.ECDSA_P384, KeySpec.ECDHE_P384),
        ),
    ],
)
def test_key_specifications(key, specs):
    found = [read_slot(slot, der(key)) for slot in (0x9A, 0x9C, 0x9D)]
    assert tuple(slot.key.spec for slot in found) == specs
    assert all(slot.public == key.public_key() for slot in found)


@pytest.mark.parametrize(
    "key",
    [
        ed25519.Ed25519PrivateKey.generate(),
        ec.generate_private_key(ec.SECP521R1()),
        ec.generate_private_key(ec.SECP256K1()),
        rsa.generate_private_key(65537, 1040),
    ],
)
def test_keys_without_a_place(key):
    assert read_slot(0x9A, der(key)) is None


def test_what_is_no_certificate():
    assert read_slot(0x9A, b"junk") is None
