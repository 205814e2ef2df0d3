# SPDX-License-Identifier: Apache-2.0
"""The steps of an install: read and checked first, done together afterwards.

Here are the directives that any section may have: AddReg, DelReg, CopyFiles, Include, Needs. What
a device's install asks for is in :mod:`vreader.setupapi.install` and
:mod:`vreader.setupapi.services`. What Windows would do and this lab does not is a step, too.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Final

from vreader.registry import NameRefusedError, Registry, Value
from vreader.registry.names import fold, locate
from vreader.setupapi import regops
from vreader.setupapi.dirids import copied, destination, dirids, folder_of
from vreader.setupapi.inf import Inf
from vreader.setupapi.installation import (
    DeviceInstallation,
    FileCopy,
    Installation,
    Part,
    Step,
)
from vreader.setupapi.syntax import Entry
from vreader.setupapi.target import TargetOS

DEVICE_PARAMETERS: Final = "Device Parameters"
MAX_STEPS: Final = 100_000  # a section may be named any number of times
MAX_TEXT: Final = 1 << 24  # characters of all steps: a token may stand for many

# HKR values of DDInstall.HW that are properties of the device, not values of its driver.
_PROPERTIES: Final = frozenset(
    {
        "DEVICECHARACTERISTICS",
        "DEVICETYPE",
        "SECURITY",
        "UPPERFILTERS",
        "LOWERFILTERS",
        "EXCLUSIVE",
        "LOCATIONINFORMATIONOVERRIDE",
    }
)
# Directives that are noted and not carried out.
_NOT_SIMULATED: Final = frozenset(
    {
        "ADDCOMPONENT", "ADDEVENTPROVIDER", "ADDFILTER", "ADDPOWERSETTING", "ADDPROPERTY",
        "ADDSOFTWARE", "BITREG", "COPYINF", "DELFILES", "DELPROPERTY", "INI2REG", "LOGCONFIG",
        "PROFILEITEMS", "REGISTERDLLS", "RENFILES", "UNREGISTERDLLS", "UPDATEINIFIELDS",
        "UPDATEINIS",
    }
)  # fmt: skip


class Plan:
    """What an install is going to do.

    Args:
        inf: the driver's.
        registry: where; untouched before :meth:`run`.
        target: the Windows.
        result: filled while planning.
        sources: INFs by folded name that it may include, those that came with Windows.
        folder: name of the package's folder in the driver store.

    Attributes:
        inf, registry, result: as above.
        device: the result, where it is a device's.
        directories: by number.
    """

    def __init__(
        self,
        inf: Inf,
        registry: Registry,
        target: TargetOS,
        result: Installation,
        sources: Mapping[str, Inf] | None = None,
        folder: str = "",
    ) -> None:
        self.inf = inf
        self.registry = registry
        self.result = result
        self.device = result if isinstance(result, DeviceInstallation) else None
        self.directories = dirids(folder or f"{inf.source.lower()}_{target.arch}", target.arch)
        self._sources = sources or {}
        self._files = [inf]  # with those that are included so far
        self._wow64 = target.arch not in ("x86", "arm")
        self._todo: list[Callable[[], object]] = []
        self._length = 0  # of all steps

    def run(self) -> None:
        """Do it all."""
        for do in self._todo:
            do()

    def step(self, line: int, section: str, text: str, inf: Inf | None = None) -> None:
        """Note a step; raises InfError where there are too many."""
        inf = inf or self.inf
        self.result.steps.append(Step(line, section, text, inf.source))
        self._length += len(text)
        if len(self.result.steps) > MAX_STEPS:
            raise inf.error(line, f"more than {MAX_STEPS} steps", "do sections need another?")
        if self._length > MAX_TEXT:
            raise inf.error(line, f"steps of more than {MAX_TEXT} characters", "name less")

    def note(self, part: Part, entry: Entry, text: str) -> None:
        """Note a step of an entry of a section."""
        self.step(entry.line, part.section.name, text, part.inf)

    def skip(self, part: Part, entry: Entry) -> None:
        """Note an entry that Windows would act on and this lab does not."""
        values = ",".join(part.inf.fields(entry))
        self.note(part, entry, f"not simulated: {entry.key} = {values}")

    def set(self, line: int, path: str, name: str, value: Value, *, keep: bool = False) -> None:
        """Plan to set a value; one that is there stays where ``keep`` says so."""
        self.check(line, path)
        self._todo.append(partial(self._set, path, name, value, keep))

    def _set(self, path: str, name: str, value: Value, keep: bool) -> None:
        key = self.registry.create(path)
        if not keep or key.find_value(name) is None:
            key.set(name, value)

    def create(self, line: int, path: str) -> None:
        """Plan to make a key."""
        self.check(line, path)
        self._todo.append(partial(self.registry.create, path))

    def delete(self, line: int, path: str) -> None:
        """Plan to delete a key and all below it, if it is there."""
        self.check(line, path)
        self._todo.append(partial(self._delete, path))

    def _delete(self, path: str) -> None:
        if self.registry.find(path) is not None:
            self.registry.delete(path, tree=True)

    def check(self, line: int, path: str, inf: Inf | None = None) -> None:
        """Refuse a path no key can have; raises InfError."""
        try:
            locate(path)
        except NameRefusedError as error:
            raise (inf or self.inf).error(line, str(error)) from None

    # ------------------------------------------------------------------ sections

    def with_needed(self, name: str) -> list[Part]:
        """Return what a section of the driver's INF needs, in order, and that section last."""
        section = self.inf.find(name)
        return [] if section is None else self.all_of(Part(self.inf, section))

    def all_of(self, first: Part) -> list[Part]:
        """Return what a section needs, in order, and that section last."""
        found = []
        seen = {first.section}
        stack = [(first, self._needs(first))]
        while stack:
            part, needed = stack[-1]
            other = next((other for other in needed if other.section not in seen), None)
            if other is None:
                found.append(part)
                stack.pop()
            else:
                seen.add(other.section)
                stack.append((other, self._needs(other)))
        return found

    def _needs(self, part: Part) -> Iterator[Part]:
        """Yield what a section needs of this file and of included ones; note what is not here."""
        for entry in part.directives("Include"):
            names = part.inf.fields(entry)
            self.note(part, entry, f"include {', '.join(names)}")
            for name in names:
                included = self._sources.get(fold(name.strip()))
                if included is not None and included not in self._files:
                    self._files.append(included)
        for entry in part.directives("Needs"):
            for name in part.inf.fields(entry):
                other = self._find(part.inf, name)
                if other is None:
                    self.note(part, entry, f"needs [{name}] of an included file, not here")
                    continue
                where = "this file" if other.inf is part.inf else other.inf.source
                self.note(part, entry, f"needs [{name}] of {where}")
                yield other

    def _find(self, inf: Inf, name: str) -> Part | None:
        """Find a section in a file, else in the driver's, else in those it includes."""
        for each in (inf, *self._files):
            section = each.find(name)
            if section is not None:
                return Part(each, section)
        return None

    def needed(self, part: Part, entry: Entry, name: str) -> Part:
        """Return a section an entry names; raises InfError where there is none."""
        found = self._find(part.inf, name)
        if found is None:
            raise part.inf.error(entry.line, f"there is no section [{name}]", "add it")
        return found

    # ------------------------------------------------------------------ directives of any section

    def section(self, name: str, relative: str) -> None:
        """Plan files and registry changes of a section, where there is one, and of those it needs.

        Args:
            name: the section.
            relative: the path that HKR is; empty where it is nothing.
        """
        for part in self.with_needed(name):
            self.directives(part, relative)

    def directives(self, part: Part, relative: str) -> None:
        """Plan files and registry changes of one section, without those it needs."""
        for entry in part.directives("CopyFiles"):
            for files in part.inf.fields(entry):
                self._copy(part, entry, files)
        for entry in part.directives("DelReg"):
            self._registry_lines(part, entry, relative, adds=False)
        for entry in part.directives("AddReg"):
            self._registry_lines(part, entry, relative, adds=True)
        for entry in part.section.entries:
            key = fold(entry.key or "")
            if key in _NOT_SIMULATED:
                self.skip(part, entry)
                if key == "REGISTERDLLS":
                    self._register(part, entry)

    def _copy(self, part: Part, entry: Entry, files: str) -> None:
        inf = part.inf
        if files.startswith("@"):
            pairs, files = [(files[1:], files[1:])], ""
        else:
            listed = self.needed(part, entry, files)
            inf = listed.inf
            pairs = [copied(inf, line) for line in listed.section.entries]
        folder = destination(inf, files, self.directories)
        for name, source in pairs:
            self.result.copies.append(FileCopy(source, rf"{folder}\{name}", entry.line))
            as_name = "" if source == name else f" as {name}"
            self.note(part, entry, f"copy {source} to {folder}{as_name}")

    def _register(self, part: Part, entry: Entry) -> None:
        """Note whose DllRegisterServer would be called: ``dir-id,subdirectory,file,flags…``."""
        for name in part.inf.fields(entry):
            listed = self.needed(part, entry, name)
            for line in listed.section.entries:
                number, subdirectory, file, *_ = (*listed.inf.fields(line), "", "")
                path = rf"{folder_of(number, subdirectory, self.directories)}\{file}"
                self.result.register_dlls.append(path)
                self.note(listed, line, f"not simulated: DllRegisterServer of {path}")

    def _registry_lines(self, part: Part, entry: Entry, relative: str, *, adds: bool) -> None:
        for name in part.inf.fields(entry):
            listed = self.needed(part, entry, name)
            for line in listed.section.entries:
                self._registry_line(listed, line, relative, adds=adds)

    def _registry_line(self, part: Part, entry: Entry, relative: str, *, adds: bool) -> None:
        parse = regops.parse_add if adds else regops.parse_del
        line = parse(part.inf, entry, self.directories)
        if line.root == "HKR":
            if not relative:
                raise part.inf.error(entry.line, "HKR stands for nothing here", "name a root")
            if not line.subkey and line.name.upper() in _PROPERTIES:
                relative = relative.removesuffix(rf"\{DEVICE_PARAMETERS}")
        path = line.path(relative, wow64=self._wow64)
        self.check(entry.line, path, part.inf)
        shown = rf"{path}\{line.name}" if line.name or line.value is not None else path
        if not adds or line.flags & regops.DELVAL:
            what = f"delete {shown}"
        elif line.value is None:
            what = f"create {shown}"
        else:
            what = f"set {shown} = {line.value!r}"
            if line.flags & regops.NOCLOBBER:
                what += ", unless it is there"
        self.note(part, entry, what)
        if adds:
            self.result.added.append(line)
        do = regops.add if adds else regops.delete
        self._todo.append(partial(do, line, self.registry, relative, wow64=self._wow64))
