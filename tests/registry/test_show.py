# SPDX-License-Identifier: Apache-2.0
import json

import pytest

from vreader.registry import Registry, Value
from vreader.registry.show import described, records, tree

CARDS = r"HKLM\SOFTWARE\Microsoft\Cryptography\Calais\SmartCards"


@pytest.fixture
def cards():
    registry = Registry()
    card = registry.create(rf"{CARDS}\Fabrikam")
    card.set("ATR", Value.binary(bytes.fromhex("3B0451FF0800")))
    card.set("", Value.sz("a"))
    card.set("Crypto Provider", Value.sz("Microsoft Base Smart Card Crypto Provider"))
    registry.create(rf"{CARDS}\Fabrikam\Below\Deep")
    registry.create(rf"{CARDS}\Alpha")
    return registry.open(CARDS)


def test_a_tree_is_for_people(cards):
    assert list(tree(cards)) == [
        r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Cryptography\Calais\SmartCards" + "\\",
        "  Alpha\\",
        "  Fabrikam\\",
        "    ATR              REG_BINARY  3b 04 51 ff 08 00",
        "    (default)        REG_SZ      a",
        "    Crypto Provider  REG_SZ      Microsoft Base Smart Card Crypto Provider",
        "    Below\\",
        "      Deep\\",
    ]
    assert list(tree(cards, 1))[-1] == "    Crypto Provider  REG_SZ      " + (
        "Microsoft Base Smart Card Crypto Provider"
    )
    assert list(tree(cards, 0)) == [cards.path + "\\ …"]
    assert list(tree(cards.open("Alpha"), 0)) == [cards.path + "\\Alpha\\"]


def test_records_are_for_programs(cards):
    found = json.loads(json.dumps(records(cards.open("Fabrikam"), 0)))
    assert found == [
        {
            "key": cards.path + "\\Fabrikam",
            "values": [
                {"name": "ATR", "type": "REG_BINARY", "data": "3b0451ff0800"},
                {"name": "", "type": "REG_SZ", "data": "61000000", "value": "a"},
                {
                    "name": "Crypto Provider",
                    "type": "REG_SZ",
                    "data": cards.open("Fabrikam").get("Crypto Provider").data.hex(),
                    "value": "Microsoft Base Smart Card Crypto Provider",
                },
            ],
        }
    ]


def test_the_deepest_tree_is_written():
    registry = Registry()
    registry.create("HKCU" + "\\a" * 512)
    assert len(list(tree(registry.root("HKCU")))) == 513
    assert json.dumps(records(registry.root("HKCU")))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Value.sz("a\x1b[1m\ud800"), "a\ufffd[1m\ufffd"),
        (Value.expand_sz("%a%"), "%a%"),
        (Value.multi_sz(["a b", "c"]), '"a b" "c"'),
        (Value.dword(42), "0x0000002a (42)"),
        (Value.qword(1), "0x0000000000000001 (1)"),
        (Value(4, b"\1\2"), "01 02"),
        (Value.binary(bytes(40)), " ".join(["00"] * 32) + " … (40 bytes)"),
        (Value.none(), ""),
    ],
)
def test_a_value_is_one_line(value, text):
    assert described(value) == text
