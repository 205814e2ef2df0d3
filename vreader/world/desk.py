# SPDX-License-Identifier: Apache-2.0
"""Readers and the cards that belong into them: what a person does at the desk."""

from collections.abc import Callable
from contextlib import ExitStack

from vreader.card import Card
from vreader.cardspec import CardSpec
from vreader.errors import UsageError, VreaderError
from vreader.host import HostReader


class Place:
    """One reader of a world, and the card that belongs into it.

    Attributes:
        name: the reader's full name, on every stack.
        reader: the virtual reader.
        spec: what the card was made from.
        card: the card, also while it is out; None for an empty reader.
    """

    __slots__ = ("card", "name", "reader", "spec")

    def __init__(self, name: str, reader: HostReader, spec: CardSpec, card: Card | None) -> None:
        self.name = name
        self.reader = reader
        self.spec = spec
        self.card = card


class Desk:
    """Readers in a row.

    Attributes:
        places: the readers, in order.
    """

    def __init__(self) -> None:
        self.places: list[Place] = []
        self._cards: list[Card] = []

    def add(self, name: str, reader: HostReader, spec: CardSpec) -> None:
        """Set up a reader and make the card that belongs into it."""
        self.places.append(Place(name, reader, spec, self._make(spec)))

    def insert_all(self) -> None:
        """Insert every card that is not in yet."""
        for place in self.places:
            if place.card is not None and place.reader.card is None:
                place.reader.insert(place.card)

    def place(self, reader: object = None) -> Place:
        """Find a reader by name, by number (0 first), or the only one; raises UsageError."""
        names = ", ".join(repr(place.name) for place in self.places)
        if reader is None:
            if len(self.places) == 1:
                return self.places[0]
            raise UsageError("which reader?", hint=f"there are {names}")
        for number, place in enumerate(self.places):
            if reader in (place.name, number, str(number)):
                return place
        raise UsageError(f"there is no reader {reader!r}", hint=f"there are {names}")

    def insert(self, reader: object = None, card: str | None = None) -> Place:
        """Insert the card that belongs into ``reader``, or a new one made from a SPEC.

        Raises:
            VreaderError: the reader holds a card, or there is none to insert.
        """
        place = self.place(reader)
        if place.reader.card is not None:
            raise VreaderError(f"{place.name} holds a card already", hint="remove it first")
        if card is not None:
            spec = CardSpec.parse(card)
            if spec.form == "none":
                raise UsageError("none is not a card", hint="to take the card out: remove")
            self._exchange(place, spec)
        place.reader.insert(self._card_of(place))
        return place

    def remove(self, reader: object = None) -> Place:
        """Take the card out; raises VreaderError when there is none."""
        place = self.place(reader)
        place.reader.remove()
        return place

    def reset(self, reader: object = None) -> Place:
        """Put the card back to how it was made: a new one from the same SPEC, inserted.

        A card with a state file keeps what the file holds.
        """
        place = self.place(reader)
        self._card_of(place)
        if place.reader.card is not None:
            place.reader.remove()
        try:
            self._exchange(place, place.spec)
        finally:
            place.reader.insert(self._card_of(place))
        return place

    def _card_of(self, place: Place) -> Card:
        if place.card is None:
            raise VreaderError(
                f"no card belongs into {place.name}",
                hint="name one: 'vreader ctl insert --card piv'",
            )
        return place.card

    def _exchange(self, place: Place, spec: CardSpec) -> None:
        """Let the card of ``spec`` belong into ``place``; if it cannot be made, all stays."""
        old = place.card
        if old is not None and None not in (place.spec.state, spec.state):
            # Both may be the same file, which only one at a time can hold.
            place.card = None
            self._drop(old)
            try:
                place.card = self._make(spec)
            except BaseException:
                place.card = self._make(place.spec)
                raise
        else:
            place.card = self._make(spec)
            if old is not None:
                self._drop(old)
        place.spec = spec

    def _make(self, spec: CardSpec) -> Card | None:
        card = spec.make()
        if card is not None:
            self._cards.append(card)
        return card

    def _drop(self, card: Card) -> None:
        self._cards = [kept for kept in self._cards if kept is not card]
        closer_of(card)()

    def close_cards(self) -> None:
        """Close the state files of every card that was made."""
        with ExitStack() as closers:
            for card in self._cards:
                closers.callback(closer_of(card))
        self._cards.clear()


def closer_of(card: Card) -> Callable[[], None]:
    """Return the card's own ``close``, which cards with a state file have, or nothing to do."""
    close = getattr(card, "close", None)
    return close if callable(close) else lambda: None
