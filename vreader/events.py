# SPDX-License-Identifier: Apache-2.0
"""What a room says while it works: the base class of all events and the emitter that carries them.

Each room defines its own events beside its code; this module imports nothing and knows none. An
emitter without sinks is false, so code in a hot path writes ``if events: events.emit(…)`` and an
event nobody reads is never built.
"""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened. Subclasses add fields of plain values (str, int, bytes, tuples).

    ``bytes`` fields are already masked where they are secret: sinks print what they get.
    """


Sink = Callable[[Event], None]


class Emitter:
    """Carries events to any number of sinks, in the order the sinks were added.

    Emitting is synchronous; a sink must be quick and must not call back into the emitting room.
    """

    __slots__ = ("_sinks",)

    def __init__(self) -> None:
        self._sinks: tuple[Sink, ...] = ()

    def __bool__(self) -> bool:
        return bool(self._sinks)

    def emit(self, event: Event) -> None:
        """Hand ``event`` to every sink."""
        for sink in self._sinks:
            sink(event)

    def subscribe(self, sink: Sink) -> Callable[[], None]:
        """Add ``sink``; the returned function takes it away again and may be called twice."""
        self._sinks = (*self._sinks, sink)

        def unsubscribe() -> None:
            self._sinks = tuple(s for s in self._sinks if s is not sink)

        return unsubscribe
