# SPDX-License-Identifier: Apache-2.0
"""The order in which registered cards are walked, and how one is found by its name."""

from collections.abc import Iterable, Sequence

from vreader.errors import UsageError, near
from vreader.pairing.matching import E, Registration
from vreader.registry.names import fold
from vreader.winscard.cardtypes import Order


def ordered(entries: Iterable[E], order: Order = "name", first: Sequence[str] = ()) -> list[E]:
    """Return the entries as they are walked.

    Windows does not document its order; that it is the registry's, by name, is an assumption.

    Args:
        entries: in the order in which they were made.
        order: by name, or as they were made.
        first: names of entries that come before all others, in this order.

    Raises:
        UsageError: no entry has one of the names.
    """
    found = list(entries)
    if order == "name":
        found.sort(key=lambda entry: fold(entry.name))
    places: dict[int, int] = {}
    for name in first:
        places.setdefault(index_of(found, name), len(places))
    walked = sorted(range(len(found)), key=lambda index: places.get(index, len(places)))
    return [found[index] for index in walked]


def index_of(entries: Sequence[Registration], name: str) -> int:
    """Return the place of the entry of a name, in any case; raises UsageError."""
    folded = fold(name)
    for index, entry in enumerate(entries):
        if fold(entry.name) == folded:
            return index
    names = [entry.name for entry in entries]
    raise UsageError(
        f"no card is registered as {name!r}",
        hint=near(name, names) or f"there are: {', '.join(names) or 'none'}",
    )
