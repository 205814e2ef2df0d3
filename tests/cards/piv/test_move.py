# SPDX-License-Identifier: Apache-2.0
"""MOVE KEY and DELETE KEY of firmware 5.7."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from vreader.iso7816 import Tlv

ISSUER = bytes.fromhex("5C035FFF01")


@pytest.fixture
def admin(make):
    client = make("5.7.1")
    client.admin()
    return client


def test_a_key_moves_with_all_that_belongs_to_it(admin):
    public = admin.generate(0x9A, 0x11, bytes.fromhex("AA0101AB0102"))
    before = admin.ok("00F7009A")
    assert admin.sw("00F6829A") == "9000"
    assert admin.ok("00F70082") == before
    assert admin.sw("00F7009A") == "6A88"
    signature = admin.use(0x82, 0x11, bytes(32))
    public.verify(signature, bytes(32), ec.ECDSA(utils.Prehashed(hashes.SHA256())))
    assert admin.use(0x9A, 0x11, bytes(32)) == "6A80"
    attested = x509.load_der_x509_certificate(admin.ok("00F98200"))
    assert attested.public_key() == public


def test_certificates_stay_where_they_are(admin):
    admin.generate(0x9A, 0x11)
    admin.ok("00DB3FFF", bytes.fromhex("5C035FC1055301AA"))
    admin.ok("00F6829A")
    assert admin.ok("00CB3FFF", bytes.fromhex("5C035FC105")) == bytes.fromhex("5301AA")


def test_the_target_must_be_empty(admin):
    admin.generate(0x9A, 0x11)
    admin.generate(0x9C, 0x14)
    assert admin.sw("00F69C9A") == "6A80"
    assert admin.ok("00F7009A")[2] == 0x11
    assert admin.ok("00F7009C")[2] == 0x14


def test_the_source_must_not_be_empty(admin):
    assert admin.sw("00F6829A") == "6A88"
    assert admin.sw("00F6FF9A") == "6A88"


@pytest.mark.parametrize("slots", ["9A9A", "829B", "9B82", "F99A", "9AF9", "0082", "FF9B", "FFFF"])
def test_slots_it_does_not_take(admin, slots):
    admin.generate(0x9A, 0x11)
    assert admin.sw("00F6" + slots) == "6A86"


def test_delete(admin):
    admin.generate(0x9A, 0x11)
    assert admin.sw("00F6FF9A") == "9000"
    assert admin.sw("00F7009A") == "6A88"
    assert admin.sw("00F6FF9A") == "6A88"
    assert admin.sw("00F6FF9A", b"x") == "6700"


def test_a_deleted_attestation_key_does_not_come_back(admin):
    admin.generate(0x9A, 0x11)
    issuer = admin.ok("00CB3FFF", ISSUER)
    assert admin.sw("00F6FFF9") == "9000"
    assert admin.sw("00F700F9") == "6A88"
    assert admin.sw("00F99A00") == "6A82"
    assert admin.ok("00CB3FFF", ISSUER) == issuer
    assert admin.sw("00F6FFF9") == "6A88"
    admin.generate(0xF9, 0x14)
    certificate = x509.load_der_x509_certificate(admin.ok("00F99A00"))
    key = admin.ok("00F700F9")
    public = Tlv.parse_all(Tlv.parse_all(key)[3].value)[0].value
    issued_by = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP384R1(), public)
    issued_by.verify(
        certificate.signature, certificate.tbs_certificate_bytes, ec.ECDSA(hashes.SHA256())
    )


def test_the_attestation_key_can_be_deleted_before_it_was_ever_used(admin):
    assert admin.sw("00F6FFF9") == "9000"
    assert admin.sw("00F700F9") == "6A88"


def test_it_needs_the_management_key(make):
    client = make("5.7.1")
    assert client.sw("00F6829A") == "6982"
    assert client.sw("00F6FF9A") == "6982"


def test_older_firmware_has_no_such_command(make):
    client = make("5.4.3")
    client.admin()
    assert client.sw("00F6829A") == "6D00"
