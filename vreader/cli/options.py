# SPDX-License-Identifier: Apache-2.0
"""The options that ``run`` and ``serve`` share: which world to build."""

from argparse import Namespace

from vreader.cli.parser import Parser, say
from vreader.winscard.profile import PROFILES
from vreader.world import World
from vreader.world.spec import STACKS, expand_state


def add_world_options(parser: Parser) -> None:
    """Add the options of :func:`build_world`."""
    add = parser.add_argument
    add(
        "--card",
        dest="cards",
        metavar="SPEC",
        action="append",
        default=[],
        help="a card, in a reader of its own: kind[:profile][,key=value…], file.toml, "
        "file.py:Class, atr:3B… or none; see 'vreader cards'; repeatable; piv without any",
    )
    add(
        "--reader",
        dest="readers",
        metavar="NAME",
        action="append",
        default=[],
        help="name of the reader, for each card in turn; ' 00 00' is added [Virtual Reader 00 00]",
    )
    add(
        "--stack",
        choices=STACKS,
        default="embedded",
        help="our own resource manager, or a private real pcscd: pcscd with vpcd, twin with "
        "libccid's driver, which speaks T=1 and T=0 to the card [embedded]",
    )
    add(
        "--profile",
        choices=tuple(PROFILES),
        default="pcsclite",
        help="whose ways our own resource manager has [pcsclite]",
    )
    add("--state", metavar="FILE", help="keep the card in FILE; where there is one card")
    add(
        "--pinpad",
        metavar="PIN",
        action="append",
        default=[],
        help="give the readers a pinpad, on which somebody types PIN when asked; several for one "
        "prompt after the other, the last ever again; also 'cancel' or 'timeout'",
    )
    add(
        "--link",
        metavar="t0|t1[,OPTION…]",
        help="drive the cards in TPDUs of T=0 or blocks of T=1, seen in the trace; disturbed for "
        "example by spoil=10 (one block in ten), wtx=5 or nulls=2",
    )
    add("--trace", metavar="FILE|-", help="log what happens; - is stderr, *.jsonl JSON lines")
    add("--unmask", action="store_true", help="show PINs and keys in the trace")
    add(
        "--debug",
        metavar="LEVEL",
        help="trace only what belongs to these debug bits of the driver library: ioctl, atr, "
        "protocol, driver, trace, error, perf, all; several with commas",
    )
    add("--log", metavar="FILE", help="write the event log at the end; *.json, *.jsonl, *.csv")


def build_world(options: Namespace, *, vpcd: str | None = None, socket: str | None = None) -> World:
    """Build the world the options describe; raises VreaderError. Its warnings are printed."""
    world = World(
        expand_state(options.cards, options.state),
        readers=options.readers,
        stack=options.stack,
        vpcd=vpcd,
        socket=socket,
        profile=options.profile,
        pinpad=options.pinpad,
        link=options.link,
        trace=options.trace,
        unmask=options.unmask,
        debug=options.debug,
        log=options.log,
    )
    for warning in world.warnings:
        say(f"vreader: warning: {warning}", err=True)
    return world
