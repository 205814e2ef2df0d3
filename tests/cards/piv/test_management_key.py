# SPDX-License-Identifier: Apache-2.0
"""Authentication with the management key, in every flow clients use."""

import pytest

from vreader.iso7816 import Tlv

DEFAULT = bytes(range(1, 9)) * 3
OTHER = bytes(range(0x21, 0x39))
PROBE = ("00DB3FFF", bytes.fromhex("5C035FC1055301AA"))
KEYS = {0x03: OTHER, 0x08: OTHER[:16], 0x0A: OTHER, 0x0C: OTHER + b"12345678"}


def is_admin(client):
    return client.sw(*PROBE) == "9000"


def value(answer, tag):
    return Tlv.parse(answer).find(tag).value


def test_mutual(client):
    assert not is_admin(client)
    client.admin()
    assert is_admin(client)


def test_mutual_with_an_empty_response_object(client, make):
    witness = value(client.ok("0087039B", bytes.fromhex("7C028000")), 0x80)
    proof = Tlv.of(0x7C, Tlv(0x80, make.decrypt(DEFAULT, witness)), Tlv(0x81, bytes(8)), Tlv(0x82))
    assert value(client.ok("0087039B", bytes(proof)), 0x82) == make.encrypt(DEFAULT, bytes(8))
    assert is_admin(client)


def test_external(client, make):
    challenge = value(client.ok("0087039B", bytes.fromhex("7C028100")), 0x81)
    answer = Tlv.of(0x7C, Tlv(0x82, make.encrypt(DEFAULT, challenge)))
    assert client.sw("0087039B", bytes(answer)) == "9000"
    assert is_admin(client)


def test_internal(client, make):
    question = Tlv.of(0x7C, Tlv(0x82), Tlv(0x81, b"abcdefgh"))
    answer = value(client.ok("0087009B", bytes(question)), 0x82)
    assert answer == make.encrypt(DEFAULT, b"abcdefgh")
    assert not is_admin(client)


def test_what_the_card_encrypts_in_one_flow_is_no_answer_in_another(client):
    challenge = value(client.ok("0087039B", bytes.fromhex("7C028100")), 0x81)
    question = Tlv.of(0x7C, Tlv(0x82), Tlv(0x81, challenge))
    answer = value(client.ok("0087039B", bytes(question)), 0x82)
    assert client.sw("0087039B", bytes(Tlv.of(0x7C, Tlv(0x82, answer)))) == "6982"
    assert not is_admin(client)


def test_a_wrong_answer_never_locks_and_is_6982(client):
    for _ in range(20):
        client.ok("0087039B", bytes.fromhex("7C028100"))
        assert client.sw("0087039B", bytes.fromhex("7C0A8208") + bytes(8)) == "6982"
        client.ok("0087039B", bytes.fromhex("7C028000"))
        proof = Tlv.of(0x7C, Tlv(0x80, bytes(8)), Tlv(0x81, bytes(8)))
        assert client.sw("0087039B", bytes(proof)) == "6982"
    client.admin()
    assert is_admin(client)


def test_a_wrong_answer_ends_an_authentication(client):
    client.admin()
    client.ok("0087039B", bytes.fromhex("7C028100"))
    assert client.sw("0087039B", bytes.fromhex("7C0A8208") + bytes(8)) == "6982"
    assert not is_admin(client)


def test_witness_and_challenge_are_good_for_one_answer(client, make):
    witness = value(client.ok("0087039B", bytes.fromhex("7C028000")), 0x80)
    proof = Tlv.of(0x7C, Tlv(0x80, make.decrypt(DEFAULT, witness)), Tlv(0x81, bytes(8)))
    assert client.sw("0087039B", bytes(proof)) == "9000"
    assert client.sw("0087039B", bytes(proof)) == "6982"
    challenge = value(client.ok("0087039B", bytes.fromhex("7C028100")), 0x81)
    answer = Tlv.of(0x7C, Tlv(0x82, make.encrypt(DEFAULT, challenge)))
    assert client.sw("0087039B", bytes(answer)) == "9000"
    assert client.sw("0087039B", bytes(answer)) == "6982"


