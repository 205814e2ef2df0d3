# SPDX-License-Identifier: Apache-2.0
"""PIV cards of every profile with every sort of key, each of which is used."""

import hashlib

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from driving import USER_PIN, driving, new_card

from vreader.cardfs import decode_container_map
from vreader.minidriver.abi.blobs import decode_public, encode_public
from vreader.minidriver.abi.codes import Calg, Padding
from vreader.minidriver.drivers.piv import SIGNATURE_PIN
from vreader.minidriver.values import (
    ContainerInfo,
    DecryptInfo,
    DeriveKeyInfo,
    DhAgreementInfo,
    SigningInfo,
)

MESSAGE = b"of every profile"
DIGEST = hashlib.sha256(MESSAGE).digest()
SLOTS = ("9a:rsa2048", "9c:p384", "9d:p256", "9e:p256", "82:rsa1024", "8c:p384", "95:p256")
WHERE = (0, 1, 2, 3, 4, 14, 23)
CARDS = [
    ("piv", "neutral", SLOTS, WHERE),
    ("piv", "5.4.3", SLOTS, WHERE),
    ("piv", "5.7.1", (*SLOTS, "83:rsa3072"), (*WHERE, 5)),
    ("yubikey", "5.4.3", ("9a:rsa1024", "9d:p384"), (0, 2)),
    ("yubikey", "5.7.1", ("9a:ed25519", "9d:x25519", "9c:p256"), (1,)),
]


def use(md, container, key, spec):
    """Use a private key for whatever it can do, and check the outcome with its public key."""
    if md.CardGetContainerProperty(container, "PIN Identifier", bytes(4), 0)[0]:
        md.CardAuthenticateEx(SIGNATURE_PIN if container == 1 else 1, 0, USER_PIN)
    if not spec.is_rsa and spec.is_exchange:
        ours = ec.generate_private_key(key.curve)
        blob = encode_public(ours.public_key(), spec)
        secret = md.CardConstructDHAgreement(DhAgreementInfo(container, blob))
        derived = md.CardDeriveKey(DeriveKeyInfo("HASH", secret))
        assert derived == hashlib.sha1(ours.exchange(ec.ECDH(), key)).digest()
        return
    signature = md.CardSignData(SigningInfo(container, spec, DIGEST, Calg.SHA_256, version=1))
    if not spec.is_rsa:
        half = len(signature) // 2
        r, s = (int.from_bytes(part, "big") for part in (signature[:half], signature[half:]))
        key.verify(encode_dss_signature(r, s), MESSAGE, ec.ECDSA(hashes.SHA256()))
        return
    key.verify(signature[::-1], MESSAGE, padding.PKCS1v15(), hashes.SHA256())
    cipher = key.encrypt(MESSAGE, padding.PKCS1v15())[::-1]
    info = DecryptInfo(container, spec, cipher, None, Padding.PKCS1)
    assert md.CardRSADecrypt(info)[::-1] == MESSAGE


@pytest.mark.parametrize(("kind", "profile", "slots", "places"), CARDS)
def test_every_key_can_be_used(kind, profile, slots, places):
    with driving(new_card(kind, profile, slots)) as driven:
        md = driven.md
        records = decode_container_map(md.CardReadFile("mscp", "cmapfile", 0))
        found = [number for number, record in enumerate(records) if record.valid]
        assert found == sorted(places)
        assert len(md.CardEnumFiles("mscp", 0)) == 1 + len(places)
        for container in found:
            info = md.CardGetContainerInfo(container, 0, ContainerInfo())
            key, spec = decode_public(info.exchange or info.signature)
            bits = records[container].signature_bits or records[container].exchange_bits
            assert bits == key.key_size
            use(md, container, key, spec)
