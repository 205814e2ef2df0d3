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
    assert client.sw(STATUS) == "9000"
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


def test_a_wrong_change_ends_the_verified_state_and_a_malformed_one_does_not(client):
    client.verify()
    assert client.sw("00240080", PIN + b"12345" + b"\xff" * 3) == "6A80"
    assert client.sw(STATUS) == "9000"
    assert client.sw("00240080", WRONG + NEW) == "63C2"
    assert client.sw(STATUS) == "63C2"


def test_the_puk_leaves_the_security_status_but_a_wrong_one_ends_it(client):
    client.verify()
    assert client.sw("002C0080", PUK + NEW) == "9000"
    assert client.sw(STATUS) == "9000"
    assert client.sw("002C0080", WRONG + NEW) == "63C2"
    assert client.sw(STATUS) == "63C3"


def test_a_changed_pin_is_verified_but_not_for_a_signature(client):
    client.admin()
    client.generate(0x9C, 0x11)
    client.generate(0x9A, 0x11)
    client.sw("00240080", PIN + NEW)
    assert client.use(0x9C, 0x11, bytes(32)) == "6982"
    assert client.use(0x9A, 0x11, bytes(32)) != "6982"


# ---------------------------------------------------------------------- PINs of the standard


@pytest.fixture
def neutral(make):
    return make("neutral")


@pytest.mark.parametrize(
    "value", [b"ABCDEF\xff\xff", b"12345\xff\xff\xff", b"123456\0\0", b"1234\xff678", b"\xff" * 8]
)
def test_a_pin_that_cannot_be_right_costs_nothing(neutral, value):
    neutral.verify()
    assert neutral.sw(STATUS, value) == "6A80"
    assert neutral.sw("00240080", value + PIN) == "6A80"
    assert neutral.sw("00240080", PIN + value) == "6A80"
    assert neutral.sw("002C0080", PUK + value) == "6A80"
    assert neutral.sw(STATUS) == "9000"
    neutral.sw("0020FF80")
    assert neutral.sw(STATUS) == "63C3"


def test_a_malformed_new_pin_leaves_the_counter_of_the_puk_alone(neutral):
    assert neutral.sw("002C0080", WRONG + PIN) == "63C2"
    for puk in (PUK, WRONG):
        assert neutral.sw("002C0080", puk + NEW) == "6A80"
    assert neutral.sw("002C0080", WRONG + PIN) == "63C1"
    assert neutral.sw("002C0080", PUK + PIN) == "9000"
    assert neutral.sw("002C0080", WRONG + PIN) == "63C2"


def test_a_puk_of_the_standard_is_any_eight_bytes(neutral):
    new = bytes.fromhex("00FF10FF20304050")
    assert neutral.sw("00240081", PUK + new) == "9000"
    assert neutral.sw("002C0080", new + PIN) == "9000"


def test_a_blocked_puk_is_told_before_the_form_of_the_pin(neutral):
    for _ in range(3):
        neutral.sw("002C0080", WRONG + PIN)
    assert neutral.sw("002C0080", PUK + NEW) == "6983"


@pytest.mark.parametrize("header", ["00200000", "0020FF00", "00200098", "00200096", "00240000"])
def test_references_that_a_plain_card_has_not(neutral, header):
    assert neutral.sw(header) == "6A88"
    assert neutral.sw(header, bytes(16)) == "6A88"
