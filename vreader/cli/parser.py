# SPDX-License-Identifier: Apache-2.0
"""How every command reads its arguments and speaks to a person."""

import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from functools import partial
from typing import NoReturn

from vreader.errors import UsageError, VreaderError


class Parser(ArgumentParser):
    """An argument parser whose complaints are those of everything else here."""

    def __init__(self, prog: str) -> None:
        # With a width of its own the formatter need not ask for the terminal's, by way of slow
        # modules, each time an option is added.
        formatter = partial(RawDescriptionHelpFormatter, width=80)
        super().__init__(prog=prog, formatter_class=formatter, allow_abbrev=False)

    def describe(self, text: str) -> None:
        """Say what the command does: indented text, kept line by line."""
        self.description = text

    def format_help(self) -> str:
        """Return the help text."""
        import textwrap  # only help needs it

        self.description = textwrap.dedent(self.description or "").strip()
        return super().format_help()

    def error(self, message: str) -> NoReturn:
        """Raise a UsageError instead of printing and exiting."""
        raise UsageError(message, hint=f"see '{self.prog} --help'")


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
