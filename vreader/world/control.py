# SPDX-License-Identifier: Apache-2.0
"""What the control socket of a world understands; the socket itself is the control door's."""

from typing import TYPE_CHECKING

from vreader.bridge.control.server import Reply, Request
from vreader.errors import UsageError
from vreader.world.desk import Place

if TYPE_CHECKING:
    from vreader.bridge.control.following import Following
    from vreader.trace.recent import Told
    from vreader.world import World


def answer_or_follow(world: "World", request: Request) -> "Reply | Following[Told]":
    """Carry out a request of the control socket; raises VreaderError."""
    if request["op"] == "trace":
        from vreader.world.tracing import trace

        return trace(world, request)
    return answer(world, request)


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
        return _moved(world.insert(reader, card))
    if op == "remove":
        return _moved(world.remove(reader))
    if op == "reset":
        return _moved(world.reset(reader))
    if op in ("fault", "faults"):
        return _faults(world, request, reader)
    if op == "quit":
        world.quit()
        return {}
    raise UsageError(
        f"unknown op {op!r}", hint="list, insert, remove, reset, fault, faults, log, trace, quit"
    )


def _faults(world: "World", request: Request, reader: str | int | None) -> Reply:
    """Set or clear faults, where that is asked for; tell what there is."""
    if request["op"] == "fault":
        plan, clear = request.get("fault"), request.get("clear", False)
        if not isinstance(clear, bool) or not isinstance(plan, str | None):
            raise UsageError("fault must be a text, clear true or false", hint='for example "mute"')
        if plan is None and not clear:
            raise UsageError("which fault?", hint='for example "mute,on=VERIFY", or clear')
        if clear:
            world.clear_faults(reader)
        if plan is not None:
            world.fault(reader, plan)
    places = world.places if reader is None else [world.place(reader)]
    return {
        "faults": [
            {
                "reader": place.name,
                "fault": str(armed.plan),
                "seen": armed.seen,
                "struck": armed.struck,
                "left": armed.left,
            }
            for place in places
            for armed in place.faults
        ]
    }


def _moved(place: Place) -> Reply:
    return {**told(place), "unseen": place.unseen}


def told(place: Place) -> Reply:
    """Return what the control door says of a reader."""
    told: Reply = {
        "reader": place.name,
        "card": place.label,
        "inserted": place.inserted,
        "state": place.state,
    }
    if place.listening is not None:
        told["listens"] = place.listening.address
    return told
