# SPDX-License-Identifier: Apache-2.0
"""The one lock of a host, and the threads that let cards work without it.

Rooms below never block. Here a caller's thread enters under the lock, leaves it to let a card work,
and re-enters to finish. The lock is never held while a card, a socket or a person works.
"""

import threading
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from vreader.wdm import IoManager
from vreader.wdm.io_manager import WorkItem

P = ParamSpec("P")
T = TypeVar("T")

_CLOSE_S = 5.0  # for a card that is still at work when the computer is shut down


class Locked:
    """What is done under the lock.

    Attributes:
        lock: the lock.
        io: whose work items are done; a subclass sets it.
    """

    io: IoManager

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._depth = 0  # of calls of the thread that holds the lock
        self._workers: list[threading.Thread] = []

    def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call ``function`` under the lock, then let cards work on this thread without it.

        A call inside a call leaves the work to the outer one.
        """
        with self.lock:
            self._depth += 1
            try:
                result = function(*args, **kwargs)
            finally:
                self._depth -= 1
            work = None if self._depth else self.io.take_work()
        if work:
            self._work(work)
        return result

    @property
    def nested(self) -> bool:
        """Whether this thread is inside a call: then what it has queued is done later."""
        with self.lock:
            return self._depth > 0

    def run_due(self, call: Callable[[], None]) -> None:
        """Run what is due on the timer thread, which no card may keep from the next timer."""
        with self.lock:
            self._depth += 1
            try:
                call()
            finally:
                self._depth -= 1
            work = self.io.take_work()
        self._leave(work)

    def _work(self, work: list[WorkItem]) -> None:
        """Let items work and finish one after the other, and what they queue behind them."""
        try:
            while work:
                item = work.pop(0)
                value = None  # what an item is told that was interrupted, by Ctrl-C say
                try:
                    value = item.run()
                finally:
                    with self.lock:
                        self._depth += 1
                        try:
                            item.finish(value)
                        finally:
                            self._depth -= 1
                        if not self._depth and (more := self.io.take_work()):
                            work += more
        except BaseException:
            self._leave(work)  # others may wait for it
            raise

    def _leave(self, work: list[WorkItem] | None) -> None:
        """Leave work to a thread of its own."""
        if work:
            worker = threading.Thread(target=self._work, args=(work,), name="work", daemon=True)
            self._workers = [each for each in self._workers if each.is_alive()] + [worker]
            worker.start()

    def join_workers(self) -> None:
        """Wait for these threads, but not for a card that never comes to an end."""
        for worker in self._workers:
            if worker is not threading.current_thread():
                worker.join(_CLOSE_S)
