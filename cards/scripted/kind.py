# SPDX-License-Identifier: Apache-2.0
"""What the tool must know about scripted cards."""

from collections.abc import Mapping

from cards.standin import StandInKind
from vreader.card import Card, Store, check_options


class ScriptedKind(StandInKind):
    """A :class:`vreader.card.CardKind`."""

    name = "scripted"
    summary = "answers from a conversation in a TOML file (file=TALK.toml)"

    def profiles(self) -> Mapping[str, str]:
        """Return the only one."""
        return {"toml": "needs file=TALK.toml"}

    def create(
        self, profile: str, options: Mapping[str, str], store: Store, seed: bytes | None
    ) -> Card:
        """Read the conversation ``file=``; raises UsageError for what it cannot be."""
        from cards.scripted.card import ScriptedCard
        from cards.scripted.script import load

        check_options(options, ("file",), self.name)
        self.refuse_state(store)
        return ScriptedCard(load(options.get("file", "")))


KIND = ScriptedKind()
