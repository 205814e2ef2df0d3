# SPDX-License-Identifier: Apache-2.0
"""Which driver wins, what it writes, and what a program then loads."""

import pytest
from answering import FABRIKAM_ATR, FABRIKAM_ID, PIV_SELECT, Answering

from vreader.cardids import PIV_ID
from vreader.host.selfregister import CardModule
from vreader.pairing.machine import Machine
from vreader.pairing.policy import DEFAULT, Policy
from vreader.pairing.windows import Windows
from vreader.registry import Registry, Value
from vreader.setupapi.package import Signature, make_package
from vreader.setupapi.skeleton import skeleton
from vreader.winscard.cardtypes import CardType

CALAIS = r"HKLM\SOFTWARE\Microsoft\Cryptography\Calais"
NEW, OLD = "01/01/2020,2.0.0.0", "01/01/1990,1.0.0.0"


def package(vendor, *, signed=True, source="store", hardware_id=FABRIKAM_ID, **options):
    text = skeleton(
        FABRIKAM_ATR, name=f"{vendor} card", vendor=vendor, module=f"{vendor.lower()}.dll",
        **{"driver_ver": NEW, **options},
    )  # fmt: skip
    assert FABRIKAM_ID in text
    text = text.replace(FABRIKAM_ID, hardware_id)
    who = Signature.AUTHENTICODE if signed else Signature.UNSIGNED
    return make_package(text.encode(), f"{vendor.lower()}.inf", who, source)


def insert(*, card=None, os="10.0-amd64", policy=DEFAULT, **options):
    with Machine(Windows.parse(os), policy, **options) as machine:
        return machine.insert(card or Answering())


def piv_card():
    return Answering(answers={PIV_SELECT: "9000"})


def texts(found):
    return "\n".join(step.text for step in found.steps)


@pytest.mark.parametrize(
    ("store", "winner", "rank"),
    [
        ([package("Vendor")], "vendor.inf", 0x00FF0000),
        ([], "inboxpiv.inf", 0x00FF2000),
        ([package("Vendor", signed=False)], "inboxpiv.inf", 0x00FF2000),
        # Lists the PIV id as its hardware id: a tie with the inbox driver, and the date decides.
        ([package("Thief", hardware_id=PIV_ID)], "thief.inf", 0x00FF2000),
        ([package("Thief", hardware_id=PIV_ID, driver_ver=OLD)], "inboxpiv.inf", 0x00FF2000),
    ],
)
def test_ranks_decide(store, winner, rank):
    found = insert(card=piv_card(), store=store)
    assert found.driver is not None
    assert (found.driver.package, found.driver.rank) == (winner, rank)


def test_unsigned_and_alone_it_wins():
    found = insert(store=[package("Vendor", signed=False)])
    assert found.driver is not None
    assert (found.driver.package, found.driver.rank) == ("vendor.inf", 0x80FF0000)


def test_the_driver_of_unknown_cards_is_the_systems_own():
    text = skeleton(b"\x3b\x01\xaa", name="Other", vendor="V", module="v.dll")
    other = make_package(text.encode(), "scunknown.inf", Signature.AUTHENTICODE)
    found = insert(store=[other], os="6.1-amd64")
    assert (found.driver, found.outcome) == (None, "none")


def test_signature_outranks_the_id_on_vista_like_signing():
    found = insert(card=piv_card(), store=[package("Vendor")], policy=Policy(signers_equal="no"))
    assert found.driver is not None
    assert found.driver.package == "inboxpiv.inf"


def test_newest_date_then_highest_version():
    one, two, three = (
        package("One", driver_ver="01/01/2020,9.0.0.0"),
        package("Two", driver_ver="01/02/2020,1.0.0.0"),
        package("Three", driver_ver="01/02/2020,1.0.0.1"),
    )
    found = insert(store=[one, two, three])
    assert [each.package for each in found.candidates] == ["three.inf", "two.inf", "one.inf"]
    assert found.answer.startswith(r"C:\Windows\System32\three.dll is loaded")


# ---------------------------------------------------------------------- Windows Update


def update(**options):
    return [package("Offered", source="update", **options)]


def test_what_windows_update_offers_is_staged_and_installed():
    found = insert(updates=update())
    assert found.driver is not None
    assert (found.driver.package, found.driver.published) == ("offered.inf", "oem0.inf")
    assert "staged as oem0.inf" in texts(found)


