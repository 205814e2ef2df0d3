# SPDX-License-Identifier: Apache-2.0
"""The certification run: every check on a bench of its own, on a thread that may be left behind.

A driver that hangs must end in a failed check. So each check has a thread and a limit; the thread
of one that does not come back is a daemon and is forgotten. One that hangs again and again is not
waited for in every check.
"""

import inspect
import sys
import threading
import time
import traceback
from collections.abc import Callable, Collection, Iterator
from enum import Enum
from functools import partial
from typing import Any, NamedTuple

from vreader.certify import attributes, manager, monitor, movement, protocol, sleep
from vreader.certify.bench import Bench
from vreader.certify.check import Check, Failed, NotApplicable, Part, one_line
from vreader.errors import UsageError, VreaderError
from vreader.reader.base import ReaderDriver
from vreader.reader.driver import VirtualReader
from vreader.wdm import BugCheck

PARTS: tuple[Part, ...] = (
    monitor.PART,
    attributes.PART,
    manager.PART,
    protocol.PART,
    sleep.PART,
    movement.PART,
)
PATIENCE_S = 3.0
MAX_HANGS = 5


class Outcome(Enum):
    """What became of a check."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_APPLICABLE = "not applicable"


class Result(NamedTuple):
    """A check that has run.

    Attributes:
        check: which one.
        outcome: what became of it.
        message: why it failed, or does not apply; one line.
        seconds: how long it took.
    """

    check: Check
    outcome: Outcome
    message: str
    seconds: float


class Certificate(NamedTuple):
    """What a run has found.

    Attributes:
        driver: the driver class's name.
        profile: the driver profile's name; empty where no reader could be made.
        results: one for each check that was asked for, in order.
    """

    driver: str
    profile: str
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
            raise UsageError(
                f"there is no check {name!r}",
                hint="name parts, A to F, or checks, such as A.cancel",
            )
    return [c for c in checks if not only or c.id in only or c.id[0] in only]


def certify(
    driver: type[ReaderDriver] = VirtualReader,
    *,
    only: Collection[str] = (),
    patience_s: float = PATIENCE_S,
    **options: Any,  # noqa: ANN401 - those of Host.add_reader
) -> Certificate:
    """Put a reader driver through the checks.

    Args:
        driver: the driver, by default the virtual reader's.
        only: letters of parts, or ids of checks; all where it is empty.
        patience_s: how long to wait for what must come; a check as a whole may take four times
            as long. After five that have hung the rest fail untried.
        options: further arguments of :meth:`vreader.host.Host.add_reader`, ``profile`` say.

    Raises:
        UsageError: ``only`` names a check that does not exist.
    """
    checks = select(only)
    session = _Session(driver, options, patience_s)
    results = list(session.run(checks))
    return Certificate(driver.__name__, session.profile, results)


class _Session:
    """One driver, and how its benches are made."""

    def __init__(
        self, driver: type[ReaderDriver], options: dict[str, Any], patience_s: float
    ) -> None:
        self.driver = driver
        self.options = options
        self.patience_s = patience_s
        self.profile = ""
        self.hangs = 0

    def run(self, checks: list[Check]) -> Iterator[Result]:
        for check in checks:
            started = time.monotonic()
            if self.hangs < MAX_HANGS:
                outcome, message = self._limited(partial(self._check, check))
            else:
                outcome, message = (
                    Outcome.FAILED,
                    f"not tried: the driver has hung {self.hangs} times",
                )
            yield Result(check, outcome, message, time.monotonic() - started)

    def _limited(self, call: Callable[[], tuple[Outcome, str]]) -> tuple[Outcome, str]:
        """Call on a thread that is not waited for for ever."""
        results: list[tuple[Outcome, str]] = []
        thread = threading.Thread(target=lambda: results.append(call()), daemon=True)
        thread.start()
        thread.join(4 * self.patience_s)
        where = _where(thread, self.driver)
        # The list, not the thread, is asked: it may come back between join and here.
        if results:
            return results[0]
        self.hangs += 1
        return Outcome.FAILED, f"the driver hangs{where}: no call came back"

    def _check(self, check: Check) -> tuple[Outcome, str]:
        try:
            bench = Bench(self.driver, self.options, self.patience_s)
        except BaseException as error:  # whatever it is, it is the driver's
            return Outcome.FAILED, f"no reader can be made: {_story(error, self.driver)}"
        self.profile = bench.profile.name
        try:
            why = _unfit(bench, check)
            if why:
                return Outcome.NOT_APPLICABLE, why
            check.run(bench)
            bench.raise_crash()
        except NotApplicable as error:
            return Outcome.NOT_APPLICABLE, str(error)
        except BaseException as error:
            return Outcome.FAILED, _story(error, self.driver)
        finally:
            _tidy_up(bench)
        return Outcome.PASSED, ""


def _unfit(bench: Bench, check: Check) -> str:
    """Say why a reader cannot be asked for this, or nothing."""
    if check.contact and bench.profile.contactless:
        return "a contactless reader has no contacts"
    if check.protocols and not bench.speaks(check.protocols):
        return f"the reader does not speak {check.protocols!r}"
    return ""


def _tidy_up(bench: Bench) -> None:
    try:
        bench.close()
    except BaseException:  # noqa: S110 - checks of their own look at how a reader leaves
        pass


def _where(thread: threading.Thread, driver: type[ReaderDriver]) -> str:
    """Say where in the driver's file a thread is; nothing where it has ended or is elsewhere."""
    frame = sys._current_frames().get(thread.ident or 0)
    places = _of_driver(traceback.extract_stack(frame), driver) if frame is not None else []
    return f" in {places[-1].name} ({places[-1].filename}:{places[-1].lineno})" if places else ""


def _of_driver(
    stack: traceback.StackSummary, driver: type[ReaderDriver]
) -> list[traceback.FrameSummary]:
    """Return what of a stack is in the driver's file."""
    try:
        file = inspect.getfile(driver)
    except (OSError, TypeError):
        return []  # made by no file
    return [place for place in stack if place.filename == file]


def _story(error: BaseException, driver: type[ReaderDriver]) -> str:
    """Tell in one line what went wrong, and where in the driver's file if it was there."""
    if isinstance(error, Failed | BugCheck | VreaderError):
        return one_line(str(error))
    stack = traceback.extract_tb(error.__traceback__)
    place = (_of_driver(stack, driver) or stack)[-1]
    text = one_line(f"{type(error).__name__}: {error}")
    return f"the driver raised {text} ({place.filename}:{place.lineno})"
