# SPDX-License-Identifier: Apache-2.0
"""What a card keeps in its file: everything that is not volatile, and not one try too many."""

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, utils

from cards.piv import KIND
from cards.platform.statefile import StateFile
from vreader.card import FileStore

DIGEST_INFO = bytes.fromhex("3031300D060960864801650304020105000420")


@pytest.fixture
def store(tmp_path):
    return FileStore(str(tmp_path / "alice.card"))


@pytest.fixture
def opened(make, store):
    """Return a function that closes the card and reopens it from its file."""
    cards = []

    def opened(profile=None, **options):
        if cards:
            cards[-1].close()
        card = KIND.open(store) if profile is None else KIND.create(profile, options, store, None)
        cards.append(card)
        return make.client(card)

    yield opened
    cards[-1].close()


def test_keys_objects_and_secrets_survive(opened):
    client = opened("5.4.3", serial="42", pin="654321")
    client.admin()
    ec_key, rsa_key = client.generate(0x9E, 0x11), client.generate(0x9A, 7)
    client.ok("00DB3FFF", bytes.fromhex("5C035FC1055303") + b"abc")
    client.ok("00FFFFFF", bytes.fromhex("0A9B18") + bytes(range(24)))
    client.verify(b"999999")
    chuid = client.ok("00CB3FFF", bytes.fromhex("5C035FC102"))
    issuer = client.ok("00CB3FFF", bytes.fromhex("5C035FFF01"))
    client = opened()
    assert client.sw("00200080") == "63C2"
    assert client.ok("00F80000") == b"\0\0\0\x2a"
    assert client.ok("00CB3FFF", bytes.fromhex("5C035FC102")) == chuid
    assert client.ok("00CB3FFF", bytes.fromhex("5C035FC105")).endswith(b"abc")
    assert client.ok("00CB3FFF", bytes.fromhex("5C035FFF01")) == issuer
    client.admin(bytes(range(24)), 0x0A)
    assert client.verify(b"654321") == "9000"
    prehashed = utils.Prehashed(hashes.SHA256())
    ec_key.verify(client.use(0x9E, 0x11, bytes(32)), bytes(32), ec.ECDSA(prehashed))
    info = DIGEST_INFO + bytes(32)
    block = b"\0\1" + b"\xff" * (253 - len(info)) + b"\0" + info
    rsa_key.verify(client.use(0x9A, 7, block), bytes(32), padding.PKCS1v15(), prehashed)
    assert client.sw("00F99A00") == "9000"


def test_nothing_volatile_survives(opened):
    client = opened("5.4.3")
    client.verify()
    client.admin()
    client = opened()
    assert client.sw("00200080") == "63C3"
    assert client.sw("00DB3FFF", bytes.fromhex("5C035FC1055301AA")) == "6982"


def test_a_wiped_card_stays_wiped(opened):
    client = opened("5.4.3")
    for _ in range(3):
        client.verify(b"999999")
        client.sw("00240081", b"99999999" + b"12345678")
    client.ok("00FB0000")
    client = opened()
    assert client.sw("00CB3FFF", bytes.fromhex("5C035FC102")) == "6A82"
    assert client.verify() == "9000"


def test_only_commands_that_change_something_write(opened, monkeypatch):
    client = opened("5.4.3")
    written = []
    monkeypatch.setattr(StateFile, "write", lambda self, changes: written.append(changes))
    client.sw("00DB3FFF", bytes.fromhex("5C035FC1055301AA"))
    client.sw("0047009A", bytes.fromhex("AC03800111"))
    client.ok("00CB3FFF", bytes.fromhex("5C035FC102"))
    assert not written
    client.verify(b"999999")
    assert written == [{("piv", "pin.tries"): b"\2\3"}]
