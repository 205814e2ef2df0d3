# SPDX-License-Identifier: Apache-2.0
"""Readers and the cards that belong into them: what a person does at the desk."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Protocol, TypeVar

from vreader.card import Card
from vreader.cardspec import CardSpec
from vreader.errors import UsageError, VreaderError
from vreader.host import HostReader
from vreader.world.onlooker import Clients, Onlooker, nobody

if TYPE_CHECKING:
    from vreader.reader.armed import ArmedFault
    from vreader.world.listening import Listening


class _HasName(Protocol):
    @property
    def name(self) -> str: ...


_Named = TypeVar("_Named", bound=_HasName)


class Place:
    """One reader of a world, and the card that belongs into it.

    Attributes:
        name: the reader's full name, on every stack.
        reader: the virtual reader.
        spec: what the card was made from.
        card: the card, also while it is out; None for an empty reader.
        listening: where a program connects whose card belongs into the reader, or None.
        unseen: why PC/SC programs may not see what was done last, or nothing.
    """

    __slots__ = ("card", "listening", "name", "reader", "spec", "unseen")

    def __init__(self, name: str, reader: HostReader, spec: CardSpec, card: Card | None) -> None:
        self.name = name
        self.reader = reader
        self.spec = spec
        self.card = card
        self.listening: Listening | None = None
        self.unseen = ""

    @property
    def faults(self) -> "tuple[ArmedFault, ...]":
        """What goes wrong on purpose in the reader, and how often it has, until it is cleared."""
        return self.reader.faults

    @property
    def inserted(self) -> bool:
        """Whether the card is in the reader."""
        return self.reader.card is not None

    @property
    def state(self) -> str:
        """The driver's state."""
        return self.reader.state.name

    @property
    def label(self) -> str | None:
        """The card without its options, which may be PINs and keys; None where there is none."""
        if self.card is None:
            return None
        return self.spec.label if self.listening is None else self.listening.label


