# SPDX-License-Identifier: Apache-2.0
"""How a card's name is found, step by step, with cards that are a table of answers."""

from itertools import count

import pytest

from vreader.registry import REG_BINARY, Registry, Value
from vreader.registry.view import View
from vreader.winscard.cardtypes import CardType
from vreader.winscard.codes import SCARD, ScardError
from vreader.winscard.discovery import IDMP_CACHE, PIV_CACHE, AtrCache, winscard_discovery
from vreader.winscard.probing import GIDS, GIDS_CARD, PIV, PIV_CARD, drive

ATR = bytes.fromhex("3B80800101")
OK, NOT_FOUND = b"\x90\x00", b"\x6a\x82"


class Table:
    """A card: AID → R-APDU; anything else is not found."""

    def __init__(self, answers):
        self.answers = answers
        self.seen = []

    def transmit(self, command):
        self.seen.append(command)
        return self.answers.get(command[5:-1], NOT_FOUND)


def discover(answers, *args, **kwargs):
    card = Table(answers)
    found = drive(winscard_discovery(ATR, *args, **kwargs), card.transmit)
    assert [asked.command for asked in found.asked if asked.command[1] == 0xA4] == [
        command for command in card.seen if command[1] == 0xA4
    ]
    return found


def names_of(found):
    return found.name, found.source, found.cache


@pytest.mark.wdk("discovery.winscard.order")
@pytest.mark.parametrize(
    ("gids", "piv", "order", "expected"),
    [
        (OK, OK, "list", (GIDS_CARD, "GIDS application", IDMP_CACHE)),
        (OK, OK, "table", (PIV_CARD, "PIV application", PIV_CACHE)),
        (NOT_FOUND, OK, "list", (PIV_CARD, "PIV application", PIV_CACHE)),
        (OK, NOT_FOUND, "table", (GIDS_CARD, "GIDS application", IDMP_CACHE)),
        (NOT_FOUND, NOT_FOUND, "list", ("", "", "")),
        (b"\x6e\x00", b"\x69\x99", "list", ("", "", "")),
        (b"\x62\x83", b"\x63\x00", "list", ("", "", "")),  # warnings are not documented
        (b"", b"\x90", "list", ("", "", "")),
        (OK, OK, "off", ("", "", "")),
    ],
)
def test_a_card_is_asked_for_its_applications(gids, piv, order, expected):
    found = discover({GIDS: gids, PIV: piv}, [], order=order)
    assert names_of(found) == expected
    assert not found.problem


def test_what_is_asked_and_what_is_told_of_it():
    found = discover({PIV: b"\x61\x20"}, [])
    assert [asked.command.hex().upper() for asked in found.asked] == [
        "00A4040009A0000003974254465900",
        "00A4040009A0000003080000100000",
    ]
    assert found.steps == [
        "Calais\\SmartCards: no entry matches",
        "PIV Device ATR Cache: the ATR is not there",
        "IDMP ATR Cache: the ATR is not there",
        "SELECT the GIDS application: no (6A82 FILE_NOT_FOUND)",
        found.asked[-1].text,
    ]


def test_more_data_is_fetched():
    class More(Table):
        def transmit(self, command):
            super().transmit(command)
            return b"\x61\x03" if command[1] == 0xA4 else b"abc\x90\x00"

    card = More({})
    found = drive(winscard_discovery(ATR, []), card.transmit)
    assert found.name == GIDS_CARD
    assert found.asked[0].data == b"abc"
    assert card.seen[1] == bytes.fromhex("00C0000003")


@pytest.mark.wdk("discovery.winscard.registry")
def test_what_is_registered_comes_before_what_is_known_before_what_is_asked():
    entry, other = CardType("Mine", ATR), CardType("Other", b"\x3b\x00")
    everything = {GIDS: OK, PIV: OK}
    found = discover(everything, [other, entry], [ATR], [ATR])
    assert names_of(found) == ("Mine", "registry", "")
    found = discover(everything, [other], [ATR], [ATR])
    assert names_of(found) == (PIV_CARD, "PIV cache", "")
    found = discover(everything, [other], [b"\x3b\x00"], [ATR])
    assert names_of(found) == (GIDS_CARD, "IDMP cache", "")
    assert found.asked == []


def test_a_card_that_cannot_be_asked_has_no_name():
    probe = winscard_discovery(ATR, [])
    next(probe)
    probe.send(NOT_FOUND)
    with pytest.raises(StopIteration) as stop:
        probe.throw(ScardError(SCARD.W_REMOVED_CARD))
    found = stop.value.value
    assert names_of(found) == ("", "", "")
    assert found.problem == "SELECT the PIV application: Removed card (0x80100069)"
    assert found.steps[-1] == found.problem
    assert len(found.asked) == 1


# ------------------------------------------------------------------ caches


@pytest.mark.wdk("discovery.winscard.cache")
def test_a_cache_remembers_whole_atrs_under_random_names():
    registry, names = Registry(), iter(["A", "A", "a", "B"])
    cache = AtrCache(View(registry), PIV_CACHE, lambda: next(names))
    assert ATR not in cache
    for atr in (ATR, ATR, ATR[:4]):
        cache.add(atr)
    assert ATR in cache
    assert ATR[:4] in cache
    assert ATR[:3] not in cache
    key = registry.open(r"HKLM\SOFTWARE\Microsoft\Cryptography\Calais\PIV Device ATR Cache")
    assert [(name, value.type, value.data) for name, value in key.values()] == [
        ("A", REG_BINARY, ATR),
        ("B", REG_BINARY, ATR[:4]),
    ]


def test_a_cache_of_another_type_is_not_believed():
    registry, numbers = Registry(), count()
    cache = AtrCache(View(registry), IDMP_CACHE, lambda: str(next(numbers)))
    key = registry.create(r"HKLM\SOFTWARE\Microsoft\Cryptography\Calais\IDMP ATR Cache")
    key.set("x", Value(1, ATR))
    assert ATR not in cache
