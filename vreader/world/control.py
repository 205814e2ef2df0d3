# SPDX-License-Identifier: Apache-2.0
"""What the control socket of a world understands; the socket itself is the control door's."""

from typing import TYPE_CHECKING

from vreader.bridge.control.server import Reply, Request
from vreader.errors import UsageError
from vreader.world.desk import Place

if TYPE_CHECKING:
    from vreader.world import World


def answer(world: "World", request: Request) -> Reply:
    """Carry out a request; raises VreaderError."""
    op, reader = request["op"], request.get("reader")
    if isinstance(reader, bool) or not isinstance(reader, str | int | None):
        raise UsageError("reader must be a name or a number", hint='for example "0"')
    if op == "list":
        return {"readers": [told(place) for place in world.places]}
    if op == "log":
        after = request.get("after", 0)
        if isinstance(after, bool) or not isinstance(after, int):
            raise UsageError("after must be a number", hint="that of an entry, 0 for all")
        return {"entries": world.log(after)}
    if op == "insert":
        card = request.get("card")
        if card is not None and not isinstance(card, str):
            raise UsageError("card must be a SPEC", hint='for example "piv"')
        return told(world.insert(reader, card))
    if op == "remove":
        return told(world.remove(reader))
    if op == "reset":
        return told(world.reset(reader))
    if op == "quit":
        world.quit()
        return {}
    raise UsageError(f"unknown op {op!r}", hint="list, insert, remove, reset, log, quit")


def told(place: Place) -> Reply:
    """Return what the control door says of a reader."""
    inside = place.reader.card is not None
    return {
        "reader": place.name,
        "card": place.spec.label if place.card is not None else None,
        "inserted": inside,
        "state": place.reader.state.name,
    }
