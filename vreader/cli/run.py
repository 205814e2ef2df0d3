# SPDX-License-Identifier: Apache-2.0
"""``vreader run``: a private smart card world for one command, whose exit code it returns."""

import os
import signal
import subprocess
from types import FrameType

import click

from vreader.cli.options import build_world, world_options
from vreader.world import World

# As env, nohup and xvfb-run have it.
FAILED, CANNOT_EXECUTE, NOT_FOUND = 125, 126, 127
_FORWARDED = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)


@click.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@world_options
@click.argument("arguments", metavar="[--] [COMMAND [ARG]...]", nargs=-1, type=click.UNPROCESSED)
def command(
    arguments: tuple[str, ...],
    cards: tuple[str, ...],
    readers: tuple[str, ...],
    stack: str,
    state: str | None,
    trace: str | None,
    unmask: bool,
) -> int:
    r"""Run COMMAND ($SHELL without one) with a smart card of its own.

    PC/SC programs started by it see the world's readers and nothing else. Its exit code is
    returned; 125 is a failure of vreader itself, 126 and 127 a command that cannot be executed or
    found, 128+n one ended by signal n.

    \b
    vreader run -- opensc-tool -a
    vreader run --card piv,state=my.card -- yubico-piv-tool -r Virtual -a status
    vreader run --stack pcscd --card piv -- pkcs11-tool --module opensc-pkcs11.so -L
    """
    if arguments and arguments[0].startswith("-"):
        raise click.UsageError(f"no such option: {arguments[0]} (a command follows after --)")
    with build_world(cards, readers, stack, state, trace, unmask) as world:
        return run_in(world, list(arguments) or [os.environ.get("SHELL") or "/bin/sh"])


def run_in(world: World, arguments: list[str]) -> int:
    """Run a command in ``world`` and return its exit code as a shell would say it."""
    try:
        child = subprocess.Popen(arguments, env={**os.environ, **world.environment})
    except FileNotFoundError:
        click.echo(f"vreader: {arguments[0]}: command not found", err=True)
        click.echo("hint: install it, or give its full path", err=True)
        return NOT_FOUND
    except OSError as error:
        click.echo(f"vreader: {arguments[0]}: {error.strerror}", err=True)
        click.echo("hint: is it executable, and made for this machine?", err=True)
        return CANNOT_EXECUTE

    def forward(number: int, frame: FrameType | None) -> None:
        child.send_signal(number)

    before = {number: signal.signal(number, forward) for number in _FORWARDED}
    # The terminal sends its interrupt to the child as well: the child decides.
    before[signal.SIGINT] = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        world.quit = child.terminate
        code = child.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return 128 - code if code < 0 else code
