# SPDX-License-Identifier: Apache-2.0
"""Files, data objects, rights and the life cycle."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cards.gids import access


def rules_of(client, rules, file_id="A0F0"):
    """Create an EF with these rules, as the admin."""
    assert client.mutual() == "9000"
    assert client.sw("00E00000", bytes.fromhex(f"620C82013983 02{file_id}8C03{rules}")) == "9000"
    assert client.raw("00440000") == "9000"
    assert client.raw("00200082") == "9000"


@pytest.mark.parametrize(
    ("condition", "nobody", "user", "admin", "both"),
    [
        ("00", True, True, True, True),
        ("FF", False, False, False, False),
        ("10", False, True, False, True),
        ("20", False, False, True, True),
        ("30", False, True, True, True),
        ("90", False, True, False, True),
        ("A0", False, False, True, True),
        ("B0", False, False, False, True),
        ("11", False, True, False, True),
        ("12", False, False, False, False),
        ("40", False, False, False, False),
        ("50", False, True, False, True),
        ("D0", False, False, False, False),
    ],
)
def test_security_conditions(make, condition, nobody, user, admin, both):
    client = make()
    rules_of(client, f"0300{condition}")
    assert client.raw("00DBA0F004DF420155") == "9000"
    for allowed, who in ((nobody, ""), (user, "u"), (admin, "a"), (both, "ua")):
        assert client.raw("00200082") == "9000"
        if "u" in who:
            assert client.verify() == "9000"
        if "a" in who:
            assert client.mutual() == "9000"
        answer = client.raw("00CBA0F0045C02DF4200")
        assert answer == ("DF4201559000" if allowed else "6982")


@given(st.binary(min_size=1, max_size=12), st.sampled_from([1, 2, 4, 8, 16, 32, 64]))
def test_each_bit_finds_its_condition(rules, right):
    if not access.well_formed(rules):
        return
    bits = [bit for bit in (64, 32, 16, 8, 4, 2, 1) if rules[0] & bit]
    expected = rules[1 + bits.index(right)] if right in bits else access.NEVER
    assert access.condition(rules, right) == expected


@pytest.mark.parametrize(
    ("file_id", "user", "admin", "reading"),
    [
        ("A000", True, True, True),
        ("A010", True, True, True),
        ("A011", True, True, False),
        ("A012", False, True, True),
        ("A013", True, True, False),
        ("A014", False, True, False),
    ],
)
def test_rights_of_microsofts_files(client, file_id, user, admin, reading):
    write, read = f"00DB{file_id}04DF420155", f"00CB{file_id}045C02DF4200"
    assert client.raw(write) == "6982"
    client.verify()
    assert client.raw(write) == ("9000" if user else "6982")
    client.raw("00200082")
    client.mutual()
    assert client.raw(write) == ("9000" if admin else "6982")
    client.raw("00200082")
    assert client.raw(read)[-4:] == ("9000" if reading else "6982")


def test_data_objects(user):
    assert user.raw("00CBA010045C02DF4200") == "6A88"
    assert user.raw("00DBA01003DF4200") == "9000"
    assert user.raw("00CBA010045C02DF4200") == "DF42009000"
    assert user.raw("00DBA01005DF420201 02".replace(" ", "")) == "9000"
    assert user.raw("00CBA010045C02DF4200") == "DF420201029000"
    assert user.raw("00CBA010085C06DF42DF22DF4300") == "DF42020102DF22060000000000009000"
    everything = user.raw("00CBA010025C0000")
    assert everything.startswith("DF21086D73637000000000DF2206000000000000DF2300DF42020102")
    # Emptied, then gone.
    assert user.raw("00DBA01003DF4200") == "9000"
    assert user.raw("00DBA01003DF4200") == "9000"
    assert user.raw("00CBA010045C02DF4200") == "6A88"


def test_a_large_object_in_a_chain(user):
    content = bytes(range(256)) * 12
    assert user.sw("00DBA010", b"\xdf\x42\x82\x0c\x00" + content) == "9000"
    assert user.ok("00CBA010", bytes.fromhex("5C02DF42"))[5:] == content


def test_unknown_files(user):
    assert user.raw("00CBA099045C02DF4200") == "6A82"
    assert user.raw("00DBA09903DF4200") == "6A82"
    assert user.raw("00CBB080045C02DF4200") == "6981"
    assert user.raw("00DBB08003DF4200") == "6981"
    assert user.raw("00DB2F0103DF4200") == "6982"
    assert user.raw("00CB2F01035C014600") == "460C767265616465722047494453" + "9000"


@pytest.mark.parametrize(
    ("data", "sw"),
    [
        ("620C8201398302A0108C03033000", "6A89"),
        ("620C82013983023FFF8C03033000", "6A80"),
        ("620C8201398302A0508C03033000", "9000"),
        ("620B8201398302A0508C020330", "6A80"),
        ("62088201398302A050", "6A80"),
        ("620C8201018302A0508C03033000", "6A80"),
        ("620C8201188302B0908C03033000", "6A80"),
        ("62158201398302A0508C03033000A507B6058001178301", "6A80"),
        ("6F0C8201398302A0508C03033000", "6A80"),
        ("62", "6A80"),
        ("", "6A80"),
    ],
)
def test_creating_files(user, data, sw):
    assert user.sw("00E00000", bytes.fromhex(data)) == sw


def test_creating_and_deleting_need_somebody(client):
    create = "00E000000E620C8201398302A0508C03030000"
    assert client.raw(create) == "6982"
    client.mutual()
    assert client.raw(create) == "9000"
    assert client.raw("00DBA05004DF420155") == "9000"
    client.raw("00200082")
    assert client.raw("00E40000") == "6982"
    client.verify()
    assert client.raw("00E40000") == "9000"
    assert client.raw("00CBA050045C02DF4200") == "6A82"
    # Nothing is left of it for the next of this name, and nothing is selected any more.
    assert client.raw("00E40000") == "6A82"
    assert client.raw(create) == "9000"
    assert client.raw("00CBA050045C02DF4200") == "6A88"


def test_select(client):
    assert client.raw("00A4000C02A010") == "9000"
    assert client.raw("00A4000402A01000") == "620C8201398302A0108C0303300" + "09000"
    assert client.raw("00A4000002A01000") == "6F0C8201398302A0108C03033000" + "9000"
    assert client.raw("00A40008022F0100") == "64009000"
    assert client.raw("00A40008023FFF00") == "64045F2F01409000"
    assert client.raw("00A4000002A0AA00") == "6A82"
    assert client.raw("00A4000C023F00") == "6A82"
    assert client.raw("00A40800022F0000") == "6A86"
    assert client.raw("00A4000C01A0") == "6700"


def test_nobody_can_do_anything_after_termination(client):
    assert client.raw("00E60000") == "6982"
    client.verify()
    assert client.raw("00E60000") == "6982"
    client.mutual()
    assert client.raw("00E60000") == "9000"
    for _ in range(2):
        assert client.verify() == "6985"
        assert client.raw("00CBA010045C02DF2200") == "6985"
        client.card.reset()
        assert client.select().endswith("9000")


def test_everything_is_allowed_until_activation(make):
    client = make("blank")
    assert client.raw("0020008000") == "6A88"
    assert client.raw("00E000000E620C8201398302A0128C03032000") == "9000"
    assert client.raw("00DBA01204DF420155") == "9000"
    client.card.reset()
    client.select()
    assert client.raw("00DBA01204DF420166") == "9000"
    assert client.raw("00440000") == "9000"
    assert client.raw("00DBA01204DF420155") == "6982"
    client.card.reset()
    client.select()
    assert client.raw("00CBA012045C02DF4200") == "DF4201669000"
    assert client.raw("00DBA01204DF420155") == "6982"


def test_before_activation_there_is_no_authentication_and_no_unblocking(make):
    client = make("blank")
    assert client.sw("00240180", b"123456") == "9000"
    assert client.sw("00240181", b"87654321") == "9000"
    commands = (
        "00870000047C02810000", "008700000C7C0A82080000000000000000",
        "00870000147C128110" + "55" * 16, "008700002C7C2A8228" + "55" * 40,
        "002C028006363534333231", "002C00800E3837363534333231363534333231",
    )  # fmt: skip
    for command in commands:
        assert client.raw(command) == "6986", command
    assert client.raw("00A4000C023FFF") == "9000"
    assert client.raw("00440000") == "9000"
    assert client.raw(commands[0]) == "6985"  # no key was chosen
    assert client.raw(commands[-1]) == "9000"
    assert client.verify(b"654321") == "9000"


def test_memory_is_finite(user):
    content = bytes(32000)
    answers = [
        user.sw("00DBA010", bytes.fromhex(f"DF{tag:02X}827D00") + content)
        for tag in range(0x40, 0x46)
    ]
    assert answers[:4] == ["9000"] * 4
    assert answers[-1] == "6A84"
    assert user.raw("00CBA010045C02DF2200") == "DF22060000000000009000"
