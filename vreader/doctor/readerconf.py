# SPDX-License-Identifier: Apache-2.0
"""reader.conf: which readers pcscd is told of, and whether those entries can work.

The format is that of reader.conf(5): four keywords, a stanza ends with LIBPATH and CHANNELID given.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from vreader.doctor.check import Finding, note, ok, warn
from vreader.doctor.machine import Machine, version_of

DIRECTORY = "/etc/reader.conf.d"
VPCD = "vpcd"
_LINE = re.compile(r'(FRIENDLYNAME|DEVICENAME|LIBPATH|CHANNELID)\s+("[^"]*"|\S+)')
# A host and a port: then the driver dials the card.
_DIALS = re.compile(r"[^/:]+:\d+")
_OLDEST_DIALING = (0, 9)


@dataclass(slots=True)
class Stanza:
    """One entry.

    Attributes:
        where: file and line of its beginning.
        values: by keyword, without quotes.
    """

    where: str
    values: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """FRIENDLYNAME, or what stands for it."""
        return self.values.get("FRIENDLYNAME", "?")

    @property
    def port(self) -> int | None:
        """The first port of a vpcd driver; None of others."""
        if VPCD not in self.values.get("LIBPATH", ""):
            return None
        text = self.values.get("DEVICENAME", "").rpartition(":")[2]
        try:
            return int(text or self.values.get("CHANNELID", ""), 0)
        except ValueError:
            return None


def read(machine: Machine) -> tuple[list[Stanza], list[str]]:
    """Return the stanzas there are, and what cannot be read, each with its place."""
    stanzas: list[Stanza] = []
    problems: list[str] = []
    directory = machine.path(DIRECTORY)
    files = sorted(directory.iterdir()) if directory.is_dir() else []
    for file in (path for path in files if path.is_file() and not path.name.startswith(".")):
        current: Stanza | None = None
        try:
            lines = file.read_text(errors="replace").splitlines()
        except OSError as error:
            problems.append(f"{file}: {error.strerror}")
            continue
        for number, line in enumerate(lines, 1):
            text = line.partition("#")[0].strip()
            if not text:
                continue
            if (found := _LINE.fullmatch(text)) is None:
                problems.append(f"{file}, line {number}: {text!r} is no entry")
                continue
            keyword, value = found[1], found[2].strip('"')
            if current is None or keyword in current.values:
                current = Stanza(f"{file}, line {number}")
                stanzas.append(current)
            current.values[keyword] = value
    return stanzas, problems


def look(machine: Machine) -> Iterator[Finding]:
    """Read the entries and judge them."""
    stanzas, problems = read(machine)
    for problem in problems:
        yield warn(problem, "correct it: pcscd may leave out the whole file")
    libraries = Counter(stanza.values.get("LIBPATH", "") for stanza in stanzas)
    for stanza in stanzas:
        yield _judge(machine, stanza, libraries)
    if not stanzas and not problems and machine.which("pcscd"):
        yield note(
            f"no entries in {DIRECTORY}: this pcscd has no vpcd reader; a world needs none",
            "for 'vreader serve --vpcd': apt install vsmartcard-vpcd",
        )


def _judge(machine: Machine, stanza: Stanza, libraries: Counter[str]) -> Finding:
    missing = [key for key in ("LIBPATH", "CHANNELID", "DEVICENAME") if key not in stanza.values]
    # Either of the last two says where the reader is.
    if "LIBPATH" in missing or len(missing) == 2:
        return warn(f"{stanza.where}: {' and '.join(missing)} missing", "complete the entry")
    library = stanza.values["LIBPATH"]
    path = machine.path(library)
    if not path.is_file():
        return warn(f"{stanza.where}: there is no {library}", "install the driver, or correct it")
    if stanza.port is not None and libraries[library] > 1:
        return warn(
            f"{stanza.where}: {libraries[library]} entries share {library}, "
            "which mixes their readers up",
            "give each entry a copy of the file of its own",
        )
    if VPCD in library and _DIALS.fullmatch(stanza.values.get("DEVICENAME", "")):
        if _version(path) < _OLDEST_DIALING:
            return warn(
                f"{stanza.where}: this driver ends pcscd when it is to dial "
                f"{stanza.values['DEVICENAME']}",
                "let it listen (DEVICENAME /dev/null:0x8C7B), or build a newer one",
            )
        return ok(f"{stanza.name!r} dials {stanza.values['DEVICENAME']}")
    where = f", port {stanza.port}" if stanza.port is not None else ""
    return ok(f"{stanza.name!r} is {Path(library).name}{where}")


def _version(path: Path) -> tuple[int, ...]:
    numbers = re.findall(r"\d+", version_of(path))
    return tuple(map(int, numbers)) or (99,)
