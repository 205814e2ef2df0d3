# SPDX-License-Identifier: Apache-2.0
"""How much fits on the card: what replaces another thing needs no more room than the difference."""

import pki
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from cards.gids import KIND
from cards.gids.state import MAX_MEMORY, MAX_OBJECTS
from vreader.card import MemoryStore
from vreader.errors import UsageError
from vreader.iso7816 import Tlv

# What gids-tool sends with every key.
SAMPLE_KCV = bytes.fromhex("B073DC")
CARD_CF = bytes(Tlv(0xDF22, bytes(6)))


@pytest.fixture
def client(make):
    client = make("windows")
    assert client.verify() == "9000"
    return client


def test_a_full_table_of_objects(client):
    state = client.card.applications[0].state
    for tag in range(0xDF30, 0xDF30 + MAX_OBJECTS):
        state.put_object(0xA010, tag, b"")
        if not state.fits:
            state.put_object(0xA010, tag, None)
            break
    state.area.commit()
    assert client.sw("00DBA010", CARD_CF) == "9000"
    assert client.sw("00DBA010", bytes(Tlv(0xDFFF01, b""))) == "6A84"
    assert client.sw("00DBA010", bytes(Tlv(0xDFFF01, b"x"))) == "6A84"
    assert client.create_key(0x81, 7) == "9000"
    assert client.sw("00DBA010", bytes(Tlv(0xDF30, b""))) == "9000"  # the second empty one deletes
    assert client.sw("00DBA010", bytes(Tlv(0xDFFF01, b"x"))) == "9000"


def test_a_full_memory(client):
    size = MAX_MEMORY // 2 - 6000
    for tag in (0xDF30, 0xDF31, 0xDF30):
        assert client.sw("00DBA010", bytes(Tlv(tag, bytes(size)))) == "9000"
    assert client.sw("00DBA010", bytes(Tlv(0xDF32, bytes(size)))) == "6A84"
    assert client.sw("00CBA010", bytes.fromhex("5C02DF32"), b"\0") == "6A88"


def test_a_user_may_make_himself_administrator(client):
    """Microsoft's profile lets the user create files (rule 30 30 of the DF), of any content."""
    own = bytes(range(16, 40))
    fcp = bytes.fromhex("8201188302B0908C0487000000A50BA4098001028301909501C0")
    assert client.sw("00E00000", bytes(Tlv(0x62, fcp))) == "9000"
    assert client.raw("00440000") == "9000"
    put = Tlv.of(0x70, Tlv(0x84, b"\x90"), Tlv.of(0xA5, Tlv(0x87, own), Tlv(0x88, SAMPLE_KCV)))
    assert client.sw("00DB3FFF", bytes(put)) == "9000"
    assert client.sw("00DBA012", bytes(Tlv(0xDF20, bytes(16)))) == "6982"
    assert client.external(own, reference="90") == "9000"
    assert client.sw("00DBA012", bytes(Tlv(0xDF20, bytes(16)))) == "9000"


def test_too_much_to_provision(tmp_path):
    found = {"import-key": [], "import-cert": []}
    for number in range(3, 6):
        key = ec.derive_private_key(number, ec.SECP256R1())
        pki.write_key(tmp_path / f"{number}.key", key)
        pki.write_certificate(tmp_path / f"{number}.pem", pki.certificate(key, filler=50000))
        found["import-key"].append(str(tmp_path / f"{number}.key"))
        found["import-cert"].append(str(tmp_path / f"{number}.pem"))
    card = KIND.create("windows", {}, MemoryStore(), None)
    before = KIND.export(card)
    with pytest.raises(UsageError, match="no room for all"):
        KIND.provision(card, found)
    assert KIND.export(card) == before


def test_a_certificate_that_is_too_long(tmp_path):
    key = ec.derive_private_key(5, ec.SECP256R1())
    paths = [str(tmp_path / name) for name in ("key", "certificate")]
    pki.write_key(tmp_path / "key", key)
    pki.write_certificate(tmp_path / "certificate", pki.certificate(key, filler=70000))
    card = KIND.create("windows", {}, MemoryStore(), None)
    with pytest.raises(UsageError, match="a certificate's length has 2 bytes"):
        KIND.provision(card, {"import-key": paths[:1], "import-cert": paths[1:]})
