# SPDX-License-Identifier: Apache-2.0
"""Hears what is said to the cards of a world, and remembers it until it is compared."""

import threading
from typing import Final

from vreader.errors import VreaderError
from vreader.events import Event
from vreader.reader.events import ApduEvent, CardEvent

Said = CardEvent | ApduEvent
"""A reset, or a command and its answer."""

LIMIT: Final = 20_000
_RESETS: Final = ("cold reset", "warm reset")


class Hearing:
    """A sink that keeps resets, commands and answers.

    Args:
        limit: how much it keeps; a conversation that is longer cannot be compared.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._said: list[Said] = []
        self._lost = False
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        """Hear an event."""
        if isinstance(event, ApduEvent):
            if event.problem == "late":
                return  # it was told of as no answer before
        elif not isinstance(event, CardEvent) or event.change not in _RESETS:
            return
        with self._lock:
            if len(self._said) < self._limit:
                self._said.append(event)
            else:
                self._lost = True

    def mark(self) -> None:
        """Forget what was said."""
        with self._lock:
            self._said, self._lost = [], False

    def said(self, device: str) -> list[Said]:
        """Return what was said to the card in a reader.

        Args:
            device: name of the reader's physical device object.

        Raises:
            VreaderError: it was too much to remember.
        """
        with self._lock:
            if self._lost:
                raise VreaderError(
                    f"more than {self._limit} commands were said",
                    hint="compare in parts: world.mark() begins a conversation anew",
                )
            return [event for event in self._said if event.reader == device]
