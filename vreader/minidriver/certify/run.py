# SPDX-License-Identifier: Apache-2.0
"""The certification run: every check on a bench of its own, on a thread that may be left behind.

A minidriver that hangs ends in a failed check; after five of those the rest fails untried.
"""

import sys
import threading
import time
import traceback
from collections.abc import Collection, Iterator
from contextlib import suppress
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from vreader.errors import UsageError, VreaderError, near
from vreader.minidriver.abi.returncodes import MinidriverError, name_of
from vreader.minidriver.certify import (
    access,
    agreement,
    challenges,
    changing,  # noqa: F401 - adds checks to the part of PINs
    concurrency,
    containermap,  # noqa: F401 - adds checks to the part of containers
    containers,
    decryption,
    directories,  # noqa: F401 - adds checks to the part of files
    files,
    injection,
    keyparameters,  # noqa: F401 - adds checks to the part of parameters
    loading,
    paddings,  # noqa: F401 - adds checks to the part of signatures
    parameters,
    pins,
    properties,
    readonly,
    removal,
    sessions,
    signing,
    structures,
)
from vreader.minidriver.certify.bench import Bench
from vreader.minidriver.certify.check import Check, Failed, NotApplicable, Part
from vreader.minidriver.certify.machine import Machine
from vreader.minidriver.certify.settings import Settings
from vreader.minidriver.certify.subject import Subject

PARTS: tuple[Part, ...] = (
    loading.PART,
    structures.PART,
    parameters.PART,
    properties.PART,
    files.PART,
    access.PART,
    pins.PART,
    sessions.PART,
    challenges.PART,
    containers.PART,
    signing.PART,
    decryption.PART,
    agreement.PART,
    readonly.PART,
    concurrency.PART,
    removal.PART,
    injection.PART,
)
HERE = Path(__file__).parent
PATIENCE_S = 20.0
FIRST_PATIENCE_S = 120.0
MAX_HANGS = 5


class Outcome(Enum):
    """What became of a check."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_APPLICABLE = "not applicable"


class Result(NamedTuple):
    """A check that has run; ``message`` says in one line why it failed or does not apply."""

    check: Check
    outcome: Outcome
    message: str
    seconds: float


class Certificate(NamedTuple):
    """What a run has found; ``minidriver`` is the subject's name."""

    minidriver: str
    results: list[Result]

    @property
    def passed(self) -> bool:
        """Whether no check has failed."""
        return not self.failed

    @property
    def failed(self) -> list[str]:
        """The ids of the checks that have failed."""
        return [r.check.id for r in self.results if r.outcome is Outcome.FAILED]


def select(only: Collection[str] = ()) -> list[Check]:
    """Return the checks of the parts, or with the ids, in ``only``; all of them where it is empty.

    Raises:
        UsageError: no part and no check is called so.
    """
    checks = [check for part in PARTS for check in part.checks]
    known = {part.letter for part in PARTS} | {check.id for check in checks}
    for name in only:
        if name not in known:
            hint = near(name, known) or f"name parts, A to {PARTS[-1].letter}, or checks"
            raise UsageError(f"there is no check {name!r}", hint=hint)
    return [c for c in checks if not only or c.id in only or c.id[0] in only]


def certify(
    subject: Subject,
    settings: Settings | None = None,
    *,
    only: Collection[str] = (),
    patience_s: float = PATIENCE_S,
) -> Certificate:
    """Put a minidriver through the checks.

    Args:
        subject: the minidriver and its card.
        settings: what is known of the card.
        only: letters of parts, or ids of checks; all where it is empty.
        patience_s: how long a check may take.

    Raises:
        UsageError: ``only`` names a check that does not exist.
    """
    checks = select(only)
    run = _Run(subject, settings or Settings(), patience_s)
    return Certificate(one_line(subject.name), list(run.results(checks)))


