# SPDX-License-Identifier: Apache-2.0
"""From the insertion of a card to a signature, and where that can end early."""

from pathlib import Path

import pytest

from vreader.card import MemoryStore
from vreader.cardfile import make
from vreader.cardspec import AtrCard
from vreader.errors import UsageError
from vreader.kinds import find_keeping_kind, find_kind
from vreader.minidriver.events import CardCallEvent, CardCallStarted
from vreader.minidriver.lab import chosen, run_lab
from vreader.minidriver.scinfo.pin import OnePin
from vreader.pairing.events import PairingStep
from vreader.pairing.machine import Machine
from vreader.pairing.question import packages
from vreader.pairing.windows import Windows
from vreader.reader.events import ApduEvent
from vreader.recipe import Recipe
from vreader.setupapi.skeleton import DEFAULT_DRIVER_VER, file_bytes, skeleton

PIN = "123456"
MODULE = """
from vreader.minidriver.drivers.msclmd import ClassMinidriver


class Mine(ClassMinidriver):
    pass


class WrongSignature(ClassMinidriver):
    def CardAcquireContext(self, data, flags):
        context = super().CardAcquireContext(data, flags)
        context.CardSignData = lambda info: bytes(256)
        return context


class Refuses(ClassMinidriver):
    def DllMain(self, reason):
        return reason.name != "PROCESS_ATTACH"
"""


def card(*slots):
    recipe = Recipe.parse("piv").with_options({"pin": PIN}, {"slot": list(slots)}, b"\1")
    return make(recipe, MemoryStore())


@pytest.fixture(scope="module")
def image():
    """The card is made once: a key takes its time."""
    return find_keeping_kind("piv").export(card("9a:rsa2048"))


@pytest.fixture
def mine(image):
    return find_keeping_kind("piv").load(image, MemoryStore())


@pytest.fixture
def inf(tmp_path, mine):
    text = skeleton(
        mine.power_on(), name="Mine", vendor="Me", module="mine.dll", mask=None,
        module_wow64=None, csp=True, ksp=True, guid=None, architectures=["amd64"],
        driver_ver=DEFAULT_DRIVER_VER,
    )  # fmt: skip
    path = tmp_path / "mine.inf"
    path.write_bytes(file_bytes(text))
    (tmp_path / "mine.py").write_text(MODULE)
    return path


@pytest.fixture
def lab(inf):
    """Run the lab; return its report and what the machine told."""

    def run(card, dll="{}/mine.py:Mine", pin=PIN, store=None, bits=0):
        told = []
        store = [str(inf)] if store is None else store
        with Machine(Windows.parse("10.0-amd64"), bits=bits, store=packages(store)) as machine:
            machine.host.events.subscribe(told.append)
            report = run_lab(machine, card, "mine", dll.format(inf.parent), OnePin(pin))
        return report, told

    return run


def test_from_the_insertion_to_the_signature(lab, mine):
    report, told = lab(mine)
    assert report.ok, report.verdict
    assert report.verdict.startswith("a signature by AT_KEYEXCHANGE in container 0, RSA-2048")
    assert [step.stage for step in report.steps][-1] == "signature"
    assert report.pairing.card_name == "Mine"
    stages = [step.stage for step in told if isinstance(step, PairingStep)]
    assert stages[0] == "insertion"
    assert stages[-1] == "signature"
    assert report.record()["ok"] is True


def test_one_trace_has_calls_and_the_commands_they_cause(lab, mine):
    _, told = lab(mine)
    start, end = (
        next(
            number
            for number, event in enumerate(told)
            if isinstance(event, kind) and event.function == "CardSignData"
        )
        for kind in (CardCallStarted, CardCallEvent)
    )
    commands = [event for event in told[start:end] if isinstance(event, ApduEvent)]
    assert any(event.command[1] == 0x87 for event in commands)
    assert PIN.encode().hex() not in "".join(map(str, told)).lower()


def test_the_class_minidriver_of_windows_needs_no_inf(lab, mine):
    report, _ = lab(mine, dll="msclmd.dll", store=[])
    assert report.ok, report.verdict


@pytest.mark.parametrize(
    ("options", "verdict"),
    [
        ({"dll": "C:\\other.dll"}, "Windows would load C:\\Windows\\System32\\mine.dll"),
        ({"pin": "654321"}, "signing: the PIN is wrong; tries left: 2"),
        ({"pin": None}, "signing: no PIN was given"),
        ({"dll": "{}/mine.py:WrongSignature"}, "the public key does not verify"),
    ],
)
def test_where_it_ends_early(lab, mine, options, verdict):
    report, _ = lab(mine, **options)
    assert not report.ok
    assert verdict in report.verdict


def test_a_card_without_keys(lab, mine):
    empty = find_kind("piv").create("5.4.3", {}, MemoryStore(), None)
    report, _ = lab(empty)
    assert report.verdict == "the card has no key that could sign"


def test_a_card_that_pairs_with_nothing(lab):
    report, _ = lab(AtrCard(bytes.fromhex("3B00")), store=[])
    assert not report.ok
    assert report.steps == ()
    assert "no minidriver is loaded" in report.verdict


def test_a_minidriver_that_refuses_to_be_loaded(lab, mine):
    report, _ = lab(mine, dll="{}/mine.py:Refuses")
    assert "DllMain refuses" in report.verdict


@pytest.mark.parametrize(
    ("dll", "message"), [("mine.txt", "is no minidriver"), ("{}/mine.py:Nothing", "no class")]
)
def test_no_such_minidriver(lab, mine, dll, message):
    with pytest.raises(UsageError, match=message):
        lab(mine, dll=dll)


@pytest.fixture
def dll(inf, tmp_path, need):
    """Ours, under the name that the INF installs."""
    need("wine", "wine64 wine")
    need("x86_64-w64-mingw32-gcc", "gcc-mingw-w64-x86-64")
    from vreader.minidriver.dll.module import sample_dll

    (tmp_path / "mine.dll").write_bytes(Path(sample_dll()).read_bytes())
    return "{}/mine.dll"


@pytest.mark.clients
@pytest.mark.wdk("module.library", "module.dll-main", "module.resource-manager")
def test_a_dll(lab, mine, dll):
    report, told = lab(mine, dll)
    assert report.ok, report.verdict
    start, end = (
        next(n for n, e in enumerate(told) if isinstance(e, kind) and e.function == "CardSignData")
        for kind in (CardCallStarted, CardCallEvent)
    )
    assert any(isinstance(event, ApduEvent) for event in told[start:end])
    assert PIN.encode().hex() not in "".join(map(str, told)).lower()


@pytest.mark.clients
def test_a_program_of_32_bits_cannot_load_a_dll_for_x64(lab, mine, dll):
    report, _ = lab(mine, dll, bits=32)
    assert not report.ok
    assert report.verdict.endswith("mine.dll, a DLL for x64")
    with pytest.raises(UsageError, match="cannot load"):
        chosen(report.pairing, report.verdict.split()[-5].rstrip(","))
    assert chosen(report.pairing, "msclmd.dll").module.name == "msclmd.dll"
