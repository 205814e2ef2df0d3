# SPDX-License-Identifier: Apache-2.0
"""``vreader minidriver``: a card's minidriver; each action is a module ``minidriver_…``."""

from argparse import REMAINDER, SUPPRESS, Namespace
from importlib import import_module

from vreader.cli.parser import Parser
from vreader.errors import UsageError, near

_ACTIONS = {
    "list": "list minidrivers, or the functions that one provides for a card",
    "call": "call one function for a card, and tell what it returns",
    "certify": "put it through the certification checks",
    "register": "have a DLL register itself (DllRegisterServer)",
}


def configure(parser: Parser) -> None:
    """Describe the command."""
    actions = "\n".join(f"  {name:<9} {about}" for name, about in _ACTIONS.items())
    parser.describe(f"""\
Look at the minidriver of a smart card, call it, certify it. It is the class
minidriver of this project (msclmd.dll), a class in Python (file.py:Class), or a
DLL for Windows, which runs under Wine.

{actions}

  vreader minidriver list --card piv
  vreader minidriver call CardReadFile mscp cmapfile --card gids
  vreader minidriver certify --card piv --junit report.xml
  vreader minidriver register --dll mycard.dll --spec v4

'vreader minidriver ACTION --help' tells about each.""")
    parser.usage = "vreader minidriver ACTION [--OPTION]... [ARGUMENT]..."
    parser.add_argument("action", metavar="ACTION", help="one of the above")
    parser.add_argument("arguments", nargs=REMAINDER, metavar="ARGUMENT", help=SUPPRESS)


def run(options: Namespace) -> int:
    """Do what is asked."""
    if options.action not in _ACTIONS:
        meant = near(options.action, _ACTIONS, 0.6)
        raise UsageError(
            f"vreader minidriver has no action {options.action!r}",
            hint=" ".join(filter(None, (meant, f"there are {', '.join(_ACTIONS)}"))),
        )
    action = import_module(f"vreader.cli.minidriver_{options.action}")
    parser = Parser(f"vreader minidriver {options.action}")
    action.configure(parser)
    code: int = action.run(parser.parse_intermixed_args(options.arguments))
    return code