class Desk:
    """Readers in a row.

    Attributes:
        places: the readers, in order.
        onlooker: looks whether PC/SC programs see cards come and go.
        clients: those of our own resource manager.
    """

    def __init__(self) -> None:
        self.places: list[Place] = []
        self.onlooker: Onlooker = nobody
        self.clients: list[Clients] = []
        self._cards: list[Card] = []

    def add(self, name: str, reader: HostReader, spec: CardSpec) -> None:
        """Set up a reader and make the card that belongs into it."""
        place = Place(name, reader, spec, self._make(spec))
        self.places.append(place)
        self._listen(place)

    def insert_all(self) -> None:
        """Insert every card that is not in yet, or wait for the program whose card it is."""
        for place in self.places:
            if place.listening is not None:
                place.listening.wait()
            elif place.card is not None and not place.inserted:
                place.reader.insert(place.card)

    def place(self, reader: object = None) -> Place:
        """Find a reader by name, by number (0 first), or the only one; raises UsageError."""
        return find_place(self.places, reader)

    def insert(self, reader: object = None, card: str | None = None) -> Place:
        """Insert the card that belongs into ``reader``, or a new one made from a SPEC.

        Returns when PC/SC programs can see it; the place's ``unseen`` says so where they cannot.

        Raises:
            VreaderError: the reader holds a card, there is none to insert, or it was inserted and
                no program sees it in time.
        """
        place = self.place(reader)
        if place.listening is not None:
            place.listening.settle()
        if place.inserted:
            raise VreaderError(f"{place.name} holds a card already", hint="remove it first")
        if card is not None:
            spec = CardSpec.parse(card)
            if spec.form == "none":
                raise UsageError("none is not a card", hint="to take the card out: remove")
            self._exchange(place, spec)
        if place.listening is not None and place.card is None:
            self._expect(place, place.listening)
        else:
            self._put_in(place)
        return place

    def remove(self, reader: object = None) -> Place:
        """Take the card out; returns when PC/SC programs can see that.

        Raises:
            VreaderError: there is none, or it was taken out and programs see it in there.
        """
        place = self.place(reader)
        self._take_out(place)
        return place

    def reset(self, reader: object = None) -> Place:
        """Put the card back to how it was made: a new one from the same SPEC, inserted.

        A card with a state file keeps what the file holds. A card program that the world has
        started is ended and started again. PC/SC programs see the old card go and
        the new one come before this returns.
        """
        place = self.place(reader)
        if place.listening is not None:
            self._start_again(place, place.listening)
            return place
        self._card_of(place)
        try:
            if place.inserted:
                self._take_out(place)
            self._exchange(place, place.spec)
        finally:
            self._put_in(place)
        return place

    def _put_in(self, place: Place) -> None:
        card = self._card_of(place)
        seen = self.onlooker(place, True)
        place.reader.insert(card)
        place.unseen = seen()

    def _take_out(self, place: Place) -> None:
        seen = self.onlooker(place, False)
        place.reader.remove()
        place.unseen = seen()

    def _listen(self, place: Place) -> None:
        """Listen for the card's program, where it is one."""
        if place.spec.listening is not None:
            from vreader.world.listening import Listening

            place.listening = Listening(place, place.spec.listening)
            place.listening.start()

    def _expect(self, place: Place, listening: "Listening") -> None:
        """Start the card's program, if it is ours to start, and wait for it."""
        seen = self.onlooker(place, True)
        listening.end()  # it may run on without its card
        listening.start()
        listening.wait()
        if place.card is not None:
            place.unseen = seen()
        else:
            place.unseen = f"no card program has connected to {listening.address} yet"

    def _start_again(self, place: Place, listening: "Listening") -> None:
        """End the card's program and start it again."""
        listening.check_command()
        inside = place.inserted
        seen = self.onlooker(place, False)
        listening.end()
        if inside:
            seen()
        self._expect(place, listening)

    def _card_of(self, place: Place) -> Card:
        if place.card is None:
            raise VreaderError(
                f"no card belongs into {place.name}",
                hint="name one: 'vreader ctl insert --card piv'",
            )
        return place.card

    def _exchange(self, place: Place, spec: CardSpec) -> None:
        """Let the card of ``spec`` belong into ``place``; if it cannot be made, all stays."""
        if place.listening is not None or spec.listening is not None:
            self._listen_or_not(place, spec)
            return
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

    def _listen_or_not(self, place: Place, spec: CardSpec) -> None:
        """Do what _exchange does where a card is, or was, a program's."""
        card = self._make(spec)
        if place.listening is not None:
            place.listening.close()
            place.listening = None
        elif place.card is not None:
            self._drop(place.card)
        place.card, place.spec = card, spec
        self._listen(place)

    def _make(self, spec: CardSpec) -> Card | None:
        card = spec.make()
        if card is not None:
            self._cards.append(card)
        return card

    def _drop(self, card: Card) -> None:
        self._cards = [kept for kept in self._cards if kept is not card]
        closer_of(card)()

    def close_cards(self) -> None:
        """Close the state files of every card that was made, and hang up on card programs."""
        with ExitStack() as closers:
            for place in self.places:
                if place.listening is not None:
                    closers.callback(place.listening.close)
            for card in self._cards:
                closers.callback(closer_of(card))
        self._cards.clear()


def find_place(places: Sequence[_Named], reader: object) -> _Named:
    """Find a reader by name, by number (0 first), or (None) the only one; raises UsageError."""
    names = ", ".join(repr(place.name) for place in places)
    if reader is None:
        if len(places) == 1:
            return places[0]
        raise UsageError("which reader?", hint=f"there are {names}")
    for number, place in enumerate(places):
        if reader in (place.name, number, str(number)):
            return place
    raise UsageError(f"there is no reader {reader!r}", hint=f"there are {names}")


def closer_of(card: Card) -> Callable[[], None]:
    """Return the card's own ``close``, which cards with a state file have, or nothing to do."""
    close = getattr(card, "close", None)
    return close if callable(close) else lambda: None
