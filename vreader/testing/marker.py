# SPDX-License-Identifier: Apache-2.0
"""The marker ``@pytest.mark.vreader(card=…)``: which world a test wants.

It stands at a test, a class or a module; the nearest one that gives a keyword decides about it.
"""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import pytest

from vreader.errors import UsageError, VreaderError, near
from vreader.testing.settings import KEYWORDS, Settings
from vreader.world.spec import several


class Wanted(NamedTuple):
    """The world a test wants.

    Attributes:
        cards: a SPEC for each reader; empty for one PIV card.
        readers: their names.
        faults: what goes wrong, each a FaultPlan or its text.
        options: others of :class:`vreader.world.World`.
    """

    cards: tuple[str, ...]
    readers: tuple[str, ...]
    faults: tuple[Any, ...]
    options: dict[str, Any]


def wanted(item: pytest.Item, settings: Settings, *, own_manager: bool = True) -> Wanted:
    """Return the world that the markers of a test and the settings of the run ask for.

    Args:
        item: the test.
        settings: for what the test does not say.
        own_manager: the resource manager is ours, and can have the profile of the settings.

    Raises:
        UsageError: a marker makes no sense.
    """
    given: dict[str, Any] = {}
    for mark in item.iter_markers("vreader"):  # the nearest first
        for name, value in keywords(mark).items():
            given.setdefault(name, value)
    return world_of(given, settings, own_manager=own_manager)


def world_of(given: dict[str, Any], settings: Settings, *, own_manager: bool) -> Wanted:
    """Return the world that keywords ask for; raises UsageError for unknown ones."""
    check(**given)
    cards = several(given.get("card")) or settings.cards
    readers = several(given.get("reader"))
    if not readers:
        readers = settings.readers[: max(1, len(cards))]
    options = {name: given[name] for name in ("profile", "pinpad", "link") if given.get(name)}
    if settings.profile and own_manager:
        options.setdefault("profile", settings.profile)
    return Wanted(tuple(cards), tuple(readers), tuple(several(given.get("faults"))), options)


def keywords(mark: pytest.Mark) -> dict[str, Any]:
    """Return what a marker gives by keyword; cards may stand without one.

    Raises:
        UsageError: cards are given both ways.
    """
    if not mark.args:
        return dict(mark.kwargs)
    if "card" in mark.kwargs:
        raise UsageError("the marker has cards twice", hint="write card=, or leave out the word")
    cards = mark.args[0] if len(mark.args) == 1 else mark.args
    return {"card": cards, **mark.kwargs}


def check(**given: Any) -> None:  # noqa: ANN401 - whatever people write
    """Raise UsageError, which names the choices, for what no world can have; None says nothing."""
    for name, value in given.items():
        test = _CHECKS.get(name)
        if test is None:
            choices = "keywords: " + ", ".join(KEYWORDS)
            meant = near(name, KEYWORDS, 0.6)
            raise UsageError(
                f"unknown keyword {name!r}", hint=f"{meant} {choices}" if meant else choices
            )
        if value is not None:
            test(value)


def check_items(items: Iterable[pytest.Item]) -> list[str]:
    """Return what is wrong with the markers of tests, each said once."""
    seen: set[int] = set()
    wrong: list[str] = []
    for item in items:
        for mark in item.iter_markers("vreader"):
            if id(mark) in seen:
                continue
            seen.add(id(mark))
            try:
                check(**keywords(mark))
            except VreaderError as error:
                wrong.append(f"{item.nodeid}: vreader marker: {error}\nhint: {error.hint}")
    return wrong


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise UsageError(
            f"{name} is of type {type(value).__name__}, not text",
            hint=f"for example {_EXAMPLES[name]}",
        )
    return value


_EXAMPLES = {
    "card": 'card="piv,pin=654321", or a list of such',
    "reader": 'reader="Front Desk", or a list of such',
    "faults": 'faults="mute,after=2", or a list of such',
    "profile": 'profile="windows"',
    "link": 'link="t1,spoil=10"',
}


def _card(value: object) -> None:
    from vreader.cardspec import CardSpec

    for text in several(value):
        CardSpec.parse(_text("card", text)).check()


def _reader(value: object) -> None:
    for text in several(value):
        _text("reader", text)


def _faults(value: object) -> None:
    from vreader.reader.faults import FaultPlan

    for plan in several(value):
        if not isinstance(plan, FaultPlan):
            FaultPlan.parse(_text("faults", plan))


def _profile(value: object) -> None:
    from vreader.winscard.profile import PROFILES

    if _text("profile", value) not in PROFILES:
        raise UsageError(f"unknown profile {value!r}", hint="profiles: " + ", ".join(PROFILES))


def _pinpad(value: object) -> None:
    from vreader.reader.finger import parse_entries

    if not callable(value):
        parse_entries(text if isinstance(text, str) else "?" for text in several(value))


def _link(value: object) -> None:
    from vreader.reader.linkspec import LinkSettings

    LinkSettings.parse(_text("link", value))


_CHECKS: dict[str, Callable[[object], None]] = {
    "card": _card,
    "reader": _reader,
    "faults": _faults,
    "profile": _profile,
    "pinpad": _pinpad,
    "link": _link,
}
