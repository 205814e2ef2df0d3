# SPDX-License-Identifier: Apache-2.0
"""How every command reads its arguments and speaks to a person."""

import sys
from argparse import (
    Action,
    ArgumentError,
    ArgumentParser,
    Namespace,
    RawDescriptionHelpFormatter,
)
from functools import partial
from typing import Any, NoReturn

from vreader.errors import UsageError, VreaderError, near

_UNKNOWN = "unrecognized arguments: "
_ALIKE = 0.6  # of short words, of which there are few: nwe is new


class Parser(ArgumentParser):
    """An argument parser whose complaints are those of everything else here."""

    def __init__(self, prog: str) -> None:
        # With a width of its own the formatter need not ask for the terminal's, by way of slow
        # modules, each time an option is added.
        formatter = partial(RawDescriptionHelpFormatter, width=80)
        super().__init__(prog=prog, formatter_class=formatter, allow_abbrev=False)
        self._meant = ""

    def describe(self, text: str) -> None:
        """Say what the command does: indented text, kept line by line."""
        self.description = text

    def format_help(self) -> str:
        """Return the help text."""
        import textwrap  # only help needs it

        self.description = textwrap.dedent(self.description or "").strip()
        return super().format_help()

    def _check_value(self, action: Action, value: Any) -> None:  # noqa: ANN401 - argparse's
        """Refuse what is not among the choices, and note which was meant, perhaps."""
        try:
            super()._check_value(action, value)
        except ArgumentError:
            self._meant = near(str(value), map(str, action.choices or ()), _ALIKE)
            raise

    def error(self, message: str) -> NoReturn:
        """Raise a UsageError instead of printing and exiting."""
        meant = self._meant or self._option_meant(message)
        raise UsageError(message, hint=f"{meant} see '{self.prog} --help'".lstrip())

    def _option_meant(self, message: str) -> str:
        """Return a hint with the option that the first unknown one was meant to be."""
        if not message.startswith(_UNKNOWN):
            return ""
        words = message.removeprefix(_UNKNOWN).split()
        typed = next((word.partition("=")[0] for word in words if word.startswith("-")), "")
        # An option of one letter is like any other letter: -card is --card, and -x is nothing.
        long = [option for option in self._option_string_actions if option.startswith("--")]
        return near("--" + typed.lstrip("-"), long) if len(typed.lstrip("-")) > 1 else ""


def parse_behind(parser: Parser, options: Namespace, words: list[str]) -> list[str]:
    """Read options that stand behind a command's first argument; return what is behind ``--``.

    Args:
        parser: knows the options, and no arguments.
        options: gets them.
        words: what follows the argument.

    Raises:
        UsageError: one is no option.
    """
    end = words.index("--") if "--" in words else len(words)
    parser.add_argument("unexpected", nargs="*")
    unexpected: list[str] = parser.parse_args(words[:end], options).unexpected
    if unexpected:
        parser.error(f"what is {unexpected[0]!r}? A command stands behind --")
    return words[end + 1 :]


def say(text: str, *, end: str = "\n", err: bool = False) -> None:
    """Print a line and flush it: whoever reads us may wait for it."""
    stream = sys.stderr if err else sys.stdout
    try:
        try:
            stream.write(text + end)
        except UnicodeEncodeError:  # of others' text, or of a terminal that has ASCII alone
            encoding = stream.encoding or "ascii"
            stream.write((text + end).encode(encoding, "backslashreplace").decode(encoding))
        stream.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        if err:
            raise
        sys.stdout = None  # flushing it at exit must not fail again
        raise VreaderError(
            f"cannot write the output: {error.strerror}", hint="is there room on the disk?"
        ) from error


def complain(error: VreaderError) -> None:
    """Print an error and what to do about it."""
    say(f"vreader: {error}", err=True)
    if error.hint:
        say(f"hint: {error.hint}", err=True)
