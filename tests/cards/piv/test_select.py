# SPDX-License-Identifier: Apache-2.0
"""SELECT of the PIV application: its property template, and what becomes of the security status."""

import pytest

from cards.piv.profile import PROFILES
from vreader.iso7816 import Tlv

OTHER = "A0000003974349445F0100"
PNP = {"pnp": "11223344-5566-7788-99AA-BBCCDDEEFF00"}


def select(client, aid):
    return client.raw(f"00A40400{len(aid) // 2:02X}{aid}00")


def is_open(client):
    """PIN and management key, as the card says itself."""
    pin = client.sw("00200080") == "9000"
    return pin, client.sw("00DB3FFF", bytes.fromhex("5C035FC1055300")) == "9000"


@pytest.fixture
def client(make):
    client = make("neutral", **PNP)
    client.verify()
    client.admin()
    return client


def test_the_application_property_template(client):
    template = Tlv.parse(client.select()[0])
    assert template.tag == 0x61
    children = list(template.children())
    assert [tlv.tag for tlv in children[:4]] == [0x4F, 0x79, 0x50, 0x5F50]
    assert children[0].value.hex().upper() == "A000000308000010000100"
    assert children[1].find(0x4F).value.hex().upper() == "A000000308"
    told = {tlv.find(0x80).value[0] for tlv in children[4:]}
    profile = PROFILES["neutral"]
    assert told == {*profile.key_algorithms, *profile.management_algorithms}
    assert {tlv.find(0x06).value for tlv in children[4:]} == {b"\0"}


@pytest.mark.parametrize("aid", ["A000000308000010000100", "A00000030800001000", "A000000308"])
def test_selecting_it_again_keeps_the_security_status(client, aid):
    assert select(client, aid)[-4:] == "9000"
    assert is_open(client) == (True, True)


@pytest.mark.parametrize(
    "aid", ["A000000308000010000200", "A000000151000000", "A00000030800002000"]
)
def test_a_failed_select_keeps_application_and_status(client, aid):
    assert select(client, aid) == "6A82"
    assert is_open(client) == (True, True)


def test_another_application_drops_it(client):
    assert select(client, OTHER)[-4:] == "9000"
    assert client.raw("0020008000") != "9000"
    client.select()
    assert is_open(client) == (False, False)


@pytest.mark.parametrize("le", ["08", "01", "14", "FF"])
def test_the_discovery_object_with_any_le(client, le):
    whole = client.ok("00CB3FFF", b"\x5c\x01\x7e").hex().upper()
    answer = client.raw("00CB3FFF035C017E" + le)
    given = min(int(le, 16), 20)
    assert answer[: 2 * given] == whole[: 2 * given]
    left = 20 - given
    assert answer[2 * given :] == (f"61{left:02X}" if left else "9000")
