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
    minidriver_of,
    one_pin,
    question_of,
    specs,
)
from vreader.cli.parser import Parser, say
from vreader.errors import UsageError, VreaderError

if TYPE_CHECKING:
    from collections.abc import Callable

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
      vreader scinfo --live --pin -                  all readers of a running world
      vreader scinfo --live pcsc:ACR --pin -         a reader of this machine
      vreader scinfo --card piv --inf my.inf --dll mine.py:Minidriver

    Ends with exit code 1 where there is no card, no minidriver is found, a key does
    not work or does not belong to its certificate. A wrong PIN is tried once.
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

    trusted = [one for path in options.ca for one in from_file(path)]
    now = _date(options.date)

    def look(spec: str | None) -> "ReaderReport":
        pin = one_pin(None if options.silent else options.pin, ask=not options.silent)
        return _look(options, spec, Wish(pin, not options.silent, trusted, now))

    cards = specs(options)
    found = [look(spec) for spec in cards] if options.live is None else _live(options, look)
    if options.json:
        import json

        say(json.dumps([report.record() for report in found], indent=2))
    else:
        _print(found, rules=not options.short)
    well = all(report.ok for report in found) and any(report.atr for report in found)
    return 0 if well else SOMETHING_WRONG


def _live(options: Namespace, look: "Callable[[str | None], ReaderReport]") -> "list[ReaderReport]":
    """Look at every reader that --live names; one that somebody uses is told of too."""
    from vreader.minidriver.scinfo.result import EMPTY, PRESENT, ReaderReport
    from vreader.pairing.live import live_readers

    readers = live_readers(options.live)
    if sum(reader.full for reader in readers) > 1:
        names = ", ".join(repr(reader.name) for reader in readers)
        for option in ("pin", "trace"):
            if getattr(options, option) is not None:
                raise UsageError(
                    f"--{option} is for one card, and several readers have one",
                    hint=f"name one with --live READER: {names}",
                )
    found = []
    for reader in readers:
        if not reader.full:
            found.append(ReaderReport(reader.name, EMPTY, b""))
            continue
        options.live = reader.where
        try:
            found.append(look(None)._replace(reader=reader.name))
        except VreaderError as error:
            if isinstance(error, UsageError) or len(readers) == 1:
                raise
            found.append(ReaderReport(reader.name, PRESENT, b"", problems=(str(error),)))
    return found


def _look(options: Namespace, spec: str | None, wish: "Wish") -> "ReaderReport":
    from vreader.cardspec import CardSpec
    from vreader.minidriver.scinfo.look import look, look_without_card
    from vreader.pairing.question import machine_of

    if spec is not None and CardSpec.parse(spec).form == "none":
        with machine_of(question_of(options)) as empty:
            return look_without_card(empty)
    with inserted(options, spec) as (machine, pairing), ExitStack() as closers:
        pairing, module = minidriver_of(options, machine, pairing, closers)
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
