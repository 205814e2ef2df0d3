# SPDX-License-Identifier: Apache-2.0
"""Provisioning: keys and self-signed certificates that a client can use."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

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
