# SPDX-License-Identifier: Apache-2.0
"""Cards inserted into a simulated Windows: the whole way, with the cards of this project."""

import pytest
from answering import (
    FABRIKAM_ATR,
    FABRIKAM_ID,
    GET_CARD_ID,
    GIDS_SELECT,
    PIV_SELECT,
    Answering,
)

from vreader.card import CardGone, CardMute
from vreader.cardids import GIDS_ID, PIV_ID
from vreader.pairing.discovery import class_minidriver
from vreader.pairing.machine import Machine
from vreader.pairing.policy import DEFAULT, Policy
from vreader.pairing.talk import Talk
from vreader.pairing.windows import Windows
from vreader.registry import Registry, Value
from vreader.wdm.rootbus import BusQueryId, DeviceRelationType
from vreader.winscard.probing import GIDS_CARD, PIV_CARD

NO_HISTORICAL = bytes.fromhex("3B00")
YUBIKEY_ID = r"SCFILTER\CID_8073c021c057597562694b6579"
TPM_ID = r"SCFILTER\CID_80fba000000397425446590401"
GUID = "00010203-0405-0607-0809-0a0b0c0d0e0f"


@pytest.fixture
def windows():
    machines = []

    def start(os="10.0-amd64", policy=DEFAULT, **options):
        machines.append(Machine(Windows.parse(os), policy, **options))
        return machines[-1]

    yield start
    for machine in machines:
        machine.close()


def ids(found):
    return None if found.device is None else (
        found.device.hardware_ids, found.device.compatible_ids)  # fmt: skip


