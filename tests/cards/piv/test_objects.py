# SPDX-License-Identifier: Apache-2.0
"""Data objects: reading, writing, rights and limits."""

import pytest

from vreader.iso7816 import CommandApdu, Tlv

DISCOVERY = "7E124F0BA0000003080000100001005F2F024000"


def tag_list(tag):
    raw = bytes.fromhex(tag)
    return bytes(Tlv(0x5C, raw))


def get(client, tag):
    answer, sw = client.send("00CB3FFF", tag_list(tag))
    return answer if sw == 0x9000 else f"{sw:04X}"


def put(client, tag, value):
    return client.sw("00DB3FFF", tag_list(tag) + bytes(Tlv(0x53, value)))


def test_the_discovery_object_has_its_own_tag(client):
    assert get(client, "7E") == bytes.fromhex(DISCOVERY)


def test_chuid_and_ccc_are_there_from_the_start(client):
    chuid = get(client, "5FC102")
    assert len(chuid) == 61
    found = {tlv.tag: tlv.value for tlv in Tlv.parse_all(Tlv.parse(chuid).value)}
    assert list(found) == [0x30, 0x34, 0x35, 0x3E, 0xFE]
    assert len(found[0x34]) == 16
    assert found[0x35] == b"20300101"
    ccc = Tlv.parse(get(client, "5FC107")).value
    assert len(ccc) == 51
    assert ccc.startswith(bytes.fromhex("F015A000000116FF02"))


def test_opensc_reads_the_length_first(client):
    assert client.raw("00CB3FFF055C035FC10208") == "533B3019D4E739DA6135"
    whole = client.raw("00CB3FFF055C035FC1023D")
    assert len(whole) == 2 * 63
    assert whole.endswith("FE009000")


def test_what_is_not_there_is_6A82(client):
    for tag in ("5FC105", "5FC10C", "5FC120", "5FFF00", "7F61", "5FC1FF", "00"):
        assert get(client, tag) == "6A82"


@pytest.mark.parametrize("tag", ["5FC109", "5FC103", "5FC108", "5FC121"])
def test_some_objects_need_the_pin(client, tag):
    assert get(client, tag) == "6982"
    client.admin()
    assert put(client, tag, b"secret") == "9000"
    assert get(client, tag) == "6982"
    client.verify()
    assert get(client, tag) == bytes(Tlv(0x53, b"secret"))


BIT_GROUP = bytes.fromhex("7F6103020100")
NEUTRAL_DISCOVERY = "7E124F0BA0000003080000100001005F2F02"


@pytest.fixture
def neutral(make):
    client = make("neutral")
    client.admin()
    return client


def put_bare(client, text):
    return client.sw("00DB3FFF", bytes.fromhex(text))


def test_the_bit_group_template_of_the_standard_has_its_own_tag(neutral):
    assert get(neutral, "7F61") == "6A82"
    assert put_bare(neutral, BIT_GROUP.hex()) == "9000"
    assert get(neutral, "7F61") == BIT_GROUP
    assert put(neutral, "7F61", b"x") == "6A80"
    assert put_bare(neutral, "7F6100") == "9000"
    assert get(neutral, "7F61") == "6A82"


def test_a_yubikey_wraps_it_like_any_other(admin):
    assert put(admin, "7F61", BIT_GROUP) == "9000"
    assert get(admin, "7F61") == bytes(Tlv(0x53, BIT_GROUP))
    assert put_bare(admin, BIT_GROUP.hex()) == "6A80"


@pytest.mark.parametrize("policy", ["4000", "4800", "4C00"])
def test_the_issuer_writes_the_discovery_object(neutral, policy):
    assert put_bare(neutral, NEUTRAL_DISCOVERY + policy) == "9000"
    assert get(neutral, "7E") == bytes.fromhex(NEUTRAL_DISCOVERY + policy)


@pytest.mark.parametrize(
    "policy", ["0000", "C000", "4100", "4200", "4400", "4010", "5000", "6010", "6020", "6000"]
)
def test_a_policy_that_is_none_or_promises_too_much(neutral, policy):
    """Reserved bits, no pairing code without virtual contact, biometry, a global PIN."""
    assert put_bare(neutral, NEUTRAL_DISCOVERY + policy) == "6A80"
    assert get(neutral, "7E") == bytes.fromhex(DISCOVERY)


@pytest.mark.parametrize(
    "text", ["7E00", "7E124F0BA0000003080000100002005F2F024000", "7E055F2F024000", "7F620101", "53"]
)
def test_what_is_no_discovery_object(neutral, text):
    assert put_bare(neutral, text) == "6A80"
    assert get(neutral, "7E") == bytes.fromhex(DISCOVERY)


