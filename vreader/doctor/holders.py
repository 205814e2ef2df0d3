# SPDX-License-Identifier: Apache-2.0
"""Other programs that hold a reader: GnuPG's scdaemon most often."""

import os
from collections.abc import Iterator
from pathlib import Path

from vreader.bridge.pcsclite.find import service_socket
from vreader.doctor.check import Finding, ok, warn
from vreader.doctor.environment import unreachable
from vreader.doctor.machine import Machine, Process
from vreader.doctor.service import open_client
from vreader.errors import VreaderError

_LIBRARY = "libpcsclite"
_SCDAEMON = "scdaemon"


def look(machine: Machine) -> Iterator[Finding]:
    """Look at how readers are shared, and at who has loaded the library."""
    users = _users(machine)
    named = f"; programs that use PC/SC: {', '.join(map(str, users))}" if users else ""
    held = list(_held(named))
    yield from held
    daemons = [process for process in machine.processes() if process.name == _SCDAEMON]
    if daemons and not _shares():
        yield warn(
            f"GnuPG's {daemons[0]} runs: it takes readers for itself",
            "gpgconf --kill scdaemon; and write 'disable-ccid' and 'pcsc-shared' into "
            "scdaemon.conf",
        )
    elif not held:
        yield ok(f"nobody holds a reader{named}")


def _held(named: str) -> Iterator[Finding]:
    path = service_socket()
    if unreachable(path):
        return
    try:
        with open_client(path) as client:
            readers = client.readers()
    except VreaderError:
        return  # the check of the service says so
    for state in readers:
        if state.sharing < 0:
            yield warn(
                f"{state.name} is held exclusively by a program{named}",
                "end it, or have it connect shared",
            )
        elif state.sharing:
            many = "a program" if state.sharing == 1 else f"{state.sharing} connections"
            yield ok(f"{state.name} is shared by {many}{named}")


def _users(machine: Machine) -> list[Process]:
    """Return the processes that have loaded libpcsclite, of those we may look at."""
    found = []
    for process in machine.processes():
        if process.pid == os.getpid() or process.name == "pcscd":
            continue
        try:
            maps = machine.path(f"proc/{process.pid}/maps").read_text(errors="replace")
        except OSError:
            continue  # it has ended, or is another user's
        if _LIBRARY in maps:
            found.append(process)
    return found


def _shares() -> bool:
    """Tell whether scdaemon was told to share."""
    home = Path(os.environ.get("GNUPGHOME") or Path("~/.gnupg").expanduser())
    try:
        lines = (home / "scdaemon.conf").read_text(errors="replace").splitlines()
    except OSError:
        return False
    return {"disable-ccid", "pcsc-shared"} <= {line.strip() for line in lines}
