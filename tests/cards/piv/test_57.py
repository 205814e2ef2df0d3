# SPDX-License-Identifier: Apache-2.0
"""Firmware 5.7: more algorithms, another management key; nothing of it in older firmware."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, x25519
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from cards.piv.keys import KeyRecord
from vreader.errors import UsageError
from vreader.iso7816 import Tlv

ED25519, X25519, RSA3072, RSA4096 = 0xE0, 0xE1, 0x05, 0x16
FREE = bytes.fromhex("AA0101")
# RFC 8032 §7.1 test 2.
ED_SEED = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
ED_SIGNATURE = bytes.fromhex(
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
)


@pytest.fixture
def admin(make):
    client = make("5.7.1")
    client.admin()
    return client


def generate_25519(client, slot, algorithm, policies=FREE):
    """Generate a key and return the 32 bytes of the public key."""
    answer = client.ok(
        f"004700{slot:02X}", bytes(Tlv(0xAC, bytes((0x80, 1, algorithm)) + policies))
    )
    return Tlv.parse(answer).find(0x86).value


def metadata(client, slot):
    return {tlv.tag: tlv.value for tlv in Tlv.parse_all(client.ok(f"00F700{slot:02X}"))}


def attestation(client, slot):
    certificate = x509.load_der_x509_certificate(client.ok(f"00F9{slot:02X}00"))
    found = Tlv.parse(client.ok("00CB3FFF", bytes.fromhex("5C035FFF01"))).find(0x70)
    certificate.verify_directly_issued_by(x509.load_der_x509_certificate(found.value))
    return certificate


def test_it_says_so(admin):
    assert admin.ok("00FD0000") == b"\5\7\1"


def test_the_management_key_is_aes_192_of_the_usual_bytes(make):
    client = make("5.7.1")
    assert client.ok("00F7009B") == bytes.fromhex("01010A02020001050101")
    assert client.sw("0087039B", bytes.fromhex("7C028000")) == "6A86"
    client.admin(algorithm=0x0A)
    client.ok("00FFFFFF", b"\3\x9b\x18" + bytes(range(1, 9)) * 3)
    assert client.ok("00F7009B") == bytes.fromhex("01010302020001050100")
    client.admin(algorithm=3)


def test_reset_brings_aes_back(admin):
    admin.ok("00FFFFFF", b"\x0c\x9b\x20" + bytes(range(32)))
    for _ in range(3):
        admin.verify(b"999999")
        admin.sw("002C0080", b"99999999" + b"\xff" * 8)
    assert admin.sw("00FB0000") == "9000"
    assert admin.ok("00F7009B") == bytes.fromhex("01010A02020001050101")


def test_ed25519(admin):
    public = generate_25519(admin, 0x9A, ED25519)
    for message in (b"m", b"message" * 100):
        signature = admin.use(0x9A, ED25519, message)
        ed25519.Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    assert admin.use(0x9A, ED25519, bytes(32), tag=0x85) == "6A80"
    assert metadata(admin, 0x9A) == {
        1: b"\xe0", 2: b"\1\1", 3: b"\1", 4: bytes(Tlv(0x86, public)),
    }  # fmt: skip
    assert attestation(admin, 0x9A).public_key().public_bytes_raw() == public


def test_x25519(admin):
    public = generate_25519(admin, 0x9D, X25519)
    peer = x25519.X25519PrivateKey.generate()
    secret = admin.use(0x9D, X25519, peer.public_key().public_bytes_raw(), tag=0x85)
    assert secret == peer.exchange(x25519.X25519PublicKey.from_public_bytes(public))
    assert admin.use(0x9D, X25519, bytes(32)) == "6A80"
    for bad in (bytes(32), b"\1" + bytes(31), bytes(31), bytes(33)):
        assert admin.use(0x9D, X25519, bad, tag=0x85) == "6A80"
    assert attestation(admin, 0x9D).public_key().public_bytes_raw() == public


def test_imported_keys_give_the_published_results(admin):
    assert admin.sw("00FEE09E", bytes(Tlv(7, ED_SEED))) == "9000"
    assert admin.use(0x9E, ED25519, b"\x72") == ED_SIGNATURE
    key = x25519.X25519PrivateKey.generate()
    assert admin.sw("00FEE19D", bytes(Tlv(8, key.private_bytes_raw())) + FREE) == "9000"
    peer = x25519.X25519PrivateKey.generate()
    secret = admin.use(0x9D, X25519, peer.public_key().public_bytes_raw(), tag=0x85)
    assert secret == peer.exchange(key.public_key())
    assert metadata(admin, 0x9D)[3] == b"\2"
    assert admin.sw("00F99D00") == "6A80"


@pytest.mark.parametrize(
    ("header", "data"),
    [("00FEE09E", Tlv(6, bytes(32))), ("00FEE09E", Tlv(8, bytes(32))), ("00FEE09E", Tlv(7)),
     ("00FEE09E", Tlv(7, bytes(31))), ("00FEE19E", Tlv(8, bytes(33))),
     ("00FEE19E", Tlv(7, bytes(32))), ("00FE119E", Tlv(7, b"\1" * 32))],
)  # fmt: skip
def test_keys_that_cannot_be_imported(admin, header, data):
    assert admin.sw(header, bytes(data)) == "6A80"
    assert admin.sw("00F7009E") == "6A88"


@pytest.mark.parametrize(("algorithm", "bits"), [(RSA3072, 3072), (RSA4096, 4096)])
def test_long_rsa_keys(admin, algorithm, bits):
    key = rsa.generate_private_key(65537, bits)
    numbers, size = key.private_numbers(), bits // 16
    parts = (numbers.p, numbers.q, numbers.dmp1, numbers.dmq1, numbers.iqmp)
    data = b"".join(bytes(Tlv(tag, n.to_bytes(size, "big"))) for tag, n in enumerate(parts, 1))
    assert admin.sw(f"00FE{algorithm:02X}9D", data + FREE) == "9000"
    secret = key.public_key().encrypt(b"secret", padding.PKCS1v15())
    assert admin.use(0x9D, algorithm, secret).endswith(b"\0secret")
    dummy = rsa.generate_private_key(65537, 2048)
    pss = padding.PSS(padding.MGF1(SHA256()), 32)
    # What clients send for PSS is the padded block, which is not ours to understand.
    block = pow(int.from_bytes(dummy.sign(b"m", pss, SHA256()), "big"), 65537, _n(dummy))
    raised = admin.use(0x9D, algorithm, block.to_bytes(bits // 8, "big"))
    assert pow(int.from_bytes(raised, "big"), 65537, _n(key)) == block
    assert metadata(admin, 0x9D)[1] == bytes((algorithm,))


def _n(key):
    return key.public_key().public_numbers().n


def test_rsa_3072_is_generated(admin):
    public = admin.generate(0x9A, RSA3072)
    assert public.key_size == 3072
    assert attestation(admin, 0x9A).public_key() == public


def test_an_ed25519_key_attests(admin):
    public = ed25519.Ed25519PublicKey.from_public_bytes(generate_25519(admin, 0xF9, ED25519))
    admin.generate(0x9A, 0x11)
    certificate = x509.load_der_x509_certificate(admin.ok("00F99A00"))
    public.verify(certificate.signature, certificate.tbs_certificate_bytes)


def test_an_x25519_key_cannot_attest(admin):
    generate_25519(admin, 0xF9, X25519)
    admin.generate(0x9A, 0x11)
    assert admin.sw("00F99A00") == "6A80"


def test_own_attestation_key_and_certificate(admin):
    key = ec.generate_private_key(ec.SECP384R1())
    scalar = key.private_numbers().private_value.to_bytes(48, "big")
    assert admin.sw("00FE14F9", bytes(Tlv(6, scalar))) == "9000"
    admin.generate(0x9A, 0x11)
    first = x509.load_der_x509_certificate(admin.ok("00F99A00"))
    key.public_key().verify(
        first.signature, first.tbs_certificate_bytes, ec.ECDSA(SHA256())
    )  # under the certificate that the card was born with
    name = x509.Name.from_rfc4514_string("CN=Our own root,O=Test")
    own = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .serial_number(1)
        .not_valid_before(first.not_valid_before_utc)
        .not_valid_after(first.not_valid_after_utc)
        .public_key(key.public_key())
        .sign(key, SHA256())
    )
    value = bytes(Tlv(0x70, own.public_bytes(Encoding.DER))) + bytes.fromhex("710100FE00")
    put = bytes.fromhex("5C035FFF01") + bytes(Tlv(0x53, value))
    assert admin.sw("00DB3FFF", put) == "9000"
    assert attestation(admin, 0x9A).issuer == name


def test_keys_survive_in_the_memory_and_show_nothing(admin):
    generate_25519(admin, 0x9A, ED25519)
    generate_25519(admin, 0x9D, X25519)
    for slot in (0x9A, 0x9D):
        record = admin.card.applications[0].state.key(slot)
        again = KeyRecord.from_bytes(record.to_bytes())
        assert (again.public, again.policies) == (record.public, record.policies)
        assert repr(record.private) in ("Ed25519Key(…)", "X25519Key(…)")


@pytest.mark.parametrize("algorithm", ["05", "16", "E0", "E1"])
def test_older_firmware_takes_none_of_them(make, algorithm):
    client = make("5.4.3")
    client.admin()
    assert client.sw("0047009A", bytes.fromhex("AC038001" + algorithm)) == "6A80"
    element = {"E0": 7, "E1": 8}.get(algorithm, 1)
    assert client.sw(f"00FE{algorithm}9A", bytes(Tlv(element, bytes(range(32))))) == "6A80"


@pytest.mark.parametrize("new", ["111111", "22222222", "abc123", "password", "PASSWORD", "123123"])
def test_trivial_pins_are_refused_where_that_was_ordered(make, new):
    padded = new.encode().ljust(8, b"\xff")
    client = make("5.7.1", **{"pin-complexity": "yes"})
    assert client.sw("00240080", b"123456\xff\xff" + padded) == "6985"
    assert client.sw("00240081", b"12345678" + padded) == "6985"
    assert client.sw("002C0080", b"12345678" + padded) == "6985"
    assert client.sw("00240080", b"123456\xff\xff" + b"aaaaab\xff\xff") == "9000"
    assert client.ok("00F70080")[-2:] == client.ok("00F70081")[-2:] == b"\3\3"
    assert client.verify(b"aaaaab") == "9000"
    assert make("5.7.1").sw("00240080", b"123456\xff\xff" + padded) == "9000"


def test_a_puk_is_ascii_since_5_7(make):
    umlaut = "pükpük".encode()
    for profile, sw in (("5.4.3", "9000"), ("5.7.1", "6A80")):
        client = make(profile)
        assert client.sw("00240081", b"12345678" + umlaut) == sw
        assert client.sw("00240080", b"123456\xff\xff" + umlaut) == "9000"
    assert make("5.4.3", puk="pükpük").sw("00240081", umlaut + b"12345678") == "9000"
    with pytest.raises(UsageError, match="ASCII"):
        make("5.7.1", puk="pükpük")


def test_the_device_tells_that_it_judges_pins(make):
    client = make("5.7.1", **{"pin-complexity": "yes"})
    client.raw("00A4040008A000000527471117")
    assert bytes.fromhex("160101") in client.ok("001D0000")


def test_a_right_puk_costs_no_try_whatever_the_new_pin(admin):
    for _ in range(4):
        assert admin.sw("002C0080", b"12345678" + b"\xff" * 8) == "6A80"
    assert admin.ok("00F70081")[-2:] == b"\3\3"