def test_the_discovery_object_is_not_written_by_everybody(make):
    assert put_bare(make("neutral"), NEUTRAL_DISCOVERY + "4800") == "6982"


def test_a_card_of_the_standard_has_room_for_every_container(neutral):
    sizes = {"5FC103": 4006, "5FC108": 12710, "5FC121": 7106, "5FC102": 2881, "5FC122": 2471}
    sizes |= {f"5FC1{i:02X}": 1895 for i in range(0x0D, 0x21)}
    sizes |= {f"5FC1{i:02X}": 1857 for i in (1, 5, 0x0A, 0x0B)}
    assert {tag: put(neutral, tag, bytes(size)) for tag, size in sizes.items()} == dict.fromkeys(
        sizes, "9000"
    )
    neutral.verify()
    assert len(get(neutral, "5FC108")) == 12710 + 4
    assert put(neutral, "5FC108", bytes(12711)) == "6A84"


def test_the_pairing_code_is_read_with_the_pin(admin):
    put(admin, "5FC123", b"12345678")
    assert get(admin, "5FC123") == "6982"
    admin.verify()
    assert get(admin, "5FC123") == bytes(Tlv(0x53, b"12345678"))


def test_writing_needs_the_management_key(client):
    assert put(client, "5FC105", b"x") == "6982"
    assert get(client, "5FC105") == "6A82"
    client.admin()
    assert put(client, "5FC105", b"x") == "9000"


def test_an_object_is_replaced_and_deleted(admin):
    assert put(admin, "5FC105", b"one") == "9000"
    assert put(admin, "5FC105", b"two") == "9000"
    assert get(admin, "5FC105") == bytes.fromhex("5303") + b"two"
    assert put(admin, "5FC105", b"") == "9000"
    assert get(admin, "5FC105") == "6A82"
    assert put(admin, "5FC105", b"") == "9000"


def test_the_largest_object(admin):
    assert put(admin, "5FC105", bytes(3063)) == "9000"
    assert put(admin, "5FC10A", bytes(3064)) == "6A84"
    assert len(get(admin, "5FC105")) == 3067
    assert get(admin, "5FC10A") == "6A82"


def test_the_card_is_not_endless(admin):
    results = [put(admin, f"5F00{i:02X}", bytes(3063)) for i in range(20)]
    assert results == ["9000"] * 16 + ["6A84"] * 4
    assert put(admin, "5F0000", bytes(3063)) == "9000"


def test_extended_length_both_ways(admin):
    data = tag_list("5FC105") + bytes(Tlv(0x53, bytes(3000)))
    command = bytes(CommandApdu(0, 0xDB, 0x3F, 0xFF, data))
    assert admin.card.transmit(command) == b"\x90\x00"
    command = bytes(CommandApdu(0, 0xCB, 0x3F, 0xFF, tag_list("5FC105"), 65536))
    assert len(admin.card.transmit(command)) == 3006


def test_a_link_with_255_bytes_and_le(admin):
    data = tag_list("5FC105") + bytes(Tlv(0x53, bytes(300)))
    assert admin.card.transmit(b"\x10\xdb\x3f\xff\xff" + data[:255] + b"\0") == b"\x90\x00"
    rest = data[255:]
    assert admin.card.transmit(b"\0\xdb\x3f\xff" + bytes((len(rest),)) + rest) == b"\x90\x00"
    assert len(get(admin, "5FC105")) == 304


def test_any_object_of_yubicos_range_but_not_on_a_neutral_card(admin, make):
    assert put(admin, "5F0001", b"x") == "9000"
    neutral = make("neutral")
    neutral.admin()
    assert put(neutral, "5F0001", b"x") == "6A82"
    assert put(neutral, "5FFF00", b"x") == "6A82"
    assert put(neutral, "5FC10C", b"x") == "9000"


@pytest.mark.parametrize("tag", ["7E", "60", "7F62"])
def test_what_cannot_be_written(admin, tag):
    assert put(admin, tag, b"x") == "6A82"


@pytest.mark.parametrize(
    "data", ["", "5C", "5C00", "5C0401020304", "5D035FC105", "5C035FC10553", "5C035FC105FF"]
)
def test_malformed_get_data(client, data):
    assert client.sw("00CB3FFF", bytes.fromhex(data)) == "6A80"


@pytest.mark.parametrize("data", ["", "5C035FC105", "53005C035FC105", "5C035FC1055401AA"])
def test_malformed_put_data(admin, data):
    assert admin.sw("00DB3FFF", bytes.fromhex(data)) == "6A80"


def test_p1p2(admin):
    assert admin.sw("00CB3F00", tag_list("7E")) == "6A86"
    assert admin.sw("00DB0000", tag_list("7E")) == "6A86"


def test_opensc_probe_for_mcrd_is_no_command(client):
    assert client.raw("00CADF3005") == "6D00"
