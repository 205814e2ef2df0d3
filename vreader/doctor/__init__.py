# SPDX-License-Identifier: Apache-2.0
"""What stands in the way on this machine: one check a subject, each with what to do about it.

A check looks, and changes nothing. All run at once, each for as long as its own limit at most; one
that raises, hangs or cannot be imported is a finding like any other.
"""

from collections.abc import Sequence

from vreader.doctor.check import Check, Finding, Level, run_all
from vreader.doctor.machine import Machine
from vreader.errors import UsageError, near

__all__ = ["CHECKS", "Check", "Finding", "Level", "Machine", "examine"]

_CHECKS = (
    Check("python", "Python, vreader, cryptography", "python:look", anywhere=True),
    Check("cards", "whether 'import cards' is ours", "package:look_at_cards", anywhere=True),
    Check(
        "plugins",
        "plug-ins of cards that cannot be loaded",
        "package:look_at_plugins",
        anywhere=True,
    ),
    Check("directory", "the directory for sockets and other private files", "directory:look"),
    Check("embedded", "the default stack of 'vreader run'", "embedded:look"),
    Check("libpcsclite", "the library PC/SC programs load", "library:look"),
    Check("environment", "variables of a world that has ended", "environment:look"),
    Check(
        "pcscd",
        "the PC/SC service of this machine, or of the world around",
        "service:look",
        limit_s=10.0,
    ),
    Check("polkit", "whether polkit lets a user use pcscd", "polkit:look"),
    Check("holders", "other programs that hold a reader", "holders:look"),
    Check("vpcd", "vpcd's driver, of --stack pcscd", "driver:look_at_vpcd", limit_s=20.0),
    Check("twin", "libccid's driver for serial readers, of --stack twin", "driver:look_at_twin"),
    Check("namespaces", "user namespaces, for --stack pcscd", "namespaces:look"),
    Check("reader.conf", "entries in /etc/reader.conf.d", "readerconf:look"),
    Check("port", "who listens on vpcd's port, 35963", "port:look"),
    Check("optional", "parts that only some commands need", "optional:look", anywhere=True),
)
CHECKS: dict[str, Check] = {check.name: check for check in _CHECKS}


def examine(only: Sequence[str] = (), machine: Machine | None = None) -> list[Finding]:
    """Run the checks, all or those named, and return what they found, in their order.

    Raises:
        UsageError: there is no check of that name.
    """
    for name in only:
        if name not in CHECKS:
            meant = near(name, CHECKS)
            raise UsageError(
                f"there is no check {name!r}", hint=f"{meant} checks: {', '.join(CHECKS)}".lstrip()
            )
    chosen = [check for name, check in CHECKS.items() if not only or name in only]
    return run_all(chosen, machine or Machine())
