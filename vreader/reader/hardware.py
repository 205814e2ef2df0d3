# SPDX-License-Identifier: Apache-2.0
"""The hardware of one reader: the place for a card, and the switch that says a card has moved.

The bus hands it to the driver as the PDO's property ``hardware``; the driver connects its interrupt
routine and asks the card inside. A person inserts and removes cards here, whatever driver runs.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from vreader.card import Card
from vreader.events import Emitter
from vreader.reader.events import CardEvent
from vreader.wdm import DeviceObject

if TYPE_CHECKING:
    from vreader.reader.armed import Faults

# Called under the lock with what to call under it when another application is about to reset the
# card, as soon as the command of this moment is over.
Other = Callable[[Callable[[], None]], None]
# Called with the card that has moved and whether it came; runs under the host's lock.
InterruptRoutine = Callable[[Card, bool], None]


class SlotHardware:
    """One place for one card.

    Attributes:
        card: the card inside, or None.
        faults: what goes wrong on purpose; None where nothing ever was to.
        other: another application, which resets the card; None where there can be none.
    """

    def __init__(self, events: Emitter, reader: str) -> None:
        self._events = events
        self._reader = reader
        self._interrupt: InterruptRoutine | None = None
        self.card: Card | None = None
        self.faults: Faults | None = None
        self.other: Other | None = None

    def connect_interrupt(self, routine: InterruptRoutine | None) -> None:
        """IoConnectInterrupt: have ``routine`` told of every movement; None disconnects it."""
        self._interrupt = routine

    def insert(self, card: Card) -> bool:
        """Put a card in; False when there is one already."""
        if self.card is not None:
            return False
        self.card = card
        self._moved(card, "inserted")
        return True

    def remove(self) -> bool:
        """Take the card out, also while it works; False when there is none."""
        card, self.card = self.card, None
        if card is None:
            return False
        self._moved(card, "removed")
        return True

    def _moved(self, card: Card, change: str) -> None:
        if self._events:
            self._events.emit(CardEvent(self._reader, change))
        if self._interrupt is not None:
            self._interrupt(card, self.card is not None)


def hardware_of(pdo: DeviceObject) -> SlotHardware | None:
    """Return the hardware behind a PDO; None for a device that is no reader."""
    found = pdo.properties.get("hardware")
    return found if isinstance(found, SlotHardware) else None
