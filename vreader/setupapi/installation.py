# SPDX-License-Identifier: Apache-2.0
"""What becomes of an install: its steps, the files it would copy, the services it makes."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from vreader.registry import Registry
from vreader.setupapi.inf import Inf
from vreader.setupapi.regops import RegLine
from vreader.setupapi.syntax import Entry, Section
from vreader.setupapi.target import Model

CONTROL_SET: Final = r"HKLM\SYSTEM\CurrentControlSet"
SERVICES: Final = rf"{CONTROL_SET}\Services"


class Step:
    """One thing an install does.

    Attributes:
        line: of the INF.
        section: where that line is.
        text: what is done.
        source: the INF file that the line is in.
    """

    __slots__ = ("line", "section", "source", "text")

    def __init__(self, line: int, section: str, text: str, source: str = "") -> None:
        self.line = line
        self.section = section
        self.text = text
        self.source = source

    def record(self) -> dict[str, object]:
        """Return it under plain names, for JSON."""
        return {
            "file": self.source,
            "line": self.line,
            "section": self.section,
            "text": self.text,
        }

    def __repr__(self) -> str:
        return f"<{self.line} [{self.section}] {self.text}>"


class FileCopy(NamedTuple):
    """One file that CopyFiles copies.

    Attributes:
        source: its name in the package.
        destination: the whole path of the copy.
        line: of the INF.
    """

    source: str
    destination: str
    line: int


class Part(NamedTuple):
    """A section, and the file it is in: the driver's INF, or one that it includes."""

    inf: Inf
    section: Section

    def directives(self, key: str) -> Iterator[Entry]:
        """Yield the entries of a key."""
        return self.section.directives(key)


class Installation:
    r"""What becomes of an install.

    Attributes:
        section: the section that was run.
        service: name of the service that is a device's function driver; empty for none.
        event_sources: names below ``EventLog\System``, in order.
        copies: what CopyFiles would copy, in order.
        register_dlls: paths of modules whose DllRegisterServer RegisterDlls would call.
        added: lines of add-registry sections, in order; those for keys of services, too.
        steps: everything, in order.
    """

    def __init__(self, section: str) -> None:
        self.section = section
        self.service = ""
        self.event_sources: list[str] = []
        self.copies: list[FileCopy] = []
        self.register_dlls: list[str] = []
        self.added: list[RegLine] = []
        self.steps: list[Step] = []

    @property
    def files(self) -> list[str]:
        """Where CopyFiles would put what."""
        return [copy.destination for copy in self.copies]

    def settings(self, registry: Registry) -> dict[str, object]:
        """Return the values of the service's key, what DriverEntry is handed."""
        key = registry.find(rf"{SERVICES}\{self.service}") if self.service else None
        return {} if key is None else {name: value.decoded for name, value in key.values()}

    def record(self) -> dict[str, object]:
        """Return everything under plain names, for JSON."""
        return {
            "section": self.section,
            "service": self.service,
            "event_sources": self.event_sources,
            "files": [copy._asdict() for copy in self.copies],
            "register_dlls": self.register_dlls,
            "steps": [step.record() for step in self.steps],
        }


class DeviceInstallation(Installation):
    r"""What becomes of a device's install.

    Attributes:
        model: the line of the INF that matched.
        instance: the device instance, ``ROOT\VREADER\0000`` say.
        hardware_key, software_key: paths of the device's keys.
        interfaces: GUIDs of its interface classes, as written.
        exclusive: only one handle at a time.
        wdf: entries of DDInstall.Wdf by name, for a driver of the driver frameworks.
    """

    def __init__(self, model: Model, section: str, instance: str) -> None:
        super().__init__(section)
        self.model = model
        self.instance = instance
        self.hardware_key = rf"{CONTROL_SET}\Enum\{instance}"
        self.software_key = ""
        self.interfaces: list[str] = []
        self.exclusive = False
        self.wdf: dict[str, str] = {}

    def record(self) -> dict[str, object]:
        """Return everything under plain names, for JSON."""
        return {
            "instance": self.instance,
            "description": self.model.description,
            **super().record(),
            "interfaces": self.interfaces,
        }
