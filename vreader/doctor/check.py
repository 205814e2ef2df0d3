# SPDX-License-Identifier: Apache-2.0
"""What a check is, and how it is kept from doing harm: a thread of its own and a time limit."""

import enum
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module

from vreader.doctor.machine import Machine


class Level(enum.Enum):
    """How bad it is."""

    OK = "OK"
    NOTE = "NOTE"
    """Nothing is wrong: something is not there that need not be."""
    WARN = "WARN"
    """A part of vreader, or a way to use it, does not work."""
    FAIL = "FAIL"
    """vreader does not work."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the table.

    Attributes:
        level: how bad it is.
        text: what is so.
        advice: what to do about it; may be empty.
        check: the check's name; filled in when it is run.
    """

    level: Level
    text: str
    advice: str = ""
    check: str = ""

    def record(self) -> dict[str, str]:
        """Return it as JSON has it."""
        return {
            "check": self.check,
            "level": self.level.value,
            "text": self.text,
            "advice": self.advice,
        }


def ok(text: str) -> Finding:
    """Make a finding that all is well."""
    return Finding(Level.OK, text)


def note(text: str, advice: str = "") -> Finding:
    """Make a finding of something that is not there, and need not be."""
    return Finding(Level.NOTE, text, advice)


def warn(text: str, advice: str) -> Finding:
    """Make a finding that something does not work."""
    return Finding(Level.WARN, text, advice)


def fail(text: str, advice: str) -> Finding:
    """Make a finding that nothing works."""
    return Finding(Level.FAIL, text, advice)


Look = Callable[[Machine], Iterator[Finding]]
"""Yields what it finds; may raise and may hang."""


@dataclass(frozen=True, slots=True)
class Check:
    """One subject.

    Attributes:
        name: one word, as it is asked for.
        about: what it looks at, one line.
        look: does it, or its module and name in this room: it is imported when it is run.
        anywhere: it means something on systems other than Linux.
        limit_s: how long it is waited for.
    """

    name: str
    about: str
    look: Look | str
    anywhere: bool = False
    limit_s: float = 5.0

    def found(self, machine: Machine) -> Iterator[Finding]:
        """Look."""
        if sys.platform != "linux" and not self.anywhere:
            return iter([note(f"{self.about}: of Linux alone")])
        if not isinstance(self.look, str):
            return self.look(machine)
        module, _, name = self.look.partition(":")
        look: Look = getattr(import_module(f"vreader.doctor.{module}"), name)
        return look(machine)


class _Run:
    """One check on its way."""

    def __init__(self, check: Check, machine: Machine) -> None:
        self.check = check
        self._machine = machine
        self._found: list[Finding] = []
        self._thread = threading.Thread(target=self._look, name=f"doctor {check.name}", daemon=True)
        self._thread.start()
        self._deadline = time.monotonic() + check.limit_s

    def _look(self) -> None:
        found = self._found
        try:
            # One by one: what was found before an error, or the end of patience, is worth telling.
            found.extend(self.check.found(self._machine))
        except BaseException as error:  # SystemExit too
            text = " ".join(f"{type(error).__name__}: {error}".split())
            found.append(warn(f"this check itself failed: {text}", "please report it"))

    def findings(self) -> list[Finding]:
        """Wait for the end, or for the limit; return what there is then."""
        self._thread.join(max(0.0, self._deadline - time.monotonic()))
        found = list(self._found)
        if self._thread.is_alive():
            text = f"this check did not end within {self.check.limit_s:g} s"
            found.append(warn(text, f"see whether what it looks at hangs: {self.check.about}"))
        name = self.check.name
        return [Finding(each.level, each.text, each.advice, name) for each in found]


def run_all(checks: Sequence[Check], machine: Machine) -> list[Finding]:
    """Run checks side by side; return what they found, in their order."""
    runs = [_Run(check, machine) for check in checks]
    return [finding for run in runs for finding in run.findings()]
