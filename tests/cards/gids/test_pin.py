# SPDX-License-Identifier: Apache-2.0
"""PIN, PUK and the admin key: counters, changes, unblocking, authentication."""

import pytest

from cards.gids import TPMVSC

STATUS, PUK_STATUS = "00CB3FFF045C027F7100", "00CB3FFF045C027F7300"


def test_verify_counts_down_to_blocked(client):
    assert client.raw("00200080") == "63C3"
    assert [client.verify(b"000000") for _ in range(3)] == ["63C2", "63C1", "63C0"]
    assert client.verify() == "6983"
    assert client.raw("00200080") == "6983"
    assert client.raw(STATUS) == "7F71069701009301039000"


def test_a_right_pin_gives_the_tries_back_and_is_never_told(client):
    client.verify(b"000000")
    assert client.raw(STATUS) == "7F71069701029301039000"
    assert client.verify() == "9000"
    # Asked without data, the card tells the tries also when the PIN is verified.
    assert client.raw("0020008000") == "63C3"
    assert client.raw(PUK_STATUS) == "6A88"


@pytest.mark.parametrize("pin", [b"123", b"1" * 17])
def test_what_cannot_be_the_pin_costs_no_try(client, pin):
    assert client.verify(pin) == "63C3"
    assert client.verify(pin) == "63C3"


def test_a_wrong_pin_ends_the_verified_state(user):
    assert user.raw("00DBA01003DF4200") == "9000"
    user.verify(b"000000")
    assert user.raw("00DBA01003DF4200") == "6982"


@pytest.mark.parametrize("how", ["logout", "deselect", "reset", "power"])
def test_what_ends_a_session(user, how):
    user.mutual()
    match how:
        case "logout":
            assert user.raw("00200082") == "9000"
        case "deselect":
            user.card.applications[0].deselect()
        case "reset":
            user.card.reset()
            user.select()
        case "power":
            user.card.power_off()
            user.card.power_on()
            user.select()
    assert user.raw("00DBA01003DF4200") == "6982"
    assert user.raw("00DBA01203DF4200") == "6982"
    assert user.raw("002C028006363534333231") == "6982"


def test_a_failed_selection_ends_nothing(user):
    assert user.raw("00A4040005A000000308") == "6A82"
    assert user.raw("00DBA01003DF4200") == "9000"


def test_change_pin(client):
    assert client.sw("00240080", b"000000654321") == "63C2"
    assert client.sw("00240080", b"123456654321") == "9000"
    assert client.raw(STATUS) == "7F71069701039301039000"
    assert client.verify() == "63C2"
    assert client.verify(b"654321") == "9000"
    assert client.sw("00240080", b"654321abcdefgh") == "9000"
    assert client.raw("00DBA01003DF4200") == "9000"
    assert client.verify(b"abcdefgh") == "9000"


def test_change_pin_to_a_bad_one(client):
    client.verify(b"000000")
    assert client.sw("00240080", b"123456" + b"1" * 17) == "6700"
    assert client.sw("00240080", b"12345") == "63C2"
    assert client.raw(STATUS) == "7F71069701029301039000"
    assert client.verify() == "9000"


def test_setting_the_pin_without_the_old_one(client):
    assert client.sw("00240180", b"654321") == "6982"
    client.verify()
    assert client.sw("00240180", b"654") == "6A80"
    assert client.sw("00240180", b"654321") == "9000"
    assert client.sw("00240181", b"654321") == "6982"
    assert client.verify(b"654321") == "9000"


def test_the_puk_unblocks(make):
    client = make(puk="87654321")
    assert client.raw(PUK_STATUS) == "7F73069701039301039000"
    for _ in range(3):
        client.verify(b"000000")
    assert client.sw("002C0080", b"00000000654321") == "63C2"
    assert client.sw("002C0080", b"87654321654321") == "9000"
    assert client.verify(b"654321") == "9000"
    assert client.sw("00240081", b"8765432187654322") == "9000"
    assert client.sw("002C0080", b"87654321111111") == "63C2"
    assert client.sw("002C0080", b"87654322111111") == "9000"
    assert client.raw("002C008106363534333231") == "6A86"


def test_without_a_puk_nothing_unblocks_but_the_admin(client):
    assert client.sw("002C0080", b"12345678654321") == "6A88"
    assert client.sw("002C0280", b"654321") == "6982"
    for _ in range(3):
        client.verify(b"000000")
    assert client.external() == "9000"
    assert client.sw("002C0280", b"654") == "6A80"
    assert client.sw("002C0280", b"654321") == "9000"
    # That used the authentication up.
    assert client.sw("002C0280", b"654321") == "6982"
    assert client.verify(b"654321") == "9000"


@pytest.mark.parametrize("method", ["external", "mutual"])
def test_admin_authentication(client, method):
    authenticate = getattr(client, method)
    assert authenticate(bytes(24)) == "6982"
    assert client.raw("00DBA01203DF4200") == "6982"
    assert authenticate() == "9000"
    assert client.raw("00DBA01203DF4200") == "9000"
    assert authenticate(bytes(24)) == "6982"
    assert client.raw("00DBA01203DF4200") == "6982"


def test_a_challenge_is_good_for_one_answer(client, make):
    assert client.raw("00870000047C02810000") == "6985"
    client.raw("0022C1A403830180")
    assert client.raw("008700000C7C0A82081122334455667788") == "6985"
    answer = client.raw("00870000047C02810000")
    assert answer.startswith("7C0A8108")
    right = make.tdes(bytes(range(1, 9)) * 3, bytes.fromhex(answer[8:24])).hex()
    assert client.raw("008700000C7C0A8208" + right) == "9000"
    assert client.raw("008700000C7C0A8208" + right) == "6985"
    assert client.raw("008700002C7C2A8228" + "11" * 40 + "00") == "6985"


@pytest.mark.parametrize(
    "data", ["7C", "7C00", "7C028200", "7C048101AA", "7D028100", "7C0481008200"]
)
def test_malformed_authentication_templates(client, data):
    client.raw("0022C1A403830180")
    assert client.sw("00870000", bytes.fromhex(data)) == "6984"


def test_putting_the_admin_key(client, make):
    new = bytes(range(24))
    check = make.tdes(new, bytes(8))[:3]

    def put(check):
        inner = b"\x87\x18" + new + b"\x88" + bytes((len(check),)) + check
        inner = b"\x84\x01\x80\xa5" + bytes((len(inner),)) + inner
        return client.sw("00DB3FFF", b"\x70" + bytes((len(inner),)) + inner)

    assert put(check) == "6982"
    client.verify()
    assert put(check) == "6982"
    client.mutual()
    assert put(b"\1\2\3") == "6A80"
    assert client.mutual() == "9000"
    assert put(check) == "9000"
    assert client.mutual() == "6982"
    assert client.mutual(new) == "9000"
    # What gids-tool sends with every key.
    assert put(bytes.fromhex("B073DC")) == "9000"
    assert client.raw("00CB3FFF0A7008840180A5037F498000") == "6982"


def test_a_tpm_virtual_smart_card(make):
    client = make(kind=TPMVSC)
    assert client.card.reset().hex().upper() == "3B8D0180FBA000000397425446590401CF"
    client.select()
    assert client.raw("00200080") == "63C5"
    assert client.verify(b"1234567") == "63C5"
    assert client.verify(b"12345678") == "9000"
    assert client.sw("00240180", b"7654321") == "6A80"
    assert client.external() == "9000"


def test_get_challenge(client):
    assert len(client.raw("0084000008")) == 20
    assert len(client.raw("0084000000")) == 2 * 258
    assert client.raw("00840000") == "6700"
