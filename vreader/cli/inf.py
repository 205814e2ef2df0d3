# SPDX-License-Identifier: Apache-2.0
"""``vreader inf``: INF files of readers and minidrivers; each action is a module ``inf_…``."""

from argparse import REMAINDER, SUPPRESS, Namespace
from importlib import import_module

from vreader.cli.parser import Parser
from vreader.errors import UsageError, near

_ACTIONS = {
    "show": "say what it is, and what each Windows would take of it",
    "lint": "list what is wrong with it: line, rule, reason, source, what to do",
    "new": "write the INF of a new minidriver for a card",
    "stage": "put it into a driver store, a folder",
    "install": "install it to a registry, with every step",
}


def configure(parser: Parser) -> None:
    """Describe the command."""
    actions = "\n".join(f"  {name:<7} {about}" for name, about in _ACTIONS.items())
    parser.describe(f"""\
Look at the INF file of a smart card reader driver or of a card's minidriver,
write one, stage it, install it.

{actions}

  vreader inf show fabrikam.inf --os 10.0-amd64
  vreader inf lint myreader.inf
  vreader inf lint mycard.inf --with theircard.inf
  vreader inf new --atr 3B0451FF0800 --name "Fabrikam card" --vendor Fabrikam \\
      --module fabrikamcm.dll -o fabrikam.inf
  vreader inf stage fabrikam.inf --store packages
  vreader inf install fabrikam.inf --registry machine.reg

'vreader inf ACTION --help' tells about each.""")
    parser.usage = "vreader inf ACTION [--OPTION]... [FILE]"
    parser.add_argument("action", metavar="ACTION", help="one of the above")
    parser.add_argument("arguments", nargs=REMAINDER, metavar="FILE", help=SUPPRESS)


def run(options: Namespace) -> int:
    """Do what is asked."""
    if options.action not in _ACTIONS:
        meant = near(options.action, _ACTIONS, 0.6)
        raise UsageError(
            f"vreader inf has no action {options.action!r}",
            hint=" ".join(filter(None, (meant, f"there are {', '.join(_ACTIONS)}"))),
        )
    action = import_module(f"vreader.cli.inf_{options.action}")
    parser = Parser(f"vreader inf {options.action}")
    action.configure(parser)
    code: int = action.run(parser.parse_intermixed_args(options.arguments))
    return code
