# SPDX-License-Identifier: Apache-2.0
"""Whether a private pcscd can be shut in: the kernel must allow user namespaces, or we be root."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from vreader.bridge.vpcd.namespaces import RUN_DIRECTORY
from vreader.doctor.check import Finding, ok, warn
from vreader.doctor.machine import Machine

_OURS = str(Path(__file__).resolve().parents[2])
# A process of its own: there is no way back from namespaces.
_CHILD = (
    "import sys; sys.path.append(sys.argv[1]); "
    "from vreader.bridge.vpcd.namespaces import Refused, enter_namespaces\n"
    "try:\n enter_namespaces([])\nexcept Refused as why:\n sys.exit(str(why))"
)
# What forbids them, and how it is allowed.
_SETTINGS = (
    ("proc/sys/user/max_user_namespaces", "0", "sysctl -w user.max_user_namespaces=10000"),
    (
        "proc/sys/kernel/unprivileged_userns_clone",
        "0",
        "sysctl -w kernel.unprivileged_userns_clone=1",
    ),
    (
        "proc/sys/kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
    ),
)


def look(machine: Machine) -> Iterator[Finding]:
    """Try."""
    code, said = machine.run(sys.executable, "-I", "-S", "-c", _CHILD, _OURS)
    if code == 0:
        yield ok("a private pcscd gets a network and a /run of its own")
        return
    why = said.strip().rpartition("\n")[2] or f"exit code {code}"
    if os.getuid() and not machine.path(RUN_DIRECTORY).is_dir():
        # As systemd makes it for the system's pcscd.
        what = f"--stack pcscd does not work, for only root can make {RUN_DIRECTORY}"
    else:
        what = "with --stack pcscd vpcd's ports are open to the network"
    yield warn(f"no user namespaces ({why}): {what}", _how_to_allow(machine))


def _how_to_allow(machine: Machine) -> str:
    for name, forbidding, advice in _SETTINGS:
        try:
            if machine.path(name).read_text().strip() == forbidding:
                return advice
        except OSError:
            continue  # this kernel has no such setting
    return "in a container: allow them (--security-opt seccomp=unconfined), or use --stack embedded"
