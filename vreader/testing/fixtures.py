# SPDX-License-Identifier: Apache-2.0
"""What the plugin's fixtures do; the plugin has their names and what people read about them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from vreader.clock import Clock, ManualClock
from vreader.errors import UsageError, VreaderError
from vreader.testing.case import Case, case_of, told
from vreader.testing.marker import wanted, world_of
from vreader.world import World
from vreader.world.spec import IN_PROCESS, STACKS

if TYPE_CHECKING:
    from vreader.testing.session import Session
    from vreader.world.remote import RemoteWorld

_STACKS = (IN_PROCESS, *STACKS)
_OWN = (IN_PROCESS, "embedded")


@contextmanager
def _plainly() -> Iterator[None]:
    """Fail a test with our words alone: a traceback through this package helps nobody."""
    try:
        yield
    except VreaderError as error:
        raise pytest.fail.Exception(told(error), pytrace=False) from None


def local(request: pytest.FixtureRequest) -> World:
    """See the fixture ``vreader``."""
    clock: Clock | None = None
    if "vreader_clock" in request.fixturenames:
        clock = request.getfixturevalue("vreader_clock")
    with _plainly():
        case = case_of(request.node)
        world = case.local(wanted(request.node, case.settings), clock)
        case.seen_by_pyscard(world)
        return world


def remote(request: pytest.FixtureRequest, stack: str) -> "RemoteWorld":
    """See the fixtures ``vreader_pcsc`` and ``vreader_pcscd``."""
    case, session = case_of(request.node), _session(request)
    _need(case, session, stack)
    with _plainly():
        _check_clock(request)
        asked = wanted(request.node, case.settings, own_manager=stack in _OWN)
        world = case.remote(asked, stack, session)
        case.seen_by_library(world, session)
        return world


def _check_clock(request: pytest.FixtureRequest) -> None:
    """Refuse a clock that nothing in the test could go by."""
    asked = set(request.fixturenames)
    if "vreader_clock" in asked and not asked & {"vreader", "vreader_factory"}:
        raise UsageError(
            "a clock of its own goes with a world in this process", hint="use the fixture vreader"
        )


def factory(request: pytest.FixtureRequest) -> "Callable[..., World | RemoteWorld]":
    """See the fixture ``vreader_factory``."""
    case = case_of(request.node)

    def make(
        *cards: str,
        stack: str = IN_PROCESS,
        clock: Clock | None = None,
        **keywords: Any,  # noqa: ANN401 - the marker's
    ) -> "World | RemoteWorld":
        if stack not in _STACKS:
            raise UsageError(f"unknown stack {stack!r}", hint="stacks: " + ", ".join(_STACKS))
        if cards:
            keywords = {"card": cards, **keywords}
        asked = world_of(keywords, case.settings, own_manager=stack in _OWN)
        if stack == IN_PROCESS:
            return case.local(asked, clock)
        if clock is not None:
            raise UsageError(
                "a clock of its own goes with a world in this process",
                hint=f"use stack={IN_PROCESS!r}, or leave the clock out",
            )
        session = _session(request)
        _need(case, session, stack)
        return case.remote(asked, stack, session)

    return make


def _session(request: pytest.FixtureRequest) -> "Session":
    from vreader.testing.session import session_of  # not needed in process

    return session_of(request.config)


def _need(case: Case, session: "Session", stack: str) -> None:
    """Skip a test whose stack is not there, or fail it where that was asked for."""
    reason = session.missing(stack)
    if not reason:
        return
    if case.settings.require:
        pytest.fail(f"vreader: {reason}", pytrace=False)
    pytest.skip(reason)


def manual_clock() -> ManualClock:
    """See the fixture ``vreader_clock``."""
    return ManualClock()
