# SPDX-License-Identifier: Apache-2.0
"""Raw material of pairing experiments: what cards answer to the commands of Windows' discovery.

The order is that of Microsoft, *Smart Card Discovery Process*: SELECT the Plug and Play
application, GET DATA 7F68 whether or not that worked, EF.ATR below the MF, PIV, GIDS.
"""

import pytest
from toy_card import send

from vreader.card import MemoryStore
from vreader.iso7816 import Atr
from vreader.kinds import find_kind

GUID = "00112233-4455-6677-8899-aabbccddeeff"
TOLD = "7F681C301A16044D5346543012041033221100554477668899AABBCCDDEEFF9000"
DISCOVERY = {
    "pnp": "00A404000BA0000003974349445F0100",
    "7F68": "00CA7F6800",
    "mf": "00A4000C023F00",
    "ef.atr": "00A4000C022F01",
    "read": "00B0000000",
    "piv": "00A4040009A0000003080000100000",
    "gids": "00A4040009A0000003974254465900",
}
NOTHING = {
    "pnp": "6A82", "7F68": "6D00", "mf": "6D00", "ef.atr": "6D00", "read": "6D00",
    "piv": "6A82", "gids": "6A82",
}  # fmt: skip
ALL_6E00 = dict.fromkeys(DISCOVERY, "6E00")
YUBIKEY = "8073C021C057597562694B6579"
# card (kind, profile, options) → historical bytes, and how its answers differ from NOTHING; "9000"
# stands for any successful answer.
ROWS = {
    "historical bytes alone": ("blank", "t0", {"hist": "51FF0800"}, "51FF0800", {}),
    "nothing at all": ("blank", "both", {}, "", {}),
    "PIV with historical bytes": ("piv", "5.4.3", {}, YUBIKEY, {"piv": "9000"}),
    "PIV without": ("piv", "5.4.3", {"hist": ""}, "", {"piv": "9000"}),
    "GIDS with historical bytes": (
        "tpmvsc", "windows", {}, "80FBA000000397425446590401", {"gids": "9000"}),
    "GIDS without": ("gids", "windows", {}, "", {"gids": "9000"}),
    "7F68 by the application": ("blank", "both", {"pnp": GUID}, "", {
        "pnp": "9000", "7F68": TOLD}),
    "7F68 without the application": ("blank", "both", {"pnp": GUID, "pnp-where": "card"}, "", {
        "7F68": TOLD}),
    "7F68 in EF.ATR": ("blank", "both", {"pnp": GUID, "pnp-where": "ef.atr"}, "", {
        "mf": "9000", "ef.atr": "9000", "read": TOLD}),
    "7F68 of a PIV card": ("piv", "5.4.3", {"pnp": GUID, "pnp-where": "card"}, YUBIKEY, {
        "7F68": TOLD, "piv": "9000"}),
    "two GUIDs": ("blank", "both", {"pnp": f"{GUID}+{GUID}", "pnp-wrap": "no"}, "", {
        "pnp": "9000", "7F68": "302C16044D53465430240410" + TOLD[30:62] + "0410" + TOLD[30:]}),
    "7F68 malformed": ("blank", "both", {"pnp-data": "7F6803"}, "", {
        "pnp": "9000", "7F68": "7F68039000"}),
    "a wrong vendor": ("blank", "both", {"pnp": GUID, "pnp-vendor": "ACME"}, "", {
        "pnp": "9000", "7F68": TOLD.replace("4D534654", "41434D45")}),
    "a wrong version": ("blank", "both", {"pnp": GUID, "pnp-version": "1"}, "", {
        "pnp": "9000", "7F68": "7F681F301D020101" + TOLD[10:]}),
    "SELECT gives 6E00": ("blank", "both", {"select-sw": "6E00", "other-sw": "6E00"}, "", ALL_6E00),
    "SELECT gives 6D00": ("blank", "both", {"select-sw": "6D00"}, "", {
        "pnp": "6D00", "piv": "6D00", "gids": "6D00"}),
    "SELECT gives 6999": ("blank", "both", {"select-sw": "6999"}, "", {
        "pnp": "6999", "piv": "6999", "gids": "6999"}),
}  # fmt: skip


@pytest.mark.parametrize("row", ROWS)
def test_discovery(row):
    kind, profile, options, historical, answers = ROWS[row]
    card = find_kind(kind).create(profile, options, MemoryStore(), b"seed")
    assert Atr.parse(card.power_on()).historical.hex().upper() == historical
    wanted = {**NOTHING, **answers}
    for step, command in DISCOVERY.items():
        answer = send(card, command)
        assert answer == wanted[step] or answer[-4:] == wanted[step] == "9000", step
