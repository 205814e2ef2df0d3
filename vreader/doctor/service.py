# SPDX-License-Identifier: Apache-2.0
"""pcscd, or whoever serves PC/SC here: does it run, whose is it, does it answer, with what."""

import os
import stat
from collections.abc import Iterator

from vreader.bridge.pcsclite.client import PcscClient
from vreader.bridge.pcsclite.find import service_socket
from vreader.doctor.check import Finding, note, ok, warn
from vreader.doctor.environment import unreachable
from vreader.doctor.machine import Machine
from vreader.errors import VreaderError

ANSWER_S = 2.0


def look(machine: Machine) -> Iterator[Finding]:
    """Connect to it as a program would."""
    yield _installed(machine)
    path = service_socket()
    running = [str(process) for process in machine.daemons() if not machine.is_private(process)]
    if not os.path.exists(path):  # noqa: PTH110 - the text may be no path
        if running:
            yield warn(
                f"{', '.join(running)} runs, but there is no socket {path}",
                "it may be in a container or another namespace, or its socket was deleted: "
                "systemctl restart pcscd.socket pcscd",
            )
        else:
            yield note(
                f"no PC/SC service runs here ({path} is not there); a world brings its own",
                "for other programs: systemctl enable --now pcscd.socket",
            )
        return
    if why := unreachable(path):
        yield warn(f"{path} cannot be reached: {why}", _what_to_do(path, why))
        return
    try:
        with open_client(path) as client:
            who, readers = _owner(client), client.readers()
    except VreaderError as error:
        yield warn(
            f"{path} does not serve you: {error}",
            "polkit may refuse you (see the check polkit), or it hangs: systemctl restart pcscd",
        )
        return
    names = ", ".join(f"{state.name}{' with a card' if state.atr else ''}" for state in readers)
    yield ok(f"{path}{who} answers in protocol 4.{client.minor}; readers: {names or 'none'}")


def _installed(machine: Machine) -> Finding:
    path = machine.which("pcscd")
    if path is None:
        return note(
            "pcscd is not installed; a world needs none",
            "for --stack pcscd and twin: apt install pcscd vsmartcard-vpcd libccid",
        )
    try:
        _, said = machine.run(path, "--version")
    except OSError as error:
        return warn(f"{path} cannot be run: {error}", "apt install --reinstall pcscd")
    version = said.partition("version ")[2].split("\n")[0].strip(" .")
    if "libsystemd" not in said:
        return warn(
            f"{path}, version {version}, lacks libsystemd: --stack pcscd cannot use it",
            "install the pcscd of Debian, Ubuntu or Fedora",
        )
    return ok(f"{path}, version {version}")


def _what_to_do(path: str, why: str) -> str:
    if "listens" in why:
        return "its pcscd has ended: systemctl restart pcscd.socket, or delete the socket"
    if "denied" in why:
        mode = stat.filemode(os.stat(path).st_mode)  # noqa: PTH116
        return f"its mode is {mode}: become a member of its group, or have it changed"
    return "systemctl restart pcscd.socket"


def _owner(client: PcscClient) -> str:
    """Say who made the listening socket; nothing where that cannot be known."""
    try:
        pid, uid = client.server
        with open(f"/proc/{pid}/comm") as file:  # noqa: PTH123
            name = file.read().strip()
    except OSError:
        return ""
    return f" of {name} (pid {pid}, user {uid})"


def open_client(path: str) -> PcscClient:
    """Connect to a service that may hang; raises VreaderError."""
    from vreader.bridge.pcsclite.probe import probe_reader_slots

    return PcscClient(path, reader_slots=probe_reader_slots().slots, timeout_s=ANSWER_S)
