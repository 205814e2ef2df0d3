# SPDX-License-Identifier: Apache-2.0
"""Cards as new, as many as there are checks: copies of one card that a SPEC describes."""

from collections.abc import Callable

from vreader.card import Card, KeepingKind, MemoryStore
from vreader.cardspec import CardSpec
from vreader.errors import UsageError


def fresh_cards(spec: str) -> Callable[[], Card]:
    """Return what makes cards.

    A card of a kind that keeps its state is made, or opened, once and copied; what checks do never
    reaches its file. Another one is made again each time.

    Raises:
        VreaderError: no such card.
    """
    parsed = CardSpec.parse(spec)
    first = parsed.make()
    if first is None:
        raise UsageError("an empty reader has no minidriver", hint="name a card, for example gids")
    kind = parsed.kind
    close = getattr(first, "close", None)
    if isinstance(kind, KeepingKind):
        keeping, image = kind, kind.export(first)
        if callable(close):
            close()
        return lambda: keeping.load(image, MemoryStore())
    if callable(close):
        close()

    def again() -> Card:
        card = parsed.make()
        assert card is not None
        return card

    return again
