# SPDX-License-Identifier: Apache-2.0
"""``vreader log``: the event log of a running world's computer."""

from argparse import Namespace

from vreader.bridge.control.client import ask, find_control
from vreader.cli.parser import Parser, say
from vreader.errors import VreaderError
from vreader.trace.log import FORMS, form_of, format_log


def configure(parser: Parser) -> None:
    """Describe the command."""
    parser.describe("""
    Show the System event log of a running world: errors of the reader driver,
    and requests of the resource manager that the driver rejected (event 610).

      vreader log
      vreader log -o events.csv
    """)
    add = parser.add_argument
    add("--control", metavar="PATH", help="the world's control socket [$VREADER_CONTROL]")
    add("--after", metavar="N", type=int, default=0, help="only entries after number N")
    forms = parser.add_mutually_exclusive_group()
    forms.add_argument(
        "--form", choices=FORMS, help="text, json, jsonl or csv [by the name of FILE, or text]"
    )
    forms.add_argument(
        "--json", dest="form", action="store_const", const="json", help="the same as --form json"
    )
    add("-o", "--output", metavar="FILE", help="write to FILE; - shows it, as nothing does")


def run(options: Namespace) -> int:
    """Ask the world, show or write what it says."""
    path: str = "-" if options.output is None else options.output
    told = ask(find_control(options.control), {"op": "log", "after": options.after})
    entries = told["entries"]
    assert isinstance(entries, list)
    text = format_log(entries, options.form or form_of(path))
    if path == "-":
        say(text, end="")
        return 0
    from vreader.trace import open_output

    try:
        with open_output(path, "log") as file:
            file.write(text)
    except OSError as error:
        raise VreaderError(
            f"the log is not in {path}: {error.strerror or error}", hint="name another file"
        ) from None
    return 0
