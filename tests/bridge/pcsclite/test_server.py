# SPDX-License-Identifier: Apache-2.0
"""The door itself: its socket file, its beginning and its end."""

import socket
import stat
import threading
from pathlib import Path

import pytest

from vreader.bridge.pcsclite import server, wire
from vreader.bridge.pcsclite.client import PcscClient
from vreader.bridge.pcsclite.server import PcscliteDoor
from vreader.bridge.pcsclite.wire import Command
from vreader.errors import VreaderError
from vreader.host import Host

VERIFY_PIN_DIRECT = 0x42330006
VERIFY = bytes.fromhex("1E1E 82 08 00 0806 02 FF 0904 00 000000 0D000000 0020008008" + "FF" * 8)


@pytest.fixture
def host():
    with Host() as host:
        yield host


def test_the_socket_is_its_owners_alone(place):
    assert stat.S_IMODE(Path(place.path).stat().st_mode) == 0o600


def test_close_leaves_nothing(make_place):
    before = set(threading.enumerate())
    place = make_place()
    clients = [place.client() for _ in range(4)]
    clients[0].wait()
    hcard, _ = clients[1].connect(place.reader.name, 2, 3)
    clients[1].begin(hcard)
    place.door.close()
    place.door.close()
    assert not Path(place.path).exists()
    assert place.sharing() == 0
    assert place.host.rm.contexts == {}
    place.host.close()
    assert set(threading.enumerate()) == before
    with pytest.raises(VreaderError):
        clients[2].readers()


@pytest.mark.parametrize("end", ["kill", "close"])
def test_nobody_is_asked_for_the_pin_of_a_program_that_has_gone(make_place, end):
    asked = threading.Event()
    place = make_place(pinpad=lambda prompt: asked.set())  # and nobody types
    client = place.client()
    hcard, _ = client.connect(place.reader.name, 2, 3)
    body = wire.CONTROL.pack(hcard, VERIFY_PIN_DIRECT, len(VERIFY), 300, 0, 0)
    client.send(Command.CONTROL, body, VERIFY)
    assert asked.wait(10)
    if end == "kill":
        client.close()
        place.until(lambda: place.sharing() == 0)
        place.innocent_client_works()
        with pytest.raises(VreaderError, match="asks for no PIN"):
            place.reader.press("1234")
    else:
        (session,) = place.door.sessions()
        place.door.close()
        assert not session._thread.is_alive()


def test_a_card_that_is_slow_to_lose_its_power_delays_no_news(place):
    removed = threading.Thread(target=place.reader.remove)
    place.card.power_off = lambda: place.card.may_answer.wait(30)
    client = place.client()
    client.wait()
    removed.start()
    try:
        assert client.receive_signal(10) is not None
    finally:
        place.card.may_answer.set()
        removed.join()


def test_close_after_the_host(make_place):
    place = make_place()
    client = place.client()
    client.connect(place.reader.name, 2, 3)
    place.host.close()
    assert client.readers() == []
    place.door.close()


def test_a_stale_file_is_replaced(host, short_directory):
    path = f"{short_directory}/stale"
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(path)
    dead.close()
    PcscliteDoor(host, path).close()


def test_a_live_server_is_left_alone(place):
    with pytest.raises(VreaderError, match="in use"):
        PcscliteDoor(place.host, place.path)
    place.innocent_client_works()


def test_a_live_server_that_is_busy_is_left_alone(host, short_directory):
    path = f"{short_directory}/busy"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(0)
        waiting = []
        try:
            while True:
                one = socket.socket(socket.AF_UNIX)
                one.setblocking(False)
                waiting.append(one)
                one.connect(path)
        except BlockingIOError:
            pass  # nobody accepts, and the queue is full
        with pytest.raises(VreaderError, match="in use"):
            PcscliteDoor(host, path)
        for one in waiting:
            one.close()


def test_a_file_that_is_no_socket(host, short_directory):
    path = Path(short_directory, "file")
    path.write_text("precious")
    with pytest.raises(VreaderError, match="not a socket"):
        PcscliteDoor(host, str(path))
    assert path.read_text() == "precious"


@pytest.mark.parametrize("path", ["/tmp/" + "x" * 103, "/nonexistent/directory/socket"])
def test_a_path_that_cannot_be(host, path):
    with pytest.raises(VreaderError) as caught:
        PcscliteDoor(host, path)
    assert caught.value.hint


def test_another_servers_file_is_not_removed(place, short_directory):
    other = socket.socket(socket.AF_UNIX)
    Path(place.path).unlink()
    other.bind(place.path)
    place.door.close()
    assert Path(place.path).exists()
    other.close()
    Path(place.path).unlink()


def test_a_host_without_a_resource_manager(short_directory):
    with Host(None) as host, pytest.raises(VreaderError):
        PcscliteDoor(host, f"{short_directory}/none")


def test_more_clients_than_it_takes(place, monkeypatch):
    monkeypatch.setattr(server, "MAX_CLIENTS", 2)
    one, two = place.client(), place.client()
    with pytest.raises(VreaderError):
        PcscClient(place.path)
    one.close()
    place.until(lambda: len(place.door.sessions()) == 1)
    place.innocent_client_works()
    assert two.readers()


def test_no_thread_left_for_a_client(place, monkeypatch):
    def fail(self):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(server.Session, "start", fail)
        with pytest.raises(VreaderError):
            PcscClient(place.path)
    place.innocent_client_works()


def test_without_descriptors_it_waits_for_better_times(place, monkeypatch):
    class Exhausted:
        def __init__(self, listener):
            self._listener = listener
            self.failures = 3

        def accept(self):
            if self.failures:
                self.failures -= 1
                raise OSError(24, "Too many open files")
            return self._listener.accept()

        def __getattr__(self, name):
            return getattr(self._listener, name)

    place.door._socket = exhausted = Exhausted(place.door._socket)
    place.innocent_client_works()  # ends the accept that was under way
    place.innocent_client_works()
    assert exhausted.failures == 0
