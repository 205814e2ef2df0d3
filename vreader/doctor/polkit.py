# SPDX-License-Identifier: Apache-2.0
"""Whether polkit lets a user use pcscd: in containers, over ssh and in CI it mostly does not."""

import os
import re
from collections.abc import Iterator

from vreader.doctor.check import Finding, note, ok, warn
from vreader.doctor.machine import Machine

ACTION = "org.debian.pcsc-lite.access_pcsc"
_POLICY = "usr/share/polkit-1/actions/org.debian.pcsc-lite.policy"
_ALLOW = re.compile(r"<allow_any>\s*(\w+)\s*</allow_any>")
_ADVICE = (
    "run pcscd with --disable-polkit (2.0 and newer), or allow it by a rule in "
    f"/etc/polkit-1/rules.d for {ACTION}; a world asks nobody"
)


def look(machine: Machine) -> Iterator[Finding]:
    """Ask polkit what pcscd would ask."""
    pcscd = machine.which("pcscd")
    if pcscd is None:
        return
    try:
        _, version = machine.run(pcscd, "--version")
    except OSError as error:
        yield note(f"whether polkit is asked is not known: {error}")
        return
    if "polkit" not in version:
        yield ok(f"{pcscd} was built without polkit: it asks nobody")
        return
    if any(
        "--disable-polkit" in machine.command(process)
        for process in machine.daemons()
        if not machine.is_private(process)
    ):
        yield ok("pcscd runs with --disable-polkit")
        return
    if os.getuid() == 0:
        yield _of_others(machine)
        return
    pkcheck = machine.which("pkcheck")
    if pkcheck is None:
        yield warn("polkit is asked by pcscd, and is not there: everybody is refused", _ADVICE)
        return
    code, said = machine.run(pkcheck, "--action-id", ACTION, "--process", str(os.getpid()))
    if code == 0:
        yield ok("polkit lets you use pcscd")
    else:
        why = said.strip().partition("\n")[0] or f"exit code {code}"
        yield warn(f"polkit does not let you use pcscd: {why}", _ADVICE)


def _of_others(machine: Machine) -> Finding:
    """Say what polkit's defaults mean to users that are not root."""
    try:
        found = _ALLOW.search(machine.path(_POLICY).read_text(errors="replace"))
    except OSError:
        found = None
    if found is not None and found[1] == "yes":
        return ok("polkit lets everybody use pcscd")
    return warn("polkit refuses users without a session at this machine; you are root", _ADVICE)
