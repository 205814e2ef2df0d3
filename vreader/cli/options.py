# SPDX-License-Identifier: Apache-2.0
"""The options that ``run`` and ``serve`` share: which world to build."""

from collections.abc import Callable
from typing import Any

import click

from vreader.world import World
from vreader.worldspec import STACKS, expand_state

_OPTIONS = (
    click.option(
        "--card",
        "cards",
        metavar="SPEC",
        multiple=True,
        help="A card, in a reader of its own: kind[:profile][,key=value…], file.py:Class, "
        "atr:3B… or none; see 'vreader cards'. Repeatable; piv without any.",
    ),
    click.option(
        "--reader",
        "readers",
        metavar="NAME",
        multiple=True,
        help="Name of the reader, for each card in turn; ' 00 00' is added [Virtual Reader 00 00].",
    ),
    click.option(
        "--stack",
        type=click.Choice(STACKS),
        default="embedded",
        help="Our own resource manager, or a private real pcscd [embedded].",
    ),
    click.option("--state", metavar="FILE", help="Keep the card in FILE; where there is one card."),
    click.option(
        "--trace", metavar="FILE|-", help="Log what happens; - is stderr, *.jsonl JSON lines."
    ),
    click.option("--unmask", is_flag=True, help="Show PINs and keys in the trace."),
)


def world_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of :func:`build_world` to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def build_world(
    cards: tuple[str, ...],
    readers: tuple[str, ...],
    stack: str,
    state: str | None,
    trace: str | None,
    unmask: bool,
    *,
    vpcd: str | None = None,
    socket: str | None = None,
) -> World:
    """Build the world the options describe; raises VreaderError. Its warnings are printed."""
    world = World(
        expand_state(cards, state),
        readers=readers,
        stack=stack,
        vpcd=vpcd,
        socket=socket,
        trace=trace,
        unmask=unmask,
    )
    for warning in world.warnings:
        click.echo(f"vreader: warning: {warning}", err=True)
    return world
