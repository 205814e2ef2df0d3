# SPDX-License-Identifier: Apache-2.0
"""The pairing code: its container and key reference 98."""

import pytest

CODE, STATUS = b"12121212", "00200098"


@pytest.fixture
def client(make):
    return make("neutral", **{"pairing-code": CODE.decode()})


def test_it_is_verified_without_a_counter(client):
    assert client.sw(STATUS) == "6300"
    for _ in range(20):
        assert client.sw(STATUS, b"00000000") == "6300"
    assert client.sw(STATUS, CODE) == "9000"
    assert client.sw(STATUS) == "9000"
    assert client.sw("0020FF98") == "9000"
    assert client.sw(STATUS) == "6300"


def test_a_wrong_one_ends_the_verified_state_and_a_malformed_one_does_not(client):
    client.sw(STATUS, CODE)
    for value in (b"1234567", b"1234567A", b"123456\xff\xff", b"123456789"):
        assert client.sw(STATUS, value) == "6A80"
    assert client.sw(STATUS) == "9000"
    assert client.sw(STATUS, b"00000000") == "6300"
    assert client.sw(STATUS) == "6300"


def test_it_opens_nothing_over_the_contact_interface(client):
    client.sw(STATUS, CODE)
    assert client.sw("00CB3FFF", bytes.fromhex("5C035FC123")) == "6982"
    assert client.sw("00200080") == "63C3"


def test_the_cardholder_reads_it_with_the_pin_and_changes_it_never(client):
    client.verify()
    answer = client.ok("00CB3FFF", bytes.fromhex("5C035FC123"))
    assert answer == bytes.fromhex("530C9908") + CODE + bytes.fromhex("FE00")
    assert client.sw("00240098", CODE * 2) == "6A88"


@pytest.mark.parametrize(
    "content", ["", "9907" + "31" * 7, "9908" + "41" * 8, "99", "9708" + "31" * 8]
)
def test_what_is_no_pairing_code_is_no_reference(client, content):
    client.admin()
    value = bytes.fromhex(content)
    client.ok("00DB3FFF", bytes.fromhex("5C035FC12353") + bytes((len(value),)) + value)
    assert client.sw(STATUS, CODE) == "6A88"


def test_the_issuer_writes_another(client):
    client.admin()
    client.ok("00DB3FFF", bytes.fromhex("5C035FC123530C9908") + b"55555555\xfe\0")
    assert client.sw(STATUS, CODE) == "6300"
    assert client.sw(STATUS, b"55555555") == "9000"
