# SPDX-License-Identifier: Apache-2.0
"""The table of what is covered, held against the card."""

import pytest

from cards.gids import KIND, tables
from cards.gids.coverage import COMMANDS, KEY_ALGORITHMS, OBJECTS, TABLES, USES
from cards.platform.coverage import NO, PARTIAL


def cases(table):
    return [pytest.param(item, id=item.name) for item in table if item.probe]


def test_every_row_is_well_formed():
    for table in TABLES.values():
        assert len({item.name for item in table}) == len(table)
        for item in table:
            assert item.section
            assert not item.profiles
            assert item.note or item.state is not PARTIAL


@pytest.mark.parametrize("item", cases(COMMANDS))
def test_commands(user, item):
    user.mutual()
    answer = user.raw(item.probe)
    if item.state is NO:
        assert answer == "6D00"
    else:
        # Well-formed and permitted; a key, a file or the PUK may be missing.
        assert answer[-4:] in ("9000", "6A88", "63C3", "6985", "6A82", "6A80")


def test_every_instruction_of_the_card_is_in_the_table(client):
    answered = {ins for ins in range(256) if client.raw(f"00{ins:02X}0000") != "6D00"}
    listed = {int(item.probe[2:4], 16) for item in COMMANDS if item.probe and item.state is not NO}
    # GET RESPONSE has no probe.
    assert answered - {0xC0} == listed


@pytest.mark.parametrize("item", cases(OBJECTS))
def test_objects(make, item):
    client = make(puk="12345678")
    KIND.provision(client.card, {"slot": ["kx:p256"]})
    file_id, tag = item.probe.split()
    answer = client.raw(f"00CB{file_id}{len(tag) // 2 + 2:02X}5C{len(tag) // 2:02X}{tag}00")
    assert answer[-4:-2] in ("90", "61")
    assert answer.startswith(tag)


@pytest.mark.parametrize("item", cases(KEY_ALGORITHMS))
def test_key_algorithms(user, item):
    number = int(item.probe, 16)
    assert (number in {**tables.RSA_BITS, **tables.EC_BITS}) is (item.state is not NO)
    assert user.create_key(0x81, number) == "9000"
    if item.probe != "09":  # it takes seconds
        sw = user.sw("00470000", bytes.fromhex(f"AC068001{item.probe}830181"))
        assert sw == ("6A81" if item.state is NO else "9000")


def test_every_padding_is_in_the_table():
    listed = {int(item.section[-2], 16) << 4 for item in USES if item.section.endswith("x")}
    assert listed == set(tables.Padding)
