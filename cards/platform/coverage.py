# SPDX-License-Identifier: Apache-2.0
"""How an applet says which parts of its specification it has: rows of a table that is data.

The documentation shows the table, a test of each kind holds it against the card.
"""

from enum import Enum
from typing import NamedTuple


class State(Enum):
    """How much of an item there is."""

    YES = "yes"
    PARTIAL = "partial"
    NO = "no"


YES, PARTIAL, NO = State.YES, State.PARTIAL, State.NO


class Item(NamedTuple):
    """One command, object, algorithm or rule.

    Attributes:
        name: as the specification calls it.
        state: how much of it works.
        section: where it is specified.
        probe: how the test asks the card, in the words of the kind's table; empty for what has
            no single command.
        profiles: the profiles that have it; empty for all.
        note: what is missing or decided.
    """

    name: str
    state: State
    section: str
    probe: str = ""
    profiles: tuple[str, ...] = ()
    note: str = ""

    def there(self, profile: str) -> bool:
        """Tell whether a card of ``profile`` has at least part of it."""
        return self.state is not NO and (not self.profiles or profile in self.profiles)
