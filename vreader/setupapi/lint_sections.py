# SPDX-License-Identifier: Apache-2.0
"""The lint of what any section may have: AddReg, DelReg, CopyFiles, Include, Needs."""

from vreader.registry.names import fold
from vreader.setupapi import regops
from vreader.setupapi.dirids import copied
from vreader.setupapi.inf import Inf
from vreader.setupapi.plan import MAX_STEPS
from vreader.setupapi.regops import RegLine
from vreader.setupapi.rule import Report
from vreader.setupapi.syntax import Entry, InfError, Section


class Sections:
    """Looks at sections of an INF.

    Attributes:
        inf: the file.
        report: told what is wrong.
    """

    def __init__(self, inf: Inf, report: Report) -> None:
        self.inf = inf
        self.report = report
        self._steps = 0
        self._lines: dict[tuple[str, bool], list[RegLine]] = {}
        self._seen: dict[int, list[RegLine]] = {}
        self._listed = {
            fold(inf.expand(line.key))
            for folded, section in inf.sections.items()
            if folded.partition(".")[0] == "SOURCEDISKSFILES"
            for line in section.entries
            if line.key is not None
        }

    def section(self, section: Section) -> list[RegLine]:
        """Look at a section's directives; return the lines it adds to the registry.

        Raises:
            InfError: sections name each other so often that it would never end.
        """
        seen = self._seen.get(section.line)
        if seen is not None:
            self.step(section.line, len(seen) + 1)
            return seen
        includes, needs = (list(section.directives(key)) for key in ("Include", "Needs"))
        if bool(includes) != bool(needs):
            self.report(114, (includes or needs)[0].line, f"[{section.name}]")
        for entry in section.directives("CopyFiles"):
            for name in self.inf.fields(entry):
                self._files(entry, name)
        for entry in section.directives("DelReg"):
            for name in self.inf.fields(entry):
                self._registry(entry, name, adds=False)
        added: list[RegLine] = []
        for entry in section.directives("AddReg"):
            for name in self.inf.fields(entry):
                added += self._registry(entry, name, adds=True)
        self._seen[section.line] = added
        return added

    def needed(self, entry: Entry, name: str) -> Section | None:
        """Return a section that an entry names; report one that is not there."""
        section = self.inf.find(name)
        if section is None:
            self.report(107, entry.line, f"[{name}]")
        return section

    def step(self, line: int, steps: int = 1) -> None:
        """Count what is done; raises InfError where it would never end."""
        self._steps += steps
        if self._steps > MAX_STEPS:
            raise self.inf.error(line, f"more than {MAX_STEPS} steps", "is a section repeated?")

    def _added(self, line: RegLine) -> None:
        """Look at a line that is added to the registry."""

    def _registry(self, entry: Entry, name: str, *, adds: bool) -> list[RegLine]:
        section = self.needed(entry, name)
        if section is None:
            return []
        key = fold(section.name.strip()), adds
        lines = self._lines.get(key)
        if lines is None:
            lines = self._lines[key] = self._parsed(section, adds=adds)
        else:
            self.step(entry.line, len(lines))
        return lines

    def _parsed(self, section: Section, *, adds: bool) -> list[RegLine]:
        lines = []
        for found in section.entries:
            self.step(found.line)
            try:
                line = (regops.parse_add if adds else regops.parse_del)(self.inf, found)
            except InfError as error:
                self.report(108, found.line, error.problem)
                continue
            lines.append(line)
            if adds:
                self._added(line)
        return lines

    def _files(self, entry: Entry, name: str) -> None:
        if name.startswith("@"):
            files, name = [name[1:]], "DefaultDestDir"
        else:
            section = self.needed(entry, name)
            files = (
                [] if section is None else [copied(self.inf, line)[1] for line in section.entries]
            )
        directories = self.inf.find("DestinationDirs")
        keys = [name, "DefaultDestDir"]
        if directories is None or not any(any(directories.directives(key)) for key in keys):
            self.report(112, entry.line, name)
        for file in files:
            self.step(entry.line)
            if fold(file) not in self._listed:
                self.report(113, entry.line, file)


def inherits(section: Section) -> bool:
    """Say whether a section takes over one of another INF, which cannot be seen here."""
    return any(section.directives("Needs"))
