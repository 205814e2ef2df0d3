# SPDX-License-Identifier: Apache-2.0
"""``vreader cards``: what can be given to --card."""

import json

import click

from vreader.kinds import find_kind, kind_names


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(as_json: bool) -> None:
    """List the installed card kinds and their profiles."""
    kinds = [find_kind(name) for name in kind_names()]
    if as_json:
        told = [
            {"name": kind.name, "summary": kind.summary, "profiles": dict(kind.profiles())}
            for kind in kinds
        ]
        click.echo(json.dumps(told, indent=2))
        return
    for kind in kinds:
        click.echo(f"{kind.name:<12} {kind.summary}")
        for number, (profile, about) in enumerate(kind.profiles().items()):
            default = " (default)" if number == 0 else ""
            click.echo(f"  {kind.name}:{profile:<10} {about}{default}")
    click.echo("file.py:Class  a card of your own: power_on, reset, power_off, transmit")
    click.echo("atr:3B…        answers this ATR, and 6D00 to everything")
    click.echo("none           an empty reader")