def test_an_answer_nobody_asked_for(client):
    assert client.sw("0087039B", bytes.fromhex("7C0A8208") + bytes(8)) == "6982"
    proof = Tlv.of(0x7C, Tlv(0x80, bytes(8)), Tlv(0x81, bytes(8)))
    assert client.sw("0087039B", bytes(proof)) == "6982"


def test_a_reset_between_the_halves(client, make):
    challenge = value(client.ok("0087039B", bytes.fromhex("7C028100")), 0x81)
    client.card.reset()
    client.select()
    answer = Tlv.of(0x7C, Tlv(0x82, make.encrypt(DEFAULT, challenge)))
    assert client.sw("0087039B", bytes(answer)) == "6982"


def test_opensc_uses_challenges_as_random_numbers(client):
    seen = {client.raw("0087009B047C02810000") for _ in range(40)}
    assert len(seen) == 40
    assert {(text[:8], text[-4:], len(text)) for text in seen} == {("7C0A8108", "9000", 28)}


@pytest.mark.parametrize("algorithm", KEYS)
def test_set_management_key(admin, algorithm):
    key = KEYS[algorithm]
    data = bytes((algorithm, 0x9B, len(key))) + key
    assert admin.sw("00FFFFFF", data) == "9000"
    admin.card.reset()
    admin.select()
    admin.admin(key, algorithm)
    assert is_admin(admin)
    assert admin.ok("00F7009B") == bytes((1, 1, algorithm, 2, 2, 0, 1, 5, 1, 0))
    other = 0x08 if algorithm == 3 else 0x03
    assert admin.sw(f"0087{other:02X}9B", bytes.fromhex("7C028100")) == "6A86"


def test_setting_it_needs_it(client):
    assert client.sw("00FFFFFF", bytes.fromhex("039B18") + OTHER) == "6982"


def test_its_touch_policy_is_told(admin):
    assert admin.sw("00FFFFFE", bytes.fromhex("039B18") + OTHER) == "9000"
    assert admin.ok("00F7009B") == bytes.fromhex("0101030202000205 0100")


@pytest.mark.parametrize(
    ("header", "data", "sw"),
    [("00FFFFFF", "039B18" + "01" * 24, "6A80"), ("00FFFFFF", "039B10" + "23" * 16, "6A80"),
     ("00FFFFFF", "039A18" + "23" * 24, "6A80"), ("00FFFFFF", "119B18" + "23" * 24, "6A80"),
     ("00FFFFFF", "039B18" + "23" * 23, "6A80"), ("00FFFFFF", "", "6A80"),
     ("00FFFF00", "039B18" + "23" * 24, "6A86"), ("00FF00FF", "039B18" + "23" * 24, "6A86")],
)  # fmt: skip
def test_keys_it_does_not_take(admin, header, data, sw):
    assert admin.sw(header, bytes.fromhex(data)) == sw
    admin.admin()


@pytest.mark.parametrize(
    "data",
    [
        "7C00",
        "7C028200",
        "7C0480008100",
        "7C0A8008" + "00" * 8,
        "7C0A8108" + "00" * 8,
        "7C028500",
        "7C0382AA",
        "",
        "7C",
        "7C0C8008" + "00" * 8 + "8100",
        "7C0C82088008" + "00" * 8,
        "7C048200 8100",
        "7C048101AA",
        "7C068201AA8101AA",
    ],
)
def test_malformed_steps(client, data):
    assert client.sw("0087039B", bytes.fromhex(data)) == "6A80"


@pytest.mark.parametrize("algorithm", ["07", "11", "01", "FF"])
def test_algorithms_that_are_none_of_its(client, algorithm):
    assert client.sw(f"0087{algorithm}9B", bytes.fromhex("7C028100")) == "6A86"


