# SPDX-License-Identifier: Apache-2.0
"""The lint of what a reader's INF installs: DDInstall and the sections that hang on it."""

from vreader.registry import REG_EXPAND_SZ, Value
from vreader.registry.store import fold
from vreader.setupapi import regops
from vreader.setupapi.inf import Inf
from vreader.setupapi.plan import MAX_STEPS
from vreader.setupapi.regops import RegLine
from vreader.setupapi.rules import READER_GUID, Report
from vreader.setupapi.services import SPSVCINST_ASSOCSERVICE, AddService
from vreader.setupapi.syntax import Entry, InfError, Section
from vreader.setupapi.target import parse_number

_REFLECTOR = "WUDFRD"  # the service of every UMDF driver; its values are Windows' own
_CALAIS_READERS = fold(r"Software\Microsoft\Cryptography\Calais\Readers")
_SERVICES = fold(r"System\CurrentControlSet\Services") + "\\"
_OBSOLETE_STARTS = {fold("SCardSvr"): 213, fold("CertPropSvc"): 214}
_GROUPS = frozenset({fold("SmartCardReader"), fold("Smart Card Reader")})


def lint_install(inf: Inf, sections: list[Section], report: Report) -> None:
    """Look at DDInstall sections and at their ``.HW``, ``.Services``, ``.Interfaces``, ``.Wdf``.

    Raises:
        InfError: sections name each other so often that it would never end.
    """
    lint = _Lint(inf, report)
    for section in sections:
        lint.install(section)


