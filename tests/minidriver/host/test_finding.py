# SPDX-License-Identifier: Apache-2.0
"""The minidriver of a card by the machine's registry."""

import pytest
from memory_card import MemoryCard

from vreader.errors import VreaderError
from vreader.minidriver.host.finding import find_providers
from vreader.minidriver.host.policy import CSP_NAME, KSP_NAME
from vreader.pairing.machine import Machine
from vreader.pairing.windows import Windows
from vreader.registry import Value
from vreader.winscard.cardtypes import SMART_CARDS
from vreader.winscard.codes import SCARD, ScardError


@pytest.fixture
def machine():
    with Machine(Windows.parse("10.0-amd64")) as machine:
        yield machine


@pytest.fixture
def entry(machine):
    machine.insert(MemoryCard())
    key = machine.registry.create(rf"{SMART_CARDS}\AAA Memory")
    key.set("ATR", Value.binary(MemoryCard.atr))
    return key


def test_a_card_of_a_vendor(machine, entry):
    entry.set("80000001", Value.sz("vendor.dll"))
    entry.set("Crypto Provider", Value.sz(CSP_NAME))
    entry.set("Smart Card Key Storage Provider", Value.sz(KSP_NAME))
    found = find_providers(machine.api, machine.reader)
    assert found == ("AAA Memory", "vendor.dll", CSP_NAME, KSP_NAME)


def test_a_card_with_a_csp_of_its_own(machine, entry):
    entry.set("Crypto Provider", Value.sz("Vendor CSP"))
    with pytest.raises(VreaderError, match="names no minidriver"):
        find_providers(machine.api, machine.reader)


def test_a_card_that_nobody_knows(machine):
    card = MemoryCard()
    card.atr = bytes.fromhex("3B00")
    card.transmit = lambda c_apdu: b"\x6a\x82"
    machine.insert(card)
    with pytest.raises(VreaderError, match="no entry"):
        find_providers(machine.api, machine.reader)


def test_no_card_and_no_reader(machine):
    with pytest.raises(VreaderError, match="no card"):
        find_providers(machine.api, machine.reader)
    with pytest.raises(ScardError) as caught:
        find_providers(machine.api, "Nowhere 0")
    assert caught.value.code is SCARD.E_UNKNOWN_READER
