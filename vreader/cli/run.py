# SPDX-License-Identifier: Apache-2.0
"""``vreader run``: a private smart card world for one command, whose exit code it returns."""

import os
import signal
import subprocess
from argparse import REMAINDER, SUPPRESS, Namespace
from types import FrameType
from typing import Self

from vreader.cli.options import add_world_options, build_world
from vreader.cli.parser import Parser, complain
from vreader.errors import UsageError, VreaderError
from vreader.world import World

# As a shell has it.
CANNOT_EXECUTE, NOT_FOUND = 126, 127
_TYPED = (signal.SIGINT, signal.SIGQUIT)
_FORWARDED = (*_TYPED, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)


def configure(parser: Parser) -> None:
    """Describe the command."""
    parser.describe("""
    Run COMMAND ($SHELL without one) with a smart card of its own.

    PC/SC programs started by it see the world's readers and nothing else.
    Its exit code is returned; 125 is a failure of vreader itself, 126 and 127
    a command that cannot be executed or found, 128+n one ended by signal n.

      vreader run -- opensc-tool -a
      vreader run --card piv,state=my.card -- yubico-piv-tool -r Virtual -a status
      vreader run --stack pcscd -- pkcs11-tool --module opensc-pkcs11.so -L
    """)
    parser.usage = "vreader run [OPTION]... [--] [COMMAND [ARG]...]"
    add_world_options(parser)
    parser.add_argument("arguments", nargs=REMAINDER, help=SUPPRESS)


def run(options: Namespace) -> int:
    """Run the command in a new world."""
    arguments: list[str] = options.arguments
    if arguments[:1] == ["--"]:
        del arguments[0]
    elif arguments and arguments[0].startswith("-"):
        raise UsageError(f"no such option: {arguments[0]}", hint="see 'vreader run --help'")
    with Signals() as signals, build_world(options) as world:
        return run_in(world, arguments or [os.environ.get("SHELL") or "/bin/sh"], signals)


class Signals:
    """What becomes of signals sent to us: they end the preparations, then they are the child's.

    A signal that was ignored when we were started stays ignored, for the child too.
    """

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None
        self._starting = False
        self._kept: list[int] = []
        self._before = {
            number: signal.signal(number, self._arrived)
            for number in _FORWARDED
            if signal.getsignal(number) is not signal.SIG_IGN
        }

    def _arrived(self, number: int, frame: FrameType | None) -> None:
        if self._child is not None:
            # What is typed at the terminal reaches the child by itself.
            if number not in _TYPED or not _in_foreground():
                self._child.send_signal(number)
        elif self._starting:
            self._kept.append(number)
        else:
            raise SystemExit(128 + number)

    def start(self, arguments: list[str], environment: dict[str, str]) -> "subprocess.Popen[bytes]":
        """Start the child, never to lose it: a signal that comes meanwhile is for it."""
        self._starting = True
        # Whatever files our caller opened for the command are the command's.
        self._child = subprocess.Popen(arguments, env=environment, close_fds=False)
        for number in self._kept:
            self._child.send_signal(number)
        return self._child

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)


def _in_foreground() -> bool:
    """Tell whether our process group is the one a terminal sends its signals to."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)


def run_in(world: World, arguments: list[str], signals: Signals) -> int:
    """Run a command in ``world`` and return its exit code as a shell would say it."""
    try:
        child = signals.start(arguments, {**os.environ, **world.environment})
    except OSError as error:
        return not_started(arguments[0], error)
    world.quit = child.terminate
    code = child.wait()
    return 128 - code if code < 0 else code


def not_started(program: str, error: OSError) -> int:
    """Say why the command did not start; return what a shell would."""
    from shlex import quote
    from shutil import which

    code, problem, hint = CANNOT_EXECUTE, error.strerror, "is it executable, and for this machine?"
    if isinstance(error, FileNotFoundError) or not program:
        if which(program) is None:
            code, problem, hint = (
                NOT_FOUND,
                "command not found",
                "install it, or give its full path",
            )
        else:
            problem, hint = "its interpreter is not there", "look at its first line"
    complain(VreaderError(f"{quote(program)}: {problem}", hint=hint))
    return code
