# SPDX-License-Identifier: Apache-2.0
"""Provisioning: keys and certificates, made or brought along, that a client can use."""

import pki
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import (
    ec,
    ed25519,
    padding,
    rsa,
    utils,
    x25519,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from cards.piv import KIND
from cards.piv.tables import certificate_tag
from vreader.card import FileStore
from vreader.errors import UsageError
from vreader.iso7816 import Tlv


def certificate(client, slot):
    tag = certificate_tag(slot).to_bytes(3, "big")
    inner = Tlv.parse(client.ok("00CB3FFF", b"\x5c\3" + tag))
    assert inner.find(0x71).value == b"\0"
    return x509.load_der_x509_certificate(inner.find(0x70).value)


def test_keys_and_certificates(make):
    client = make()
    KIND.provision(
        client.card, {"slot": ["9a:p256", "9D:rsa2048", "82:p384"], "subject": ["CN=alice,O=Test"]}
    )
    for slot, size in ((0x9A, 256), (0x9D, 2048), (0x82, 384)):
        found = certificate(client, slot)
        found.verify_directly_issued_by(found)
        assert found.subject.rfc4514_string() == "CN=alice,O=Test"
        assert found.public_key().key_size == size
    client.verify()
    signature = client.use(0x9A, 0x11, bytes(32))
    certificate(client, 0x9A).public_key().verify(
        signature, bytes(32), ec.ECDSA(utils.Prehashed(hashes.SHA256()))
    )
    history = client.ok("00CB3FFF", bytes.fromhex("5C035FC10C"))
    assert history == bytes.fromhex("5308C10101C20100FE00")


def test_the_default_is_one_key(make):
    client = make("neutral")
    KIND.provision(client.card, {})
    assert certificate(client, 0x9A).subject.rfc4514_string() == "CN=vreader"
    assert client.sw("00CB3FFF", bytes.fromhex("5C035FC10C")) == "6A82"


def test_it_is_kept(tmp_path, make):
    store = FileStore(str(tmp_path / "a.card"))
    card = KIND.create("5.4.3", {}, store, None)
    KIND.provision(card, {"slot": ["9e:p256"]})
    card.close()
    card = KIND.open(store)
    assert certificate(make.client(card), 0x9E)
    card.close()


@pytest.mark.parametrize(
    "options",
    [{"slot": ["9a"]}, {"slot": ["9b:p256"]}, {"slot": ["9a:rsa4096"]}, {"slot": ["f9:p256"]},
     {"subject": ["alice"]}, {"pfx": ["x"]}, {"slot": ["9a:p256", "x"]}],
)  # fmt: skip
def test_what_it_does_not_take_changes_nothing(make, options):
    client = make()
    with pytest.raises(UsageError) as caught:
        KIND.provision(client.card, options)
    assert caught.value.hint
    assert client.sw("00F7009A") == "6A88"


def test_only_a_piv_card():
    with pytest.raises(UsageError, match="not a piv card"):
        KIND.provision(object(), {})


RSA = {bits: rsa.generate_private_key(65537, bits) for bits in (1024, 2048)}
POINT = (Encoding.X962, PublicFormat.UncompressedPoint)
RAW = (Encoding.Raw, PublicFormat.Raw)


def imported(make, tmp_path, key, *, profile="5.7.1", slot=0x9D):
    """A client of a card into whose slot ``key`` was imported, with the PIN verified."""
    path = pki.write_key(tmp_path / "key", key)
    client = make(profile)
    KIND.provision(client.card, {"import-key": [f"{slot:02x}:{path}"]})
    assert certificate(client, slot).public_key() == key.public_key()
    client.verify()
    return client


@pytest.mark.parametrize(("bits", "algorithm"), [(1024, 0x06), (2048, 0x07)])
def test_imported_rsa_key(make, tmp_path, bits, algorithm):
    client = imported(make, tmp_path, RSA[bits], profile="5.4.3")
    secret = RSA[bits].public_key().encrypt(b"message", padding.PKCS1v15())
    assert client.use(0x9D, algorithm, secret).endswith(b"\0message")


@pytest.mark.parametrize(
    ("curve", "algorithm"), [(ec.SECP256R1(), 0x11), (ec.SECP384R1(), 0x14)], ids=["256", "384"]
)
def test_imported_ec_key(make, tmp_path, curve, algorithm):
    key, peer = ec.generate_private_key(curve), ec.generate_private_key(curve)
    client = imported(make, tmp_path, key)
    found = client.use(0x9D, algorithm, peer.public_key().public_bytes(*POINT), tag=0x85)
    assert found == peer.exchange(ec.ECDH(), key.public_key())


def test_imported_ed25519_key(make, tmp_path):
    key = ed25519.Ed25519PrivateKey.generate()
    client = imported(make, tmp_path, key, slot=0x9A)
    key.public_key().verify(client.use(0x9A, 0xE0, b"message"), b"message")


def test_imported_x25519_key(make, tmp_path):
    key, peer = x25519.X25519PrivateKey.generate(), x25519.X25519PrivateKey.generate()
    client = imported(make, tmp_path, key)
    found = client.use(0x9D, 0xE1, peer.public_key().public_bytes(*RAW), tag=0x85)
    assert found == peer.exchange(key.public_key())


def test_the_origin_is_told(make, tmp_path):
    client = imported(make, tmp_path, RSA[1024], profile="5.4.3")
    assert Tlv.parse_all(client.ok("00F7009D"))[2] == Tlv(0x03, b"\2")


def test_usages(make):
    client = make()
    slots = {0x9A: "clientAuth", 0x9C: "emailProtection", 0x9D: "emailProtection"}
    KIND.provision(client.card, {"slot": [f"{slot:02x}:p256" for slot in slots]})
    for slot, name in slots.items():
        usage = certificate(client, slot).extensions.get_extension_for_class(x509.ExtendedKeyUsage)
        assert next(iter(usage.value))._name == name
    bits = certificate(client, 0x9C).extensions.get_extension_for_class(x509.KeyUsage).value
    assert bits.content_commitment


def test_a_whole_identity(make, tmp_path):
    chain = [pki.certificate(pki.SIGNER, "CN=ca", ca=True)]
    own = pki.certificate(RSA[2048], signer=pki.SIGNER)
    path = pki.write_pfx(tmp_path / "bob.p12", RSA[2048], own, "secret", chain)
    client = make()
    KIND.provision(client.card, {"pfx": [str(path), f"9c:{path}"], "password": ["secret"]})
    assert certificate(client, 0x9A) == certificate(client, 0x9C) == own


@pytest.mark.parametrize(
    ("profile", "key"),
    [
        ("5.7.1", ec.generate_private_key(ec.SECP521R1())),
        ("5.7.1", ec.generate_private_key(ec.SECP256K1())),
        ("5.7.1", rsa.generate_private_key(65537, 1056)),
        ("5.4.3", ed25519.Ed25519PrivateKey.generate()),
        ("neutral", x25519.X25519PrivateKey.generate()),
    ],
)
def test_keys_the_card_cannot_hold(make, tmp_path, profile, key):
    path = pki.write_key(tmp_path / "key", key)
    with pytest.raises(UsageError, match="cannot hold this key") as caught:
        KIND.provision(make(profile).card, {"import-key": [str(path)]})
    assert "p256" in caught.value.hint


def test_a_huge_certificate_changes_nothing(make, tmp_path):
    key = pki.write_key(tmp_path / "key", RSA[1024])
    huge = pki.write_certificate(tmp_path / "huge", pki.certificate(RSA[1024], filler=3000))
    client = make()
    options = {"slot": ["9c:p256"], "import-key": [str(key)], "import-cert": [str(huge)]}
    with pytest.raises(UsageError, match="3063"):
        KIND.provision(client.card, options)
    assert client.sw("00F7009A") == client.sw("00F7009C") == "6A88"
    KIND.provision(client.card, {"slot": ["9a:p256"]})
    assert client.sw("00F7009C") == "6A88"
