# SPDX-License-Identifier: Apache-2.0
"""What is left of PIV in a contactless reader, without a virtual contact interface."""

import pytest

from cards.piv.applet import PivApplet
from cards.piv.build import piv_state
from cards.piv.keys import KeyRecord, Origin, generate
from cards.piv.tables import OBJECTS, Algorithm

FREE = {0x5FC102, 0x5FC101, 0x7E, 0x7F61, 0x5FC122}
OPTIONS = {"interface": "nfc", "global-pin": "777777", "pairing-code": "12345678"}


@pytest.fixture
def client(make):
    client = make("neutral", **OPTIONS)
    state = piv_state(client.card)
    for slot in (0x9A, 0x9C, 0x9D, 0x9E, 0x82):
        key = generate(Algorithm.P256)
        state.put_key(slot, KeyRecord.make(slot, Algorithm.P256, Origin.GENERATED, key))
    state.area.commit()
    return client


def tag_list(tag):
    raw = tag.to_bytes(3, "big").lstrip(b"\0")
    return bytes((0x5C, len(raw))) + raw


def test_objects_that_everybody_reads(client):
    answers = {
        tag: client.sw("00CB3FFF", tag_list(tag)) for tag, o in OBJECTS.items() if o.standard
    }
    assert {tag for tag, sw in answers.items() if sw != "6982"} == FREE
    assert {answers[tag] for tag in FREE} == {"9000", "6A82"}
    assert client.sw("00CB3FFF", tag_list(0x5FC1FF)) == "6A82"


@pytest.mark.parametrize("slot", [0x9A, 0x9C, 0x9D, 0x82])
def test_keys_that_need_virtual_contact(client, slot):
    assert client.use(slot, 0x11, bytes(32)) == "6982"


def test_the_card_authentication_key_is_free(client):
    assert client.use(0x9E, 0x11, bytes(32))[0] == 0x30


@pytest.mark.parametrize(
    ("header", "data"),
    [
        ("00200080", b"123456\xff\xff"), ("00200080", b""), ("0020FF80", b""),
        ("00200000", b"777777\xff\xff"), ("00200098", b"12345678"), ("00200098", b""),
        ("00240080", b"123456\xff\xff" * 2), ("00240000", b"777777\xff\xff" * 2),
        ("00240081", b"12345678" * 2), ("0087039B", bytes.fromhex("7C028000")),
        ("0087039B", bytes.fromhex("7C028100")),
    ],
)  # fmt: skip
def test_pins_and_the_management_key_are_refused(client, header, data):
    for _ in range(5):
        assert client.sw(header, data) == "6982"
    assert piv_state(client.card).pin.tries_left == 3


@pytest.mark.parametrize(
    ("header", "data"),
    [
        ("002C0080", b"12345678123456\xff\xff"),
        ("00DB3FFF", bytes.fromhex("5C035FC1025300")),
        ("0047009A", bytes.fromhex("AC03800111")),
    ],
)
def test_what_is_for_the_contact_interface_alone(client, header, data):
    assert client.sw(header, data) == "6A81"


def test_a_yubikey_answers_over_nfc_as_it_does_over_usb(make):
    client = make("5.4.3", interface="nfc")
    assert client.verify() == "9000"
    client.admin()
    client.generate(0x9A, 0x11)
    assert client.use(0x9A, 0x11, bytes(32))[0] == 0x30


def test_the_select_is_the_same(client, make):
    assert client.select() == make("neutral").select()
    assert any(isinstance(a, PivApplet) for a in client.card.applications)
