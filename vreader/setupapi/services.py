# SPDX-License-Identifier: Apache-2.0
"""DDInstall.Services: services and event sources. Source: WDK "INF AddService Directive"."""

from typing import Final

from vreader.registry import Value
from vreader.setupapi.plan import SERVICES, Plan
from vreader.setupapi.syntax import Entry, Section
from vreader.setupapi.target import parse_number

SPSVCINST_ASSOCSERVICE: Final = 0x00000002
_NOCLOBBER_DEPENDENCIES: Final = 0x00000080

# Entries of a service-install section: the value's name, and the SPSVCINST_NOCLOBBER_* flag.
_NUMBERS: Final = {
    "ServiceType": ("Type", 0),
    "StartType": ("Start", 0x10),
    "ErrorControl": ("ErrorControl", 0x20),
}
_TEXTS: Final = {
    "DisplayName": ("DisplayName", 0x08),
    "LoadOrderGroup": ("Group", 0x40),
    "Description": ("Description", 0x100),
    "StartName": ("ObjectName", 0),
}


def plan_services(plan: Plan, name: str) -> None:
    """Plan what a DDInstall.Services section says; nothing where there is none.

    Raises:
        InfError: a line of it is bad.
    """
    for section in plan.with_needed(name):
        plan.directives(section, "")
        for entry in section.directives("DelService"):
            service = plan.inf.fields(entry)[0]
            _check_name(plan, entry, service)
            plan.step(entry.line, section.name, f"delete service {service}")
            plan.delete(entry.line, rf"{SERVICES}\{service}")
        for entry in section.directives("AddService"):
            _add_service(plan, section, entry)


class AddService:
    """The values of an AddService line.

    Attributes:
        service: its name; empty for the NULL driver.
        flags: SPSVCINST_*; None where they are no number.
        install: the service-install section.
        log: the event-log-install section, or empty.
        log_type: System, Security or Application.
        source: the event source's name.
    """

    __slots__ = ("flags", "install", "log", "log_type", "service", "source")

    def __init__(self, fields: list[str]) -> None:
        self.service, flags, self.install, self.log, log_type, source = (*fields, *[""] * 5)[:6]
        self.flags = parse_number(flags) if flags else 0
        self.log_type = log_type or "System"
        self.source = source or self.service


def _add_service(plan: Plan, section: Section, entry: Entry) -> None:
    wanted = AddService(plan.inf.fields(entry))
    flags = wanted.flags
    if flags is None:
        raise plan.inf.error(entry.line, "the flags are no number", "for example 0x00000002")
    if not wanted.service and flags & SPSVCINST_ASSOCSERVICE:
        plan.step(entry.line, section.name, "the NULL driver")
        return
    _check_name(plan, entry, wanted.service)
    install = plan.needed(entry, wanted.install)
    path = rf"{SERVICES}\{wanted.service}"
    plan.step(entry.line, section.name, f"service {wanted.service}: [{install.name}]")
    _service_values(plan, install, path, flags)
    if flags & SPSVCINST_ASSOCSERVICE:
        plan.result.service = wanted.service
        plan.set(entry.line, plan.result.hardware_key, "Service", Value.sz(wanted.service))
    plan.section(install.name, path)
    if wanted.log:
        _check_name(plan, entry, wanted.source)
        log = plan.needed(entry, wanted.log)
        path = rf"{SERVICES}\EventLog\{wanted.log_type}\{wanted.source}"
        plan.step(entry.line, section.name, f"event source {wanted.source}: [{log.name}]")
        plan.create(entry.line, path)
        plan.section(log.name, path)
        plan.result.event_sources.append(wanted.source)


def _check_name(plan: Plan, entry: Entry, name: str) -> None:
    if not name or "\\" in name:
        raise plan.inf.error(entry.line, f"{name!r} is no service's name", "a word without \\")


def _service_values(plan: Plan, section: Section, path: str, flags: int) -> None:
    def put(entry: Entry, name: str, value: Value, keep: int = 0) -> None:
        plan.step(entry.line, section.name, f"set {path}\\{name} = {value!r}")
        plan.set(entry.line, path, name, value, keep=bool(keep))

    for key, (name, noclobber) in _NUMBERS.items():
        for entry in section.directives(key):
            number = parse_number(plan.inf.fields(entry)[0])
            if number is None or number > 0xFFFFFFFF:
                raise plan.inf.error(entry.line, f"{key} is no number", "for example 0x1")
            put(entry, name, Value.dword(number), flags & noclobber)
    for key, (name, noclobber) in _TEXTS.items():
        for entry in section.directives(key):
            put(entry, name, Value.sz(plan.inf.fields(entry)[0]), flags & noclobber)
    for entry in section.directives("ServiceBinary"):
        binary = plan.inf.fields(entry, plan.directories)[0]
        windows = plan.directories[10]
        if binary.startswith(windows):
            binary = rf"\SystemRoot{binary.removeprefix(windows)}"
        put(entry, "ImagePath", Value.expand_sz(binary))
    for entry in section.directives("Dependencies"):
        names = [text for text in plan.inf.fields(entry) if text.strip("+")]
        groups = [text[1:] for text in names if text.startswith("+")]
        services = [text for text in names if not text.startswith("+")]
        for name, texts in (("DependOnService", services), ("DependOnGroup", groups)):
            if texts:
                put(entry, name, Value.multi_sz(texts), flags & _NOCLOBBER_DEPENDENCIES)
