# SPDX-License-Identifier: Apache-2.0
"""Conversations about PIN and PUK."""

import pytest

PIN, NEW, WRONG, PUK = (v.ljust(8, b"\xff") for v in (b"123456", b"ABCDEF", b"999999", b"12345678"))
STATUS = "00200080"


def test_wrong_pin_counts_down_to_blocked_and_the_puk_unblocks(client):
    assert client.sw(STATUS) == "63C3"
    assert [client.verify(b"999999") for _ in range(4)] == ["63C2", "63C1", "63C0", "6983"]
    assert client.verify() == "6983"
    assert client.sw(STATUS) == "6983"
    assert client.sw("002C0080", WRONG + NEW) == "63C2"
    assert client.sw("002C0080", PUK + NEW) == "9000"
    assert client.sw(STATUS) == "63C3"
    assert client.verify() == "63C2"
    assert client.verify(b"ABCDEF") == "9000"
    assert client.sw(STATUS) == "9000"


def test_a_right_pin_restores_the_counter(client):
    client.verify(b"999999")
    assert client.verify() == "9000"
    client.select()
    assert client.sw(STATUS) == "9000"
    client.card.reset()
    client.select()
    assert client.sw(STATUS) == "63C3"


def test_a_wrong_pin_ends_the_verified_state(client):
    client.verify()
    assert client.verify(b"999999") == "63C2"
    assert client.sw(STATUS) == "63C2"


def test_asking_for_the_status_never_costs_a_try(client):
    for text in ("00200080", "0020008000"):
        for _ in range(5):
            assert client.raw(text) == "63C3"


def test_logout(client):
    client.verify()
    assert client.sw("0020FF80") == "9000"
    assert client.sw(STATUS) == "63C3"
    assert client.sw("0020FF80", PIN) == "6A80"


@pytest.mark.parametrize("length", [1, 7, 9, 16])
def test_another_length_is_refused_and_costs_nothing(client, length):
    assert client.sw(STATUS, bytes(length)) == "6A80"
    assert client.sw(STATUS) == "63C3"


@pytest.mark.parametrize(
    ("header", "sw"),
    [("00200000", "6A88"), ("00200081", "6A88"), ("00200096", "6A88"), ("00200180", "6A86"),
     ("00240000", "6A88"), ("00240180", "6A86"), ("002C0081", "6A88"), ("002C0180", "6A86")],
)  # fmt: skip
def test_other_references(client, header, sw):
    assert client.sw(header, bytes(16)) == sw
    assert client.sw(STATUS) == "63C3"


def test_change_pin(client):
    assert client.sw("00240080", WRONG + NEW) == "63C2"
    assert client.sw("00240080", PIN + NEW) == "9000"
    assert client.sw(STATUS) == "63C3"
    assert client.verify() == "63C2"
    assert client.verify(b"ABCDEF") == "9000"


def test_change_puk(client):
    assert client.sw("00240081", WRONG + NEW) == "63C2"
    assert client.sw("00240081", PUK + NEW) == "9000"
    assert client.sw("002C0080", PUK + PIN) == "63C2"
    assert client.sw("002C0080", NEW + PIN) == "9000"


def test_a_blocked_puk(client):
    assert [client.sw("00240081", WRONG + NEW) for _ in range(4)] == [
        "63C2", "63C1", "63C0", "6983",
    ]  # fmt: skip
    assert client.sw("002C0080", PUK + PIN) == "6983"


@pytest.mark.parametrize("new", [b"12345\xff\xff\xff", b"\xff" * 8, b"123\xff5678", b"\xff1234567"])
def test_a_new_value_must_be_well_formed_and_costs_no_try(client, new):
    assert client.sw("00240080", PIN + new) == "6A80"
    assert client.sw("00240080", WRONG + new) == "6A80"
    assert client.sw("00240081", PUK + new) == "6A80"
    assert client.sw("002C0080", PUK + new) == "6A80"
    assert client.sw(STATUS) == "63C3"


def test_a_chained_verify(client):
    assert client.raw("1020008004" + PIN[:4].hex()) == "9000"
    assert client.raw("0020008004" + PIN[4:].hex()) == "9000"
    assert client.sw(STATUS) == "9000"


def test_the_management_application_takes_the_pin_away(client):
    client.verify()
    client.admin()
    assert client.raw("00A4040008A000000527471117")[-4:] == "9000"
    client.select()
    assert client.sw(STATUS) == "63C3"
    assert client.sw("00DB3FFF", bytes.fromhex("5C035FC1055300")) == "6982"


def test_a_failed_select_keeps_the_pin(client):
    client.verify()
    assert client.raw("00A4040008A000000151000000") == "6A82"
    assert client.sw(STATUS) == "9000"
