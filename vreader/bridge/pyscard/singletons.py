# SPDX-License-Identifier: Apache-2.0
"""pyscard's singletons: what it keeps for the whole process, and would carry between worlds.

Both monitors and their threads, the groups of readers, and in versions before 2.2 one context for
everything. A world begins without them; at its end its own are stopped, and those from before are
back, with their observers.
"""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

_END_S = 5.0
"""How long a monitor may take to end; its observers may be at work."""
_ASK_AGAIN_S = 0.001


class Singleton(NamedTuple):
    """Where one is kept: an attribute of a class, None before there is one.

    ``shared`` ones are dictionaries that all objects of the class have as their attributes.
    """

    module: str
    owner: str
    attribute: str = "instance"
    shared: bool = False

    @property
    def kept_in(self) -> Any:  # noqa: ANN401
        """The class, or None while its module is not imported."""
        return getattr(sys.modules.get(self.module), self.owner, None)

    def empty(self) -> dict[str, object] | None:
        """Return what stands for none."""
        return {} if self.shared else None


CARDS = Singleton("smartcard.CardMonitoring", "CardMonitoringThread")
READERS = Singleton(
    "smartcard.ReaderMonitoring",
    "ReaderMonitoringThread",
    "_ReaderMonitoringThread__shared_state",
    shared=True,
)
CONTEXT = Singleton("smartcard.pcsc.PCSCContext", "PCSCContext")
ALL = (
    CARDS,
    READERS,
    CONTEXT,
    Singleton("smartcard.CardMonitoring", "CardMonitor"),
    Singleton(
        "smartcard.ReaderMonitoring", "ReaderMonitor", "_ReaderMonitor__shared_state", shared=True
    ),
    Singleton("smartcard.reader.ReaderGroups", "readergroups"),
)

Kept = dict[Singleton, Any]


def exchange(instead: Kept) -> Kept:
    """Put singletons in the place of those there are, none where none are given; return those."""
    before: Kept = {}
    for singleton in ALL:
        owner = singleton.kept_in
        if owner is not None:
            before[singleton] = getattr(owner, singleton.attribute)
            setattr(owner, singleton.attribute, instead.get(singleton, singleton.empty()))
    return before


def homes(kept: Kept) -> Iterator[int]:
    """Yield what tells the threads of the monitors from others: which attributes they have.

    Each new monitor of readers starts a thread with the attributes of the one before, and forgets
    that one, which goes on: numbers of threads would not do.
    """
    cards = kept.get(CARDS)
    if cards is not None:
        yield id(vars(cards))
    if READERS in kept:
        yield id(kept[READERS])


def home() -> int:
    """Return what tells the calling thread from others."""
    return id(vars(threading.current_thread()))


def present() -> Kept:
    """Return the singletons as they are."""
    return {
        singleton: getattr(owner, singleton.attribute)
        for singleton in ALL
        if (owner := singleton.kept_in) is not None
    }


def stop(kept: Kept, cancel: Callable[[], None]) -> None:
    """End the monitors, and give back the context that is kept.

    Args:
        kept: the singletons.
        cancel: ends whatever waits, once.
    """
    cards, readers = kept.get(CARDS), kept.get(READERS) or {}
    for event in (getattr(cards, "stopEvent", None), readers.get("stopEvent")):
        if event is not None:
            event.set()
    ours = set(homes(kept)) - {home()}  # an observer may be who ends the world
    deadline = time.monotonic() + _END_S
    while any(id(vars(thread)) in ours for thread in threading.enumerate()):
        if time.monotonic() > deadline:
            return
        cancel()
        time.sleep(_ASK_AGAIN_S)
    if cards is not None and hasattr(cards, "cardrequest"):
        cards.cardrequest = None  # whoever keeps the monitor keeps its context
    context = kept.get(CONTEXT)
    if context is not None:
        context.releaseContext()
