# SPDX-License-Identifier: Apache-2.0
"""DDInstall.Services: services and event sources. Source: WDK "INF AddService Directive"."""

from typing import Final

from vreader.registry import Value
from vreader.registry.names import fold
from vreader.setupapi.installation import SERVICES, Part
from vreader.setupapi.plan import Plan
from vreader.setupapi.syntax import Entry
from vreader.setupapi.target import parse_number

SPSVCINST_ASSOCSERVICE: Final = 0x00000002
_NOCLOBBER_DEPENDENCIES: Final = 0x00000080

# Entries of a service-install section: the value's name, and the SPSVCINST_NOCLOBBER_* flag.
_NUMBERS: Final = {
    "ServiceType": ("Type", 0),
    "StartType": ("Start", 0x10),
    "ErrorControl": ("ErrorControl", 0x20),
    "ServiceSidType": ("ServiceSidType", 0),
    "DelayedAutoStart": ("DelayedAutostart", 0),
}
_TEXTS: Final = {
    "DisplayName": ("DisplayName", 0x08),
    "LoadOrderGroup": ("Group", 0x40),
    "Description": ("Description", 0x100),
    "StartName": ("ObjectName", 0),
}
# What else such a section may say: it is noted.
_NOT_SIMULATED: Final = frozenset(
    {"ADDTRIGGER", "FAILUREACTIONS", "REQUIREDPRIVILEGES", "SECURITY", "USERSERVICEFLAGS"}
)


def plan_services(plan: Plan, name: str) -> None:
    """Plan what a DDInstall.Services section says; nothing where there is none.

    Raises:
        InfError: a line of it is bad.
    """
    for part in plan.with_needed(name):
        plan.directives(part, "")
        for entry in part.directives("DelService"):
            service = part.inf.fields(entry)[0]
            _check_name(part, entry, service)
            plan.note(part, entry, f"delete service {service}")
            plan.delete(entry.line, rf"{SERVICES}\{service}")
        for entry in part.directives("AddService"):
            _add_service(plan, part, entry)


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


def _add_service(plan: Plan, part: Part, entry: Entry) -> None:
    wanted = AddService(part.inf.fields(entry))
    flags = wanted.flags
    if flags is None:
        raise part.inf.error(entry.line, "the flags are no number", "for example 0x00000002")
    if not wanted.service and flags & SPSVCINST_ASSOCSERVICE:
        plan.note(part, entry, "the NULL driver")
        return
    _check_name(part, entry, wanted.service)
    install = plan.needed(part, entry, wanted.install)
    path = rf"{SERVICES}\{wanted.service}"
    plan.note(part, entry, f"service {wanted.service}: [{install.section.name}]")
    _service_values(plan, install, path, flags)
    if flags & SPSVCINST_ASSOCSERVICE:
        if plan.device is None:
            plan.note(part, entry, f"no device to be driven by service {wanted.service}")
        else:
            plan.result.service = wanted.service
            plan.set(entry.line, plan.device.hardware_key, "Service", Value.sz(wanted.service))
    for each in plan.all_of(install):
        plan.directives(each, path)
    if wanted.log:
        _check_name(part, entry, wanted.source)
        log = plan.needed(part, entry, wanted.log)
        path = rf"{SERVICES}\EventLog\{wanted.log_type}\{wanted.source}"
        plan.note(part, entry, f"event source {wanted.source}: [{log.section.name}]")
        plan.create(entry.line, path)
        for each in plan.all_of(log):
            plan.directives(each, path)
        plan.result.event_sources.append(wanted.source)


def _check_name(part: Part, entry: Entry, name: str) -> None:
    if not name or "\\" in name:
        raise part.inf.error(entry.line, f"{name!r} is no service's name", "a word without \\")


def _service_values(plan: Plan, part: Part, path: str, flags: int) -> None:
    """Plan the values of a service's key; an entry that sets none is noted."""

    def put(entry: Entry, name: str, value: Value, keep: int = 0) -> None:
        plan.note(part, entry, f"set {path}\\{name} = {value!r}")
        plan.set(entry.line, path, name, value, keep=bool(keep))

    for key, (name, noclobber) in _NUMBERS.items():
        for entry in part.directives(key):
            number = parse_number(part.inf.fields(entry)[0])
            if number is None or number > 0xFFFFFFFF:
                raise part.inf.error(entry.line, f"{key} is no number", "for example 0x1")
            put(entry, name, Value.dword(number), flags & noclobber)
    for key, (name, noclobber) in _TEXTS.items():
        for entry in part.directives(key):
            put(entry, name, Value.sz(part.inf.fields(entry)[0]), flags & noclobber)
    for entry in part.directives("ServiceBinary"):
        binary = part.inf.fields(entry, plan.directories)[0]
        windows = plan.directories[10]
        if binary.startswith(windows):
            binary = rf"\SystemRoot{binary.removeprefix(windows)}"
        put(entry, "ImagePath", Value.expand_sz(binary))
    for entry in part.directives("Dependencies"):
        names = [text for text in part.inf.fields(entry) if text.strip("+")]
        groups = [text[1:] for text in names if text.startswith("+")]
        services = [text for text in names if not text.startswith("+")]
        for name, texts in (("DependOnService", services), ("DependOnGroup", groups)):
            if texts:
                put(entry, name, Value.multi_sz(texts), flags & _NOCLOBBER_DEPENDENCIES)
    for entry in part.section.entries:
        if entry.key is not None and fold(entry.key) in _NOT_SIMULATED:
            plan.skip(part, entry)
