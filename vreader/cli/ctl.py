# SPDX-License-Identifier: Apache-2.0
"""``vreader ctl``: what a person's hands do to the readers of a running world."""

import sys
from argparse import Namespace

from vreader.bridge.control.client import ask, find_control
from vreader.cli.parser import Parser, say

_FOLLOWED = 10  # events of before, as tail has it
_OPERATIONS = {
    "list": "list the readers: name, card, inserted or out, reader state",
    "insert": "insert the card that was taken out, or a new one",
    "remove": "take the card out, in the middle of a command too",
    "reset": "put the card back to how it was made; a state file keeps what it holds",
    "fault": "let something go wrong (FAULT), --clear; tells which faults are set",
    "trace": "tell of events: the last ones (--last N), those to come (--follow)",
    "quit": "end the world ('vreader run' ends its command)",
}


def configure(parser: Parser) -> None:
    """Describe the command."""
    operations = "\n".join(f"  {name:<7} {about}" for name, about in _OPERATIONS.items())
    parser.describe(
        "Insert, remove, reset cards of a running world.\n\n"
        "READER is a name or a number (0 is the first) and may be left out where\n"
        "there is one. insert, remove and reset return when PC/SC programs can see it.\n\n"
        "  vreader ctl remove\n"
        "  vreader ctl insert 0 --card piv\n"
        "  vreader ctl fault mute,on=VERIFY\n"
        "  vreader ctl trace --follow\n\n"
        f"{operations}"
    )
    parser.usage = "vreader ctl [--control PATH] OPERATION [READER] [FAULT] [OPTION]..."
    add = parser.add_argument
    add("--control", metavar="PATH", help="the world's control socket [$VREADER_CONTROL]")
    add("op", choices=_OPERATIONS, metavar="OPERATION", help="one of the above")
    add("reader", nargs="?", metavar="READER", help="for insert, remove, reset, fault")
    add("fault", nargs="?", metavar="FAULT", help="fault: see 'vreader run --help'")
    add("--clear", action="store_true", help="fault: let nothing go wrong any more")
    add("--card", metavar="SPEC", help="insert: a new card instead of the one taken out")
    add("--json", action="store_true", help="list, fault, trace: print JSON")
    add("-f", "--follow", action="store_true", help="trace: go on until the world ends")
    add("--last", metavar="N", type=int, help="trace: only N events of before [all; -f: 10]")


def run(options: Namespace) -> int:
    """Ask the world, print what it says."""
    op: str = options.op
    for name, given, fits in (
        ("READER", options.reader, op in ("insert", "remove", "reset", "fault")),
        ("FAULT", options.fault, op == "fault"),
        ("--clear", options.clear or None, op == "fault"),
        ("--card", options.card, op == "insert"),
        ("--json", options.json or None, op in ("list", "fault", "trace")),
        ("--follow", options.follow or None, op == "trace"),
        ("--last", options.last, op == "trace"),
    ):
        if given is not None and not fits:
            # A word too many is nothing that has a name.
            said = (
                f"unrecognized arguments: {given}" if name == "FAULT" else f"{op} takes no {name}"
            )
            Parser("vreader ctl").error(said)
    if op == "trace":
        return _trace(options)
    if op == "fault":
        return _fault(options)
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
        if unseen := told.get("unseen"):
            say(f"vreader: warning: {unseen}", err=True)
    return 0


def _print(place: dict[str, object]) -> None:
    listens = place.get("listens")
    card = place["card"] or (f"no card: listens at {listens}" if listens else "no card")
    where = "inserted" if place["inserted"] else "out"
    say(f"{place['reader']}\t{card}\t{where}\t{place['state']}")


def _fault(options: Namespace) -> int:
    """Set and clear faults, then print those there are."""
    reader, plan = options.reader, options.fault
    # One word alone: readers have numbers, or names of several words.
    head = "" if reader is None else reader.partition(",")[0]
    if plan is None and head and " " not in head and not head.isdecimal():
        reader, plan = None, reader
    op = "fault" if plan is not None or options.clear else "faults"
    asked = {"op": op, "reader": reader, "fault": plan, "clear": options.clear or None}
    told = ask(find_control(options.control), {k: v for k, v in asked.items() if v is not None})
    faults = told["faults"]
    assert isinstance(faults, list)
    if options.json:
        import json

        say(json.dumps(faults, indent=2))
        return 0
    for fault in faults:
        left = "always" if fault["left"] is None else f"{fault['left']} left"
        say(f"{fault['reader']}\t{fault['fault']}\tstruck {fault['struck']}\t{left}")
    return 0


def _trace(options: Namespace) -> int:
    """Print events as they come; a reader who is too slow is told what is missing."""
    from vreader.bridge.control.client import follow
    from vreader.trace import wants_colour

    last: int | None = options.last
    asked: dict[str, object] = {
        "op": "trace",
        "follow": options.follow,
        "last": _FOLLOWED if last is None and options.follow else last,
        "form": "json" if options.json else "text",
        "colour": wants_colour(sys.stdout),
    }
    for reply in follow(find_control(options.control), asked):
        events = reply.get("events", [reply["event"]] if "event" in reply else [])
        assert isinstance(events, list)
        for event in events:
            _print_event(event)
        if missed := reply.get("missed"):
            say(f"vreader: warning: {missed} events came too fast and are left out", err=True)
        if not options.follow:
            break
    return 0


def _print_event(event: object) -> None:
    if isinstance(event, str):
        say(event)
    else:
        import json

        say(json.dumps(event))
