# SPDX-License-Identifier: Apache-2.0
"""The lint of a card's minidriver: its sections, what they install, and for which ids."""

from collections.abc import Sequence
from typing import Final

from vreader.registry.names import fold
from vreader.setupapi.calais import card_entries, card_of, is_calais_wow64
from vreader.setupapi.inf import Inf
from vreader.setupapi.lint_cards import lint_card
from vreader.setupapi.lint_dangling import lint_dangling
from vreader.setupapi.lint_ids import lint_ids
from vreader.setupapi.lint_modules import Modules
from vreader.setupapi.lint_overlap import lint_overlap
from vreader.setupapi.lint_sections import Sections
from vreader.setupapi.minidriver import (
    DEFAULT_INSTALL,
    NARROW,
    Install,
    default_sections,
    find_installs,
)
from vreader.setupapi.regops import RegLine
from vreader.setupapi.rule import Report
from vreader.setupapi.services import SPSVCINST_ASSOCSERVICE, AddService
from vreader.setupapi.syntax import Section

_SUFFIXES: Final = ("", ".HW", ".CoInstallers", ".Interfaces", ".Services")


def lint_minidriver(inf: Inf, report: Report, others: Sequence[Inf] = ()) -> None:
    """Look at what a minidriver's INF installs, alone and beside others.

    Raises:
        InfError: sections name each other so often that it would never end.
    """
    lint = _Lint(inf, report)
    installs = find_installs(inf)
    for install in installs:
        lint.install(install)
    lint.nothing_registered(installs)
    _default_installs(inf, installs, report)
    if any(each.models for each in installs) and all(each.arch in NARROW for each in installs):
        section = inf.find("Manufacturer")
        report(334, 0 if section is None else section.line, "")
    lint_dangling(inf, installs, report)
    lint_overlap(inf, installs, [(other, _installed(other)) for other in others], report)


def _installed(inf: Inf) -> list[Install]:
    """Return what another INF installs; what is wrong with it is not reported."""
    lint = _Lint(inf, _silent)
    installs = find_installs(inf)
    for install in installs:
        lint.register(install)
    return installs


def _silent(number: int, line: int, detail: str) -> None:
    """Report nothing."""


def _default_installs(inf: Inf, installs: list[Install], report: Report) -> None:
    sections = list(default_sections(inf))
    if not sections:
        report(302, 0, "")
        return
    if inf.find("Manufacturer") is not None:
        report(303, sections[0][0].line, "")
    for section, decoration in sections:
        if decoration is None or not decoration.arch:
            report(304, section.line, f"[{section.name}]")
    covered = {install.arch for install in installs if install.default}
    for install in installs:
        if install.arch not in covered:
            covered.add(install.arch)
            report(307, install.models[0].line, install.arch)


