# SPDX-License-Identifier: Apache-2.0
"""Events of a world over its control socket: those that are kept, and those to come."""

import pytest

import vreader
from vreader.bridge.control.client import ask, follow
from vreader.errors import UsageError
from vreader.world import World

ATR = "atr:3B80800101"


def control(world) -> str:
    return world.environment["VREADER_CONTROL"]


def trace(world, **more):
    return ask(control(world), {"op": "trace", **more})["events"]


def test_the_last_events_as_text_and_as_records():
    with vreader.world(ATR) as world:
        assert trace(world) == world.last_events()
        assert trace(world, last=2) == world.last_events(2)
        assert trace(world, last=0) == []
        (record,) = trace(world, last=1, form="json")
        assert record["event"] == "ReaderChangeEvent"
        assert "\x1b[" in "".join(trace(world, colour=True))
        assert "reader0   is 'Virtual Reader 00 00'" in "\n".join(trace(world))


def test_those_to_come_follow_those_that_were_without_a_gap():
    with vreader.world(ATR) as world:
        before = trace(world, form="json")
        told = follow(control(world), {"op": "trace", "follow": True, "form": "json", "last": 2})
        assert next(told)["events"] == before[-2:]
        world.remove()
        assert next(told)["event"]["change"] == "removed"
        told.close()
        assert world.last_events()


def test_a_world_without_memory_can_be_followed():
    with World([ATR]) as world:
        with pytest.raises(UsageError, match="keeps no events"):
            trace(world)
        told = follow(control(world), {"op": "trace", "follow": True})
        assert next(told)["events"] == []
        world.remove()
        assert next(told)["event"].endswith("card removed")


@pytest.mark.parametrize(
    "wrong",
    [{"last": -1}, {"last": True}, {"last": "1"}, {"follow": 1}, {"form": "xml"}],
)
def test_what_makes_no_sense(wrong):
    with vreader.world("none") as world, pytest.raises(UsageError):
        trace(world, **wrong)


def test_no_world_remembers_less_than_nothing():
    with pytest.raises(UsageError, match="not how many"):
        World(["none"], keep_events=-1)
