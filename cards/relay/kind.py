# SPDX-License-Identifier: Apache-2.0
"""What the tool must know about relayed cards."""

from collections.abc import Mapping

from cards.standin import StandInKind
from vreader.card import Card, Store, check_options


class RelayKind(StandInKind):
    """A :class:`vreader.card.CardKind`."""

    name = "relay"
    summary = "a card in a real reader, by PC/SC (reader=NAME; needs pyscard)"

    def profiles(self) -> Mapping[str, str]:
        """Return the only one."""
        return {"pcsc": "the first reader with a card, or reader=PART-OF-ITS-NAME"}

    def create(
        self, profile: str, options: Mapping[str, str], store: Store, seed: bytes | None
    ) -> Card:
        """Connect to the card.

        Option: ``reader=`` is part of the reader's name, or nothing for the first with a card.

        Raises:
            UsageError: an option makes no sense.
            VreaderError: there is no pyscard, no PC/SC service, reader or card.
        """
        from cards.relay.card import RelayCard
        from cards.relay.pcsc import Pcsc

        check_options(options, ("reader",), self.name)
        self.refuse_state(store)
        return RelayCard(Pcsc(), options.get("reader", ""))


KIND = RelayKind()
