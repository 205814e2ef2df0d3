# SPDX-License-Identifier: Apache-2.0
"""The machine of a check."""

from typing import ClassVar

import pytest

from vreader.card import MemoryStore
from vreader.kinds import find_keeping_kind
from vreader.minidriver.certify import Settings, Subject
from vreader.minidriver.certify.check import Failed
from vreader.minidriver.certify.machine import Machine
from vreader.minidriver.drivers.msclmd import ClassMinidriver
from vreader.minidriver.module import DllReason


class Closing:
    """A card, and what remembers that it was closed."""

    def __init__(self, closed):
        kind = find_keeping_kind("gids")
        self.inner = kind.create("", {}, MemoryStore(), None)
        self.closed = closed

    def __getattr__(self, name):
        return getattr(self.inner, name)

    def close(self):
        self.closed.append("card")


class Noted(ClassMinidriver):
    closed: ClassVar = []
    loads = True

    def DllMain(self, reason):
        return self.loads or reason is not DllReason.PROCESS_ATTACH

    def close(self):
        self.closed.append("module")


@pytest.fixture
def closed():
    Noted.closed = []
    return Noted.closed


def test_all_cards_and_the_module_are_closed(closed):
    machine = Machine(Subject("m", Noted, lambda: Closing(closed)), Settings())
    machine.insert("Second")
    machine.close()
    assert closed == ["module", "card", "card"]


def test_what_refuses_to_be_loaded_is_closed(closed, monkeypatch):
    monkeypatch.setattr(Noted, "loads", False)
    with pytest.raises(Failed, match="DllMain"):
        Machine(Subject("m", Noted, lambda: Closing(closed)), Settings())
    assert closed == ["module", "card"]


def test_a_context_has_the_current_version_of_the_settings():
    subject = Subject("m", ClassMinidriver, lambda: Closing([]))
    machine = Machine(subject, Settings(current_version=6))
    assert (machine.md.version, machine.acquire(version=5).version) == (6, 5)
    machine.close()