# What a card answers; then its device ids, winscard's name, the class minidriver's verdict.
CARDS = {
    "historical bytes alone": (
        Answering(), ([FABRIKAM_ID], []), "", "GIDS",
    ),
    "nothing at all": (Answering(NO_HISTORICAL), None, "", "GIDS"),
    "PIV": (
        Answering(answers={PIV_SELECT: "9000"}), ([FABRIKAM_ID], [PIV_ID]), PIV_CARD, "PIV",
    ),
    "PIV without historical bytes": (
        Answering(NO_HISTORICAL, {PIV_SELECT: "9000"}), ([PIV_ID], [PIV_ID]), PIV_CARD, "PIV",
    ),
    "GIDS": (
        Answering(answers={GIDS_SELECT: "9000"}), ([FABRIKAM_ID], [GIDS_ID]), GIDS_CARD, "GIDS",
    ),
    "PIV and GIDS": (
        Answering(answers={PIV_SELECT: "9000", GIDS_SELECT: "9000"}),
        ([FABRIKAM_ID], [PIV_ID]), GIDS_CARD, "PIV",
    ),
    "refuses every class": (
        Answering(other="6E00"), ([FABRIKAM_ID], []), "", "unknown",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CARDS)
def test_three_processes_see_three_things(windows, name):
    card, device, card_name, verdict = CARDS[name]
    machine = windows()
    found = machine.insert(card, name)
    assert ids(found) == device
    assert found.card_name == card_name
    with Talk(machine.api, machine.reader) as talk:
        assert talk.ask(class_minidriver()).verdict == verdict


def test_a_card_identifier_without_its_application(windows):
    answer = "302C16044D534654302404100302010005040706" + "08090A0B0C0D0E0F0410" + "FF" * 16
    found = windows().insert(Answering(answers={GET_CARD_ID: answer + "9000"}))
    assert ids(found) == ([rf"SCFILTER\CID_{GUID}"], [])


@pytest.mark.parametrize("os", ["10.0-amd64", "6.2-x86", "6.1-amd64", "6.0-amd64"])
def test_a_card_nobody_knows(windows, os):
    found = windows(os).insert(Answering())
    assert (found.card_name, found.module, found.outcome) == ("", None, "none")
    version = Windows.parse(os).version
    if version < (6, 1):
        assert found.device is None
    elif version == (6, 1):
        assert found.device is not None
        assert (found.driver, found.device.problem[:7]) == (None, "code 28")
    else:
        assert found.driver is not None
        assert found.driver.description == "Unknown Smart Card"
        assert found.device is not None
        assert not found.device.problem


def test_the_trace_of_an_insertion_leads_to_the_dll(windows):
    machine = windows()
    heard = []
    machine.host.events.subscribe(lambda event: heard.append(type(event).__name__))
    found = machine.insert(Answering(answers={PIV_SELECT: "9000"}))
    assert found.module is not None
    assert found.module.path == r"C:\Windows\System32\msclmd.dll"
    assert found.class_verdict == "PIV"
    assert {"PairingStep", "ApduEvent", "IrpEvent", "DeviceEvent"} <= set(heard)
    assert FABRIKAM_ATR.hex(" ").upper() in found.steps[0].text


def test_the_second_time_the_device_has_its_driver(windows):
    machine = windows()
    card = Answering(answers={PIV_SELECT: "9000"})
    first = machine.insert(card)
    machine.remove()
    second = machine.insert(card)
    assert second.driver == first.driver
    assert "has its driver" in " ".join(step.text for step in second.steps)


def test_a_card_that_does_not_answer(windows):
    class Mute(Answering):
        def power_on(self):
            raise CardMute

        reset = power_on

    found = windows().insert(Mute())
    assert "cannot be asked" in found.problem
    assert found.outcome == "error"


class Failing(Answering):
    """A GIDS card that leaves, or falls silent, at its n-th command or warm reset."""

    def __init__(self, failure, *, command=0, reset=0):
        super().__init__(answers={GIDS_SELECT: "9000"})
        self.failure, self.at_command, self.at_reset, self.resets = failure, command, reset, 0

    def transmit(self, c_apdu):
        answer = super().transmit(c_apdu)
        if len(self.heard) == self.at_command:
            raise self.failure
        return answer

    def reset(self):
        self.resets += 1
        if self.resets == self.at_reset:
            raise self.failure
        return self.atr


@pytest.mark.parametrize("failure", [CardGone, CardMute])
@pytest.mark.parametrize("at", range(1, 9))
def test_a_card_that_fails_at_any_command_leaves_what_was_known(windows, failure, at):
    """Five commands of Plug and Play, one of winscard, two of the class minidriver."""
    machine = windows()
    found = machine.insert(Failing(failure, command=at))
    assert "cannot be asked" in found.problem
    assert (found.outcome, found.atr) == ("error", FABRIKAM_ATR)
    assert (found.device is None, found.module is None) == (at <= 5, at <= 6)
    questions = [step for step in found.steps if "command" in dict(step.facts)]
    assert len(questions) == at - 1
    assert found.problem in found.steps[-1].text or at == 6
    if failure is CardGone:
        assert machine.filter.card is None


def test_a_card_is_reset_after_plug_and_play_and_the_class_minidriver_alone(windows):
    class Resettable(Answering):
        def reset(self):
            self.heard.append("reset")
            return self.atr

    card = Resettable(answers={GIDS_SELECT: "9000"})
    windows().insert(card)
    assert [at for at, what in enumerate(card.heard) if what == "reset"] == [5, 9]
    assert len(card.heard) == 10  # five of Plug and Play, one of winscard, two of the minidriver


def test_a_card_that_leaves_when_plug_and_play_is_done_has_no_device(windows):
    machine = windows()
    found = machine.insert(Failing(CardGone, reset=1))
    assert "it has left" in found.problem
    assert (machine.filter.card, found.device) == (None, None)


def test_a_card_that_is_silent_once_is_powered_anew(windows):
    found = windows().insert(Failing(CardMute, reset=1))
    assert (found.problem, found.card_name) == ("", GIDS_CARD)


def test_a_card_with_an_atr_of_its_own_after_a_reset_is_named_by_that(windows):
    """Plug and Play resets it, so what a program sees is the warm ATR."""
    warm = bytes.fromhex("3B0299AA")

    class Warm(Answering):
        def reset(self):
            return warm

    registry = Registry()
    key = registry.create(r"HKLM\SOFTWARE\Microsoft\Cryptography\Calais\SmartCards\Warm")
    key.set("ATR", Value.binary(warm))
    key.set("ATRMask", Value.binary(b"\xff" * 4))
    found = windows(registry=registry).insert(Warm())
    assert (found.card_name, found.atr, ids(found)) == ("Warm", FABRIKAM_ATR, ([FABRIKAM_ID], []))
    found = windows(policy=Policy(winscard="table")).insert(Warm(answers={PIV_SELECT: "9000"}))
    assert (found.card_name, found.problem) == (PIV_CARD, "")


def test_the_device_is_a_child_of_its_reader_while_the_card_is_there(windows):
    machine = windows()
    pnp, card = machine.host.pnp, Answering(answers={PIV_SELECT: "9000"})

    def children():
        return pnp.query_relations(reader, DeviceRelationType.BusRelations)

    machine.insert(card)
    pdo = machine.filter.card
    reader = machine.filter._pdo
    assert machine.host.run(children) == [pdo]
    assert machine.host.run(lambda: pnp.query_ids(pdo, BusQueryId.CompatibleIDs)) == [PIV_ID]
    machine.remove()
    assert machine.host.run(children) == reader.children == []


def test_what_a_registry_says_of_the_inbox_entries_stays(windows):
    registry = Registry()
    path = rf"HKLM\SOFTWARE\Microsoft\Cryptography\Calais\SmartCards\{PIV_CARD}"
    registry.create(path).set("80000001", Value.sz("own.dll"))
    found = windows(registry=registry).insert(Answering(answers={PIV_SELECT: "9000"}))
    assert found.module is not None
    assert (found.module.name, found.module.found) == ("own.dll", None)
    assert found.csp


@pytest.mark.parametrize(
    ("bits", "path"),
    [(64, r"C:\Windows\System32\msclmd.dll"), (32, r"C:\Windows\SysWOW64\msclmd.dll")],
)
def test_the_callers_bits_choose_the_file(windows, bits, path):
    found = windows(bits=bits).insert(Answering(answers={GIDS_SELECT: "9000"}))
    assert found.module is not None
    assert (found.module.path, found.module.found) == (path, True)


def test_group_policy_turns_plug_and_play_off(windows):
    machine = windows(policy=Policy(plug_and_play="off"))
    found = machine.insert(Answering(answers={PIV_SELECT: "9000"}))
    assert found.device is None
    assert found.card_name == PIV_CARD
