# SPDX-License-Identifier: Apache-2.0
"""A card without applications: its ATRs, and the status words it refuses with."""

import json
import subprocess
import sys

import pytest
from toy_card import send

from cards.blank import KIND
from vreader.card import Card, Description, FileStore, KeepingKind, MemoryStore
from vreader.errors import UsageError
from vreader.iso7816 import Atr


def make(profile="both", **options):
    options = {name.replace("_", "-"): value for name, value in options.items()}
    card = KIND.create(profile, options, MemoryStore(), None)
    card.power_on()
    return card


def test_it_is_a_kind_and_makes_cards():
    assert isinstance(KIND, KeepingKind)
    assert isinstance(make(), Card)
    assert list(KIND.profiles()) == ["both", "t0", "t1"]


@pytest.mark.parametrize(
    ("profile", "protocols"), [("both", (0, 1)), ("t0", (0,)), ("t1", (1,)), ("", (0, 1))]
)
def test_protocols(profile, protocols):
    atr = Atr.parse(make(profile).power_on())
    assert atr.protocols == protocols
    assert atr.historical == b""


def test_fabrikam():
    """The sample card of Microsoft's page on smart card Plug and Play."""
    assert make("t0", hist="51FF0800").power_on().hex().upper() == "3B0451FF0800"
    assert make("t1", hist="51FF0800").power_on().hex().upper() == "3B840151FF080023"


@pytest.mark.parametrize("aid", ["A000000308", "A0000003974349445F0100", "00" * 16, ""])
def test_it_has_no_application(aid):
    command = f"00A40400{len(aid) // 2:02X}{aid}00" if aid else "00A4040000"
    assert send(make(), command) == "6A82"
    assert send(make(select_sw="6999"), command) == "6999"


@pytest.mark.parametrize(
    "command",
    ["00B0000000", "00CA7F6800", "0020008008" + "31" * 8, "10DB3FFF01AA", "00A40000023F00"],
)
def test_it_takes_no_command(command):
    assert send(make(), command) == "6D00"
    assert send(make(other_sw="6e00"), command) == "6E00"


def test_an_unknown_class_is_refused_as_on_every_card():
    assert send(make(), "FFCA000000") == "6E00"
    assert send(make(), "00") == "6700"


@pytest.mark.parametrize("name", ["select-sw", "other-sw"])
@pytest.mark.parametrize(
    "value",
    ["", "6D", "6D000", "0000", "5FFF", "61FF", "6C00", "6012", "xxxx", " 6D0", "+6D0", "6_D0"],
)
def test_what_is_no_status_word(name, value):
    with pytest.raises(UsageError) as caught:
        KIND.create("both", {name: value}, MemoryStore(), None)
    assert name in str(caught.value)


def test_it_stays_what_it_is(tmp_path):
    store = FileStore(str(tmp_path / "a.card"))
    KIND.create("t1", {"select-sw": "6E00", "other-sw": "6F00"}, store, None).close()
    card = KIND.open(store)
    card.power_on()
    assert send(card, "00A4040005A000000308") == "6E00"
    assert send(card, "00B0000000") == "6F00"
    assert KIND.facts(card) == [("answer to SELECT", "6E00"), ("answer to others", "6F00")]
    image = KIND.export(card)
    card.close()
    copy = KIND.load(image, MemoryStore())
    copy.power_on()
    assert send(copy, "00B0000000") == "6F00"


def test_it_takes_no_keys():
    with pytest.raises(UsageError, match="takes no keys"):
        KIND.provision(make(), {"slot": ["9a:p256"]})


def test_describe():
    assert KIND.describe(bytes.fromhex("00CA7F6800"), b"").text.startswith("GET DATA 7F68")
    assert KIND.describe(bytes.fromhex("0020008008"), KIND.aids[0]) == Description("")


def test_importing_it_loads_nothing_heavy():
    script = (
        "import json, sys; from cards.blank import KIND; from vreader.card import MemoryStore\n"
        "KIND.create('t0', {'hist': '51FF0800'}, MemoryStore(), None)\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True).stdout
    for heavy in ("cryptography", "sqlite3", "hashlib", "uuid", "logging"):
        assert heavy not in json.loads(out)