def test_wrong_block_length(client):
    question = Tlv.of(0x7C, Tlv(0x82), Tlv(0x81, b"abc"))
    assert client.sw("0087039B", bytes(question)) == "6A80"


# ---------------------------------------------------------------------- algorithms of a new card

NAMES = {"3des": 0x03, "aes128": 0x08, "aes192": 0x0A, "aes256": 0x0C}
LENGTHS = {"3des": 24, "aes128": 16, "aes192": 24, "aes256": 32}


@pytest.mark.parametrize("profile", ["5.4.3", "5.7.1", "neutral"])
@pytest.mark.parametrize("name", NAMES)
def test_a_card_is_made_with_any_algorithm(make, profile, name):
    client = make(profile, mgmalg=name)
    client.admin((bytes(range(1, 9)) * 4)[: LENGTHS[name]], NAMES[name])
    assert is_admin(client)
    for other in set(NAMES.values()) - {NAMES[name]}:
        assert client.sw(f"0087{other:02X}9B", bytes.fromhex("7C028000")) == "6A86"


@pytest.mark.parametrize("name", NAMES)
def test_external_and_internal_with_a_key_of_ones_own(make, name):
    key = KEYS[NAMES[name]]
    client = make("neutral", mgmalg=name, mgmkey=key.hex())
    header, algorithm = f"0087{NAMES[name]:02X}9B", NAMES[name]
    challenge = value(client.ok(header, bytes.fromhex("7C028100")), 0x81)
    question = bytes(range(len(challenge)))
    asked = Tlv.of(0x7C, Tlv(0x82), Tlv(0x81, question))
    assert value(client.ok(header, bytes(asked)), 0x82) == make.encrypt(key, question, algorithm)
    assert not is_admin(client)
    challenge = value(client.ok(header, bytes.fromhex("7C028100")), 0x81)
    answer = Tlv.of(0x7C, Tlv(0x82, make.encrypt(key, challenge, algorithm)))
    assert client.sw(header, bytes(answer)) == "9000"
    assert is_admin(client)


# ---------------------------------------------------------------------- what is not there


@pytest.mark.parametrize("header", ["00872704", "00872E04", "00871104", "0087279A", "00870004"])
def test_key_establishment_is_not_there(make, header):
    """Secure messaging is optional; neither its mechanisms nor its key exist."""
    request = bytes(Tlv.of(0x7C, Tlv(0x81, bytes(74)), Tlv(0x82)))
    assert make("neutral").sw(header, request) == "6A86"
    assert make("neutral").sw("00470004", bytes.fromhex("AC03800127")) == "6A86"


def test_a_command_with_secure_messaging(make):
    assert make("neutral").raw("0CCB3FFF035C017E") == "6882"


@pytest.mark.parametrize(
    ("template", "sw"),
    [
        ("AC03800107", "9000"), ("AC088001078103010001", "9000"),
        ("AC0A80010781050000010001", "9000"), ("AC06800107810103", "6A80"),
        ("AC058001078100", "6A80"), ("AC088001118103010001", "6A80"),
        ("AC0380010A", "6A80"), ("AC03800116", "6A80"), ("AC038001E0", "6A80"), ("AC00", "6A80"),
    ],
)  # fmt: skip
def test_parameters_of_generate(make, template, sw):
    client = make("neutral")
    client.admin()
    assert client.sw("0047009A", bytes.fromhex(template)) == sw


@pytest.mark.parametrize("slot", [0x04, 0x00, 0x81, 0x96, 0x9B, 0x9F, 0xF9])
def test_slots_that_a_card_of_the_standard_has_not(make, slot):
    client = make("neutral")
    client.admin()
    assert client.sw(f"004700{slot:02X}", bytes.fromhex("AC03800111")) == "6A86"
    assert client.use(slot, 0x11, bytes(32)) == "6A86"
