# SPDX-License-Identifier: Apache-2.0
"""The lint of what a reader's INF installs: DDInstall and the sections that hang on it."""

from vreader.registry import REG_EXPAND_SZ, Value
from vreader.registry.names import fold
from vreader.setupapi.inf import Inf
from vreader.setupapi.lint_sections import Sections, inherits
from vreader.setupapi.regops import RegLine
from vreader.setupapi.rule import Report
from vreader.setupapi.rules import READER_GUID
from vreader.setupapi.services import SPSVCINST_ASSOCSERVICE, AddService
from vreader.setupapi.syntax import Entry, Section
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


class _Lint(Sections):
    def install(self, section: Section) -> None:
        inf, name = self.inf, section.name
        for line in self.section(section):
            if fold(line.name) == "EXCLUSIVE" and line.root == "HKR" and not line.subkey:
                self.report(218, line.line, f"[{name}]")
        self._hardware(section, inf.find(f"{name}.HW"))
        services = inf.find(f"{name}.Services")
        umdf = self._services(section, services)
        self._interfaces(inf.find(f"{name}.Interfaces"))
        self._wdf(section, inf.find(f"{name}.Wdf"), umdf=umdf)

    def _hardware(self, install: Section, section: Section | None) -> None:
        for line in [] if section is None else self.section(section):
            if (line.root, fold(line.name), line.value) == ("HKR", "EXCLUSIVE", Value.dword(1)):
                return
        if section is None or not inherits(section):
            line_number = install.line if section is None else section.line
            self.report(202, line_number, f"[{install.name}.HW]")

    def _services(self, install: Section, section: Section | None) -> bool:
        """Look at services; return whether the driver is one of the user-mode framework."""
        umdf = associated = False
        for entry in () if section is None else section.directives("AddService"):
            wanted = AddService(self.inf.fields(entry))
            if wanted.flags is None or not wanted.flags & SPSVCINST_ASSOCSERVICE:
                continue
            associated = True
            if fold(wanted.service) == _REFLECTOR:
                umdf = True
            elif wanted.service:
                self._service(entry, wanted)
            else:
                self.report(203, entry.line, "the NULL driver drives no reader")
        if section is not None:
            self.section(section)
            umdf = umdf or any(
                fold(text).startswith(_REFLECTOR)
                for entry in section.directives("Needs")
                for text in self.inf.fields(entry)
            )
        if not associated and not (section is not None and inherits(section)):
            line = install.line if section is None else section.line
            self.report(203, line, f"[{install.name}.Services]")
        return umdf

    def _service(self, entry: Entry, wanted: AddService) -> None:
        section = self.needed(entry, wanted.install)
        if section is not None:
            self._service_values(section)
        if not wanted.log:
            self.report(209, entry.line, wanted.service)
            return
        log = self.needed(entry, wanted.log)
        if log is None:
            return
        if "." in wanted.source:
            self.report(210, entry.line, f"the source {wanted.source} must have none")
        values = {fold(line.name): line for line in self.section(log) if line.value is not None}
        file, types = values.get("EVENTMESSAGEFILE"), values.get("TYPESSUPPORTED")
        problem = "missing" if file is None else _message_file_problem(file)
        if problem:
            self.report(210, log.line if file is None else file.line, problem)
        if types is None or types.value is None or types.value.decoded != 7:
            self.report(211, log.line if types is None else types.line, "")

    def _service_values(self, section: Section) -> None:
        self.section(section)
        for key, rule, good in (
            ("ServiceType", 204, (1,)),
            ("StartType", 205, (2, 3)),
            ("ErrorControl", 207, (1,)),
        ):
            line, values = self._values(section, key)
            if not values or parse_number(values[0]) not in good:
                self.report(rule, line, f"{values[0]}" if values else "missing")
        line, values = self._values(section, "LoadOrderGroup")
        if not values or fold(values[0]) not in _GROUPS:
            self.report(206, line, f"{values[0]}" if values else "missing")
        line, values = self._values(section, "ServiceBinary")
        if not values or not values[0]:
            self.report(208, line, "")

    def _values(self, section: Section, key: str) -> tuple[int, list[str]]:
        for entry in section.directives(key):
            return entry.line, self.inf.fields(entry)
        return section.line, []

    def _interfaces(self, section: Section | None) -> None:
        for entry in () if section is None else section.directives("AddInterface"):
            guid, _, install, *_ = (*self.inf.fields(entry), "", "")
            if fold(guid) != READER_GUID:
                self.report(217, entry.line, guid)
            if install and (found := self.needed(entry, install)) is not None:
                self.section(found)

    def _wdf(self, install: Section, section: Section | None, *, umdf: bool) -> None:
        policy = ""
        for entry in () if section is None else section.entries:
            key = fold(entry.key or "")
            umdf = umdf or key.startswith("UMDF")
            if key == "UMDFKERNELMODECLIENTPOLICY":
                policy = self.inf.fields(entry)[0]
        if umdf and fold(policy) != fold("AllowKernelModeClients"):
            line = install.line if section is None else section.line
            self.report(215, line, policy or f"[{install.name}.Wdf]")

    def _added(self, line: RegLine) -> None:
        if line.root == "HKLM":
            self._obsolete(line)

    def _obsolete(self, line: RegLine) -> None:
        subkey = fold(line.subkey)
        if subkey == _CALAIS_READERS:
            self.report(212, line.line, "")
        elif subkey.startswith(_SERVICES) and fold(line.name) == "START":
            rule = _OBSOLETE_STARTS.get(subkey.removeprefix(_SERVICES))
            if rule is not None:
                self.report(rule, line.line, "")


def _message_file_problem(line: RegLine) -> str:
    value = line.value
    if value is None or value.type != REG_EXPAND_SZ or not isinstance(value.decoded, str):
        return "no REG_EXPAND_SZ"
    for path in value.decoded.split(";"):
        name = path.rpartition("\\")[2]
        if not name.partition(".")[2]:
            return path or "empty"
    return ""
