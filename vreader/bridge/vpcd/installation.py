# SPDX-License-Identifier: Apache-2.0
"""What this machine has of pcscd and its drivers, and which cards they can be given.

pcscd names a reader ``FRIENDLYNAME II SS``: SS is the slot, II counts readers of one driver
library. Cards of different stanzas need different libraries (one library mixes its readers up), so
II is always 00 here; two cards can share a stanza, as its slots 00 and 01.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vreader.errors import UsageError, VreaderError

# Daemons live in sbin, which is not on every user's PATH.
_SBIN = "/usr/sbin:/usr/local/sbin:/sbin"
_DROP_DIRECTORIES = (
    "/usr/lib/pcsc/drivers",
    "/usr/lib64/pcsc/drivers",
    "/usr/local/lib/pcsc/drivers",
)
_READER_NAME = re.compile(r"(.+) ([0-9A-F]{2}) ([0-9A-F]{2})", re.DOTALL)
_MAX_NAME_BYTES = 127
_QUERY_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class SlotDriver:
    """A driver that a private pcscd can be given.

    Attributes:
        name: what people call it.
        library: where it is in a directory of drivers.
        package: Debian's package.
        slots: slots of one stanza, a constant of its build; an unused one shows as an empty reader.
    """

    name: str
    library: str
    package: str
    slots: int


VPCD = SlotDriver("vpcd driver", "serial/libifdvpcd.so", "vsmartcard-vpcd", 2)
TWIN = SlotDriver("serial CCID driver", "serial/libccidtwin.so", "libccid", 1)


@dataclass(frozen=True, slots=True)
class Installation:
    """The programs a private pcscd is made of.

    Attributes:
        command: pcscd and the options it is run with, but for ``-c``.
        driver: the driver library.
        drop_directory: where pcscd looks for drivers of USB readers.
        max_readers: how many readers (slots) this pcscd takes.
    """

    command: tuple[str, ...]
    driver: Path
    drop_directory: Path
    max_readers: int


def find_installation(pcscd: str = "pcscd", wanted: SlotDriver = VPCD) -> Installation:
    """Look at what is installed.

    Raises:
        VreaderError: pcscd or its driver is missing, or pcscd cannot be given a socket.
    """
    path = shutil.which(pcscd, path=os.pathsep.join([os.environ.get("PATH", ""), _SBIN]))
    if path is None:
        raise VreaderError(
            "pcscd is not installed",
            hint=f"apt install pcscd {wanted.package}, or use --stack embedded",
        )
    version, usage = _ask(path, "--version"), _ask(path, "--help")
    if "libsystemd" not in version:
        raise VreaderError(
            f"{path} was built without socket activation (libsystemd)",
            hint="apt install pcscd (of Debian or Ubuntu), or use --stack embedded",
        )
    dropped = re.search(r"usbdropdir=(\S+)", version)
    drop_directories = [dropped[1]] if dropped else []
    drop_directories += _DROP_DIRECTORIES
    places = (Path(directory, wanted.library) for directory in drop_directories)
    driver = next((place for place in places if place.is_file()), None)
    if driver is None:
        raise VreaderError(
            f"the {wanted.name} for pcscd ({Path(wanted.library).name}) is not installed",
            hint=f"apt install {wanted.package}, or use --stack embedded",
        )
    command = [path, "--foreground"]
    if "--disable-polkit" in usage:
        command.append("--disable-polkit")
    limit = re.search(r"MAX_READERS_CONTEXTS: (\d+)", version)
    maximum = int(limit[1]) if limit else 16
    return Installation(tuple(command), driver, Path(drop_directories[0]), maximum)


def _ask(pcscd: str, option: str) -> str:
    try:
        return subprocess.run(
            [pcscd, option],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_QUERY_TIMEOUT_S,
            check=False,
        ).stdout.decode(errors="replace")
    except (OSError, subprocess.TimeoutExpired) as error:
        raise VreaderError(
            f"{pcscd} cannot be run: {error}", hint="apt install --reinstall pcscd"
        ) from error


@dataclass(frozen=True, slots=True)
class Plan:
    """Which stanza and slot serves which reader.

    Attributes:
        stanzas: FRIENDLYNAME of each stanza.
        places: (stanza, slot) of each reader, in the order the readers were given.
    """

    stanzas: tuple[str, ...]
    places: tuple[tuple[int, int], ...]


def plan_readers(readers: Sequence[str], max_readers: int = 16, slots: int = VPCD.slots) -> Plan:
    """Find a place for each reader so that pcscd gives it exactly the name wanted.

    Raises:
        UsageError: pcscd cannot give a reader that name, two are equal, or they are too many.
    """
    stanzas: dict[str, int] = {}
    places: list[tuple[int, int]] = []
    for name in readers:
        friendly, slot = _split(name, slots)
        place = (stanzas.setdefault(friendly, len(stanzas)), slot)
        if place in places:
            raise UsageError(
                f"two readers are called {name!r}", hint="give each reader a name of its own"
            )
        places.append(place)
    if len(stanzas) * slots > max_readers:
        raise UsageError(
            f"pcscd takes {max_readers} readers, {slots} a name: {len(stanzas)} names are too many",
            hint="give fewer cards, or use --stack embedded",
        )
    return Plan(tuple(stanzas), tuple(places))


def _split(name: str, slots: int) -> tuple[str, int]:
    """Return FRIENDLYNAME and slot for a full reader name."""
    match = _READER_NAME.fullmatch(name)
    if match is None:
        raise UsageError(
            f"pcscd cannot call a reader {name!r}: its names end with two numbers",
            hint=f"use {name + ' 00 00'!r}, or --stack embedded",
        )
    friendly, index, slot = match[1], match[2], int(match[3], 16)
    if index != "00" or slot >= slots:
        possible = " and ".join(f"00 {number:02X}" for number in range(slots))
        raise UsageError(
            f"pcscd cannot call a reader {name!r}: only {possible} can be at the end",
            hint="change the words before the numbers instead, or use --stack embedded",
        )
    if '"' in friendly or not friendly.isprintable() or friendly != friendly.strip():
        raise UsageError(
            f"pcscd cannot call a reader {name!r}",
            hint="leave out quotes, control characters and spaces around it",
        )
    if len(name.encode()) > _MAX_NAME_BYTES:
        raise UsageError(
            f"a reader name has at most {_MAX_NAME_BYTES} bytes: {name!r}", hint="shorten it"
        )
    return friendly, slot
