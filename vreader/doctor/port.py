# SPDX-License-Identifier: Apache-2.0
"""vpcd's port: does the driver listen there, or somebody else."""

from collections.abc import Iterator

from vreader.bridge.vpcd.dial import DEFAULT_PORT
from vreader.bridge.vpcd.installation import VPCD
from vreader.doctor.check import Finding, Level, note, ok, warn
from vreader.doctor.machine import Machine
from vreader.doctor.readerconf import read

_OWNERS = ("pcscd", "systemd")


def look(machine: Machine) -> Iterator[Finding]:
    """Look who listens on the ports of each vpcd entry, or on the usual ones."""
    ports = [stanza.port for stanza in read(machine)[0] if stanza.port is not None]
    for port in dict.fromkeys(ports or [DEFAULT_PORT]):
        yield _look_at(machine, port)
        for further in range(port + 1, port + VPCD.slots):
            # One for each slot; of these only trouble is news.
            if (found := _look_at(machine, further)).level is Level.WARN:
                yield found


def _look_at(machine: Machine, port: int) -> Finding:
    listeners = machine.listeners(port)
    if not listeners:
        return note(
            f"nobody listens on vpcd's port {port}; a world needs none",
            "for 'vreader serve --vpcd': start pcscd with an entry for vpcd in reader.conf",
        )
    owner = machine.owner(listeners[0])
    if owner is None:
        return note(
            f"port {port} is listened on by a process of user {listeners[0].uid}",
            "as root this check says whether it is pcscd",
        )
    if owner.name in _OWNERS:
        return ok(f"{owner} listens on vpcd's port {port}")
    return warn(
        f"{owner} listens on vpcd's port {port}: pcscd's driver cannot, "
        "and cards that dial it reach that program",
        "end it, or give vpcd another port in reader.conf (DEVICENAME and CHANNELID)",
    )
