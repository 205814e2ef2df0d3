# SPDX-License-Identifier: Apache-2.0
"""The discovery processes on cards that are tables of answers."""

import pytest

from vreader.cardids import GIDS_ID, PIV_ID
from vreader.pairing.discovery import class_minidriver, historical_bytes, plug_and_play
from vreader.winscard.probing import drive

FABRIKAM = bytes.fromhex("3B0451FF0800")
BARE_ATR = bytes.fromhex("3B00")
PNP = "00A404000BA0000003974349445F010000"
CARD_ID = "00CA7F6800"
MF, EF_ATR, READ = "00A4000C023F00", "00A4020C022F01", "00B0000000"
PIV, GIDS = "00A4040009A0000003080000100000", "00A4040009A0000003974254465900"
GUID = "00010203-0405-0607-0809-0a0b0c0d0e0f"
OBJECT = "301A16044D534654301204100302010005040706" + "08090A0B0C0D0E0F" + "9000"


class Table:
    """A card: answers by command, 6A82 to all others."""

    def __init__(self, **answers):
        self.answers = {globals()[name]: answer for name, answer in answers.items()}
        self.other = "6A82"
        self.heard = []

    def __call__(self, command):
        self.heard.append(command.hex().upper())
        return bytes.fromhex(self.answers.get(self.heard[-1], self.other))


def test_the_documented_order_to_the_end():
    card = Table()
    found = drive(plug_and_play(FABRIKAM), card)
    assert card.heard == [PNP, CARD_ID, MF, PIV, GIDS]
    assert (found.hardware_ids, found.compatible_ids) == ([r"SCFILTER\CID_51ff0800"], [])
    assert found.source == "historical bytes"
    assert [each.command.hex().upper() for each in found.asked] == card.heard


def test_without_ef_atr_as_traces_show_it():
    card = Table()
    drive(plug_and_play(FABRIKAM, ef_atr=False), card)
    assert card.heard == [PNP, CARD_ID, PIV, GIDS]


def test_nothing_at_all_has_no_id():
    found = drive(plug_and_play(BARE_ATR), Table())
    assert (found.hardware_ids, found.source) == ([], "")


@pytest.mark.parametrize("sw", ["6A82", "6A81", "6A88", "6D00", "6E00", "6999", "6283"])
def test_whatever_a_select_fails_with_the_next_one_follows(sw):
    card = Table(CARD_ID=OBJECT)
    card.other = sw
    found = drive(plug_and_play(FABRIKAM), card)
    assert card.heard == [PNP, CARD_ID]
    assert found.hardware_ids == [rf"SCFILTER\CID_{GUID}"]
    assert found.compatible_ids == []
    assert found.source == "7F68"


def test_a_bad_card_identifier_counts_for_nothing():
    card = Table(CARD_ID="30009000", PIV="9000")
    found = drive(plug_and_play(FABRIKAM), card)
    assert found.source == "PIV"
    assert "not version, vendor, GUIDs" in found.asked[1].text


def test_ef_atr_may_hold_it():
    card = Table(MF="9000", EF_ATR="9000", READ="4301807F681C" + OBJECT)
    found = drive(plug_and_play(FABRIKAM), card)
    assert card.heard == [PNP, CARD_ID, MF, EF_ATR, READ]
    assert (found.hardware_ids, found.source) == ([rf"SCFILTER\CID_{GUID}"], "EF.ATR")


@pytest.mark.parametrize(
    ("answers", "atr", "hardware", "compatible"),
    [
        ({"PIV": "9000"}, FABRIKAM, r"SCFILTER\CID_51ff0800", PIV_ID),
        ({"PIV": "9000"}, BARE_ATR, PIV_ID, PIV_ID),
        ({"GIDS": "9000"}, FABRIKAM, r"SCFILTER\CID_51ff0800", GIDS_ID),
        ({"GIDS": "9000"}, BARE_ATR, GIDS_ID, GIDS_ID),
        ({"PIV": "9000", "GIDS": "9000"}, FABRIKAM, r"SCFILTER\CID_51ff0800", PIV_ID),
    ],
)
def test_generic_applications(answers, atr, hardware, compatible):
    found = drive(plug_and_play(atr), Table(**answers))
    assert (found.hardware_ids, found.compatible_ids) == ([hardware], [compatible])


def test_61xx_is_fetched():
    card = Table(CARD_ID="611C")
    card.answers["00C000001C"] = OBJECT
    found = drive(plug_and_play(FABRIKAM), card)
    assert found.source == "7F68"


@pytest.mark.parametrize(
    ("answers", "other", "verdict"),
    [
        ({"PIV": "9000", "GIDS": "9000"}, "6A82", "PIV"),
        ({"GIDS": "9000"}, "6A82", "GIDS"),
        ({}, "6A82", "GIDS"),
        ({}, "6D00", "unknown"),
        ({}, "6999", "unknown"),
    ],
)
def test_the_class_minidriver(answers, other, verdict):
    card = Table(**answers)
    card.other = other
    assert drive(class_minidriver(), card).verdict == verdict


def test_what_is_not_found_to_the_class_minidriver_can_be_said():
    card = Table()
    card.other = "6D00"
    assert drive(class_minidriver(not_found=(0x6D00,)), card).verdict == "GIDS"


# ATRs of public cards and the ids Windows makes of them.
IDS = {
    "3B0451FF0800": "51ff0800",
    "3F6900000064018101 0C829000": "00640181010c829000",
    "3BFE1800008031FE45457374454944207665722031 2E30A8": "4573744549442076657220312e30",
    "3BFA1800008031FE45FE654944202F20504B4903": "fe654944202f20504b49",
    "3BDA18FF81B1FE751F030031C573C001400090000C": "0031c573c00140009000",
    "3BDA18FF81B1FE751F030031F573C001600090001C": "0031f573c00160009000",
    "3BFF96000081318043 80318065B0850300EF120FFF82900067": "80318065b0850300ef120fff829000",
    "3BFF9600008131FE43 80318065B085040120120FFF829000D0": "80318065b085040120120fff829000",
    "3BFD1300008131FE158073C021C057597562694B657940": "8073c021c057597562694b6579",
    "3BF81300008131FE1559756269 6B657934D4": "597562696b657934",
    "3B8D0180FBA000000397425446590401CF": "80fba000000397425446590401",
}


@pytest.mark.parametrize(("atr", "expected"), IDS.items())
def test_all_historical_bytes_make_the_id(atr, expected):
    assert historical_bytes(bytes.fromhex(atr)).hex() == expected
