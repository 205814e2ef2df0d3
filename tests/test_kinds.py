# SPDX-License-Identifier: Apache-2.0
"""Finding card kinds: our table says what our packaging says, and strangers' kinds are found."""

import importlib.metadata
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

from vreader import kinds
from vreader.card import Description
from vreader.errors import UsageError, VreaderError

ROOT = Path(__file__).resolve().parents[1]


def test_own_kinds_are_the_entry_points():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["entry-points"][kinds.ENTRY_POINT_GROUP] == kinds.OWN_KINDS


@pytest.mark.parametrize("name", kinds.OWN_KINDS)
def test_own_kinds_keep_the_contract(name):
    kind = kinds.find_kind(name)
    assert kind.name == name
    assert kind.summary
    assert kind.profiles()
    assert all(5 <= len(aid) <= 16 for aid in kind.aids)
    assert kind.reader_name is None or kind.reader_name.endswith(" 00 00")
    assert kind.describe(bytes.fromhex("00420000"), b"") == Description("")


class Foreign:
    """Just enough of a card kind."""

    name = "foreign"
    aids = (bytes.fromhex("A0000000990102"),)

    @staticmethod
    def describe(c_apdu: bytes, aid: bytes) -> Description:
        return Description("FOREIGN", ((5, 6),)) if c_apdu[1] == 0x42 else Description("")


@pytest.fixture
def plug_ins(monkeypatch):
    """Install kinds as packages of other people would; nothing of it stays."""

    def clear() -> None:
        for cached in (kinds._foreign, kinds._by_aid, kinds._load):
            cached.cache_clear()

    def install(**points: str) -> None:
        module = ModuleType("foreign_cards")
        module.KIND = Foreign
        monkeypatch.setitem(sys.modules, "foreign_cards", module)
        found = [
            importlib.metadata.EntryPoint(name, value, kinds.ENTRY_POINT_GROUP)
            for name, value in points.items()
        ]
        monkeypatch.setattr(importlib.metadata, "entry_points", lambda **_: found)
        clear()

    clear()
    yield install
    clear()


def test_a_foreign_kind_is_found(plug_ins):
    plug_ins(foreign="foreign_cards:KIND")
    assert kinds.find_kind("foreign") is Foreign
    assert kinds.kind_names() == sorted([*kinds.OWN_KINDS, "foreign"])


def test_our_own_kinds_cannot_be_replaced(plug_ins):
    plug_ins(piv="foreign_cards:KIND")
    assert kinds.find_kind("piv") is not Foreign
    assert kinds.kind_names() == sorted(kinds.OWN_KINDS)


def test_our_own_kinds_are_found_without_looking_at_entry_points(plug_ins, monkeypatch):
    plug_ins()

    def scan(**_) -> None:
        raise AssertionError("this costs 50 ms")

    monkeypatch.setattr(importlib.metadata, "entry_points", scan)
    assert kinds.find_kind("piv").name == "piv"


def test_an_unknown_kind_names_the_known_ones(plug_ins):
    plug_ins(foreign="foreign_cards:KIND")
    with pytest.raises(UsageError, match="unknown card kind 'pvi'") as caught:
        kinds.find_kind("pvi")
    assert ", ".join(kinds.kind_names()) in caught.value.hint
    assert {"foreign", "piv"} < set(kinds.kind_names())


@pytest.mark.parametrize("target", ["no_such_module:KIND", "foreign_cards:NOTHING"])
def test_a_broken_plug_in_is_named_and_harms_no_other(plug_ins, target):
    plug_ins(broken=target, foreign="foreign_cards:KIND")
    with pytest.raises(VreaderError, match="card kind 'broken' cannot be loaded: ") as caught:
        kinds.find_kind("broken")
    assert target in caught.value.hint
    assert kinds.describe(b"\0\x42\0\0", b"").text == "FOREIGN"


def test_commands_are_described_by_application_and_else_by_whoever_knows(plug_ins):
    plug_ins(foreign="foreign_cards:KIND")
    known = bytes.fromhex("00420000")
    assert kinds.describe(known, Foreign.aids[0]) == Description("FOREIGN", ((5, 6),))
    assert kinds.describe(known, Foreign.aids[0][:5]).text == "FOREIGN"
    assert kinds.describe(known, b"").text == "FOREIGN"
    assert kinds.describe(bytes.fromhex("00430000"), Foreign.aids[0]) == Description("")


def test_kinds_whose_cards_live_in_files():
    assert {"blank", "gids", "piv"} <= {kind.name for kind in kinds.keeping_kinds()}
    assert kinds.find_keeping_kind("piv") is kinds.find_kind("piv")
    with pytest.raises(UsageError, match="cards of kind relay are not kept in files") as caught:
        kinds.find_keeping_kind("relay")
    assert "piv" in caught.value.hint