class _Lint:
    def __init__(self, inf: Inf, report: Report) -> None:
        self._inf = inf
        self._report = report
        self._steps = 0
        self._listed = {
            fold(line.key)
            for folded, section in inf.sections.items()
            if folded.partition(".")[0] == "SOURCEDISKSFILES"
            for line in section.entries
            if line.key is not None
        }

    def _step(self, line: int) -> None:
        self._steps += 1
        if self._steps > MAX_STEPS:
            raise self._inf.error(line, f"more than {MAX_STEPS} steps", "is a section repeated?")

    def install(self, section: Section) -> None:
        inf, name = self._inf, section.name
        for line in self._section(section):
            if fold(line.name) == "EXCLUSIVE" and line.root == "HKR" and not line.subkey:
                self._report(218, line.line, f"[{name}]")
        self._hardware(section, inf.find(f"{name}.HW"))
        services = inf.find(f"{name}.Services")
        umdf = self._services(section, services)
        self._interfaces(inf.find(f"{name}.Interfaces"))
        self._wdf(section, inf.find(f"{name}.Wdf"), umdf=umdf)

    def _hardware(self, install: Section, section: Section | None) -> None:
        for line in [] if section is None else self._section(section):
            if (line.root, fold(line.name), line.value) == ("HKR", "EXCLUSIVE", Value.dword(1)):
                return
        if section is None or not _inherits(section):
            line_number = install.line if section is None else section.line
            self._report(202, line_number, f"[{install.name}.HW]")

    def _services(self, install: Section, section: Section | None) -> bool:
        """Look at services; return whether the driver is one of the user-mode framework."""
        umdf = associated = False
        for entry in () if section is None else section.directives("AddService"):
            wanted = AddService(self._inf.fields(entry))
            if wanted.flags is None or not wanted.flags & SPSVCINST_ASSOCSERVICE:
                continue
            associated = True
            if fold(wanted.service) == _REFLECTOR:
                umdf = True
            elif wanted.service:
                self._service(entry, wanted)
            else:
                self._report(203, entry.line, "the NULL driver drives no reader")
        if section is not None:
            self._section(section)
            umdf = umdf or any(
                fold(text).startswith(_REFLECTOR)
                for entry in section.directives("Needs")
                for text in self._inf.fields(entry)
            )
        if not associated and not (section is not None and _inherits(section)):
            line = install.line if section is None else section.line
            self._report(203, line, f"[{install.name}.Services]")
        return umdf

    def _service(self, entry: Entry, wanted: AddService) -> None:
        section = self._needed(entry, wanted.install)
        if section is not None:
            self._service_values(section)
        if not wanted.log:
            self._report(209, entry.line, wanted.service)
            return
        log = self._needed(entry, wanted.log)
        if log is None:
            return
        if "." in wanted.source:
            self._report(210, entry.line, f"the source {wanted.source} must have none")
        values = {fold(line.name): line for line in self._section(log) if line.value is not None}
        file, types = values.get("EVENTMESSAGEFILE"), values.get("TYPESSUPPORTED")
        problem = "missing" if file is None else _message_file_problem(file)
        if problem:
            self._report(210, log.line if file is None else file.line, problem)
        if types is None or types.value is None or types.value.decoded != 7:
            self._report(211, log.line if types is None else types.line, "")

    def _service_values(self, section: Section) -> None:
        self._section(section)
        for key, rule, good in (
            ("ServiceType", 204, (1,)),
            ("StartType", 205, (2, 3)),
            ("ErrorControl", 207, (1,)),
        ):
            line, values = self._values(section, key)
            if not values or parse_number(values[0]) not in good:
                self._report(rule, line, f"{values[0]}" if values else "missing")
        line, values = self._values(section, "LoadOrderGroup")
        if not values or fold(values[0]) not in _GROUPS:
            self._report(206, line, f"{values[0]}" if values else "missing")
        line, values = self._values(section, "ServiceBinary")
        if not values or not values[0]:
            self._report(208, line, "")

    def _values(self, section: Section, key: str) -> tuple[int, list[str]]:
        for entry in section.directives(key):
            return entry.line, self._inf.fields(entry)
        return section.line, []

    def _interfaces(self, section: Section | None) -> None:
        for entry in () if section is None else section.directives("AddInterface"):
            guid, _, install, *_ = (*self._inf.fields(entry), "", "")
            if fold(guid) != READER_GUID:
                self._report(217, entry.line, guid)
            if install and (found := self._needed(entry, install)) is not None:
                self._section(found)

    def _wdf(self, install: Section, section: Section | None, *, umdf: bool) -> None:
        policy = ""
        for entry in () if section is None else section.entries:
            key = fold(entry.key or "")
            umdf = umdf or key.startswith("UMDF")
            if key == "UMDFKERNELMODECLIENTPOLICY":
                policy = self._inf.fields(entry)[0]
        if umdf and fold(policy) != fold("AllowKernelModeClients"):
            line = install.line if section is None else section.line
            self._report(215, line, policy or f"[{install.name}.Wdf]")

    # ------------------------------------------------------------------ directives of any section

    def _needed(self, entry: Entry, name: str) -> Section | None:
        section = self._inf.find(name)
        if section is None:
            self._report(107, entry.line, f"[{name}]")
        return section

    def _section(self, section: Section) -> list[RegLine]:
        """Look at a section's directives; return the lines it adds to the registry."""
        includes, needs = (list(section.directives(key)) for key in ("Include", "Needs"))
        if bool(includes) != bool(needs):
            self._report(114, (includes or needs)[0].line, f"[{section.name}]")
        for entry in section.directives("CopyFiles"):
            for name in self._inf.fields(entry):
                self._files(entry, name)
        for entry in section.directives("DelReg"):
            for name in self._inf.fields(entry):
                self._registry(entry, name, adds=False)
        added = []
        for entry in section.directives("AddReg"):
            for name in self._inf.fields(entry):
                added += self._registry(entry, name, adds=True)
        return added

    def _registry(self, entry: Entry, name: str, *, adds: bool) -> list[RegLine]:
        section = self._needed(entry, name)
        lines = []
        for found in [] if section is None else section.entries:
            self._step(found.line)
            try:
                line = (regops.parse_add if adds else regops.parse_del)(self._inf, found)
            except InfError as error:
                self._report(108, found.line, error.problem)
                continue
            lines.append(line)
            if adds and line.root == "HKLM":
                self._obsolete(line)
        return lines

    def _obsolete(self, line: RegLine) -> None:
        subkey = fold(line.subkey)
        if subkey == _CALAIS_READERS:
            self._report(212, line.line, "")
        elif subkey.startswith(_SERVICES) and fold(line.name) == "START":
            rule = _OBSOLETE_STARTS.get(subkey.removeprefix(_SERVICES))
            if rule is not None:
                self._report(rule, line.line, "")

    def _files(self, entry: Entry, name: str) -> None:
        inf = self._inf
        if name.startswith("@"):
            names, name = [name[1:]], "DefaultDestDir"
        else:
            section = self._needed(entry, name)
            entries = [] if section is None else section.entries
            names = [line.key or inf.fields(line)[0] for line in entries]
        directories = inf.find("DestinationDirs")
        keys = [name, "DefaultDestDir"]
        if directories is None or not any(any(directories.directives(key)) for key in keys):
            self._report(112, entry.line, name)
        for file in names:
            self._step(entry.line)
            if fold(file) not in self._listed:
                self._report(113, entry.line, file)


def _inherits(section: Section) -> bool:
    """Say whether a section takes over one of another INF, which cannot be seen here."""
    return any(section.directives("Needs"))


def _message_file_problem(line: RegLine) -> str:
    value = line.value
    if value is None or value.type != REG_EXPAND_SZ or not isinstance(value.decoded, str):
        return "no REG_EXPAND_SZ"
    for path in value.decoded.split(";"):
        name = path.rpartition("\\")[2]
        if not name.partition(".")[2]:
            return path or "empty"
    return ""
