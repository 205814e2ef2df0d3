# SPDX-License-Identifier: Apache-2.0
"""The faults that are armed in a slot: it counts commands, and a plan that is due *strikes*."""

from collections.abc import Callable

from vreader.card import Card
from vreader.reader.faults import Fault, FaultPlan


class ArmedFault:
    """A plan that waits for its moment.

    Attributes:
        plan: the plan.
        seen: how many commands that fit there were.
        struck: how often it has struck.
    """

    __slots__ = ("plan", "seen", "struck")

    def __init__(self, plan: FaultPlan) -> None:
        self.plan = plan
        self.seen = 0
        self.struck = 0

    @property
    def left(self) -> int | None:
        """How often it will strike yet; None for always."""
        times = self.plan.times
        return None if isinstance(times, str) else times - self.struck

    def __repr__(self) -> str:
        return f"ArmedFault({self.plan.masked!r}, struck={self.struck})"


class Faults:
    """The faults of one slot; false while nothing can happen any more.

    Attributes:
        all: those that were set, also those that are over; under the host's lock.
        dark: the card that has lost its power and was not reset since, or None.
    """

    def __init__(self) -> None:
        self.all: list[ArmedFault] = []
        self.dark: Card | None = None
        self._waiting = False

    def __bool__(self) -> bool:
        return self._waiting or self.dark is not None

    def add(self, plan: FaultPlan) -> ArmedFault:
        """Let ``plan`` happen; earlier plans go first."""
        armed = ArmedFault(plan)
        self.all.append(armed)
        self._waiting = True
        return armed

    def clear(self) -> None:
        """Let nothing happen any more."""
        self.all.clear()
        self._waiting = False

    def of_command(self, command: bytes, text: Callable[[], str]) -> FaultPlan | None:
        """Count a command; return the plan that strikes on it, or None."""
        return self._due(lambda p: p.fault is not Fault.GARBLE_ATR and p.fits(command, text))

    def of_reset(self) -> FaultPlan | None:
        """Count a reset, which gives a dark card its power back; return what becomes of the ATR."""
        self.dark = None
        return self._due(lambda plan: plan.fault is Fault.GARBLE_ATR)

    def _due(self, fits: Callable[[FaultPlan], bool]) -> FaultPlan | None:
        striking = None
        for armed in self.all:
            if armed.left == 0 or not fits(armed.plan):
                continue
            armed.seen += 1
            if striking is None and armed.seen > armed.plan.after:
                armed.struck += 1
                striking = armed.plan
        self._waiting = any(armed.left != 0 for armed in self.all)
        return striking
