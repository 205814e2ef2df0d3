# SPDX-License-Identifier: Apache-2.0
"""``vreader cards``: what can be given to --card."""

from argparse import Namespace

from vreader.cli.parser import Parser, say
from vreader.kinds import find_kind, kind_names


def configure(parser: Parser) -> None:
    """Describe the command."""
    parser.describe("""
    List the installed card kinds and their profiles: what --card takes.

      vreader cards
      vreader run --card piv:5.7.1 -- opensc-tool -a
    """)
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(options: Namespace) -> int:
    """Print the kinds."""
    kinds = [find_kind(name) for name in kind_names()]
    if options.json:
        import json

        told = [
            {"name": kind.name, "summary": kind.summary, "profiles": dict(kind.profiles())}
            for kind in kinds
        ]
        say(json.dumps(told, indent=2))
        return 0
    for kind in kinds:
        say(f"{kind.name:<12} {kind.summary}")
        for number, (profile, about) in enumerate(kind.profiles().items()):
            default = " (default)" if number == 0 else ""
            say(f"  {kind.name}:{profile:<10} {about}{default}")
    say("file.toml      a card with keys, as 'vreader card new' makes it")
    say("file.py:Class  a card of your own: power_on, reset, power_off, transmit")
    say("vpcd-listen:PORT  the card of a program that connects, as to vsmartcard's vpcd")
    say("atr:3B…        answers this ATR, and 6D00 to everything")
    say("none           an empty reader")
    return 0
