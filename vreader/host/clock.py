# SPDX-License-Identifier: Apache-2.0
"""The real clock of a host: monotonic time and one timer thread, started when first needed."""

import heapq
import threading
import time
from collections.abc import Callable

from vreader.clock import Timer

_ROOM = 64


class _Due:
    __slots__ = ("call",)

    def __init__(self, call: Callable[[], None]) -> None:
        self.call: Callable[[], None] | None = call

    def cancel(self) -> None:
        self.call = None

    def fire(self) -> None:
        # Under the host's lock: whoever held it meanwhile may have cancelled.
        if self.call is not None:
            self.call()


class RealClock:
    """Time as the machine has it.

    Attributes:
        now: returns monotonic seconds; the function itself, for it is asked twice an APDU.

    Args:
        run: how a due call is run; the host's way of doing things under its lock.
    """

    def __init__(self, run: Callable[[Callable[[], None]], None]) -> None:
        self._run = run
        self.now = time.monotonic
        self._due: list[tuple[float, int, _Due]] = []
        self._count = 0
        self._room = _ROOM
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._stopping = False

    def call_at(self, when: float, call: Callable[[], None]) -> Timer:
        """Run ``call`` at ``when`` on the timer thread."""
        due = _Due(call)
        with self._changed:
            self._count += 1
            if len(self._due) > self._room:  # most of them cancelled, as a rule
                self._due = [entry for entry in self._due if entry[2].call is not None]
                heapq.heapify(self._due)
                self._room = 2 * len(self._due) + _ROOM
            heapq.heappush(self._due, (when, self._count, due))
            if self._thread is None and not self._stopping:
                self._thread = threading.Thread(target=self._work, name="timers", daemon=True)
                self._thread.start()
            elif self._due[0][2] is due:
                self._changed.notify()
        return due

    def stop(self) -> None:
        """End the timer thread; calls not yet due are never run."""
        with self._changed:
            self._stopping = True
            self._due.clear()
            self._changed.notify()
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._stopping:
                    # A cancelled call at the head is dropped here instead of waited for.
                    while self._due and self._due[0][2].call is None:
                        heapq.heappop(self._due)
                    wait = self._due[0][0] - self.now() if self._due else None
                    if wait is not None and wait <= 0:
                        break
                    self._changed.wait(wait)
                if self._stopping:
                    return
                due = heapq.heappop(self._due)[2]
            if due.call is not None:
                self._run(due.fire)
