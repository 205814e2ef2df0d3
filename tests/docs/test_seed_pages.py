# SPDX-License-Identifier: Apache-2.0
"""Microsoft's three pages on minidrivers and how cards get them, one statement after the other.

The rooms' own tests go deeper; here each test is a row of the inventory.
"""

from pathlib import Path

import pytest

from vreader.cardids import GIDS_ID, PIV_ID
from vreader.host.selfregister import CardModule
from vreader.pairing.discovery import PNP, class_minidriver, plug_and_play
from vreader.pairing.machine import Machine
from vreader.pairing.matching import Verdict, walk
from vreader.pairing.overlap import overlapping
from vreader.pairing.policy import Policy
from vreader.pairing.question import Question, answer
from vreader.pairing.windows import Windows
from vreader.registry import Registry
from vreader.registry.view import View
from vreader.setupapi.package import read_package
from vreader.winscard.cardtypes import CARD_MODULE, CSP, KSP, CardType, CardTypes
from vreader.winscard.codes import ScardError
from vreader.winscard.discovery import IDMP_CACHE, PIV_CACHE, winscard_discovery
from vreader.winscard.probing import GIDS, GIDS_CARD, PIV, PIV_CARD, drive

FABRIKAM = str(Path(__file__).parents[1] / "setupapi" / "fixtures" / "fabrikam.inf")
ATR = bytes.fromhex("3B0451FF0800")
BASE_CSP = "Microsoft Base Smart Card Crypto Provider"
KSP_NAME = "Microsoft Smart Card Key Storage Provider"
INBOX = {PIV_CARD.lower(), GIDS_CARD.lower()}


# ---------------------------------------------------------------------- Smart Card Modules


@pytest.mark.wdk("minidriver.introduce", "minidriver.forget")
def test_card_types_are_introduced_and_forgotten():
    types = CardTypes(View(Registry()))
    types.introduce("Fabrikam", ATR, b"\xff" * 6)
    types.set_provider("Fabrikam", CSP, BASE_CSP)
    types.set_provider("Fabrikam", KSP, KSP_NAME)
    types.set_provider("Fabrikam", CARD_MODULE, "Fabrikamcm.dll")
    assert types.provider("Fabrikam", CARD_MODULE) == "Fabrikamcm.dll"
    assert types.first(ATR).name == "Fabrikam"
    types.forget("Fabrikam")
    assert types.first(ATR) is None
    with pytest.raises(ScardError):
        types.forget("Fabrikam")


@pytest.mark.wdk("minidriver.self-register")
@pytest.mark.parametrize(("policy", "introduced"), [("", False), ("self-register=yes", True)])
def test_a_module_registers_itself_where_it_is_asked_to(policy, introduced):
    """Since version 5 nobody asks."""
    module = CardModule("Fabrikamcm.dll", [CardType("By itself", ATR)])
    package = read_package(FABRIKAM)
    with Machine(
        Windows.parse("10.0-amd64"), Policy.parse(policy), installed=[package], modules=[module]
    ) as machine:
        assert ("by itself" in machine.card_names()) is introduced
        module.DllUnregisterServer(machine.api)
        assert machine.card_names() == {"fabrikam"} | INBOX


# ---------------------------------------------------------------------- Pairing Process


@pytest.mark.wdk("pairing.iterate", "pairing.first-match")
def test_the_first_entry_that_matches_ends_the_search():
    entries = [CardType("No", b"\x3b\x00", b"\xff\xff"), CardType("A", ATR, b"\xff" * 6)]
    found = walk([*entries, CardType("B", ATR, b"\xff" * 6)], ATR)
    assert [step.name for step in found.steps] == ["No", "A"]
    assert (found.winner.name, found.unreached) == ("A", ("B",))


@pytest.mark.wdk("pairing.mask", "pairing.compare")
def test_the_mask_is_applied_to_the_card_and_the_result_compared():
    entry = CardType("A", bytes.fromhex("3B0400FF0800"), bytes.fromhex("FFFF00FFFFFF"))
    found = walk([entry], ATR)
    assert found.steps[0].masked == entry.atr
    assert found.winner is entry
    assert walk([entry], ATR[:-1] + b"\1").winner is None


@pytest.mark.wdk("pairing.pre-masked")
def test_an_atr_that_was_not_masked_never_matches():
    found = walk([CardType("A", ATR, bytes.fromhex("FFFF00FFFFFF"))], ATR)
    assert found.winner is None
    assert found.steps[0].verdict is Verdict.NEVER


@pytest.mark.wdk("pairing.overlap")
@pytest.mark.parametrize(
    ("mask", "other", "both"),
    [("FFFFFF00FFFF", "3B0451000800", True), ("FFFF00FFFFFF", "3B0400FF0801", False)],
)
def test_carelessly_chosen_masks_take_the_same_cards(mask, other, both):
    one = CardType("A", ATR, b"\xff" * 6)
    found = overlapping([one, CardType("B", bytes.fromhex(other), bytes.fromhex(mask))])
    assert found == [(0, 1)] * both


