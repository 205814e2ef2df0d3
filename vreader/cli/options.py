# SPDX-License-Identifier: Apache-2.0
"""The options that ``run`` and ``serve`` share: which world to build."""

from argparse import SUPPRESS, Namespace
from typing import Any

from vreader.cli.parser import Parser, say
from vreader.errors import UsageError
from vreader.winscard.profile import PROFILES
from vreader.world import World
from vreader.world.spec import STACKS, expand_state

_ALWAYS_TOLD = ("--card", "--reader", "--unmask")


def add_world_options(parser: Parser, *, brief: bool = False) -> None:
    """Add the options of :func:`build_world`.

    Args:
        parser: gets them.
        brief: the help tells the most important ones, of the others that 'vreader run' has them.
    """
    untold: list[str] = []

    def add(name: str, **settings: Any) -> None:  # noqa: ANN401 - those of argparse
        if brief and name not in _ALWAYS_TOLD:
            untold.append(name)
            settings["help"] = SUPPRESS
        parser.add_argument(name, **settings)

    add(
        "--card",
        dest="cards",
        metavar="SPEC",
        action="append",
        default=[],
        help="a card, in a reader of its own: kind[:profile][,key=value…], file.toml, "
        "file.py:Class, atr:3B…, vpcd-listen:PORT or none; see 'vreader cards'; repeatable; "
        "piv without any",
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
    add(
        "--fault",
        dest="faults",
        metavar="FAULT[,key=value…]",
        action="append",
        default=[],
        help="let something go wrong: mute, remove-mid-apdu, wrong-sw, truncate, slow, "
        "reset-by-other, power-loss, garble-atr or bad-block, with on=, after=, times=, reader=; "
        "for example wrong-sw,sw=6983,on=VERIFY; repeatable",
    )
    add(
        "--trace",
        metavar="FILE|-",
        help="log what happens; - is stderr, *.jsonl JSON lines, *.pcapng for Wireshark",
    )
    add("--unmask", action="store_true", help="show PINs and keys in the trace")
    add(
        "--debug",
        metavar="LEVEL",
        help="trace only what belongs to these debug bits of the driver library: ioctl, atr, "
        "protocol, driver, trace, error, perf, all; several with commas",
    )
    add(
        "--keep",
        metavar="N",
        type=int,
        default=0,
        help="remember the last N events, for 'vreader ctl trace' [0]",
    )
    add("--log", metavar="FILE", help="write the event log at the end; *.json, *.jsonl, *.csv")
    if untold:
        parser.epilog = f"and, as for 'vreader run':\n  {' '.join(untold)}"


def build_world(
    options: Namespace,
    *,
    vpcd: str | None = None,
    socket: str | None = None,
    record: str | None = None,
) -> World:
    """Build the world the options describe; raises VreaderError. Its warnings are printed."""
    if options.keep < 0:
        raise UsageError("--keep is how many events", hint="for example --keep 100")
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
        keep_events=options.keep,
        faults=options.faults,
        record=record,
    )
    for warning in world.warnings:
        say(f"vreader: warning: {warning}", err=True)
    for place in world.places:
        if place.listening is not None and place.card is None:
            where = place.listening.address
            say(f"vreader: {place.name}: no card yet, listening at {where}", err=True)
    return world
