# SPDX-License-Identifier: Apache-2.0
"""What to tell when a test with a world fails: its readers and cards as they are, the last events.

Nothing here is secret: events are masked where they are made, and facts of cards have none.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from vreader.card import Card, KeepingKind
from vreader.errors import VreaderError
from vreader.world.desk import Place

if TYPE_CHECKING:
    from vreader.world.memory import Remembering

EVENTS = 20
"""How many of the last events a report has, where nobody says."""
_PATIENCE_S = 1.0


def report(world: "Remembering", events: int = EVENTS) -> str:
    """Return lines about the readers, the cards that belong into them, and the last events.

    Args:
        world: it may be at work.
        events: how many of the last ones, of those the world has kept.
    """
    lines: list[str] = []
    for place in world.places:
        lines.append(_reader(place))
        lines += (f"    {line}" for line in _card(world, place))
        lines += (f"    fault {armed.plan.masked}, struck {armed.struck}" for armed in place.faults)
    if texts := world.last_events(events):
        lines += ("last events:", *texts)
    return "\n".join(lines)


def _reader(place: Place) -> str:
    card = place.label or "no card"
    where = "inserted" if place.inserted else "out"
    return f"{place.name} ({place.reader.device}): {card}, {where}, {place.state}"


def _card(world: "Remembering", place: Place) -> Iterator[str]:
    """Yield what ``vreader card info`` tells of a card."""
    card = place.card
    try:
        kind = place.spec.kind if card is not None else None
    except VreaderError:
        return  # the file that describes it has gone
    if card is None or not isinstance(kind, KeepingKind):
        return

    def facts(card: Card) -> dict[str, str]:
        return {"kind": kind.name, **dict(kind.outline(card)), **dict(kind.facts(card))}

    try:
        told = world.host.serial_card(card).look(facts, _PATIENCE_S)
    except Exception as error:  # of a card, whatever it is: the report is about another failure
        yield f"the card cannot be read: {type(error).__name__}"
        return
    if told is None:
        yield "the card is at work"
        return
    width = max(map(len, told))
    for label, value in told.items():
        # A name in a certificate may hold what a terminal would obey.
        shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in value)
        yield f"{label:<{width}}  {shown}"