@pytest.mark.wdk("pairing.atr", "pairing.module")
def test_an_installed_minidriver_is_paired_by_the_cards_atr():
    found = answer(Question(f"atr:{ATR.hex()}", installed=(FABRIKAM,)))
    assert found.atr == ATR
    assert (found.card_name, found.csp, found.ksp) == ("Fabrikam", BASE_CSP, KSP_NAME)
    assert found.module.path == r"C:\Windows\System32\Fabrikamcm.dll"


# ---------------------------------------------------------------------- the device id


def discovered(atr=ATR, **answers):
    """Return what Plug and Play finds; answers by the last bytes of a command."""

    def transmit(command):
        text = command.hex().upper()
        return bytes.fromhex(next((a for mark, a in answers.items() if mark[1:] in text), "6A82"))

    return drive(plug_and_play(atr), transmit)


GUID_OBJECT = "301A16044D534654301204100302010005040706" + "08090A0B0C0D0E0F" + "9000"
PIV_MARK, GIDS_MARK = "_A000000308", "_A00000039742544659"


@pytest.mark.wdk("discovery.historical")
def test_the_historical_bytes_are_the_id():
    assert discovered().hardware_ids == [r"SCFILTER\CID_51ff0800"]


@pytest.mark.wdk("discovery.card-id")
def test_the_first_guid_of_7f68_is_the_id():
    found = discovered(_00CA7F68=GUID_OBJECT)
    assert found.hardware_ids == [r"SCFILTER\CID_00010203-0405-0607-0809-0a0b0c0d0e0f"]


@pytest.mark.wdk("discovery.piv", "discovery.gids", "discovery.unique")
def test_the_inbox_drivers_are_found_by_compatible_ids():
    for mark, generic in ((PIV_MARK, PIV_ID), (GIDS_MARK, GIDS_ID)):
        found = discovered(**{mark: "9000"})
        assert found.hardware_ids == [r"SCFILTER\CID_51ff0800"]
        assert found.compatible_ids == [generic]
    assert discovered(bytes.fromhex("3B00")).hardware_ids == []


@pytest.mark.wdk("discovery.look-up", "package.search.update")
@pytest.mark.parametrize(("os", "searched"), [("6.0-amd64", False), ("6.1-amd64", True)])
def test_since_windows_7_the_first_insertion_leads_to_a_search(os, searched):
    found = answer(Question(f"atr:{ATR.hex()}", updates=(FABRIKAM,), os=os))
    assert (found.device is not None) is searched
    if searched:
        assert found.device.hardware_ids == [r"SCFILTER\CID_51ff0800"]
        assert [each.source for each in found.candidates] == ["update"]
        assert (found.driver.package, found.card_name) == ("fabrikam.inf", "Fabrikam")


@pytest.mark.wdk("package.inbox")
@pytest.mark.parametrize("card", ["piv", "gids"])
def test_a_generic_application_gets_the_inbox_driver(card):
    found = answer(Question(card))
    assert found.driver.source == "inbox"
    assert found.module.name == "msclmd.dll"


# ---------------------------------------------------------------------- Discovery Process


def answering(*aids):
    """Return a card, and what it has heard."""
    heard = []

    def transmit(command):
        heard.append(command)
        found = any(aid in command for aid in aids)
        return bytes.fromhex("9000" if found else "6A82")

    return transmit, heard


@pytest.mark.wdk("discovery.pnp.order")
def test_plug_and_play_asks_in_this_order():
    card, heard = answering()
    drive(plug_and_play(ATR), card)
    marks = [PNP, b"\xca\x7f\x68", b"\x3f\x00", PIV, GIDS]
    assert len(heard) == len(marks)
    assert all(mark in command for mark, command in zip(marks, heard, strict=True))


@pytest.mark.wdk("discovery.winscard")
def test_winscard_asks_whom_the_registry_does_not_know():
    card, heard = answering(PIV, GIDS)
    entry = CardType("Fabrikam", ATR, b"\xff" * 6)
    assert drive(winscard_discovery(ATR, [entry]), card).name == "Fabrikam"
    assert drive(winscard_discovery(ATR, [], piv_cache=[ATR]), card).name == PIV_CARD
    assert drive(winscard_discovery(ATR, [], idmp_cache=[ATR]), card).name == GIDS_CARD
    assert not heard
    found = drive(winscard_discovery(ATR, []), card)
    assert (found.name, found.cache) == (GIDS_CARD, IDMP_CACHE)
    found = drive(winscard_discovery(ATR, []), answering(PIV)[0])
    assert (found.name, found.cache) == (PIV_CARD, PIV_CACHE)


@pytest.mark.wdk("discovery.class-minidriver")
def test_the_class_minidriver_asks_for_piv_first():
    for there, verdict in (
        ((PIV, GIDS), "PIV"),
        ((GIDS,), "GIDS"),
        ((), "GIDS"),
    ):
        assert drive(class_minidriver(), answering(*there)[0]).verdict == verdict
    assert drive(class_minidriver(), lambda _: b"\x69\x99").verdict == "unknown"
