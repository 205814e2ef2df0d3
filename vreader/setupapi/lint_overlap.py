# SPDX-License-Identifier: Apache-2.0
"""The lint of cards that get in each other's way: one ATR that fits two, one hardware id for two.

Two entries can take one card exactly when ``(a1 ^ a2) & m1 & m2 == 0`` at equal length. Entries are
kept by mask, so that a card is looked up once for each mask and not once for each card.
"""

from collections.abc import Iterator
from typing import Final

from vreader.registry.names import fold
from vreader.setupapi.calais import CardEntry
from vreader.setupapi.inf import Inf
from vreader.setupapi.minidriver import Install
from vreader.setupapi.rule import Report

_MAX_MASKS: Final = 64  # of one length; real packages have a few
_MAX_SHOWN: Final = 8  # of what gets in the way of one card


def lint_overlap(
    inf: Inf, installs: list[Install], others: list[tuple[Inf, list[Install]]], report: Report
) -> None:
    """Report cards and hardware ids of a package that another card has, too.

    Args:
        inf: the package.
        installs: what it installs, with the cards.
        others: the same of other packages.
        report: told the findings.
    """
    cards = list(_cards(installs))
    index = _Index(cards)
    for place, entry in enumerate(cards):
        for other in index.overlapping(entry, place):
            report(336, entry.line, f"{entry.name} and {other.name} (line {other.line})")
    _same_ids(installs, report)
    for other_inf, other_installs in others:
        _beside(cards, installs, other_inf.source, other_installs, report)


def _cards(installs: list[Install]) -> Iterator[CardEntry]:
    """Yield every card once, whatever the installs and views that register it."""
    seen: set[tuple[str, bytes, bytes]] = set()
    entries = [entry for install in installs for entry in install.cards.values()]
    for entry in sorted(entries, key=lambda entry: entry.line):
        pattern = entry.pattern
        if pattern is not None:
            key = fold(entry.name), pattern.atr, pattern.mask
            if key not in seen:
                seen.add(key)
                yield entry


def _same_ids(installs: list[Install], report: Report) -> None:
    """Report an id that two models of one section have."""
    first: dict[tuple[str, str], int] = {}
    for install in installs:
        for model in install.models:
            for each in dict.fromkeys(fold(each) for each in model.ids if each):
                before = first.setdefault((fold(model.models), each), model.line)
                if before != model.line:
                    report(338, max(before, model.line), f"{each}, see line {before}")


def _beside(
    cards: list[CardEntry],
    installs: list[Install],
    source: str,
    other_installs: list[Install],
    report: Report,
) -> None:
    theirs = list(_cards(other_installs))
    index = _Index(theirs)
    names = {fold(entry.name): entry for entry in reversed(theirs)}
    named: set[str] = set()
    for entry in cards:
        for other in index.overlapping(entry, len(theirs)):
            report(337, entry.line, f"{entry.name} and {other.name} of {source}")
        same = names.get(fold(entry.name))
        if same is not None and fold(entry.name) not in named:
            named.add(fold(entry.name))
            report(339, entry.line, f"{entry.name} of {source}")
    ids = {
        fold(each) for other in other_installs for model in other.models for each in model.ids
    }  # fmt: skip
    seen: set[str] = set()
    for install in installs:
        for model in install.models:
            for each in model.ids:
                if each and fold(each) in ids and fold(each) not in seen:
                    seen.add(fold(each))
                    report(338, model.line, f"{each} of {source}")


_Key = tuple[int, int]  # a mask of the indexed cards, and what it has in common with another


class _Index:
    """Cards by length and mask."""

    def __init__(self, cards: list[CardEntry]) -> None:
        self._groups: dict[int, dict[int, list[tuple[int, int, CardEntry]]]] = {}
        self._tables: dict[tuple[int, int, int], dict[int, list[tuple[int, CardEntry]]]] = {}
        for place, entry in enumerate(cards):
            length, atr, mask = _numbers(entry)
            groups = self._groups.setdefault(length, {})
            if mask in groups or len(groups) < _MAX_MASKS:
                groups.setdefault(mask, []).append((atr, place, entry))

    def overlapping(self, entry: CardEntry, before: int) -> Iterator[CardEntry]:
        """Yield cards of other names that can be the same card, those that stand before a place."""
        length, atr, mask = _numbers(entry)
        groups = self._groups.get(length, {})
        shown = 0
        if mask not in groups and len(groups) >= _MAX_MASKS:
            return
        for other_mask in groups:
            common = mask & other_mask
            for place, other in self._table(length, other_mask, common).get(atr & common, ()):
                if place < before and fold(other.name) != fold(entry.name):
                    yield other
                    shown += 1
                    if shown == _MAX_SHOWN:
                        return

    def _table(self, length: int, mask: int, common: int) -> dict[int, list[tuple[int, CardEntry]]]:
        """Return the first few cards of one mask by the bits that ``common`` leaves."""
        table = self._tables.get((length, mask, common))
        if table is None:
            table = self._tables[length, mask, common] = {}
            for atr, place, entry in self._groups[length][mask]:
                found = table.setdefault(atr & common, [])
                if len(found) <= _MAX_SHOWN:
                    found.append((place, entry))
        return table


def _numbers(entry: CardEntry) -> tuple[int, int, int]:
    pattern = entry.pattern
    assert pattern is not None  # others are not asked about
    atr, mask = (int.from_bytes(data, "big") for data in (pattern.atr, pattern.mask))
    return len(pattern.atr), atr, mask
