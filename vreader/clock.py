# SPDX-License-Identifier: Apache-2.0
"""Time as a port: rooms below the host ask a Clock and never the operating system."""

import heapq
from collections.abc import Callable
from typing import Protocol


class Timer(Protocol):
    """A call that is due later."""

    def cancel(self) -> None:
        """Take the call back; harmless when it has run already."""


class Clock(Protocol):
    """Monotonic seconds, and calls at a moment."""

    def now(self) -> float:
        """Return seconds since an arbitrary start."""

    def call_at(self, when: float, call: Callable[[], None]) -> Timer:
        """Run ``call`` at ``when``, under the host's lock, on a thread of the clock's choice."""


class _ManualTimer:
    def __init__(self, call: Callable[[], None]) -> None:
        self.call: Callable[[], None] | None = call

    def cancel(self) -> None:
        self.call = None


class ManualClock:
    """A clock for tests and simulations: time passes when :meth:`advance` is called."""

    def __init__(self) -> None:
        self._now = 0.0
        self._due: list[tuple[float, int, _ManualTimer]] = []
        self._count = 0

    def now(self) -> float:
        """Return the simulated seconds."""
        return self._now

    def call_at(self, when: float, call: Callable[[], None]) -> Timer:
        """Schedule ``call`` for when the clock is advanced to ``when``."""
        timer = _ManualTimer(call)
        self._count += 1
        heapq.heappush(self._due, (when, self._count, timer))
        return timer

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass, running what falls due in order."""
        end = self._now + seconds
        while self._due and self._due[0][0] <= end:
            when, _, timer = heapq.heappop(self._due)
            self._now = max(self._now, when)
            if timer.call is not None:
                timer.call()
        self._now = end
