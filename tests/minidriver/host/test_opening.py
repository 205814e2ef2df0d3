# SPDX-License-Identifier: Apache-2.0
"""From a card in a reader of a Windows to a provider that signs."""

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from host_desk import Prompting
from memory_card import MemoryCard
from real_cards import PIV

from vreader import cardfile
from vreader.card import MemoryStore
from vreader.errors import UsageError, VreaderError
from vreader.minidriver.events import CardCallEvent
from vreader.minidriver.host.opening import open_provider
from vreader.pairing.machine import Machine
from vreader.pairing.windows import Windows
from vreader.registry import Value
from vreader.winscard.cardtypes import SMART_CARDS

DATA = b"to be signed"


@pytest.fixture
def machine():
    with Machine(Windows.parse("10.0-amd64")) as machine:
        yield machine


def opened(machine, **options):
    return open_provider(
        machine.api, machine.reader, clock=machine.host.clock, view=machine.view, **options
    )


@pytest.mark.parametrize("ksp", [True, False], ids=["KSP", "CSP"])
def test_a_card_that_windows_knows(machine, ksp):
    machine.insert(cardfile.make(PIV, MemoryStore()))
    told = []
    machine.host.events.subscribe(told.append)
    prompt = Prompting("123456")
    with opened(machine, ksp=ksp, events=machine.host.events, prompt=prompt) as provider:
        signature = provider.sign(DATA, 0)
        (key,) = provider.containers()[0].keys
    key.public.verify(signature, DATA, padding.PKCS1v15(), hashes.SHA256())
    (request,) = prompt.requests
    assert "PIV" in request.card
    calls = [event.function for event in told if isinstance(event, CardCallEvent)]
    assert calls[0] == calls[-1] == "DllMain"
    assert "CardSignData" in calls


def test_a_minidriver_by_name(machine, tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        "from vreader.minidriver.drivers.msclmd import ClassMinidriver\n"
        "class Mine(ClassMinidriver):\n"
        "    def close(self):\n"
        f"        open({str(tmp_path / 'closed')!r}, 'w').close()\n"
    )
    machine.insert(cardfile.make(PIV, MemoryStore()))
    with opened(machine, minidriver=f"{path}:Mine") as provider:
        assert provider.containers()
        assert not (tmp_path / "closed").exists()
    assert (tmp_path / "closed").exists()
    with pytest.raises(UsageError, match="no minidriver"):
        opened(machine, minidriver="nothing")


def test_a_card_for_another_provider(machine):
    machine.insert(MemoryCard())
    key = machine.registry.create(rf"{SMART_CARDS}\AAA Memory")
    key.set("ATR", Value.binary(MemoryCard.atr))
    key.set("80000001", Value.sz("msclmd.dll"))
    key.set("Crypto Provider", Value.sz("Vendor CSP"))
    with pytest.raises(VreaderError, match="Vendor CSP"):
        opened(machine, ksp=False)
    with pytest.raises(VreaderError, match="nothing"):
        opened(machine)
