# SPDX-License-Identifier: Apache-2.0
"""``vreader ctl``: what a person's hands do to the readers of a running world."""

from argparse import Namespace

from vreader.bridge.control.client import ask, find_control
from vreader.cli.parser import Parser, say

_OPERATIONS = {
    "list": "list the readers: name, card, inserted or out, reader state",
    "insert": "insert the card that was taken out, or a new one",
    "remove": "take the card out, in the middle of a command too",
    "reset": "put the card back to how it was made; a state file keeps what it holds",
    "quit": "end the world ('vreader run' ends its command)",
}


def configure(parser: Parser) -> None:
    """Describe the command."""
    operations = "\n".join(f"  {name:<7} {about}" for name, about in _OPERATIONS.items())
    parser.describe(
        "Insert, remove, reset cards of a running world.\n\n"
        "READER is a name or a number (0 is the first) and may be left out where\n"
        f"there is one.\n\n{operations}"
    )
    parser.usage = "vreader ctl [--control PATH] OPERATION [READER] [OPTION]..."
    add = parser.add_argument
    add("--control", metavar="PATH", help="the world's control socket [$VREADER_CONTROL]")
    add("op", choices=_OPERATIONS, metavar="OPERATION", help="one of the above")
    add("reader", nargs="?", metavar="READER", help="for insert, remove and reset")
    add("--card", metavar="SPEC", help="insert: a new card instead of the one taken out")
    add("--json", action="store_true", help="list: print JSON")


def run(options: Namespace) -> int:
    """Ask the world, print what it says."""
    op: str = options.op
    for name, given, fits in (
        ("READER", options.reader, op in ("insert", "remove", "reset")),
        ("--card", options.card, op == "insert"),
        ("--json", options.json or None, op == "list"),
    ):
        if given is not None and not fits:
            Parser("vreader ctl").error(f"{op} takes no {name}")
    asked = {"op": op, "reader": options.reader, "card": options.card}
    told = ask(find_control(options.control), {k: v for k, v in asked.items() if v is not None})
    if op == "list":
        readers = told["readers"]
        assert isinstance(readers, list)
        if options.json:
            import json

            say(json.dumps(readers, indent=2))
        else:
            for place in readers:
                _print(place)
    elif op != "quit":
        _print(told)
    return 0


def _print(place: dict[str, object]) -> None:
    card = place["card"] or "no card"
    where = "inserted" if place["inserted"] else "out"
    say(f"{place['reader']}\t{card}\t{where}\t{place['state']}")
