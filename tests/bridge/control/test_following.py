# SPDX-License-Identifier: Apache-2.0
"""Things on their way to a client: in order, counted where missed, and nobody waits for him."""

import json
import socket
import threading
from contextlib import closing

import pytest

from vreader.bridge.control.client import ask, follow
from vreader.bridge.control.following import Following
from vreader.bridge.control.server import ControlDoor
from vreader.errors import VreaderError

PATIENCE_S = 30


@pytest.fixture
def following():
    with closing(Following(lambda thing: {"thing": thing}, limit=3)) as following:
        yield following


@pytest.fixture
def door(tmp_path, following):
    """A door whose op ``follow`` follows, and what tells that it is over."""
    over = threading.Event()
    following.first, following.stop = {"begun": True}, over.set
    door = ControlDoor(
        str(tmp_path / "control"), lambda told: following if told["op"] == "follow" else {}
    )
    yield door, over
    door.close()


def test_things_wait_in_order(following):
    for thing in "ab":
        following.put(thing)
    assert following.take() == [{"thing": "a"}, {"thing": "b"}]
    assert following.take() == []


def test_what_does_not_fit_is_counted_where_it_is_missing(following):
    for thing in "abcde":
        following.put(thing)
    assert following.take() == [{"thing": "a"}, {"thing": "b"}, {"thing": "c"}, {"missed": 2}]
    following.put("f")
    assert following.take() == [{"thing": "f"}]


def test_putting_never_waits_nor_fails(following):
    following.close()
    for thing in range(10_000):
        following.put(thing)


def test_a_client_sees_things_as_they_come(door, following):
    told = follow(door[0].path, {"op": "follow"})
    assert next(told) == {"ok": True, "begun": True}
    for thing in "ab":
        following.put(thing)
        assert next(told) == {"thing": thing}
    told.close()
    assert door[1].wait(PATIENCE_S)
    assert ask(door[0].path, {"op": "other"}) == {"ok": True}


def test_what_the_client_says_meanwhile_is_not_heard(door, following):
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(PATIENCE_S)
        client.connect(door[0].path)
        client.sendall(b'{"op": "follow"}\n{"op": "other"}\n')
        with client.makefile("rb") as lines:
            assert json.loads(lines.readline())["begun"]
            client.sendall(b"x" * 10_000)
            following.put("a")
            assert json.loads(lines.readline()) == {"thing": "a"}
            client.shutdown(socket.SHUT_WR)
            assert lines.read() == b""


def test_the_end_of_the_door_is_the_end(door, following):
    told = follow(door[0].path, {"op": "follow"})
    next(told)
    following.put("last")
    door[0].close()
    assert [reply for reply in told if "thing" in reply] == [{"thing": "last"}]
    assert door[1].wait(PATIENCE_S)


def test_a_client_that_does_not_read_is_no_obstacle(door, following):
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(door[0].path)
        client.sendall(b'{"op": "follow"}\n')
        for _ in range(10_000):
            following.put("x" * 1000)
        assert ask(door[0].path, {"op": "other"}) == {"ok": True}
    assert door[1].wait(PATIENCE_S)


def test_a_world_that_is_not_there(tmp_path):
    with pytest.raises(VreaderError, match="no world answers"):
        next(follow(str(tmp_path / "none"), {"op": "follow"}))
