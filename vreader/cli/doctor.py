# SPDX-License-Identifier: Apache-2.0
"""``vreader doctor``: what stands in the way on this machine, and what to do about it."""

import sys
from argparse import Namespace
from contextlib import redirect_stdout
from typing import TYPE_CHECKING

from vreader import __version__
from vreader.cli.parser import Parser, say

if TYPE_CHECKING:
    from vreader.doctor import Finding

FAILED = 1
_WIDTH = 80
_COLUMN = 18


def configure(parser: Parser) -> None:
    """Describe the command."""
    parser.describe("""
    Look for what stands in the way on this machine: Python and packages, where
    sockets are made, pcscd and its drivers, polkit, who else holds a reader.

      vreader doctor
      vreader doctor pcscd port
      vreader doctor --json > report.json

    OK is fine, NOTE not there and not needed, WARN something that does not work,
    FAIL what keeps vreader from working; then the exit code is 1. Nothing is
    changed. --list shows the checks.
    """)
    parser.usage = "vreader doctor [OPTION]... [CHECK]..."
    add = parser.add_argument
    add("checks", nargs="*", metavar="CHECK", help="only these checks [all]")
    add("--list", action="store_true", help="list the checks")
    add("--json", action="store_true", help="print JSON, for bug reports")


def run(options: Namespace) -> int:
    """Look, print the table."""
    from vreader.doctor import CHECKS, Level, examine

    if options.list:
        for check in CHECKS.values():
            say(f"{check.name:<12} {check.about}")
        return 0
    with redirect_stdout(sys.stderr):  # ours is for the table, whatever a plug-in prints
        findings = examine(options.checks)
    failed = any(finding.level is Level.FAIL for finding in findings)
    if options.json:
        import json

        found = [finding.record() for finding in findings]
        told = {"vreader": __version__, "failed": failed, "findings": found}
        say(json.dumps(told, indent=2))
        return FAILED if failed else 0
    for finding in findings:
        _print(finding)
    counts = {level: sum(finding.level is level for finding in findings) for level in Level}
    say("\n" + ", ".join(f"{count} {level.value}" for level, count in counts.items()))
    return FAILED if failed else 0


def _print(finding: "Finding") -> None:
    """Print a row; what to do stands below it."""
    from textwrap import fill

    from vreader.registry.show import printable

    margin = " " * _COLUMN
    head = f"{finding.level.value:<5} {finding.check:<12}"
    for first, text in ((head, finding.text), (margin + "-> ", finding.advice)):
        if text:
            then = margin if first is head else margin + "   "
            say(
                fill(
                    printable(text),
                    _WIDTH,
                    initial_indent=first if first is not head else f"{head:<{_COLUMN}}",
                    subsequent_indent=then,
                    break_long_words=False,
                    break_on_hyphens=False,
                )
            )
