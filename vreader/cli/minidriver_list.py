# SPDX-License-Identifier: Apache-2.0
"""``vreader minidriver list``: minidrivers, or the functions that one provides for a card."""

from argparse import Namespace
from typing import TYPE_CHECKING

from vreader.cli.machine import (
    add_card_options,
    add_dll_option,
    add_machine_options,
    one_pin,
    specs,
)
from vreader.cli.parser import Parser, say

if TYPE_CHECKING:
    from vreader.minidriver.abi.functions import Function

_KNOWN = {
    "msclmd.dll": "the class minidriver for PIV and GIDS cards, as Windows has one",
    "file.py:Class": "a minidriver of yours in Python, a vreader.minidriver.module.Module",
    "FILE.dll": "a minidriver for Windows; it runs under Wine",
}


def configure(parser: Parser) -> None:
    """Describe the command."""
    parser.describe("""
    List what --dll can name; or, for a card, the table that its minidriver fills
    in: each function, the version of CARD_DATA that has it first, whether it is
    there or NULL.

      vreader minidriver list
      vreader minidriver list --card piv
      vreader minidriver list --card gids --dll mine.py:Minidriver --json
    """)
    add_card_options(parser)
    add_dll_option(parser)
    add_machine_options(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(options: Namespace) -> int:
    """List them."""
    asks_nothing = options.card is None and options.live is None
    if asks_nothing and options.dll is None:
        _known(as_json=options.json)
        return 0
    from vreader.cli.minidriver_call import in_context
    from vreader.minidriver.abi.functions import FUNCTIONS
    from vreader.minidriver.host import BaseCsp

    (spec,) = specs(options)

    def table(csp: BaseCsp) -> tuple[int, frozenset[str]]:
        return csp.session.version, frozenset(
            one.name for one in FUNCTIONS if csp.session.has(one.name)
        )

    version, there = in_context(options, spec, one_pin(None, ask=False), table)
    rows = [(one, _state(one, version, there)) for one in FUNCTIONS]
    if options.json:
        import json

        functions = [
            {"function": one.name, "since": one.since, "state": state} for one, state in rows
        ]
        say(json.dumps({"version": version, "functions": functions}, indent=2))
        return 0
    say(f"CARD_DATA version {version}, {len(there)} of {len(rows)} functions")
    for one, state in rows:
        say(f"  v{one.since}  {one.name:<26} {state}")
    return 0


def _state(function: "Function", version: int, there: frozenset[str]) -> str:
    if function.name in there:
        return "there"
    if function.since > version:
        return f"not in version {version}"
    return "NULL, which it may be" if function.optional else "NULL"


def _known(*, as_json: bool) -> None:
    if as_json:
        import json

        say(json.dumps(_KNOWN, indent=2))
        return
    for name, about in _KNOWN.items():
        say(f"{name:<14} {about}")
