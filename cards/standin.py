# SPDX-License-Identifier: Apache-2.0
"""What the cards that stand in for another have in common: no memory of their own.

They are told what to answer from outside, by a conversation, a trace or a real card, and have no
state of their own that could be kept.
"""

from collections.abc import Mapping, Sequence

from vreader.card import Card, Description, Store
from vreader.errors import UsageError, VreaderError

_REMEMBERED = 1000


class StandInKind:
    """The part of :class:`vreader.card.CardKind` that is the same for all of them."""

    name: str
    reader_name: str | None = None
    aids: Sequence[bytes] = ()

    def open(self, store: Store) -> Card:
        """Refuse: nothing of such a card is in a file."""
        raise VreaderError(
            f"a {self.name} card is not kept in a file", hint=f"use it as --card {self.name},…"
        )

    def provision(self, card: Card, options: Mapping[str, Sequence[str]]) -> None:
        """Refuse: keys and certificates are the other card's affair."""
        raise UsageError(
            f"a {self.name} card takes no keys or certificates", hint="provision a card of its own"
        )

    def describe(self, c_apdu: bytes, aid: bytes) -> Description:
        """Know nothing: the kinds that own the application explain its commands."""
        return Description("")

    def refuse_state(self, store: Store) -> None:
        """Raise UsageError where the card is to be kept in a file."""
        if store.path is not None:
            raise UsageError(
                f"a {self.name} card keeps no state file", hint="leave state= or --state out"
            )


class Complaints:
    """Tells people, in the log, why a card answers as it does; the same thing only once."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._said: set[str] = set()

    def say(self, text: str) -> None:
        """Log ``text``, unless it was said before."""
        if text in self._said:
            return
        if len(self._said) >= _REMEMBERED:
            self._said.clear()
        self._said.add(text)
        import logging  # slow to import, and mostly there is nothing to say

        logging.getLogger("vreader").warning("%s: %s", self._source, text)
