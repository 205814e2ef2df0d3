# SPDX-License-Identifier: Apache-2.0
"""The command line. Each command is a module of this package, imported when it is used.

Nothing here that a library user would miss: commands call :mod:`vreader.world` and friends. Data
goes to stdout, everything else to stderr. Every failure a person can do something about ends in one
line and a ``hint:`` line.
"""

import sys
from importlib import import_module

import click
from click.exceptions import NoArgsIsHelpError

from vreader.errors import UsageError, VreaderError

INTERNAL_ERROR = 4

COMMANDS = {
    "apdu": "Send APDUs to a card and check its answers.",
    "cards": "List the installed card kinds and their profiles.",
    "ctl": "Insert, remove, reset cards of a running world.",
    "run": "Run a command in a private smart card world.",
    "serve": "Hold a smart card world open until it is told to quit.",
}


class _Commands(click.Group):
    """A group whose commands are imported when they are needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"vreader.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        # Help must not import every command for its first line.
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="vreader", message="vreader %(version)s")
def cli() -> None:
    """Virtual smart card readers and cards that real PC/SC programs cannot tell from hardware."""


def main() -> None:
    """Run the command line; exits."""
    # A busy Python thread otherwise delays another socket's answer by 5 ms. This process is ours.
    sys.setswitchinterval(1e-4)
    arguments = sys.argv[1:]
    ours = 125 if arguments[:1] == ["run"] else None
    try:
        sys.exit(cli.main(args=arguments, prog_name="vreader", standalone_mode=False) or 0)
    except VreaderError as error:
        complain(error)
        sys.exit(ours or error.exit_code)
    except NoArgsIsHelpError as error:
        error.show()
        sys.exit(error.exit_code)
    except click.ClickException as error:
        complain(_as_ours(error, arguments))
        sys.exit(ours or error.exit_code)
    except (click.Abort, KeyboardInterrupt):
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


def complain(error: VreaderError) -> None:
    """Print an error and what to do about it."""
    click.echo(f"vreader: {error}", err=True)
    if error.hint:
        click.echo(f"hint: {error.hint}", err=True)


def _as_ours(error: click.ClickException, arguments: list[str]) -> UsageError:
    """Say what click found wrong as everything else is said: one line, and a hint."""
    message = " ".join(error.format_message().split()).rstrip(".")
    context = getattr(error, "ctx", None)
    if context is not None:
        path = context.command_path
    else:  # click forgets it for an option without its argument
        path = " ".join(["vreader", *(name for name in arguments[:1] if name in COMMANDS)])
    return UsageError(message[:1].lower() + message[1:], hint=f"see '{path} --help'")
