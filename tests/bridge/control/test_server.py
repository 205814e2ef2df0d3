# SPDX-License-Identifier: Apache-2.0
"""The control door: one answer for each line, whatever the line, and nobody harms the next."""

import json
import socket
import stat
import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vreader.bridge.control import MAX_LINE
from vreader.bridge.control.client import ask, find_control
from vreader.bridge.control.server import MAX_CLIENTS, ControlDoor
from vreader.errors import UsageError, VreaderError

PATIENCE_S = 30


def handle(request):
    if request["op"] == "fail":
        raise UsageError("it cannot", hint="do not")
    return {"heard": request}


@pytest.fixture(scope="module")
def door():
    with tempfile.TemporaryDirectory(prefix="vt-", dir="/tmp") as directory:
        door = ControlDoor(f"{directory}/control", handle)
        yield door
        door.close()


def connect(door: ControlDoor) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(PATIENCE_S)
    connection.connect(door.path)
    return connection


def exchange(door: ControlDoor, data: bytes) -> list[dict]:
    """Send ``data`` and the end; return all answers."""
    with connect(door) as connection:
        try:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # closed already, which is an answer
        with connection.makefile("rb") as lines:
            try:
                return [json.loads(line) for line in lines]
            except ConnectionResetError:
                return []


def test_the_socket_is_private(door):
    mode = Path(door.path).stat().st_mode
    assert stat.S_ISSOCK(mode)
    assert mode & 0o777 == 0o600


def test_a_conversation_on_one_connection(door):
    answers = exchange(door, b'{"op": "a"}\n{"op": "fail"}\n{"op": "b", "reader": 1}\n')
    assert answers == [
        {"ok": True, "heard": {"op": "a"}},
        {"ok": False, "error": "it cannot", "hint": "do not", "exit_code": 2},
        {"ok": True, "heard": {"op": "b", "reader": 1}},
    ]


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"nonsense",
        b"[]",
        b"{}",
        b'"op"',
        b'{"op": 1}',
        b'{"op": null}',
        b"{'op': 'list'}",
        b"\xff\xfe",
        b'{"op": "\xff"}',
        b"[" * 60000,
        b"9" * 5000,
    ],
    ids=lambda line: repr(line[:12]),
)
def test_a_wrong_line_is_answered_and_the_next_one_too(door, line):
    first, second = exchange(door, line + b'\n{"op": "a"}\n')
    assert first["ok"] is False
    assert first["error"]
    assert first["hint"] == 'for example {"op": "list"}'
    assert second == {"ok": True, "heard": {"op": "a"}}


def test_the_longest_line(door):
    padding = MAX_LINE - len(b'{"op": ""}\n')
    (answer,) = exchange(door, b'{"op": "' + b"x" * padding + b'"}\n')
    assert answer["ok"] is True


def test_a_line_without_end_is_refused_and_the_connection_closed(door):
    answers = exchange(door, b"x" * (MAX_LINE + 1))
    assert answers in ([], answers[:1])
    assert not any(answer["ok"] for answer in answers)
    assert ask(door.path, {"op": "a"})["ok"]


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_garbage_gets_answers_of_the_right_form(door, data):
    answers = exchange(door, data)
    # As with any text file, a last line needs no end.
    assert len(answers) == len(data.split(b"\n")) - data.endswith(b"\n") - (not data)
    for answer in answers:
        assert answer["ok"] is True or {"error", "hint", "exit_code"} <= answer.keys()
    assert ask(door.path, {"op": "a"}) == {"ok": True, "heard": {"op": "a"}}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=10,
)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.sampled_from(["op", "reader", "card", "x"]), json_values))
def test_any_json_gets_one_answer(door, request_):
    (answer,) = exchange(door, json.dumps(request_).encode() + b"\n")
    assert answer["ok"] is isinstance(request_.get("op"), str) or request_["op"] == "fail"


def test_clients_that_say_nothing_keep_nobody_waiting(door):
    idle = [connect(door) for _ in range(MAX_CLIENTS - 1)]
    try:
        assert ask(door.path, {"op": "a"})["ok"]
    finally:
        for connection in idle:
            connection.close()


def test_requests_never_overlap():
    inside, most = 0, 0

    def slow(request):
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        threading.Event().wait(0.001)
        inside -= 1
        return {}

    with tempfile.TemporaryDirectory(prefix="vt-", dir="/tmp") as directory:
        door = ControlDoor(f"{directory}/control", slow)
        threads = [threading.Thread(target=ask, args=(door.path, {"op": "a"})) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        door.close()
    assert most == 1


def test_close_ends_it_and_an_answer_on_its_way_still_leaves():
    asked, may_answer = threading.Event(), threading.Event()

    def slow(request):
        asked.set()
        assert may_answer.wait(PATIENCE_S)
        return {"late": True}

    with tempfile.TemporaryDirectory(prefix="vt-", dir="/tmp") as directory:
        door = ControlDoor(f"{directory}/control", slow)
        idle = connect(door)
        answers = []
        client = threading.Thread(target=lambda: answers.append(ask(door.path, {"op": "a"})))
        client.start()
        assert asked.wait(PATIENCE_S)
        closer = threading.Thread(target=door.close)
        closer.start()
        assert idle.recv(1) == b""
        may_answer.set()
        closer.join()
        client.join()
        assert answers == [{"ok": True, "late": True}]
        assert not Path(door.path).exists()
        idle.close()
        door.close()


def test_two_doors_cannot_have_one_path(door):
    with pytest.raises(VreaderError, match="in use by another server"):
        ControlDoor(door.path, handle)
    assert ask(door.path, {"op": "a"})["ok"]


# The asking end ---------------------------------------------------------------------------------


def test_find_control(monkeypatch):
    monkeypatch.delenv("VREADER_CONTROL", raising=False)
    with pytest.raises(VreaderError, match="no running world"):
        find_control(None)
    assert find_control("/a") == "/a"
    monkeypatch.setenv("VREADER_CONTROL", "/b")
    assert find_control(None) == "/b"
    assert find_control("/a") == "/a"


@pytest.mark.parametrize("answer", [b"", b"hello\n", b"[]\n", b"\xff\n"])
def test_a_socket_of_something_else(answer):
    with tempfile.TemporaryDirectory(prefix="vt-", dir="/tmp") as directory:
        path = f"{directory}/other"
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path)
            server.listen()

            def serve() -> None:
                connection, _ = server.accept()
                with connection:
                    connection.recv(1000)
                    connection.sendall(answer)

            thread = threading.Thread(target=serve)
            thread.start()
            with pytest.raises(VreaderError, match="is not a control socket"):
                ask(path, {"op": "list"})
            thread.join()


def test_a_server_that_does_not_answer():
    with tempfile.TemporaryDirectory(prefix="vt-", dir="/tmp") as directory:
        path = f"{directory}/other"
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path)
            server.listen()
            with pytest.raises(VreaderError, match=r"no world answers at .*: timed out"):
                ask(path, {"op": "list"}, timeout_s=0.01)
