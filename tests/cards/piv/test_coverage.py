# SPDX-License-Identifier: Apache-2.0
"""The table of what is covered, held against the card."""

import pytest

from cards.piv import tables
from cards.piv.coverage import (
    ALL,
    COMMANDS,
    KEY_ALGORITHMS,
    MANAGEMENT_ALGORITHMS,
    OBJECTS,
    RULES,
)
from cards.piv.profile import PROFILES
from cards.platform.coverage import NO, PARTIAL, YES
from vreader.iso7816 import Tlv

TABLES = (COMMANDS, OBJECTS, KEY_ALGORITHMS, MANAGEMENT_ALGORITHMS, RULES)


def cases(*tables):
    return [
        pytest.param(profile, item, id=f"{profile}-{item.name}")
        for table in tables
        for item in table
        for profile in ALL
        if item.probe
    ]


def test_every_row_is_well_formed():
    for table in TABLES:
        assert len({item.name for item in table}) == len(table)
        for item in table:
            assert item.section
            assert set(item.profiles) <= set(PROFILES)
            assert item.note or item.state is not PARTIAL


@pytest.mark.parametrize(("profile", "item"), cases(COMMANDS))
def test_commands(make, profile, item):
    client = make(profile)
    client.admin()
    client.verify()
    answer = client.raw(item.probe.replace("0087039B", f"0087{client.algorithm():02X}9B"))
    assert (answer == "6D00") is not item.there(profile)
    if item.there(profile):
        # Well-formed and permitted; the key, the PIN or the blocked state may be missing.
        assert answer[-4:] in ("9000", "6A88", "63C2", "6985", "6100")


def test_every_instruction_of_the_card_is_in_the_table(make):
    for profile in ALL:
        client = make(profile)
        answered = {ins for ins in range(256) if client.raw(f"00{ins:02X}0000") != "6D00"}
        listed = {
            int(item.probe[2:4], 16) for item in COMMANDS if item.probe and item.there(profile)
        }
        # GET RESPONSE has no probe; SELECT is only known by name (P1 = 04).
        assert answered - {0xC0} == listed - {0xA4}


@pytest.mark.parametrize(("profile", "item"), cases(OBJECTS))
def test_objects(make, profile, item):
    client = make(profile)
    client.admin()
    client.verify()
    tag = bytes(Tlv(0x5C, bytes.fromhex(item.probe)))
    data = tag + bytes.fromhex("5301AA")
    if profile == "neutral" and item.probe in ("7E", "7F61"):
        content = "4F0BA0000003080000100001005F2F024000" if item.probe == "7E" else "020100"
        data = bytes(Tlv(int(item.probe, 16), bytes.fromhex(content)))
    sw = client.sw("00DB3FFF", data)
    if not item.there(profile) or (item.probe == "7E" and profile != "neutral"):
        assert sw == "6A82"
    else:
        assert sw == "9000"
    assert client.sw("00CB3FFF", tag) == ("9000" if item.there(profile) else "6A82")


def test_every_named_object_is_in_the_table():
    listed = {int(item.probe, 16) for item in OBJECTS}
    ranges = set(range(0x5FC10D, 0x5FC121)) | set(range(0x5FFF10, 0x5FFF16))
    assert set(tables.OBJECTS) - ranges <= listed


@pytest.mark.parametrize(("profile", "item"), cases(KEY_ALGORITHMS))
def test_key_algorithms(make, profile, item):
    client = make(profile)
    client.admin()
    sw = client.sw("0047009A", bytes.fromhex("AC038001" + item.probe))
    assert sw == ("9000" if item.there(profile) else "6A80")
    assert (int(item.probe, 16) in PROFILES[profile].key_algorithms) is item.there(profile)


@pytest.mark.parametrize(("profile", "item"), cases(MANAGEMENT_ALGORITHMS))
def test_management_algorithms(profile, item):
    listed = int(item.probe, 16) in PROFILES[profile].management_algorithms
    assert listed is item.there(profile)


def test_states_read_as_words():
    assert [state.value for state in (YES, PARTIAL, NO)] == ["yes", "partial", "no"]