@pytest.mark.parametrize(
    ("number", "winner"), [(0, "vendor.inf"), (1, "offered.inf"), (2, "vendor.inf")]
)
def test_the_registry_says_when_it_is_searched(number, winner):
    registry = Registry()
    registry.create(r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\DriverSearching").set(
        "SearchOrderConfig", Value.dword(number)
    )
    found = insert(
        store=[package("Vendor")], updates=update(driver_ver="01/01/2021,1.0.0.0"),
        registry=registry,
    )  # fmt: skip
    assert found.driver is not None
    assert found.driver.package == winner


# ---------------------------------------------------------------------- the registry keeps it away


def registered(csp, path=CALAIS):
    registry = Registry()
    key = registry.create(rf"{path}\SmartCards\Old")
    key.set("ATR", Value.binary(FABRIKAM_ATR))
    key.set("ATRMask", Value.binary(b"\xff" * 6))
    key.set("80000001", Value.sz("old.dll"))
    if csp:
        key.set("Crypto Provider", Value.sz(csp))
    return registry


@pytest.mark.parametrize(
    ("csp", "suppress", "kept_away"),
    [
        ("$DisableSCPnP$", "foreign-csp", True),
        ("Microsoft Base Smart Card Crypto Provider", "foreign-csp", False),
        ("", "foreign-csp", False),
        ("Microsoft Base Smart Card Crypto Provider", "any-match", True),
        ("$DisableSCPnP$", "never", False),
    ],
)
def test_an_entry_keeps_the_device_away(csp, suppress, kept_away):
    found = insert(registry=registered(csp), policy=Policy(suppress=suppress))
    assert found.suppressed_by == ("Old" if kept_away else "")
    assert (found.device is None) == kept_away
    assert found.card_name == "Old"


def test_services_look_at_the_native_key_and_the_caller_at_its_own():
    wow64 = registered("x", CALAIS.replace("SOFTWARE", r"SOFTWARE\Wow6432Node"))
    found = insert(registry=wow64, policy=Policy(suppress="any-match"))
    assert (found.suppressed_by, found.card_name) == ("", "")
    found = insert(registry=wow64, bits=32)
    assert (found.card_name, found.bits) == ("Old", 32)
    assert found.module is not None
    assert (found.module.path, found.module.found) == (r"C:\Windows\SysWOW64\old.dll", None)


def test_group_policy_in_the_registry():
    registry = Registry()
    registry.create(r"HKLM\SOFTWARE\Policies\Microsoft\Windows\ScPnP").set(
        "EnableScPnP", Value.dword(0)
    )
    assert insert(registry=registry, store=[package("Vendor")]).device is None


# ---------------------------------------------------------------------- other ways to be registered


def test_default_install_needs_no_device():
    found = insert(os="6.0-amd64", installed=[package("Vendor", architectures=("amd64",))])
    assert found.device is None
    assert found.card_name == "Vendor card"
    assert found.module is not None
    assert found.module.found


def test_a_module_of_version_4_registers_itself_where_policy_lets_it():
    ours = CardType("Ours", FABRIKAM_ATR, b"\xff" * 6, csp="Base")
    module = CardModule("vendor.dll", [ours])
    names = []
    for choice in ("no", "yes"):
        with Machine(
            Windows.parse("10.0-amd64"), Policy(self_register=choice),
            installed=[package("Vendor")], modules=[module],
        ) as machine:  # fmt: skip
            names.append(machine.entries)
    assert names[1] - names[0] == {"ours"}


def test_a_file_that_nobody_copied_is_missed():
    text = skeleton(FABRIKAM_ATR, name="Card", vendor="V", module="v.dll")
    text = text.replace('"80000001",0x00000000,"v.dll"', '"80000001",0x00000000,"other.dll"')
    text = text.replace("%Module%", '"other.dll"')
    found = insert(store=[make_package(text.encode(), "v.inf", Signature.AUTHENTICODE)])
    assert found.module is not None
    assert (found.module.name, found.module.found) == ("other.dll", False)
    assert found.outcome == "other.dll (not loaded)"
    assert FABRIKAM_ID in (found.device.hardware_ids if found.device else ())
