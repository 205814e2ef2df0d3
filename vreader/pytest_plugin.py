# SPDX-License-Identifier: Apache-2.0
"""The pytest plugin: smart card worlds as fixtures, and what is told of them when a test fails.

Nothing happens in tests that do not ask for it. What a fixture needs is imported when one is first
used: every run of pytest on this machine imports this module.
"""

import os
import sys
from collections.abc import Callable, Generator
from functools import partial
from typing import TYPE_CHECKING

import pytest

from vreader.errors import VreaderError
from vreader.testing import CASE, UPDATE_GOLDEN

if TYPE_CHECKING:
    from vreader.clock import ManualClock
    from vreader.world import World
    from vreader.world.remote import RemoteWorld

# ---------------------------------------------------------------------- fixtures


@pytest.fixture
def vreader(request: pytest.FixtureRequest) -> "World":
    """Make a smart card world in this process: readers with cards, by default one with a PIV card.

    ``vreader.scard`` has its SCard* functions; where pyscard is installed, it sees this world, too.
    ``@pytest.mark.vreader(card=…)`` says which world.
    """
    from vreader.testing.fixtures import local

    return local(request)


@pytest.fixture
def vreader_pcsc(request: pytest.FixtureRequest) -> "RemoteWorld":
    """Make a world that libpcsclite of this process sees, and programs that the test starts.

    So do bindings on it, such as PyKCS11. ``environment`` is for programs started with their own.
    """
    from vreader.testing.fixtures import remote

    return remote(request, "embedded")


@pytest.fixture
def vreader_pcscd(request: pytest.FixtureRequest) -> "RemoteWorld":
    """Make the same behind a private pcscd with vpcd's driver; skip where there is none."""
    from vreader.testing.fixtures import remote

    return remote(request, "pcscd")


@pytest.fixture
def vreader_factory(
    request: pytest.FixtureRequest,
) -> "Callable[..., World | RemoteWorld]":
    """Return a function that makes worlds: ``vreader_factory("piv", stack="embedded")``.

    Stacks are ``in-process``, ``embedded``, ``pcscd`` and ``twin``; keywords are the marker's.
    """
    from vreader.testing.fixtures import factory

    return factory(request)


@pytest.fixture
def vreader_clock() -> "ManualClock":
    """Make the clock of this test's ``vreader``: time passes by ``advance(seconds)``."""
    from vreader.testing.fixtures import manual_clock

    return manual_clock()


# ---------------------------------------------------------------------- settings and markers


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the settings."""
    from vreader.testing.settings import add_options

    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Describe the marker; refuse settings that make no sense before anything runs."""
    from vreader.testing.settings import MARKER, settings_of

    config.addinivalue_line("markers", MARKER)
    settings_of(config)
    if config.getoption("vreader_update"):
        # As for worlds that tests make by themselves, in this process or in others.
        before = os.environ.get(UPDATE_GOLDEN)
        os.environ[UPDATE_GOLDEN] = "1"
        if before is None:
            config.add_cleanup(partial(os.environ.__delitem__, UPDATE_GOLDEN))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Refuse markers that make no sense before anything runs."""
    if hasattr(config, "workerinput"):
        return  # an error here would end the worker; the test says it by itself
    if any(item.get_closest_marker("vreader") for item in items):
        from vreader.testing.marker import check_items

        if wrong := check_items(items):
            raise pytest.UsageError("\n".join(wrong))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Set the PC/SC library's variable before the first test: it reads it when first used.

    So tests with worlds work whichever come before them. Runs without such tests are left alone.
    """
    names = {"vreader_pcsc", "vreader_pcscd"}
    if sys.platform != "linux" or session.config.option.collectonly:
        return
    if any(names.intersection(getattr(item, "fixturenames", ())) for item in session.items):
        from vreader.testing.session import session_of

        try:
            _ = session_of(session.config).link
        except VreaderError:
            pass  # the first test says it


# ---------------------------------------------------------------------- what is told


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Tell of the worlds of a test that fails."""
    report = yield
    case = item.stash.get(CASE, None)
    if case is not None and report.failed:
        case.failed = True
        if told := case.report():
            report.sections.append(("vreader", told))
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """End the worlds of the attempt before, where a plugin runs a test that has failed again."""
    _end(item)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """End the worlds of a test when pytest has let go of all it had."""
    try:
        return (yield)
    finally:
        _end(item)


def _end(item: pytest.Item) -> None:
    case = item.stash.get(CASE, None)
    if case is not None:
        del item.stash[CASE]
        case.end()
