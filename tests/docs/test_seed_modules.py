# SPDX-License-Identifier: Apache-2.0
"""Microsoft's page "Smart Card Modules": what a module is and who uses it, a test a statement.

The rooms' own tests go deeper; here each test is a row of the inventory.
"""

import pytest

from vreader.card import MemoryStore
from vreader.cardfile import make
from vreader.errors import UsageError
from vreader.minidriver.abi.carddata import CARD_DATA, CURRENT_VERSION
from vreader.minidriver.abi.functions import FUNCTIONS
from vreader.minidriver.events import CardCallEvent, CardCallStarted
from vreader.minidriver.lab import run_lab
from vreader.minidriver.load import load_module
from vreader.minidriver.module import DllReason
from vreader.minidriver.scinfo.pin import OnePin
from vreader.pairing.machine import Machine
from vreader.pairing.question import packages
from vreader.pairing.windows import Windows
from vreader.reader.events import ApduEvent
from vreader.recipe import Recipe
from vreader.setupapi.skeleton import DEFAULT_DRIVER_VER, file_bytes, skeleton

PIN = "123456"
BASE_CSP = "Microsoft Base Smart Card Crypto Provider"
MODULES = """
from vreader.minidriver.drivers.msclmd import ClassMinidriver
from vreader.minidriver.module import Module

class Mine(ClassMinidriver):
    pass


class Without(Module):
    pass
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    found = tmp_path_factory.mktemp("mine")
    (found / "mine.py").write_text(MODULES)
    return found


@pytest.fixture(scope="module")
def signed(folder):
    """A card whose own INF names mine.dll is used to sign; its report and all events."""
    recipe = Recipe.parse("piv").with_options({"pin": PIN}, {"slot": ["9c:p256"]}, b"\1")
    card = make(recipe, MemoryStore())
    text = skeleton(
        card.power_on(), name="Mine", vendor="Me", module="mine.dll", mask=None,
        module_wow64=None, csp=True, ksp=True, guid=None, architectures=["amd64"],
        driver_ver=DEFAULT_DRIVER_VER,
    )  # fmt: skip
    (folder / "mine.inf").write_bytes(file_bytes(text))
    told = []
    store = packages([str(folder / "mine.inf")])
    with Machine(Windows.parse("10.0-amd64"), store=store) as machine:
        machine.host.events.subscribe(told.append)
        report = run_lab(machine, card, "mine", f"{folder}/mine.py:Mine", OnePin(PIN))
    assert report.ok, report.verdict
    return report, told


@pytest.mark.wdk("module.plug-in")
def test_the_provider_uses_the_module_that_the_cards_entry_names(signed):
    report, _ = signed
    assert (report.pairing.card_name, report.pairing.csp) == ("Mine", BASE_CSP)
    assert report.pairing.module.path == r"C:\Windows\System32\mine.dll"
    assert report.steps[0].text.endswith(r"mine.py:Mine stands for C:\Windows\System32\mine.dll")
    assert "AT_ECDSA_P256 in container" in report.verdict


@pytest.mark.wdk("module.resource-manager")
def test_what_a_module_sends_goes_through_the_resource_manager(signed):
    """The commands of a call reach the reader between its beginning and its end."""
    _, told = signed
    begins, ends = (
        next(n for n, e in enumerate(told) if isinstance(e, kind) and e.function == "CardSignData")
        for kind in (CardCallStarted, CardCallEvent)
    )
    commands = [each.command[1] for each in told[begins:ends] if isinstance(each, ApduEvent)]
    assert 0x87 in commands


@pytest.mark.wdk("module.initiates", "module.dll-main")
def test_it_is_attached_then_asked_for_a_context_and_detached_at_last(signed):
    _, told = signed
    calls = [(e.function, *e.arguments) for e in told if isinstance(e, CardCallStarted)]
    assert calls[0] == ("DllMain", ("reason", f"{DllReason.PROCESS_ATTACH:d}"))
    assert calls[1][0] == "CardAcquireContext"
    assert calls[-1] == ("DllMain", ("reason", f"{DllReason.PROCESS_DETACH:d}"))


@pytest.mark.wdk("module.card-acquire-context")
def test_one_without_card_acquire_context_is_none(folder):
    with pytest.raises(UsageError, match="CardAcquireContext"):
        load_module(f"{folder}/mine.py:Without", None)


@pytest.mark.wdk("module.card-functions")
def test_it_may_have_any_of_the_functions(signed):
    _, told = signed
    called = {e.function for e in told if isinstance(e, CardCallStarted)} - {"DllMain"}
    known = {function.name for function in FUNCTIONS} | {"CardAcquireContext"}
    assert {"CardReadFile", "CardSignData", "CardAuthenticateEx"} <= called <= known
    assert {function.name for function in FUNCTIONS if function.optional}


@pytest.mark.wdk("module.card-data")
def test_state_and_functions_are_in_card_data():
    layout = CARD_DATA.layout(version=CURRENT_VERSION)
    assert layout.offsets["pvVendorSpecific"] == 112
    names = {f"pfn{function.name}" for function in FUNCTIONS}
    assert names <= layout.offsets.keys()


@pytest.mark.wdk("module.library")
def test_it_is_a_dynamic_link_library(folder):
    (folder / "text.dll").write_text("no library")
    with pytest.raises(UsageError, match="no PE header"):
        load_module(f"{folder}/text.dll", None)
