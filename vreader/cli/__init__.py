# SPDX-License-Identifier: Apache-2.0
"""The command line. Each command is a module of this package, imported when it is used.

A command module has ``configure(parser)``, which adds its options and says what it does, and
``run(options)``, which returns the exit code. Nothing here that a library user would miss: commands
call :mod:`vreader.world` and friends. Data goes to stdout, everything else to stderr. Every failure
a person can do something about ends in one line and a ``hint:`` line.

Built on argparse: it costs every start a quarter of what richer libraries do.
"""

import gc
import sys
from argparse import Namespace
from importlib import import_module
from typing import Protocol

from vreader import __version__
from vreader.cli.parser import Parser, complain, say
from vreader.errors import UsageError, VreaderError, near

INTERNAL_ERROR = 4
_OPTIONS = ("--help", "--version")
_YOUNG = 50_000  # objects; a start makes half as many
RUN_FAILED = 125  # as env, nohup and xvfb-run have it: other codes are the command's own

COMMANDS = {
    "apdu": "Send APDUs to a card and check its answers.",
    "card": "Make, show, export, import and reset cards in files.",
    "cards": "List the installed card kinds and their profiles.",
    "ctl": "Insert, remove, reset cards of a running world.",
    "doctor": "Tell what stands in the way on this machine, and what to do.",
    "export": "Write a trace or a recording as packets for Wireshark.",
    "inf": "Check the INF file of a reader driver.",
    "lab": "Go from the insertion of a card to a signature by its minidriver.",
    "log": "Show or export the event log of a running world.",
    "masks": "Experiment with the ATRs and masks cards are registered by.",
    "minidriver": "List, call, certify and register minidrivers.",
    "pair": "Tell which minidriver Windows would take for a card, and why.",
    "reader": "Put a reader driver through the certification checks.",
    "record": "Run a command, and record what it says to the card.",
    "registry": "Show, merge and convert registry files and hives.",
    "replay": "Play a recording, as the card or as the program.",
    "run": "Run a command in a private smart card world.",
    "scinfo": "Show what Windows finds on a card, and whether its keys work.",
    "serve": "Hold a smart card world open until it is told to quit.",
    "show": "Show a trace or a recording, with its commands explained.",
    "sweep": "Ask which minidriver, for many cards and machines at once.",
}


class Command(Protocol):
    """What a module of this package is."""

    def configure(self, parser: Parser) -> None:
        """Add the command's options and set its description."""

    def run(self, options: Namespace) -> int:
        """Do it; return the exit code. Raises VreaderError."""


def load(name: str) -> tuple[Parser, Command]:
    """Return the parser and the module of a command."""
    command: Command = import_module(f"vreader.cli.{name}")
    parser = Parser(prog=f"vreader {name}")
    command.configure(parser)
    return parser, command


def overview() -> str:
    """Return what ``vreader --help`` prints."""
    commands = "".join(f"  {name:<10} {summary}\n" for name, summary in COMMANDS.items())
    return f"""\
usage: vreader COMMAND [OPTION]... [ARGUMENT]...

Virtual smart card readers and cards that real PC/SC programs cannot tell from
hardware.

commands:
{commands}
  -h, --help     show this, or with a command what it does
  --version      show the version
"""


def main() -> None:
    """Run the command line; exits."""
    # This process is ours. A busy Python thread otherwise delays another socket's answer by 5 ms;
    # looking for garbage in all that is imported, again and again, is a tenth of a short run.
    sys.setswitchinterval(1e-4)
    gc.set_threshold(_YOUNG, *gc.get_threshold()[1:])
    arguments = sys.argv[1:]
    ours = RUN_FAILED if arguments[:1] in (["run"], ["record"]) else None
    try:
        code = _run(arguments)
        gc.freeze()  # and it is a tenth again for an interpreter that ends
        sys.exit(code)
    except VreaderError as error:
        complain(error)
        sys.exit(ours or error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # Whoever read our output has enough of it; flushing it at exit must not fail again.
        sys.stdout = None
        sys.exit(141)
    except Exception:
        import traceback

        traceback.print_exc()
        complain(VreaderError("this is a bug of vreader", hint="please report it with the above"))
        sys.exit(ours or INTERNAL_ERROR)


def _run(arguments: list[str]) -> int:
    if not arguments:
        say(overview(), end="", err=True)
        return UsageError("").exit_code
    name, *rest = arguments
    if name in ("-h", "--help"):
        say(overview(), end="")
        return 0
    if name == "--version":
        say(f"vreader {__version__}")
        return 0
    if name not in COMMANDS:
        what = "option" if name.startswith("-") else "command"
        meant = near(name, (*COMMANDS, *_OPTIONS))
        hint = f"{meant} see 'vreader --help'".lstrip()
        raise UsageError(f"no such {what}: {name}", hint=hint)
    parser, command = load(name)
    return command.run(parser.parse_args(rest))