class _Lint(Sections):
    def __init__(self, inf: Inf, report: Report) -> None:
        super().__init__(inf, report)
        self._modules = Modules(inf, report, self.step)
        self._null_driver = False
        self._needs: dict[int, list[Section]] = {}
        self._misplaced: dict[int, set[str]] = {}

    def install(self, install: Install) -> None:
        """Look at a section, at those that hang on it, and at the models that lead to it."""
        lines = self.register(install)
        section = install.section
        for line in lines if install.default else ():
            if line.root == "HKR":
                self.report(305, line.line, f"[{section.name}]")
        for suffix in (*_SUFFIXES[1:], ".Wdf"):
            found = self.inf.find(section.name + suffix)
            if found is not None:
                self.section(found)
        self._services(self.inf.find(f"{section.name}.Services"))
        for entry in install.cards.values():
            lint_card(entry, self.report)
        sections = self._with_needed(section)
        if install.wow64:
            self._views(install, set().union(*map(self._misplaced_by, sections)))
        else:
            self._no_second_view(install, lines)
        self._modules.look(install, sections)
        lint_ids(install, self.report, self.step)
        if install.models and fold(section.name).partition(".")[0] == DEFAULT_INSTALL:
            self.report(306, install.models[0].line, f"[{section.name}]")
        if install.windows7:
            self._windows7(section)

    def register(self, install: Install) -> list[RegLine]:
        """Collect the cards of an install; return all lines it adds to the registry."""
        lines = []
        for section in self._with_needed(install.section):
            lines += self.section(section)
        install.cards = {
            key: entry
            for key, entry in card_entries(lines, wow64=install.wow64).items()
            if install.wow64 or not entry.wow64
        }
        for line in lines:
            if is_calais_wow64(line, wow64=install.wow64):
                self.report(326, line.line, line.subkey.rpartition("\\")[2])
                break
        return lines

    def nothing_registered(self, installs: list[Install]) -> None:
        """Report devices for which no card is registered, unless the NULL driver is meant."""
        for install in installs:
            silent = install.models and not install.cards
            if silent and not self._null_driver and not _needs_others(self.inf, install.section):
                self.report(340, install.section.line, f"[{install.section.name}]")

    def _with_needed(self, section: Section) -> list[Section]:
        """Return a section and those of this file that it needs, each once."""
        found = {section.line: section}
        waiting = [section]
        while waiting:
            for other in self._needed_by(waiting.pop()):
                self.step(section.line)
                if other.line not in found:
                    found[other.line] = other
                    waiting.append(other)
        return list(found.values())

    def _needed_by(self, section: Section) -> list[Section]:
        known = self._needs.get(section.line)
        if known is None:
            names = (
                name for entry in section.directives("Needs") for name in self.inf.fields(entry)
            )
            found = (self.inf.find(name) for name in names)
            known = self._needs[section.line] = [other for other in found if other is not None]
        return known

    # ------------------------------------------------------------------ the device

    def _services(self, section: Section | None) -> None:
        if section is None:
            return
        services = False
        for entry in section.directives("AddService"):
            services = True
            wanted = AddService(self.inf.fields(entry))
            if not wanted.service and (wanted.flags or 0) & SPSVCINST_ASSOCSERVICE:
                self._null_driver = True
            for name in (wanted.install, wanted.log):
                found = self.needed(entry, name) if name else None
                if found is not None:
                    self.section(found)
        if not services and not any(section.directives("Needs")):
            self.report(333, section.line, f"[{section.name}]")

    def _windows7(self, section: Section) -> None:
        services = self.inf.find(f"{section.name}.Services")
        if services is not None and any(services.directives("AddService")):
            return
        missing = []
        for suffix in _SUFFIXES:
            found = self.inf.find(section.name + suffix)
            named = [] if found is None else [
                fold(name) for entry in found.directives("Needs") for name in self.inf.fields(entry)
            ]  # fmt: skip
            if fold(f"UmPass{suffix}") not in named:
                missing.append(f"[{section.name}{suffix}]")
        if missing:
            self.report(332, section.line, ", ".join(missing))

    # ------------------------------------------------------------------ the two views

    def _views(self, install: Install, misplaced: set[str]) -> None:
        """Look whether programs of both kinds are told of each card, and told the same."""
        for (folded, narrow), entry in install.cards.items():
            other = install.cards.get((folded, not narrow))
            if other is None:
                self.report(341 if narrow else 324, entry.line, entry.name)
            elif not narrow:
                for name in ("ATR", "ATRMask"):
                    theirs = other.data(name)
                    if theirs is not None and entry.data(name) not in (None, theirs):
                        self.report(327, other.values[fold(name)].line, f"{name} of {entry.name}")
                for name in entry.values.keys() - other.values.keys() - misplaced:
                    if name.startswith("800001"):  # what every entry has is looked at elsewhere
                        self.report(324, entry.values[name].line, f"{name} of {entry.name}")

    def _no_second_view(self, install: Install, lines: list[RegLine]) -> None:
        if install.default and fold(install.section.name) == DEFAULT_INSTALL:
            return  # whatever has no section of its own takes it
        for line in lines:
            if is_calais_wow64(line, wow64=False):
                self.report(325, line.line, f"{install.arch} has no Wow6432Node")
                break

    def _misplaced_by(self, section: Section) -> set[str]:
        """Report values that a section for 32-bit programs writes to the native key."""
        found = self._misplaced.get(section.line)
        if found is None:
            found = self._misplaced[section.line] = set()
            for entry in section.directives("AddReg"):
                for name in self.inf.fields(entry):
                    # Sections are looked at before, in register().
                    found |= self._misplaced_in(self._lines.get((fold(name.strip()), True), []))
        return found

    def _misplaced_in(self, lines: list[RegLine]) -> set[str]:
        by_view: dict[bool, dict[tuple[str, str], RegLine]] = {False: {}, True: {}}
        cards: set[str] = set()
        for line in lines:
            named = card_of(line, wow64=True)
            if named is not None:
                by_view[named[1]].setdefault((fold(named[0]), fold(line.name)), line)
                if named[1]:
                    cards.add(fold(named[0]))
        found = set()
        for (card, name), line in by_view[False].items():
            if card in cards and (card, name) not in by_view[True]:
                self.report(325, line.line, line.name)
                found.add(name)
        return found


def _needs_others(inf: Inf, section: Section) -> bool:
    """Say whether a section needs one of another INF that may register a card."""
    return any(
        inf.find(name) is None and not fold(name).startswith("UMPASS")
        for entry in section.directives("Needs")
        for name in inf.fields(entry)
    )