def try_loading(subject: Subject, patience_s: float = FIRST_PATIENCE_S) -> None:
    """Load a minidriver once before its checks, for what is wrong with its name or this machine.

    What else goes wrong the checks tell. The first load of a DLL may take long, and is no hang.

    Raises:
        UsageError: it cannot be loaded at all.
    """
    found: list[UsageError] = []

    def load() -> None:
        with suppress(Exception, SystemExit):
            try:
                Machine(subject, Settings()).close()
            except UsageError as error:
                found.append(error)

    thread = threading.Thread(target=load, daemon=True)
    thread.start()
    thread.join(patience_s)
    if found:
        raise found[0]


class _Run:
    def __init__(self, subject: Subject, settings: Settings, patience_s: float) -> None:
        self._subject = subject
        self._settings = settings
        self._patience_s = patience_s
        self._hangs = 0

    def results(self, checks: list[Check]) -> Iterator[Result]:
        for check in checks:
            started = time.monotonic()
            if self._hangs < MAX_HANGS:
                outcome, message = self._limited(check)
            else:
                told = f"not tried: the minidriver has hung {self._hangs} times"
                outcome, message = Outcome.FAILED, told
            yield Result(check, outcome, message, time.monotonic() - started)

    def _limited(self, check: Check) -> tuple[Outcome, str]:
        """Run a check on a thread that is not waited for for ever."""
        results: list[tuple[Outcome, str]] = []
        thread = threading.Thread(target=lambda: results.append(self._check(check)), daemon=True)
        thread.start()
        thread.join(self._patience_s)
        place = _where(thread)
        # The list, not the thread, is asked: it may come back between join and here.
        if results:
            return results[0]
        self._hangs += 1
        return Outcome.FAILED, f"the minidriver hangs{place}: the call did not come back"

    def _check(self, check: Check) -> tuple[Outcome, str]:
        try:
            bench = Bench(self._subject, self._settings)
        except BaseException as error:
            self._hangs += getattr(error, "hangs", False)  # a DLL does so in its own process
            return Outcome.FAILED, f"it cannot be loaded: {_story(error)}"
        try:
            bench.md  # noqa: B018 - one that refuses every host would seem to refuse bad parameters
            check.run(bench)
        except NotApplicable as error:
            return Outcome.NOT_APPLICABLE, one_line(str(error))
        except BaseException as error:
            self._hangs += getattr(error, "hangs", False)
            return Outcome.FAILED, _story(error)
        finally:
            try:
                bench.close()
            except BaseException:  # noqa: S110 - what was found counts
                pass
        findings = getattr(bench.module, "findings", ())
        if findings:
            told = "; ".join(f"{finding.kind}: {finding.text}" for finding in findings)
            return Outcome.FAILED, one_line(told)
        return Outcome.PASSED, ""


def one_line(text: str) -> str:
    """Return words without what a line, a terminal or XML cannot carry."""
    return "".join(c if c.isprintable() else "\ufffd" for c in " ".join(text.split()))


def _where(thread: threading.Thread) -> str:
    """Return the call that a thread is in, and the line; nothing when it has ended."""
    innermost = sys._current_frames().get(thread.ident or 0)
    if innermost is None:
        return ""
    stack = traceback.extract_stack(innermost)
    call = _call_in(stack) or innermost.f_code.co_name
    return f" in {call} ({innermost.f_code.co_filename}:{innermost.f_lineno})"


def _call_in(stack: traceback.StackSummary) -> str:
    """Return the first function of the minidriver's on a stack."""
    return next((p.name for p in stack if p.name.startswith(("Card", "MD", "DllMain"))), "")


def _story(error: BaseException) -> str:
    """Tell in one line what went wrong; where it was for what is no answer of a minidriver's."""
    stack = traceback.extract_tb(error.__traceback__)
    if isinstance(error, MinidriverError):
        return f"{_call_in(stack) or 'a call'} failed with {name_of(error.code)}"
    if isinstance(error, Failed | VreaderError):
        return one_line(str(error))
    place = stack[-1]
    text = one_line(f"{type(error).__name__}: {error}")
    if Path(place.filename).parent == HERE:
        return f"the minidriver returned something of another type: {text}"
    return f"the minidriver raised {text} ({place.filename}:{place.lineno})"
