# SPDX-License-Identifier: Apache-2.0
"""The lint of an INF's [Version], and which class it is of: a reader's or a card's minidriver."""

import datetime
from collections.abc import Iterator

from vreader.registry.names import fold
from vreader.setupapi.inf import Inf
from vreader.setupapi.rule import Report
from vreader.setupapi.rules import READER_CLASS, READER_GUID
from vreader.setupapi.rules_minidriver import CARD_CLASS, CARD_GUID
from vreader.setupapi.target import Decoration, manufacturers

_SIGNATURES = frozenset({"$WINDOWS NT$", "$CHICAGO$"})


def lint_version(inf: Inf, report: Report) -> bool:
    """Look at [Version]; return whether the file is to be a minidriver's.

    ClassGuid decides, as in Windows, then Class, then what the rest of the file is about.
    """
    section = inf.find("Version")
    line = 0 if section is None else section.line
    where, values = _entry(inf, "Signature")
    if not values or values[0].upper() not in _SIGNATURES:
        report(101, where, values[0] if values else "")
    if not any(_entry(inf, "Provider")[1]):
        report(102, _entry(inf, "Provider")[0], "")
    catalogs = [
        (entry.line, fold(entry.key).removeprefix("CATALOGFILE"))
        for entry in ([] if section is None else section.entries)
        if entry.key is not None and fold(entry.key).startswith("CATALOGFILE")
    ]
    if not catalogs:
        report(103, line, "")
    else:
        _catalogs(inf, catalogs, report)
    where, values = _entry(inf, "DriverVer")
    if not is_driver_version(values):
        # What follows a second comma is not looked at.
        commas = f" (the version is {values[1]} alone)" if len(values) > 2 else ""
        report(104, where, ",".join(values) + commas)
    elif len(values) < 2 or values[1].count(".") < 3:
        report(116, where, ",".join(values))
    where, values = _entry(inf, "PnpLockdown")
    if values[:1] != ["1"]:
        report(115, where, "")
    return _class(inf, report)


def _entry(inf: Inf, key: str) -> tuple[int, list[str]]:
    """Return line and values of a key of [Version], those of the section and none without it."""
    section = inf.find("Version")
    for entry in () if section is None else section.directives(key):
        return entry.line, inf.fields(entry)
    return 0 if section is None else section.line, []


def _class(inf: Inf, report: Report) -> bool:
    (where, class_), (guid_line, guid) = _entry(inf, "Class"), _entry(inf, "ClassGuid")
    name, number = fold(class_[0] if class_ else ""), fold(guid[0] if guid else "")
    unclear = ""
    if number in (fold(CARD_GUID), READER_GUID):
        minidriver = number == fold(CARD_GUID)
    elif name in (fold(CARD_CLASS), fold(READER_CLASS)):
        minidriver = name == fold(CARD_CLASS)
    else:
        minidriver = _is_about_cards(inf)
        if minidriver:
            unclear = "; the file is about cards, not about a reader"
        else:
            unclear = f"; a card's minidriver would have {CARD_CLASS} {CARD_GUID}"
    rule, known, known_guid = (
        (301, CARD_CLASS, CARD_GUID) if minidriver else (201, READER_CLASS, READER_GUID)
    )
    if name != fold(known):
        report(rule, where, f"Class is {class_[0] if class_ else 'missing'}{unclear}")
    if number != fold(known_guid):
        report(rule, guid_line, f"ClassGuid is {guid[0] if guid else 'missing'}{unclear}")
    return minidriver


def _is_about_cards(inf: Inf) -> bool:
    if any(name.partition(".")[0] == "DEFAULTINSTALL" for name in inf.sections):
        return True
    words = ("SCFILTER\\", "CALAIS\\SMARTCARDS")
    return any(
        any(word in fold(value) for word in words)
        for section in inf.sections.values()
        for entry in section.entries
        for value in entry.values
    )


def _catalogs(inf: Inf, catalogs: list[tuple[int, str]], report: Report) -> None:
    """Report what has models and no catalog, where catalogs are for architectures."""
    suffixes = {suffix for _, suffix in catalogs}
    if suffixes & {"", ".NT"}:
        return
    for arch in sorted(set(_architectures(inf))):
        if f".NT{fold(arch)}" not in suffixes:
            report(117, catalogs[0][0], arch)


def _architectures(inf: Inf) -> Iterator[str]:
    for _, _, _, decorations in manufacturers(inf):
        found = [Decoration.parse(text) for text in decorations]
        yield from (each.arch or "x86" for each in found if each is not None)
        if not found:
            yield "x86"


def is_driver_version(values: list[str]) -> bool:
    """Say whether they are a day and, if any, a version: up to four numbers, not all of them 0."""
    if not 1 <= len(values) <= 2:
        return False
    date = values[0].replace("-", "/").split("/")
    if [len(part) for part in date] not in ([2, 2, 4], [1, 1, 4], [1, 2, 4], [2, 1, 4]):
        return False
    numbers = values[1].split(".") if len(values) == 2 else ["1"]
    if not all(part.isascii() and part.isdigit() and len(part) < 6 for part in [*date, *numbers]):
        return False
    month, day, year = map(int, date)
    try:
        datetime.date(year, month, day)
    except ValueError:
        return False
    version = [int(number) for number in numbers]
    return year >= 1900 and len(version) <= 4 and 0 < max(version) < 0xFFFF
