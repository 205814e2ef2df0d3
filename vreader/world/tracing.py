# SPDX-License-Identifier: Apache-2.0
"""What the control socket tells of events: those that are kept, and those to come."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from vreader.bridge.control.following import Following
from vreader.bridge.control.server import Reply, Request
from vreader.errors import UsageError
from vreader.trace.jsonl import json_record
from vreader.trace.recent import Told
from vreader.trace.text import TextFormat

if TYPE_CHECKING:
    from vreader.world import World

_Write = Callable[[Told], object]


def trace(world: "World", request: Request) -> Reply | Following[Told]:
    """Return the last events, or those and what follows them.

    Args:
        world: whose.
        request: ``last``, how many, all that are kept by default; ``follow``, whether to go on;
            ``form``, ``text`` or ``json``; ``colour``, for a terminal.

    Raises:
        UsageError: one of them makes no sense.
    """
    last, follow = request.get("last"), request.get("follow", False)
    if isinstance(last, bool) or not isinstance(last, int | None) or (last or 0) < 0:
        raise UsageError("last must be a number", hint="how many events, 0 for none")
    if not isinstance(follow, bool):
        raise UsageError("follow must be true or false", hint="true for what is to come")
    write = _format(request)
    if not follow:
        if not world.keeps_events:
            raise UsageError(
                "this world keeps no events",
                hint="start it with --keep 100, or follow what is to come: --follow",
            )
        return {"events": [write(told) for told in world.recent.last(last)]}
    following: Following[Told] = Following(lambda told: {"event": write(told)})
    kept, following.stop = world.recent.follow(following.put)
    shown = kept if last is None else kept[max(0, len(kept) - last) :]
    following.first = {"events": [write(told) for told in shown]}
    return following


def _format(request: Request) -> _Write:
    form = request.get("form", "text")
    if form == "json":
        return lambda told: json_record(*told)
    if form != "text":
        raise UsageError(f"unknown form {form!r}", hint="forms: text, json")
    text = TextFormat(colour=request.get("colour") is True)
    return lambda told: text(*told).rstrip("\n")
