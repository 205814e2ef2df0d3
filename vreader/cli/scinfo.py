# SPDX-License-Identifier: Apache-2.0
"""``vreader scinfo``: what Windows finds on a card, and whether its keys work."""

import datetime
from argparse import Namespace
from contextlib import ExitStack
from typing import TYPE_CHECKING

from vreader.cli.machine import (
    add_card_options,
    add_dll_option,
    add_machine_options,
    add_pin_option,
    inserted,
    one_pin,
    specs,
    warn_of,
)
from vreader.cli.parser import Parser, say
from vreader.errors import UsageError

if TYPE_CHECKING:
    from vreader.minidriver.scinfo.look import Wish
    from vreader.minidriver.scinfo.result import ReaderReport

SOMETHING_WRONG = 1


def configure(parser: Parser) -> None:
    """Describe the command."""
    parser.describe("""
    Insert a card into a simulated Windows and tell what its providers find, as
    'certutil -scinfo' does: reader, card, providers, containers, keys and their
    certificates; whether the private keys work; what certificate propagation would
    copy; which certificates Windows would offer for a logon, rule by rule.

      vreader scinfo --card piv --pin 123456
      vreader scinfo --card gids,state=dave.card --ca ca.pem --json
      vreader scinfo --live --pin -                  the card in a running world
      vreader scinfo --card piv --inf my.inf --dll mine.py:Minidriver

    Ends with exit code 1 where no minidriver is found, a key does not work or does
    not belong to its certificate. A wrong PIN is tried once.
    """)
    add = parser.add_argument
    add_card_options(parser, several=True)
    add_dll_option(parser)
    add_pin_option(parser)
    add("--silent", action="store_true", help="ask for no PIN and test no private key")
    add("--ca", metavar="FILE", action="append", default=[],
        help="certificates of CAs, PEM, DER or PKCS #7, which are trusted; repeatable")  # fmt: skip
    add("--date", metavar="YYYY-MM-DD", help="look at certificates as on that day [today]")
    add_machine_options(parser)
    add("--short", action="store_true", help="leave out the rules of a logon")
    add("--json", action="store_true", help="print JSON")


def run(options: Namespace) -> int:
    """Look at each card."""
    from vreader.minidriver.scinfo.authorities import from_file
    from vreader.minidriver.scinfo.look import Wish

    found = []
    trusted = [one for path in options.ca for one in from_file(path)]
    now = _date(options.date)
    for spec in specs(options):
        pin = one_pin(None if options.silent else options.pin, ask=not options.silent)
        found.append(_look(options, spec, Wish(pin, not options.silent, trusted, now)))
    if options.json:
        import json

        say(json.dumps([report.record() for report in found], indent=2))
    else:
        _print(found, rules=not options.short)
    return 0 if all(report.ok for report in found) else SOMETHING_WRONG


def _look(options: Namespace, spec: str | None, wish: "Wish") -> "ReaderReport":
    from vreader.minidriver.lab import chosen, close, trace
    from vreader.minidriver.load import load_module
    from vreader.minidriver.scinfo.look import look, vendor_file

    with inserted(options, spec) as (machine, pairing), ExitStack() as closers:
        if options.dll is not None:
            pairing = chosen(pairing, options.dll)
        elif vendor_file(pairing):
            raise UsageError(
                f"this card's minidriver is {vendor_file(pairing)}", hint="give it with --dll FILE"
            )
        module = None
        if pairing.loaded and pairing.module is not None:
            module = load_module(pairing.module.name, machine.api)
            closers.callback(close, module)
            closers.callback(warn_of, module)
            module = trace(module, machine)
        return look(machine, pairing, module, wish)


def _date(text: str | None) -> datetime.datetime:
    if text is None:
        return datetime.datetime.now(datetime.UTC)
    try:
        day = datetime.date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is no date", hint="write for example 2027-01-31") from None
    return datetime.datetime.combine(day, datetime.time(), datetime.UTC)


def _print(found: "list[ReaderReport]", *, rules: bool) -> None:
    from vreader.minidriver.scinfo.told import told
    from vreader.registry.show import printable

    for number, report in enumerate(found):
        if number:
            say("")
        for line in told(report, rules=rules):
            say(printable(line))
