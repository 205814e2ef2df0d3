# SPDX-License-Identifier: Apache-2.0
"""``vreader record``: ``vreader run``, with what is said to the card written down."""

import errno
import os
from argparse import REMAINDER, SUPPRESS, Namespace

from vreader.cli.options import add_world_options, build_world
from vreader.cli.parser import Parser, parse_behind, say
from vreader.cli.run import Signals, not_started, run_in
from vreader.errors import UsageError
from vreader.events import Event
from vreader.reader.events import ApduEvent

_PCSC = "pcsc:"
_FAILED = 125


def configure(parser: Parser) -> None:
    """Describe the command."""
    parser.describe("""
    Run COMMAND ($SHELL without one) with a smart card, and record what it says
    to the card.

    The card is one of --card, or with pcsc:NAME (or --reader pcsc:NAME) the one
    in a reader of this machine, NAME being part of its name; it is for COMMAND
    alone meanwhile.
    FILE gets JSON lines, for 'vreader show', 'vreader replay' and, as a card,
    --card replay,file=FILE.

    PINs and keys are masked in FILE. Played again, masked bytes fit any: as a
    card it takes every PIN of the same length, and as a client it is told the
    PIN with --pin. An answer that was masked, a decrypted key for example, can
    only be played when it was recorded with --unmask.

      vreader record -o piv.jsonl --card piv -- yubico-piv-tool -r Virtual -a status
      vreader record -o mine.jsonl pcsc:ACS -- pkcs15-tool --dump
    """)
    parser.usage = "vreader record -o FILE [OPTION]... [pcsc:NAME] [--] [COMMAND [ARG]...]"
    parser.add_argument("-o", "--output", metavar="FILE", required=True, help="where to")
    add_world_options(parser, brief=True)
    parser.add_argument("arguments", nargs=REMAINDER, help=SUPPRESS)


def run(options: Namespace) -> int:
    """Run the command in a new world that is recorded."""
    from shutil import which

    arguments: list[str] = options.arguments
    relayed = [name for name in options.readers if name.startswith(_PCSC)]
    options.readers = [name for name in options.readers if not name.startswith(_PCSC)]
    if arguments and arguments[0].startswith(_PCSC):
        relayed.append(arguments[0])
        parser = Parser("vreader record")
        add_world_options(parser)
        arguments = parse_behind(parser, options, arguments[1:])
    elif arguments[:1] == ["--"]:
        del arguments[0]
    elif arguments and arguments[0].startswith("-"):
        raise UsageError(f"no such option: {arguments[0]}", hint="see 'vreader record --help'")
    options.cards = [*options.cards, *map(_relay, relayed)]
    commands = 0

    def count(event: Event) -> None:
        nonlocal commands
        commands += isinstance(event, ApduEvent)

    arguments = arguments or [os.environ.get("SHELL") or "/bin/sh"]
    if which(arguments[0]) is None:  # before FILE loses what it holds
        there = which(arguments[0], os.F_OK) is not None
        reason = errno.EACCES if there else errno.ENOENT
        return not_started(arguments[0], OSError(reason, os.strerror(reason)))
    path: str = options.output
    with Signals() as signals, build_world(options, record=path) as world:
        world.events.subscribe(count)
        code = run_in(world, arguments, signals)
    what = "1 command" if commands == 1 else f"{commands} commands"
    if not world.recorded:
        say(f"vreader: {path} does not have all of {what}", err=True)
        return code or _FAILED
    say(f"vreader: {what} in {path}", err=True)
    return code


def _relay(text: str) -> str:
    """Return the SPEC of the card in a reader of this machine."""
    name = text.removeprefix(_PCSC)
    if "," in name:
        raise UsageError(f"{name!r} has a comma", hint="a part of the reader's name will do")
    return f"relay,reader={name}"
