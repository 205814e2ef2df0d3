# SPDX-License-Identifier: Apache-2.0
"""A sink that remembers what happened last, to be told when something has gone wrong.

What carries everything else, requests that a driver has answered with success and the driver
library's debug output, is left out: a person looks for commands, cards and readers.
"""

import threading
import time
from collections import deque
from collections.abc import Callable

from vreader.events import Event, Sink
from vreader.smclib.events import DebugEvent
from vreader.wdm.events import IrpEvent

_GOOD = "STATUS_SUCCESS"


def carries(event: Event) -> bool:
    """Tell whether an event is of what carries everything else, and went well."""
    kind = type(event)
    return kind is DebugEvent or (kind is IrpEvent and event.__dict__["status"] == _GOOD)


def without_carriers(sink: Sink) -> Sink:
    """Return a sink that hands on to ``sink`` what :func:`carries` nothing else."""

    def hand_on(event: Event) -> None:
        if not carries(event):
            sink(event)

    return hand_on


Told = tuple[float, Event]
"""Seconds since the world began, and what happened."""


class Recent:
    """Keeps the last events, masked as they come, and hands them on to whoever follows them.

    Args:
        count: how many.
        now: monotonic seconds.
        start: when the world began; now by default.
    """

    def __init__(
        self,
        count: int,
        now: Callable[[], float] = time.monotonic,
        start: float | None = None,
    ) -> None:
        self._kept: deque[Told] = deque(maxlen=count)
        self._now = now
        self._start = now() if start is None else start
        self._followers: list[Callable[[Told], None]] = []
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        """Remember one event."""
        if carries(event):
            return
        with self._lock:
            told = self._now() - self._start, event
            self._kept.append(told)
            for follower in self._followers:
                follower(told)

    def follow(self, follower: Callable[[Told], None]) -> tuple[list[Told], Callable[[], None]]:
        """Tell ``follower`` of every event from now on; it must not wait.

        Returns:
            What is kept of those before, and what ends it.
        """
        with self._lock:
            self._followers = [*self._followers, follower]
            kept = list(self._kept)

        def stop() -> None:
            with self._lock:
                self._followers = [other for other in self._followers if other is not follower]

        return kept, stop

    def last(self, count: int | None = None) -> list[Told]:
        """Return the last ``count`` events, or all that are kept."""
        with self._lock:
            kept = list(self._kept)
        return kept if count is None else kept[max(0, len(kept) - max(0, count)) :]

    def texts(self, count: int | None = None) -> list[str]:
        """Return the last ``count`` events, or all that are kept, as the text trace has them.

        An entry may have several lines; it ends without a newline.
        """
        from vreader.trace.text import TextFormat  # rarely does anybody ask

        write = TextFormat()
        return [write(seconds, event).rstrip("\n") for seconds, event in self.last(count)]
