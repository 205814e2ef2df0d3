# SPDX-License-Identifier: Apache-2.0
"""The driver packages that come with a Windows, written by us: what they are for and register."""

from pathlib import Path

import pytest

from vreader.pairing.windows import NULL_DRIVER, Windows
from vreader.registry import Registry
from vreader.registry.view import View
from vreader.setupapi.install import install_device
from vreader.setupapi.package import Signature, read_package
from vreader.setupapi.rank import last_resort, search
from vreader.setupapi.store import DriverStore
from vreader.winscard.cardtypes import CardTypes

FABRIKAM = str(Path(__file__).parents[1] / "setupapi" / "fixtures" / "fabrikam.inf")
HARDWARE = r"SCFILTER\CID_51FF0800"
PIV = r"SCFILTER\CID_2777BE07-6993-4513-BD80-C184FCB0AB2D"
GIDS = r"SCFILTER\CID_E2F748F9-DB8B-4C08-A258-583D8955D94A"


def ranked(compatible, *vendors, os="10.0-amd64"):
    windows = Windows.parse(os)
    found = search([*windows.inbox, *vendors], [HARDWARE], [compatible], windows.target)
    return [(each.package.name, f"{each.rank:08X}") for each in found]


@pytest.mark.parametrize(("compatible", "name"), [(PIV, "inboxpiv.inf"), (GIDS, "inboxgids.inf")])
@pytest.mark.parametrize("os", ["10.0-amd64", "10.0-arm64", "10.0-x86", "6.1-amd64", "6.2-arm"])
def test_cards_have_a_driver_by_their_compatible_id(compatible, name, os):
    assert ranked(compatible, os=os) == [(name, "00FF2000")]


def test_a_vendor_s_driver_beats_it_if_signed():
    signed, unsigned = read_package(FABRIKAM), read_package(f"{FABRIKAM},unsigned")
    assert ranked(PIV, signed)[0] == ("fabrikam.inf", "00FF0000")
    assert ranked(PIV, unsigned)[0] == ("inboxpiv.inf", "00FF2000")


@pytest.mark.parametrize(
    ("compatible", "card"),
    [
        (PIV, "Identity Device (NIST SP 800-73 [PIV])"),
        (GIDS, "Identity Device (Microsoft Generic Profile)"),
    ],
)
@pytest.mark.parametrize(("os", "views"), [("10.0-amd64", 2), ("6.1-x86", 1), ("10.0-arm64", 2)])
def test_it_registers_the_class_minidriver_without_an_atr(compatible, card, os, views):
    windows = Windows.parse(os)
    store = DriverStore(windows.inbox)
    (found,) = search(store.packages(), [], [compatible], windows.target)
    registry = Registry()
    done = install_device(
        found.package.inf, registry, [HARDWARE], compatible_ids=[compatible], instance=r"S\C\1",
        target=windows.target, sources=store.sources, candidate=found,
    )  # fmt: skip
    assert (done.service, done.files) == ("UmPass", [])
    for bits in (64, 32)[2 - views :]:
        (entry,) = CardTypes(View(registry, bits, windows.bits)).list()
        assert (entry.name, entry.atr, entry.module) == (card, b"", "msclmd.dll")
        assert entry.csp == "Microsoft Base Smart Card Crypto Provider"
        assert entry.ksp == "Microsoft Smart Card Key Storage Provider"


@pytest.mark.parametrize(("os", "there"), [("6.2-amd64", True), ("6.1-amd64", False)])
def test_the_driver_of_unknown_cards_is_found_by_no_id(os, there):
    windows = Windows.parse(os)
    null = [package for package in windows.inbox if package.name == NULL_DRIVER]
    assert bool(null) is there
    for package in null:
        found = last_resort(package, windows.target)
        registry = Registry()
        done = install_device(
            package.inf, registry, [HARDWARE], instance=r"S\C\1", target=windows.target,
            candidate=found,
        )  # fmt: skip
        assert done.steps[-1].text == "the NULL driver"
        assert registry.find(r"HKLM\SOFTWARE") is None


def test_before_windows_7_nothing_comes_with_it():
    assert Windows.parse("6.0-amd64").inbox == []


def test_all_are_signed_as_what_comes_with_windows():
    for package in Windows.parse("10.0-amd64").inbox:
        assert (package.signature, package.source, package.provider) == (
            Signature.INBOX, "inbox", "Microsoft",
        )  # fmt: skip
