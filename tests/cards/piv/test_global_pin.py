# SPDX-License-Identifier: Apache-2.0
"""The global PIN: the whole card's, opened to PIV by the discovery object."""

import pytest

from cards.piv import KIND
from vreader.card import FileStore, MemoryStore
from vreader.errors import UsageError

GLOBAL, PIN, WRONG, NEW = (
    v.ljust(8, b"\xff") for v in (b"777777", b"123456", b"999999", b"888888")
)
PNP = {"pnp": "11223344-5566-7788-99AA-BBCCDDEEFF00"}
OTHER = "00A404000B A0000003974349445F0100"
HEAD = "7E124F0BA0000003080000100001005F2F02"


@pytest.fixture
def card(make):
    client = make("neutral", **{"global-pin": "777777"}, **PNP)
    client.admin()
    return client


def put_policy(client, policy):
    return client.sw("00DB3FFF", bytes.fromhex(HEAD + policy))


def test_the_discovery_object_tells_of_it(card, make):
    assert card.ok("00CB3FFF", b"\x5c\x01\x7e").hex().upper() == HEAD + "6010"
    preferred = make("neutral", **{"global-pin": "777777", "pin-preference": "global"})
    assert preferred.ok("00CB3FFF", b"\x5c\x01\x7e").hex().upper() == HEAD + "6020"


def test_each_pin_has_its_own_counter_and_status(card):
    assert card.sw("00200000", WRONG) == "63C2"
    assert (card.sw("00200000"), card.sw("00200080")) == ("63C2", "63C3")
    assert card.sw("00200000", GLOBAL) == "9000"
    assert (card.sw("00200000"), card.sw("00200080")) == ("9000", "63C3")
    assert card.sw("00200080", WRONG) == "63C2"
    assert card.sw("00200000") == "9000"
    assert card.sw("0020FF00") == "9000"
    assert card.sw("00200000") == "63C3"


@pytest.mark.parametrize("reference", ["00", "80"])
def test_either_pin_opens_keys_and_objects(card, reference):
    card.generate(0x9A, 0x11)
    card.generate(0x9C, 0x11)
    card.ok("00DB3FFF", bytes.fromhex("5C035FC109530101"))
    assert card.use(0x9A, 0x11, bytes(32)) == "6982"
    assert card.sw("00CB3FFF", bytes.fromhex("5C035FC109")) == "6982"
    assert card.sw("002000" + reference, GLOBAL if reference == "00" else PIN) == "9000"
    assert card.use(0x9C, 0x11, bytes(32)) != "6982"
    assert card.use(0x9C, 0x11, bytes(32)) == "6982"
    assert card.use(0x9A, 0x11, bytes(32)) != "6982"
    assert card.ok("00CB3FFF", bytes.fromhex("5C035FC109"))


def test_it_is_the_cards_so_another_application_leaves_it_verified(card):
    card.sw("00200000", GLOBAL)
    card.sw("00200080", PIN)
    card.generate(0x9C, 0x11)
    card.sw("00200000", GLOBAL)
    assert card.raw(OTHER.replace(" ", ""))[-4:] == "9000"
    card.select()
    assert (card.sw("00200000"), card.sw("00200080")) == ("9000", "63C3")
    assert card.use(0x9C, 0x11, bytes(32)) == "6982"  # verified, but not just now
    card.card.reset()
    card.select()
    assert card.sw("00200000") == "63C3"


def test_it_is_the_same_on_every_logical_channel(card):
    card.sw("00200000", GLOBAL)
    assert card.raw("0070000001") == "019000"
    assert card.raw("01A4040005A000000308")[-4:] == "9000"
    assert (card.raw("01200000"), card.raw("01200080")) == ("9000", "63C3")


def test_it_is_changed_but_not_unblocked(card):
    assert card.sw("00240000", WRONG + NEW) == "63C2"
    assert card.sw("00240000", GLOBAL + b"ABCDEF\xff\xff") == "6A80"
    assert card.sw("00240000", GLOBAL + NEW) == "9000"
    assert card.sw("00200000") == "9000"
    assert [card.sw("00200000", WRONG) for _ in range(4)] == ["63C2", "63C1", "63C0", "6983"]
    assert card.sw("00200000", NEW) == "6983"
    assert card.sw("002C0000", b"12345678" + GLOBAL) == "6A88"
    assert card.sw("00200080", PIN) == "9000"


def test_the_issuer_shuts_it_out_and_lets_it_in_again(card):
    card.sw("00200000", GLOBAL)
    card.ok("00DB3FFF", bytes.fromhex("5C035FC109530101"))
    assert put_policy(card, "4000") == "9000"
    assert card.sw("00200000") == "6A88"
    assert card.sw("00240000", GLOBAL + NEW) == "6A88"
    assert card.sw("00CB3FFF", bytes.fromhex("5C035FC109")) == "6982"
    assert put_policy(card, "6020") == "9000"
    assert card.sw("00200000") == "9000"


def test_its_counter_survives_the_process(tmp_path, make):
    store = FileStore(str(tmp_path / "x.card"))
    client = make.client(KIND.create("neutral", {"global-pin": "777777"}, store, b"seed"))
    client.sw("00200000", WRONG)
    client.card.close()
    card = KIND.open(store)
    assert make.client(card).sw("00200000") == "63C2"
    assert ("global PIN", "2 of 3 tries left") in KIND.facts(card)
    card.close()


@pytest.mark.parametrize(
    ("profile", "options"),
    [
        ("5.4.3", {"global-pin": "777777"}),
        ("5.4.3", {"pairing-code": "12345678"}),
        ("neutral", {"global-pin": "77777"}),
        ("neutral", {"global-pin": "abcdef"}),
        ("neutral", {"pin": "abcdef"}),
        ("neutral", {"pin-preference": "global"}),
        ("neutral", {"global-pin": "777777", "pin-preference": "mine"}),
        ("neutral", {"pairing-code": "1234567"}),
        ("neutral", {"mgmalg": "des"}),
        ("neutral", {"mgmalg": "aes256", "mgmkey": "00" * 24}),
    ],
)
def test_what_cannot_be_made(profile, options):
    with pytest.raises(UsageError) as refusal:
        KIND.create(profile, options, MemoryStore(), None)
    assert refusal.value.hint
