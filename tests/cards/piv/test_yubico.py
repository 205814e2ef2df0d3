# SPDX-License-Identifier: Apache-2.0
"""Yubico's commands and management application."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

from cards.piv import KIND
from vreader.iso7816 import Tlv

OIDS = {n: x509.ObjectIdentifier(f"1.3.6.1.4.1.41482.3.{n}") for n in (3, 7, 8, 9)}


def tlvs(raw):
    return {tlv.tag: tlv.value for tlv in Tlv.parse_all(raw)}


def block_both(client):
    for _ in range(3):
        client.verify(b"999999")
        client.sw("00240081", b"99999999" + b"12345678")


def import_rsa(client, slot, numbers, size, policies=b""):
    parts = (numbers.p, numbers.q, numbers.dmp1, numbers.dmq1, numbers.iqmp)
    data = b"".join(
        bytes(Tlv(tag, part.to_bytes(size, "big"))) for tag, part in enumerate(parts, 1)
    )
    return data + policies


def test_version_and_serial(make):
    client = make(serial="123456789")
    assert client.ok("00FD0000") == bytes((5, 4, 3))
    assert client.ok("00F80000") == (123456789).to_bytes(4, "big")


@pytest.mark.parametrize("ins", ["F7", "F8", "F9", "FA", "FB", "FD", "FE", "FF"])
def test_a_neutral_card_has_none_of_them(make, ins):
    client = make("neutral")
    client.admin()
    assert client.sw(f"00{ins}0000") == "6D00"
    assert client.raw("00A4040008A000000527471117") == "6A82"


def test_metadata_of_pin_and_puk(client):
    assert client.ok("00F70080") == bytes.fromhex("0101FF0501010602 0303")
    client.verify(b"999999")
    assert client.ok("00F70080") == bytes.fromhex("0101FF05010106020302")
    client.verify()
    client.sw("00240080", b"123456\xff\xff654321\xff\xff")
    assert client.ok("00F70080") == bytes.fromhex("0101FF05010006020303")
    assert client.ok("00F70081") == bytes.fromhex("0101FF05010106020303")


def test_metadata_of_the_management_key(client):
    assert client.ok("00F7009B") == bytes.fromhex("01010302020001050101")


@pytest.mark.parametrize("ref", ["9A", "9C", "9D", "9E", "82", "95", "96", "00", "FF"])
def test_metadata_of_what_is_not_there(client, ref):
    assert client.sw("00F700" + ref) == "6A88"


def test_metadata_of_a_key(admin, make):
    public = admin.generate(0x9C, 0x11)
    found = tlvs(admin.ok("00F7009C"))
    assert found[1] == b"\x11"
    assert found[2] == b"\3\1"
    assert found[3] == b"\1"
    assert make.public_key(found[4]) == public


def test_import_rsa(admin):
    key = rsa.generate_private_key(65537, 2048)
    data = import_rsa(admin, 0x9D, key.private_numbers(), 128, bytes.fromhex("AA0101"))
    assert admin.sw("00FE079D", data) == "9000"
    secret = key.public_key().encrypt(b"secret", padding.PKCS1v15())
    assert admin.use(0x9D, 7, secret).endswith(b"\0secret")
    assert tlvs(admin.ok("00F7009D"))[3] == b"\2"


def test_import_takes_leading_zeros(admin):
    key = rsa.generate_private_key(65537, 1024)
    data = import_rsa(admin, 0x9E, key.private_numbers(), 70)
    assert admin.sw("00FE069E", data) == "9000"
    assert admin.use(0x9E, 6, bytes(127) + b"\1") == bytes(127) + b"\1"


@pytest.mark.parametrize("order", [1, -1])
def test_import_refuses_primes_of_unequal_length(admin, order):
    p, q = ((1 << 520) - 84903, (1 << 504) - 40143)[::order]
    d = pow(65537, -1, (p - 1) * (q - 1))
    numbers = (p, q, d % (p - 1), d % (q - 1), pow(q, -1, p))
    data = b"".join(
        bytes(Tlv(tag, number.to_bytes(65, "big"))) for tag, number in enumerate(numbers, 1)
    )
    assert admin.sw("00FE069E", data) == "6A80"
    assert admin.sw("00F7009E") == "6A88"


@pytest.mark.parametrize(("algorithm", "curve"), [(0x11, ec.SECP256R1()), (0x14, ec.SECP384R1())])
def test_import_ec(admin, algorithm, curve):
    key = ec.generate_private_key(curve)
    size = curve.key_size // 8
    scalar = key.private_numbers().private_value.to_bytes(size, "big")
    assert admin.sw(f"00FE{algorithm:02X}9E", bytes(Tlv(6, scalar))) == "9000"
    digest = hashes.SHA256() if size == 32 else hashes.SHA384()
    signature = admin.use(0x9E, algorithm, bytes(size))
    key.public_key().verify(signature, bytes(size), ec.ECDSA(utils.Prehashed(digest)))


@pytest.mark.parametrize(
    ("header", "data"),
    [("00FE119E", ""), ("00FE119E", "0600"), ("00FE119E", "0620" + "00" * 32),
     ("00FE119E", "0620" + "FF" * 32), ("00FE119E", "0601010701 01"), ("00FE119E", "06030101"),
     ("00FE069E", "010103020105030101040101050101"), ("00FE069E", "0101030201 05"),
     ("00FE119E", "060101AA0109"), ("00FE059E", "060101"), ("00FEE09E", "070101"),
     ("00FE039E", "060101")],
)  # fmt: skip
def test_keys_that_cannot_be_imported(admin, header, data):
    assert admin.sw(header, bytes.fromhex(data)) == "6A80"
    assert admin.sw("00F7009E") == "6A88"


def test_import_needs_the_management_key(client):
    assert client.sw("00FE119E", bytes.fromhex("060101")) == "6982"


def test_attestation(make):
    client = make(serial=str(0x7FFFFFFF))
    client.admin()
    public = client.generate(0x9A, 7, bytes.fromhex("AA0102AB0103"))
    certificate = x509.load_der_x509_certificate(client.ok("00F99A00"))
    issuer_object = tlvs(Tlv.parse(client.ok("00CB3FFF", bytes.fromhex("5C035FFF01"))).value)
    issuer = x509.load_der_x509_certificate(issuer_object[0x70])
    assert certificate.public_key() == public
    certificate.verify_directly_issued_by(issuer)
    issuer.verify_directly_issued_by(issuer)
    values = {
        n: certificate.extensions.get_extension_for_oid(oid).value.value for n, oid in OIDS.items()
    }
    assert values == {
        3: bytes((5, 4, 3)), 7: bytes.fromhex("02047FFFFFFF"), 8: bytes((2, 3)), 9: b"\1",
    }  # fmt: skip
    assert client.ok("00F700F9").startswith(bytes.fromhex("010111"))


def test_what_cannot_be_attested(admin):
    assert admin.sw("00F99A00") == "6A88"
    assert admin.sw("00F99A01") == "6A86"
    assert admin.sw("00F9F900") == "6A86"
    admin.ok("00FE119A", bytes.fromhex("060101"))
    assert admin.sw("00F99A00") == "6A80"


def test_the_attestation_certificate_belongs_to_the_user(admin):
    admin.generate(0x9A, 0x11)
    assert admin.sw("00DB3FFF", bytes.fromhex("5C035FFF015303700155")) == "9000"
    assert admin.sw("00F99A00") == "6A80"
    assert admin.sw("00DB3FFF", bytes.fromhex("5C035FFF015300")) == "9000"
    assert admin.sw("00CB3FFF", bytes.fromhex("5C035FFF01")) == "6A82"
    assert admin.sw("00F99A00") == "6A82"


@pytest.mark.parametrize("value", ["55", "70 01 55", "70 03 30 01 00 71 01 01", "70 00 FE 00"])
def test_a_damaged_certificate_is_told_and_attests_nothing(admin, value):
    admin.generate(0x9A, 0x11)
    raw = bytes.fromhex(value)
    for tag in ("5FFF01", "5FC105"):
        assert admin.sw("00DB3FFF", bytes.fromhex("5C03" + tag) + bytes(Tlv(0x53, raw))) == "9000"
    assert admin.sw("00F99A00") == "6A80"
    assert dict(KIND.facts(admin.card))["slot 9a"] == "P-256, an object that is no certificate"


def test_a_certificate_of_a_version_that_does_not_exist(admin):
    issuer = Tlv.parse(admin.ok("00CB3FFF", bytes.fromhex("5C035FFF01"))).value
    changed = issuer.replace(bytes.fromhex("A003020102"), bytes.fromhex("A003020101"), 1)
    test_a_damaged_certificate_is_told_and_attests_nothing(admin, changed.hex())


def test_reset_needs_both_blocked(client):
    assert client.sw("00FB0000") == "6985"
    for _ in range(3):
        client.verify(b"999999")
    assert client.sw("00FB0000") == "6985"
    block_both(client)
    assert client.sw("00FB0000") == "9000"


def test_reset_wipes_everything_but_identity_and_attestation(make):
    client = make(serial="7", mgmkey="21" * 4 + "43" * 4 + "65" * 8 + "87" * 8)
    client.admin(bytes.fromhex("21" * 4 + "43" * 4 + "65" * 8 + "87" * 8))
    client.generate(0x9A, 0x11)
    client.ok("00DB3FFF", bytes.fromhex("5C035FC1055301AA"))
    issuer = client.ok("00CB3FFF", bytes.fromhex("5C035FFF01"))
    block_both(client)
    client.ok("00FB0000")
    assert client.sw("00DB3FFF", bytes.fromhex("5C035FC1055301AA")) == "6982"
    assert client.sw("00CB3FFF", bytes.fromhex("5C035FC105")) == "6A82"
    assert client.sw("00CB3FFF", bytes.fromhex("5C035FC102")) == "6A82"
    assert client.sw("00F7009A") == "6A88"
    assert client.ok("00F70080") == bytes.fromhex("0101FF05010106020303")
    assert client.ok("00F80000") == b"\0\0\0\7"
    assert client.ok("00CB3FFF", bytes.fromhex("5C035FFF01")) == issuer
    client.admin()
    assert client.verify() == "9000"


def test_set_pin_retries(client):
    assert client.sw("00FA0502") == "6982"
    client.admin()
    assert client.sw("00FA0502") == "6982"
    client.verify()
    client.ok("00240080", b"123456\xff\xff654321\xff\xff")
    assert client.sw("00FA0502") == "9000"
    assert client.ok("00F70080") == bytes.fromhex("0101FF05010106020505")
    assert client.ok("00F70081") == bytes.fromhex("0101FF05010106020202")
    assert client.sw("00200080") == "63C5"
    assert client.verify() == "9000"
    assert client.sw("00FA0002") == "6A86"
    assert client.sw("00FAFFFF") == "9000"
    assert client.verify(b"999999") == "63CF"
    assert client.ok("00F70080") == bytes.fromhex("0101FF0501010602FFFE")


def test_setting_retries_brings_the_defaults_even_where_they_could_not_be_chosen(make):
    client = make("5.7.1", **{"pin-complexity": "yes", "pin": "Zx81-now", "puk": "Zx82-now"})
    client.admin()
    assert client.verify(b"Zx81-now") == "9000"
    assert client.sw("00FA0405") == "9000"
    assert client.ok("00F70080") == bytes.fromhex("0101FF05010106020404")
    assert client.verify() == "9000"
    assert client.sw("00240081", b"12345678" + b"12345678") == "6985"
    assert client.ok("00F70081") == bytes.fromhex("0101FF05010106020505")


@pytest.mark.parametrize("header", ["00FD0001", "00F80100", "00FB0001", "00F70180"])
def test_parameters_are_checked(client, header):
    assert client.sw(header) == "6A86"


@pytest.mark.parametrize("header", ["00FD0000", "00F80000", "00FB0000", "00F70080", "00F99A00"])
def test_data_is_refused(client, header):
    assert client.sw(header, b"x") == "6700"


def test_management_application(make):
    client = make(serial="305419896")
    text = bytes.fromhex(client.raw("00A4040008A000000527471117"))[:-2]
    assert text == b"Virtual mgr - FW version 5.4.3"
    info = bytes.fromhex(client.raw("001D000000"))[:-2]
    assert info[0] == len(info) - 1
    assert tlvs(info[1:]) == {
        1: b"\0\x10", 2: bytes.fromhex("12345678"), 3: b"\0\x10", 4: b"\1", 5: b"\5\4\3",
        10: b"\0",
    }  # fmt: skip
    assert client.raw("001D010000") == "6A86"
    assert client.raw("001D000100") == "6A86"
    assert client.raw("001D000001AA00") == "6700"
    assert client.raw("001F0000") == "6D00"
