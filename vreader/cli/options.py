# SPDX-License-Identifier: Apache-2.0
"""The options that ``run`` and ``serve`` share: which world to build."""

from argparse import Namespace

from vreader.cli.parser import Parser, say
from vreader.world import World
from vreader.worldspec import STACKS, expand_state


def add_world_options(parser: Parser) -> None:
    """Add the options of :func:`build_world`."""
    add = parser.add_argument
    add(
        "--card",
        dest="cards",
        metavar="SPEC",
        action="append",
        default=[],
        help="a card, in a reader of its own: kind[:profile][,key=value…], file.py:Class, "
        "atr:3B… or none; see 'vreader cards'; repeatable; piv without any",
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
        help="our own resource manager, or a private real pcscd [embedded]",
    )
    add("--state", metavar="FILE", help="keep the card in FILE; where there is one card")
    add("--trace", metavar="FILE|-", help="log what happens; - is stderr, *.jsonl JSON lines")
    add("--unmask", action="store_true", help="show PINs and keys in the trace")


def build_world(options: Namespace, *, vpcd: str | None = None, socket: str | None = None) -> World:
    """Build the world the options describe; raises VreaderError. Its warnings are printed."""
    world = World(
        expand_state(options.cards, options.state),
        readers=options.readers,
        stack=options.stack,
        vpcd=vpcd,
        socket=socket,
        trace=options.trace,
        unmask=options.unmask,
    )
    for warning in world.warnings:
        say(f"vreader: warning: {warning}", err=True)
    return world
