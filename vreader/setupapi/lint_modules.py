# SPDX-License-Identifier: Apache-2.0
"""The lint of card modules: whether the file an entry names is copied to where it is found."""

from collections.abc import Callable

from vreader.registry.names import fold
from vreader.setupapi.calais import INBOX_MODULE, MODULE, CardEntry
from vreader.setupapi.dirids import copied, destination, dirids
from vreader.setupapi.inf import Inf
from vreader.setupapi.minidriver import Install
from vreader.setupapi.rule import Report
from vreader.setupapi.syntax import Section

_SYSTEM32, _SYSWOW64, _DRIVER_STORE = 11, 16425, 13


class Modules:
    """Looks at the modules of installs; counts its steps with the rest of the lint."""

    def __init__(self, inf: Inf, report: Report, step: Callable[[int, int], None]) -> None:
        self._inf = inf
        self._report = report
        self._step = step
        self._copied: dict[tuple[str, str], set[tuple[str, str]]] = {}

    def look(self, install: Install, sections: list[Section]) -> None:
        """Look at the modules of an install.

        Args:
            install: with its cards.
            sections: what it consists of.
        """
        if not install.cards:
            return
        directories = dirids(self._inf.source, install.arch)
        folders: dict[str, set[str]] = {}
        for section in sections:
            files = self._files(section, install.arch)
            self._step(section.line, len(files))
            for folder, file in files:
                folders.setdefault(file, set()).add(folder)
        for entry in install.cards.values():
            text = entry.text(MODULE)
            if text is None:
                continue
            folder, _, file = self._inf.expand(text, directories).rpartition("\\")
            if fold(file) == INBOX_MODULE:
                continue
            store = fold(directories[_DRIVER_STORE])
            system = directories[_SYSWOW64 if entry.wow64 else _SYSTEM32]
            good = {fold(folder)} if folder else {fold(system), store}
            found = folders.get(fold(file), set())
            if not found & good and fold(folder) != store:
                self._missing(entry, text, found)

    def _missing(self, entry: CardEntry, text: str, found: set[str]) -> None:
        line = entry.values[MODULE].line
        if not found:
            self._report(330, line, text)
        else:
            for_whom = "32-bit programs" if entry.wow64 else "Windows"
            self._report(331, line, f"{text} for {for_whom} is in {', '.join(sorted(found))}")

    def _files(self, section: Section, arch: str) -> set[tuple[str, str]]:
        """Return folder and name of each file a section copies, folded."""
        key = fold(section.name), arch
        found = self._copied.get(key)
        if found is None:
            found = self._copied[key] = set()
            directories = dirids(self._inf.source, arch)
            for entry in section.directives("CopyFiles"):
                for name in self._inf.fields(entry):
                    listed = "" if name.startswith("@") else name
                    folder = fold(destination(self._inf, listed, directories))
                    if name.startswith("@"):
                        found.add((folder, fold(name[1:])))
                        continue
                    files = self._inf.find(name)
                    for line in [] if files is None else files.entries:
                        found.add((folder, fold(copied(self._inf, line)[0])))
        return found
