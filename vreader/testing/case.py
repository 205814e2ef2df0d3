# SPDX-License-Identifier: Apache-2.0
"""The worlds of one test: made for it, told about when it fails, and gone with it.

A world outlives the fixture that has made it until pytest has let go of all that the test had:
what is finalised only then, a connection that a fixture has returned say, finds it still there.
"""

import gc
import os
import re
import sys
from contextlib import ExitStack
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any
from zlib import crc32

import pytest

from vreader.clock import Clock
from vreader.errors import UsageError, VreaderError
from vreader.testing import CASE, VreaderWarning
from vreader.testing.marker import Wanted
from vreader.testing.settings import Settings, settings_of
from vreader.world import KEPT_EVENTS, World
from vreader.world.spec import IN_PROCESS

if TYPE_CHECKING:
    from vreader.testing.session import Session
    from vreader.world.remote import RemoteWorld

_MAX_NAME = 120
_PLAIN = re.compile(r"[\w./:-]+(\[[\w.]+\])?", re.ASCII)


class Case:
    """What a test has of worlds.

    Attributes:
        settings: of the run.
        failed: whether something of it has failed, so that captures are kept.
    """

    def __init__(self, item: pytest.Item, settings: Settings) -> None:
        self._item = item
        self.settings = settings
        self._worlds: list[World | RemoteWorld] = []
        self._traces: list[str] = []
        self._seen: list[str] = []  # sockets of worlds that libpcsclite of this process sees
        self._closers = ExitStack()
        self.failed = False

    # ------------------------------------------------------------------ made

    def local(self, wanted: Wanted, clock: Clock | None = None) -> World:
        """Make a world in this process."""
        world = World(wanted.cards, clock=clock, stack=IN_PROCESS, **self._options(wanted))
        self._keep(world)
        return world

    def seen_by_pyscard(self, world: World) -> None:
        """Let pyscard see a world of this process, where it is installed."""
        if not _has_pyscard():
            return
        try:
            self._closers.enter_context(world.pyscard())
        except UsageError as error:
            self._item.warn(VreaderWarning(f"pyscard does not see this world: {error}"))

    def remote(self, wanted: Wanted, stack: str, session: "Session") -> "RemoteWorld":
        """Make a world in the helper process."""
        world = session.helper.world(*wanted.cards, stack=stack, **self._options(wanted))
        self._keep(world)
        return world

    def seen_by_library(self, world: "RemoteWorld", session: "Session") -> None:
        """Let libpcsclite of this process see a world."""
        path = world.environment["PCSCLITE_CSOCK_NAME"]
        session.link.turn_to(path)
        self._closers.callback(session.link.turn_away)
        self._seen.append(path)

    def _keep(self, world: "World | RemoteWorld") -> None:
        self._worlds.append(world)
        self._closers.callback(world.close)
        for warning in world.warnings:
            sys.stderr.write(f"vreader: warning: {warning}\n")

    def _options(self, wanted: Wanted) -> dict[str, Any]:
        trace = self._trace_file()
        if trace:
            self._traces.append(trace)
        return {
            "readers": wanted.readers,
            "faults": wanted.faults,
            "trace": trace or None,
            "keep_events": max(self.settings.events, KEPT_EVENTS),
            **wanted.options,
        }

    def _trace_file(self) -> str:
        """Return where the next world writes its capture, nothing for nowhere."""
        directory = self.settings.trace
        if not directory:
            return ""
        try:
            os.makedirs(directory, exist_ok=True)  # noqa: PTH103
        except OSError as error:
            raise VreaderError(
                f"cannot make the directory {directory}: {error.strerror or error}",
                hint="name another one with --vreader-trace",
            ) from None
        test = self._item.nodeid
        name = re.sub(r"[^\w.-]+", "-", test, flags=re.ASCII).strip("-")
        if len(name) > _MAX_NAME or not _PLAIN.fullmatch(test):  # another test's may be alike
            name = f"{name[-_MAX_NAME:]}-{crc32(test.encode(errors='backslashreplace')):08x}"
        number = f"-{len(self._traces) + 1}" if self._traces else ""
        return os.path.abspath(f"{directory}/{name}{number}.pcapng")  # noqa: PTH100

    # ------------------------------------------------------------------ told

    def report(self) -> str:
        """Return what a report of a failure says: worlds as they are, and where captures are."""
        parts: list[str] = []
        for world in self._worlds:
            try:
                parts.append(world.report(self.settings.events))
            except VreaderError as error:
                parts.append(told(error))
        return "\n".join(parts + [f"capture: {trace}" for trace in self._traces])

    def _fail(self, text: str) -> None:
        """Let the test fail though it is over: its report is not."""
        self.failed = True
        report = pytest.TestReport(
            self._item.nodeid, self._item.location, {}, "failed", text, "teardown"
        )
        self._item.ihook.pytest_runtest_logreport(report=report)

    # ------------------------------------------------------------------ gone

    def end(self) -> None:
        """End the worlds, when pytest has let go of the test; say what still holds on to them."""
        try:
            if self.failed:
                from vreader.testing.contexts import let_connections_go

                let_connections_go()
            elif self._seen:
                self._tell_of_held()
        finally:
            try:
                self._closers.close()
            except VreaderError as error:
                if not self.failed:  # else it has been said
                    self._fail(told(error))
            except Exception:  # a bug of somebody's card; other tests are not to suffer
                import traceback

                self._fail(traceback.format_exc())
        if not self.failed:
            for trace in self._traces:
                try:
                    os.unlink(trace)  # noqa: PTH108
                except OSError:
                    pass  # somebody else has taken it

    def _tell_of_held(self) -> None:
        from vreader.testing.contexts import held, let_go, remedy

        if not held(self._seen):
            return
        let_go()
        gc.collect()
        count = held(self._seen)
        if not count:
            return
        contexts = "a PC/SC context" if count == 1 else f"{count} PC/SC contexts"
        text = (
            f"{self._item.nodeid} holds {contexts} across worlds: its own ends with the test, "
            f"and later calls fail. Let go within the test. {remedy()}"
        )
        try:
            self._item.warn(VreaderWarning(text))
        except VreaderWarning:  # warnings are errors here
            self._fail(text)


def case_of(item: pytest.Item) -> Case:
    """Return the worlds of a test, none at first."""
    found = item.stash.get(CASE, None)
    if found is None:
        found = item.stash[CASE] = Case(item, settings_of(item.config))
    return found


def told(error: VreaderError) -> str:
    """Return an error and its hint as people read them."""
    return f"vreader: {error}" + (f"\nhint: {error.hint}" if error.hint else "")


@cache
def _has_pyscard() -> bool:
    try:
        import_module("smartcard.scard")
    except ImportError:
        return False
    return True
