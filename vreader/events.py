# SPDX-License-Identifier: Apache-2.0
"""What a room says while it works: the base class of all events and the emitter that carries them.

Each room defines its own events beside its code; this module knows none of them. An emitter without
sinks is false, so code in a hot path writes ``if events: events.emit(…)`` and an event nobody reads
is never built.
"""

from collections.abc import Callable
from typing import Any, ClassVar, dataclass_transform


@dataclass_transform(frozen_default=True)
class Event:
    """Something that happened. Subclasses declare fields of plain values (str, int, bytes, tuples).

    ``bytes`` fields are already masked where they are secret: sinks print what they get. A subclass
    is like a frozen dataclass, but costs no code generation: rooms are imported at every start and
    events are mostly never made.

    Attributes:
        fields: names of the fields, in order.
    """

    fields: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        own = tuple(cls.__annotations__)
        cls.fields = (*cls.fields, *own)

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - typed per subclass
        given = dict(zip(self.fields, args, strict=False), **kwargs)
        if len(args) > len(self.fields) or not given.keys() <= set(self.fields):
            raise TypeError(f"{type(self).__name__} takes {', '.join(self.fields)}")
        for name in self.fields:
            # A default is a class attribute; where there is none, its absence is the error.
            value = given[name] if name in given else getattr(type(self), name)
            self.__dict__[name] = value

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} cannot be changed")

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.__dict__ == self.__dict__

    def __hash__(self) -> int:
        return hash((type(self), *self.__dict__.values()))

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.__dict__.items())
        return f"{type(self).__name__}({shown})"


Sink = Callable[[Event], None]


class Emitter(list[Sink]):
    """Carries events to any number of sinks, in the order the sinks were added.

    Emitting is synchronous; a sink must be quick and must not call back into the emitting room. It
    is a list of its sinks so that asking whether it has any, on the way of every APDU, is free.
    """

    def emit(self, event: Event) -> None:
        """Hand ``event`` to every sink."""
        for sink in tuple(self):
            sink(event)

    def subscribe(self, sink: Sink) -> Callable[[], None]:
        """Add ``sink``; the returned function takes it away again and may be called twice."""
        self.append(sink)

        def unsubscribe() -> None:
            self[:] = [other for other in self if other is not sink]

        return unsubscribe
