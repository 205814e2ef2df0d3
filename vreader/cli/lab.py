# SPDX-License-Identifier: Apache-2.0
"""``vreader lab``: the whole chain, from the insertion of a card to a signature."""

from argparse import Namespace
from typing import TYPE_CHECKING

from vreader.cli.machine import add_machine_options, add_pin_option, one_pin, opened
from vreader.cli.parser import Parser, say

if TYPE_CHECKING:
    from vreader.minidriver.lab import LabReport

NOT_THERE = 1


def configure(parser: Parser) -> None:
    """Describe the command."""
    parser.describe("""
    Insert a card into a simulated Windows that has an INF in its driver store, and
    go on until a signature is verified: device id, INF install, the card's entry in
    the registry, CardAcquireContext, CardSignData. DLL is the minidriver that the
    INF installs: a DLL for Windows, msclmd.dll, or file.py:Class in its place.

      vreader lab piv fabrikam.inf fabrikamcm.dll --pin 123456
      vreader lab piv,state=alice.card my.inf mine.py:Minidriver --trace trace.txt

    Ends with exit code 1 where the chain does not reach its end. --trace shows all
    of it: each step, each Card* call, the APDUs it causes.
    """)
    add = parser.add_argument
    add("card", metavar="CARD", help="the card, as for 'vreader run'")
    add("inf", metavar="INF", help="the package with the minidriver, as for 'vreader pair'")
    add("dll", metavar="DLL", help="the minidriver")
    add_pin_option(parser)
    add_machine_options(parser, inf=False)
    add("--short", action="store_true", help="leave out the steps")
    add("--json", action="store_true", help="print JSON")


def run(options: Namespace) -> int:
    """Run it."""
    from vreader.minidriver.lab import run_lab

    pin = one_pin(options.pin)
    options.inf = [options.inf]
    with opened(options, options.card) as (machine, card, label):
        report = run_lab(machine, card, label, options.dll, pin)
    if options.json:
        import json

        say(json.dumps(report.record(), indent=2))
    else:
        _print(report, steps=not options.short)
    return 0 if report.ok else NOT_THERE


def _print(report: "LabReport", *, steps: bool) -> None:
    from vreader.registry.show import printable

    stage = ""
    for step in (*report.pairing.steps, *report.steps) if steps else ():
        if step.stage != stage:
            stage = step.stage
            say(stage)
        say(printable(f"  {step.text}"))
    if steps:
        say("")
    say(printable(f"verdict   {'' if report.ok else 'it ends early: '}{report.verdict}"))
