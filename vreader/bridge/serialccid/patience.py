# SPDX-License-Identifier: Apache-2.0
"""Asks a driver to wait on while a card works: a thread that sleeps as long as cards are fast."""

import threading
from collections.abc import Callable


class Patience:
    """Calls ``ask`` again and again during work that takes long.

    Args:
        ask: asks for more time; called on the thread of this object.
        every_s: the first call comes once to twice this after the beginning of the work.
        name: of the thread.
    """

    def __init__(self, ask: Callable[[], None], every_s: float, name: str) -> None:
        self._ask = ask
        self._every_s = every_s
        self._working = threading.Event()
        self._stopping = threading.Event()
        self._number = 0  # of the work in hand
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread; may be called twice."""
        self._stopping.set()
        self._working.set()
        if self._thread.ident is not None:
            self._thread.join()

    def __enter__(self) -> None:
        """Begin a piece of work."""
        self._number += 1
        self._working.set()

    def __exit__(self, *exc: object) -> None:
        """End it."""
        self._working.clear()
        if self._stopping.is_set():
            self._working.set()  # stop() may have come first: the thread must not sleep on

    def _run(self) -> None:
        while True:
            self._working.wait()
            number = self._number
            if self._stopping.wait(self._every_s):
                return
            if self._working.is_set() and number == self._number:
                self._ask()
