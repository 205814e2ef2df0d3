# SPDX-License-Identifier: Apache-2.0
"""Observers for pyscard's monitors that keep what they are told, for a test to wait for."""

import threading

from smartcard.CardMonitoring import CardObserver
from smartcard.ReaderMonitoring import ReaderObserver

PATIENCE_S = 30.0


class _Keeps:
    def __init__(self) -> None:
        self.there: list[str] = []
        self.told: list[str] = []
        self._news = threading.Condition()

    def update(self, observable, handlers) -> None:
        added, removed = handlers
        with self._news:
            for thing in map(_name, removed):
                self.there.remove(thing)
                self.told.append(f"-{thing}")
            for thing in map(_name, added):
                self.there.append(thing)
                self.told.append(f"+{thing}")
            self._news.notify_all()

    def wait(self, *there: str) -> None:
        """Wait until exactly these are there."""
        with self._news:
            done = self._news.wait_for(lambda: self.there == [*there], PATIENCE_S)
        assert done, f"there is {self.there}, not {there}"


class Cards(_Keeps, CardObserver):
    """Keeps the readers in which there are cards."""


class Readers(_Keeps, ReaderObserver):
    """Keeps the names of readers."""


def _name(thing) -> str:
    return str(getattr(thing, "reader", thing))
