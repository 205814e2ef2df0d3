# SPDX-License-Identifier: Apache-2.0
"""``vreader serve``: the same world, held open until SIGTERM, SIGINT or ``vreader ctl quit``."""

import contextlib
import os
import shlex
import signal
import threading
from argparse import Namespace
from pathlib import Path
from types import FrameType

from vreader.cli.options import add_world_options, build_world
from vreader.cli.parser import Parser, say
from vreader.errors import UsageError, VreaderError
from vreader.world import World

_VPCD_NOTICE_S = 0.2
_EXPORT = b"export "


def configure(parser: Parser) -> None:
    """Describe the command."""
    parser.describe("""
    Hold a smart card world open.

    One line says that it is ready. With --ready-file the environment that
    programs need is in FILE as soon as FILE exists. With --print-env it is
    printed for a shell's eval, and the ready line goes to stderr.

      vreader serve --card piv --ready-file env.sh &
      vreader serve --vpcd localhost:35963 --card piv
    """)
    parser.usage = "vreader serve [OPTION]..."
    add_world_options(parser)
    add = parser.add_argument
    add("--vpcd", metavar="HOST:PORT", help="serve a vpcd driver that somebody else runs")
    add("--socket", metavar="PATH", help="where programs reach the embedded stack")
    add("--ready-file", metavar="FILE", help="write the environment to FILE when ready")
    add("--print-env", action="store_true", help="print the environment as shell assignments")


def run(options: Namespace) -> int:
    """Hold the world open until it is told to quit."""
    ready_file: str | None = options.ready_file
    if ready_file and options.log and os.path.realpath(ready_file) == os.path.realpath(options.log):
        raise UsageError(f"{ready_file} is the log's file", hint="log into another one")
    stop = threading.Event()
    built = False

    def stop_on(number: int, frame: FrameType | None) -> None:
        if not built:
            raise SystemExit(128 + number)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, stop_on)
    with build_world(options, vpcd=options.vpcd, socket=options.socket) as world:
        built = True
        world.quit = stop.set
        lines = "".join(
            f"export {name}={shlex.quote(value)}\n" for name, value in world.environment.items()
        )
        if ready_file is not None:
            _write_whole(ready_file, lines)
        try:
            if options.print_env:
                say(lines, end="")
            names = ", ".join(repr(place.name) for place in world.places)
            say(f"vreader: ready: {names}", err=options.print_env)
            _wait(world, stop)
        finally:
            if ready_file is not None:
                Path(ready_file).unlink(missing_ok=True)
    return 0


def _wait(world: World, stop: threading.Event) -> None:
    """Wait for the end, telling a person when a vpcd driver cannot be reached, and when again."""
    told: list[tuple[str, str]] = []
    while not stop.wait(_VPCD_NOTICE_S if world.serves_vpcd else None):
        failures = world.vpcd_failures
        if failures != told:
            for problem, hint in failures:
                say(f"vreader: {problem}", err=True)
                if hint:
                    say(f"hint: {hint}", err=True)
            if not failures:
                say("vreader: vpcd is served", err=True)
            told = failures


def _write_whole(path: str, text: str) -> None:
    """Write a file that never exists half written, for scripts that wait for it."""
    partial = Path(f"{path}.{os.getpid()}")
    if not path:
        raise UsageError("--ready-file names no file", hint="for example --ready-file env.sh")
    try:
        with contextlib.suppress(FileNotFoundError), Path(path).open("rb") as file:
            if file.read(len(_EXPORT)) not in (b"", _EXPORT):
                raise UsageError(f"{path} exists and is not a ready file", hint="name another file")
        partial.write_text(text)
        partial.rename(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise VreaderError(
            f"cannot write {path}: {error.strerror}",
            hint="choose a file in a directory of your own",
        ) from error
