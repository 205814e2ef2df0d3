# SPDX-License-Identifier: Apache-2.0
"""The steps of an install: read and checked first, done together afterwards.

Here are the directives that any section may have: AddReg, DelReg, CopyFiles, Include, Needs. What
a device's install asks for is in :mod:`vreader.setupapi.install` and
:mod:`vreader.setupapi.services`.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from vreader.registry import NameRefusedError, Registry, Value
from vreader.registry.store import locate
from vreader.setupapi import regops
from vreader.setupapi.dirids import destination, dirids
from vreader.setupapi.inf import Inf
from vreader.setupapi.syntax import Entry, Section
from vreader.setupapi.target import Model, TargetOS

CONTROL_SET: Final = r"HKLM\SYSTEM\CurrentControlSet"
SERVICES: Final = rf"{CONTROL_SET}\Services"
DEVICE_PARAMETERS: Final = "Device Parameters"
MAX_STEPS: Final = 100_000  # a section may be named any number of times

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


class Step:
    """One thing an install does.

    Attributes:
        line: of the INF.
        section: where that line is.
        text: what is done.
    """

    __slots__ = ("line", "section", "text")

    def __init__(self, line: int, section: str, text: str) -> None:
        self.line = line
        self.section = section
        self.text = text

    def __repr__(self) -> str:
        return f"<{self.line} [{self.section}] {self.text}>"


class Installation:
    r"""What becomes of an install.

    Attributes:
        model: the line of the INF that matched.
        section: the DDInstall section that was run.
        instance: the device instance, ``ROOT\VREADER\0000`` say.
        hardware_key, software_key: paths of the device's keys.
        service: name of its function driver's service; empty for the NULL driver.
        event_sources: names below ``EventLog\System``, in order.
        interfaces: GUIDs of its interface classes, as written.
        exclusive: only one handle at a time.
        wdf: entries of DDInstall.Wdf by name, for a driver of the driver frameworks.
        files: where CopyFiles would put what.
        steps: everything, in order.
    """

    def __init__(self, model: Model, section: str, instance: str) -> None:
        self.model = model
        self.section = section
        self.instance = instance
        self.hardware_key = rf"{CONTROL_SET}\Enum\{instance}"
        self.software_key = ""
        self.service = ""
        self.event_sources: list[str] = []
        self.interfaces: list[str] = []
        self.exclusive = False
        self.wdf: dict[str, str] = {}
        self.files: list[str] = []
        self.steps: list[Step] = []

    def settings(self, registry: Registry) -> dict[str, object]:
        """Return the values of the service's key, what DriverEntry is handed."""
        key = registry.find(rf"{SERVICES}\{self.service}") if self.service else None
        return {} if key is None else {name: value.decoded for name, value in key.values()}


class Plan:
    """What an install is going to do.

    Attributes:
        inf: the driver's.
        registry: where; untouched before :meth:`run`.
        result: filled while planning.
        directories: by number.
    """

    def __init__(
        self, inf: Inf, registry: Registry, target: TargetOS, result: Installation
    ) -> None:
        self.inf = inf
        self.registry = registry
        self.result = result
        self.directories = dirids(inf.source, target.arch)
        self._wow64 = target.arch not in ("x86", "arm")
        self._todo: list[Callable[[], object]] = []

    def run(self) -> None:
        """Do it all."""
        for do in self._todo:
            do()

    def step(self, line: int, section: str, text: str) -> None:
        """Note a step; raises InfError where there are too many."""
        self.result.steps.append(Step(line, section, text))
        if len(self.result.steps) > MAX_STEPS:
            raise self.inf.error(line, f"more than {MAX_STEPS} steps", "do sections need another?")

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

    def check(self, line: int, path: str) -> None:
        """Refuse a path no key can have; raises InfError."""
        try:
            locate(path)
        except NameRefusedError as error:
            raise self.inf.error(line, str(error)) from None

    # ------------------------------------------------------------------ directives of any section

    def section(self, name: str, relative: str) -> None:
        """Plan files and registry changes of a section, where there is one, and of those it needs.

        Args:
            name: the section.
            relative: the path that HKR is; empty where it is nothing.
        """
        for section in self.with_needed(name):
            self.directives(section, relative)

    def directives(self, section: Section, relative: str) -> None:
        """Plan files and registry changes of one section, without those it needs."""
        for entry in section.directives("CopyFiles"):
            for files in self.inf.fields(entry):
                self._copy(entry, section.name, files)
        for entry in section.directives("DelReg"):
            self._registry_lines(entry, relative, adds=False)
        for entry in section.directives("AddReg"):
            self._registry_lines(entry, relative, adds=True)

    def with_needed(self, name: str) -> list[Section]:
        """Return the sections of this file that one needs, in order, and that one last."""
        first = self.inf.find(name)
        if first is None:
            return []
        found = []
        seen = {first.name}
        stack = [(first, self._needs(first))]
        while stack:
            section, needed = stack[-1]
            other = next((other for other in needed if other.name not in seen), None)
            if other is None:
                found.append(section)
                stack.pop()
            else:
                seen.add(other.name)
                stack.append((other, self._needs(other)))
        return found

    def _needs(self, section: Section) -> Iterator[Section]:
        """Yield what a section needs of this file; sections of others are noted alone."""
        for entry in section.directives("Include"):
            self.step(entry.line, section.name, f"include {', '.join(self.inf.fields(entry))}")
        for entry in section.directives("Needs"):
            for name in self.inf.fields(entry):
                other = self.inf.find(name)
                where = "of an included file, not here" if other is None else "of this file"
                self.step(entry.line, section.name, f"needs [{name}] {where}")
                if other is not None:
                    yield other

    def needed(self, entry: Entry, name: str) -> Section:
        """Return a section an entry names; raises InfError where there is none."""
        section = self.inf.find(name)
        if section is None:
            raise self.inf.error(entry.line, f"there is no section [{name}]", "add it")
        return section

    def _copy(self, entry: Entry, name: str, files: str) -> None:
        if files.startswith("@"):
            names, files = [files[1:]], ""
        else:
            names = [
                line.key if line.key is not None else self.inf.fields(line)[0]
                for line in self.needed(entry, files).entries
            ]
        folder = destination(self.inf, files, self.directories)
        for file in names:
            self.result.files.append(rf"{folder}\{file}")
            self.step(entry.line, name, rf"copy {file} to {folder}")

    def _registry_lines(self, entry: Entry, relative: str, *, adds: bool) -> None:
        for name in self.inf.fields(entry):
            for line in self.needed(entry, name).entries:
                self._registry_line(line, name, relative, adds=adds)

    def _registry_line(self, entry: Entry, name: str, relative: str, *, adds: bool) -> None:
        line = (regops.parse_add if adds else regops.parse_del)(self.inf, entry)
        if line.root == "HKR":
            if not relative:
                raise self.inf.error(entry.line, "HKR stands for nothing here", "name a root")
            if not line.subkey and line.name.upper() in _PROPERTIES:
                relative = relative.removesuffix(rf"\{DEVICE_PARAMETERS}")
        path = line.path(relative, wow64=self._wow64)
        self.check(entry.line, path)
        shown = rf"{path}\{line.name}" if line.name or line.value is not None else path
        if not adds or line.flags & regops.DELVAL:
            what = f"delete {shown}"
        elif line.value is None:
            what = f"create {shown}"
        else:
            what = f"set {shown} = {line.value!r}"
        self.step(entry.line, name, what)
        do = regops.add if adds else regops.delete
        self._todo.append(partial(do, line, self.registry, relative, wow64=self._wow64))
