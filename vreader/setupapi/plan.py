# SPDX-License-Identifier: Apache-2.0
"""The steps of an install: read and checked first, done together afterwards.

What hangs on a DDInstall section: its registry changes and files, ``.HW``, ``.Interfaces``,
``.Wdf``; ``.Services`` is in :mod:`vreader.setupapi.services`.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from vreader.registry import NameRefusedError, Registry, Value
from vreader.registry.store import split
from vreader.setupapi import regops
from vreader.setupapi.dirids import destination, dirids
from vreader.setupapi.inf import Inf
from vreader.setupapi.syntax import Entry, Section
from vreader.setupapi.target import Model, TargetOS

CONTROL_SET: Final = r"HKLM\SYSTEM\CurrentControlSet"
SERVICES: Final = rf"{CONTROL_SET}\Services"
MAX_STEPS: Final = 100_000  # a section may be named any number of times

_CLASSES: Final = rf"{CONTROL_SET}\Control\Class"
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
        hardware = self.registry.find(self.result.hardware_key)
        exclusive = None if hardware is None else hardware.find_value("Exclusive")
        self.result.exclusive = exclusive is not None and exclusive.decoded == 1

    def step(self, line: int, section: str, text: str) -> None:
        """Note a step; raises InfError where there are too many."""
        self.result.steps.append(Step(line, section, text))
        if len(self.result.steps) > MAX_STEPS:
            raise self.inf.error(line, f"more than {MAX_STEPS} steps", "do sections need another?")

    def set(self, line: int, path: str, name: str, value: Value, *, keep: bool = False) -> None:
        """Plan to set a value; one that is there stays where ``keep`` says so."""
        self._check(line, path)
        self._todo.append(partial(self._set, path, name, value, keep))

    def _set(self, path: str, name: str, value: Value, keep: bool) -> None:
        key = self.registry.create(path)
        if not keep or key.find_value(name) is None:
            key.set(name, value)

    def create(self, line: int, path: str) -> None:
        """Plan to make a key."""
        self._check(line, path)
        self._todo.append(partial(self.registry.create, path))

    def delete(self, line: int, path: str) -> None:
        """Plan to delete a key and all below it, if it is there."""
        self._check(line, path)
        self._todo.append(partial(self._delete, path))

    def _delete(self, path: str) -> None:
        if self.registry.find(path) is not None:
            self.registry.delete(path, tree=True)

    def _check(self, line: int, path: str) -> None:
        try:
            split(path)
        except NameRefusedError as error:
            raise self.inf.error(line, str(error)) from None

    # ------------------------------------------------------------------ the device

    def device(self, hardware_ids: Sequence[str], compatible_ids: Sequence[str]) -> None:
        """Plan what concerns the device, its services left out."""
        result, model = self.result, self.result.model
        class_guid = self.inf.value("Version", "ClassGuid") or "Unknown"
        self._check(model.line, class_guid)
        number = 0
        while self.registry.find(driver := rf"{_CLASSES}\{class_guid}\{number:04}") is not None:
            number += 1
        result.software_key = driver
        self.step(model.line, model.models, f"{model.ids[0]}: [{result.section}]")
        self._device_keys(hardware_ids, compatible_ids, rf"{class_guid}\{number:04}")
        self.section(result.section, result.software_key)
        self.section(f"{result.section}.HW", rf"{result.hardware_key}\Device Parameters")
        self._interfaces(f"{result.section}.Interfaces")
        self._wdf(f"{result.section}.Wdf")

    def _device_keys(
        self, hardware_ids: Sequence[str], compatible_ids: Sequence[str], driver: str
    ) -> None:
        inf, model, result = self.inf, self.result.model, self.result
        extension = result.section[len(model.install) :]
        version = inf.find("Version")
        entries = [] if version is None else list(version.directives("DriverVer"))
        date, number, *_ = (*inf.fields(entries[0]), "") if entries else ("", "")
        for path, texts in (
            (
                result.hardware_key,
                {
                    "DeviceDesc": model.description,
                    "Mfg": model.manufacturer,
                    "Class": inf.value("Version", "Class") or "",
                    "ClassGUID": inf.value("Version", "ClassGuid") or "",
                    "Driver": driver,
                },
            ),
            (
                result.software_key,
                {
                    "DriverDesc": model.description,
                    "ProviderName": inf.value("Version", "Provider") or "",
                    "DriverDate": date,
                    "DriverVersion": number,
                    "InfPath": inf.source,
                    "InfSection": model.install,
                    "InfSectionExt": extension,
                    "MatchingDeviceId": model.ids[0],
                },
            ),
        ):
            for name, text in texts.items():
                self.set(model.line, path, name, Value.sz(text))
        for name, ids in (("HardwareID", hardware_ids), ("CompatibleIDs", compatible_ids)):
            if found := [each for each in ids if each]:
                self.set(model.line, result.hardware_key, name, Value.multi_sz(found))

    # ------------------------------------------------------------------ directives of any section

    def section(self, name: str, relative: str) -> None:
        """Plan files and registry changes of a section, where there is one, and of those it needs.

        Args:
            name: the section.
            relative: the path that HKR is; empty where it is nothing.
        """
        for section in self._with_needed(name):
            for entry in section.directives("CopyFiles"):
                for files in self.inf.fields(entry):
                    self._copy(entry, section.name, files)
            for entry in section.directives("DelReg"):
                self._registry_lines(entry, relative, adds=False)
            for entry in section.directives("AddReg"):
                self._registry_lines(entry, relative, adds=True)

    def _with_needed(self, name: str) -> list[Section]:
        """Return a section after those of this file that it needs; others are noted alone."""
        first = self.inf.find(name)
        found = [] if first is None else [first]
        seen = {id(first)}
        for section in found:  # grows meanwhile
            for entry in section.directives("Include"):
                files = ", ".join(self.inf.fields(entry))
                self.step(entry.line, section.name, f"include {files}")
            for entry in section.directives("Needs"):
                for needed in self.inf.fields(entry):
                    other = self.inf.find(needed)
                    where = "of an included file, not here" if other is None else "of this file"
                    self.step(entry.line, section.name, f"needs [{needed}] {where}")
                    if other is not None and id(other) not in seen:
                        seen.add(id(other))
                        found.append(other)
        return found[::-1]

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
                relative = relative.removesuffix(r"\Device Parameters")
        path = line.path(relative, wow64=self._wow64)
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

    # ------------------------------------------------------------------ Interfaces, Wdf

    def _interfaces(self, name: str) -> None:
        section = self.inf.find(name)
        for entry in () if section is None else section.directives("AddInterface"):
            guid, reference, install, *_ = (*self.inf.fields(entry), "", "")
            if not (guid.startswith("{") and guid.endswith("}")) or "\\" in guid + reference:
                raise self.inf.error(entry.line, f"{guid!r} is no interface class", "{…}")
            link = "#".join(["##?", *self.result.instance.split("\\"), guid])
            path = rf"{CONTROL_SET}\Control\DeviceClasses\{guid}\{link}"
            self.step(entry.line, name, f"interface {guid}")
            self.result.interfaces.append(guid)
            self.set(entry.line, path, "DeviceInstance", Value.sz(self.result.instance))
            self.create(entry.line, rf"{path}\#{reference}")
            if install:
                self.needed(entry, install)
                self.section(install, rf"{path}\#{reference}\Device Parameters")

    def _wdf(self, name: str) -> None:
        section = self.inf.find(name)
        for entry in () if section is None else section.entries:
            if entry.key is not None:
                text = ",".join(self.inf.fields(entry))
                self.result.wdf[self.inf.expand(entry.key)] = text
                self.step(entry.line, name, f"{entry.key} = {text}")
