# SPDX-License-Identifier: Apache-2.0
"""A card made by an earlier version still works: every state file in this folder, each on a copy.

The README beside this file says how an image is added.
"""

import shutil
import zlib
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, utils

from cards.platform.kind import AppletKind
from cards.platform.statefile import kind_in
from vreader.card import FileStore, MemoryStore
from vreader.iso7816 import CommandApdu, Tlv
from vreader.kinds import OWN_KINDS, find_kind

IMAGES = sorted(Path(__file__).parent.glob("*.card"))
OK = b"\x90\0"
PIN = b"654321"


def send(card, head, data=b""):
    """Send a command in extended form; return the data of a successful answer."""
    answer = card.transmit(bytes(CommandApdu(*bytes.fromhex(head), data, 65536, extended=True)))
    assert answer[-2:] == OK, f"{head}: {answer.hex()}"
    return answer[:-2]


def tries_left(card, reference):
    return card.transmit(bytes.fromhex(f"002000{reference:02X}"))[1] & 15


def piv(card, name):
    """PIN 654321, of which a try was spent when 5.4.3 was made; RSA-2048 and certificate in 9A."""
    send(card, "00A40400", bytes.fromhex("A000000308"))
    assert tries_left(card, 0x80) == (2 if name.startswith("piv-5.4.3") else 3)
    send(card, "00200080", PIN + b"\xff\xff")
    assert card.transmit(bytes.fromhex("00200080")) == OK
    content = Tlv.parse(send(card, "00CB3FFF", bytes.fromhex("5C035FC105")))
    certificate = x509.load_der_x509_certificate(content.find(0x70).value)
    digest = bytes(range(32))
    info = bytes.fromhex("3031300D060960864801650304020105000420") + digest
    block = b"\0\1" + b"\xff" * (253 - len(info)) + b"\0" + info
    request = bytes(Tlv.of(0x7C, Tlv(0x82), Tlv(0x81, block)))
    signature = Tlv.parse(send(card, "0087079A", request)).find(0x82).value
    certificate.public_key().verify(
        signature, digest, padding.PKCS1v15(), utils.Prehashed(hashes.SHA256())
    )


def blank(card, name):
    """The historical bytes of Microsoft's sample card, and a CardID everywhere."""
    assert card.power_on().hex() == "3b0451ff0800"
    assert send(card, "00CA7F68").hex().startswith("7f681c301a16044d534654301204103322")
    send(card, "00A40400", bytes.fromhex("A0000003974349445F0100"))
    send(card, "00A4080C", b"\x2f\1")
    assert send(card, "00B00000")[:2] == b"\x7f\x68"
    assert card.transmit(bytes.fromhex("00A4040005A000000308")) == b"\x69\x99"


def gids(card, name):
    """PIN 654321; ready made ones have an RSA-2048 key 81 and its certificate in kxc00.

    Of the blank one, made ready by commands, a try was spent; a TPM virtual smart card has a longer
    PIN and five tries.
    """
    send(card, "00A40400", bytes.fromhex("A00000039742544659"))
    kind = name.partition("-layout")[0]
    assert tries_left(card, 0x80) == {"gids-blank": 4, "gids-windows": 3, "tpmvsc-windows": 5}[kind]
    send(card, "00200080", b"65432100" if kind == "tpmvsc-windows" else PIN)
    if name.startswith("gids-blank"):
        send(card, "00DBA010", bytes.fromhex("DF4200"))
        return
    raw = Tlv.parse(send(card, "00CBA010", bytes.fromhex("5C02DF24"))).value
    certificate = x509.load_der_x509_certificate(zlib.decompress(raw[4:]))
    send(card, "002241B6", bytes.fromhex("800157840181"))
    digest = bytes(range(32))
    info = bytes.fromhex("3031300D060960864801650304020105000420") + digest
    certificate.public_key().verify(
        send(card, "002A9E9A", info), digest, padding.PKCS1v15(), utils.Prehashed(hashes.SHA256())
    )


EXERCISES = {"blank": blank, "gids": gids, "piv": piv, "tpmvsc": gids, "yubikey": piv}


def test_there_is_an_image_of_every_kind():
    assert {kind_in(str(image)) for image in IMAGES} == set(EXERCISES)
    kept = {name for name in OWN_KINDS if isinstance(find_kind(name), AppletKind)}
    assert set(EXERCISES) == kept


@pytest.mark.parametrize("image", IMAGES, ids=lambda image: image.stem)
def test_it_loads_and_works(image, tmp_path):
    name = kind_in(str(image))
    assert name in OWN_KINDS
    kind = find_kind(name)
    assert isinstance(kind, AppletKind)
    store = FileStore(shutil.copy(image, tmp_path / "a.card"))
    card = kind.open(store)
    profile = (card.nvm.get(("card", "profile")) or b"").decode()
    assert image.stem.startswith(f"{name}-{profile}-layout")
    card.power_on()
    EXERCISES[name](card, image.stem)
    facts = kind.facts(card)
    assert all(label and value for label, value in facts)
    exported = kind.export(card)
    card.close()
    again = kind.open(store)
    assert kind.facts(again) == facts
    again.close()
    copy = kind.load(exported, MemoryStore())
    assert kind.facts(copy) == facts
