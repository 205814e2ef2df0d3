# SPDX-License-Identifier: Apache-2.0
"""``vreader ctl``: what a person's hands do to the readers of a running world."""

import json

import click

from vreader.bridge.control.client import ask, find_control


@click.group()
@click.option("--control", metavar="PATH", help="The world's control socket [$VREADER_CONTROL].")
@click.pass_context
def command(ctx: click.Context, control: str | None) -> None:
    """Insert, remove, reset cards of a running world.

    READER is a name or a number (0 is the first) and may be left out where there is one.
    """
    ctx.obj = control


def _say(ctx: click.Context, request: dict[str, object]) -> dict[str, object]:
    return ask(find_control(ctx.obj), {k: v for k, v in request.items() if v is not None})


def _print(place: dict[str, object]) -> None:
    card = place["card"] or "no card"
    where = "inserted" if place["inserted"] else "out"
    click.echo(f"{place['reader']}\t{card}\t{where}\t{place['state']}")


@command.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def list_readers(ctx: click.Context, as_json: bool) -> None:
    """List the readers: name, card, inserted or out, reader state."""
    readers = _say(ctx, {"op": "list"})["readers"]
    assert isinstance(readers, list)
    if as_json:
        click.echo(json.dumps(readers, indent=2))
        return
    for place in readers:
        _print(place)


@command.command()
@click.argument("reader", required=False)
@click.option("--card", metavar="SPEC", help="A new card instead of the one taken out.")
@click.pass_context
def insert(ctx: click.Context, reader: str | None, card: str | None) -> None:
    """Insert the card that was taken out, or a new one."""
    _print(_say(ctx, {"op": "insert", "reader": reader, "card": card}))


@command.command()
@click.argument("reader", required=False)
@click.pass_context
def remove(ctx: click.Context, reader: str | None) -> None:
    """Take the card out, in the middle of a command too."""
    _print(_say(ctx, {"op": "remove", "reader": reader}))


@command.command()
@click.argument("reader", required=False)
@click.pass_context
def reset(ctx: click.Context, reader: str | None) -> None:
    """Put the card back to how it was made. One with a state file keeps what the file holds."""
    _print(_say(ctx, {"op": "reset", "reader": reader}))


@command.command(name="quit")
@click.pass_context
def quit_world(ctx: click.Context) -> None:
    """End the world ('vreader run' ends its command)."""
    _say(ctx, {"op": "quit"})
