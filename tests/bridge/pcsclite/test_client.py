# SPDX-License-Identifier: Apache-2.0
"""Our own client against a server that expects and answers byte by byte."""

import os
import socket
import tempfile
import threading
from pathlib import Path

import pytest

from vreader.bridge.pcsclite import wire
from vreader.bridge.pcsclite.client import PcscClient, PcscError, Signal
from vreader.bridge.pcsclite.wire import Command, ReaderState
from vreader.errors import UsageError, VreaderError
from vreader.winscard.codes import SCARD

EMPTY = ReaderState("Reader 00 00")
CARD = ReaderState("Reader 00 00", 1, 0x34, 1, bytes.fromhex("3B80800101"), 2)


def ask(command, body=b"", payload=b""):
    return wire.HEADER.pack(len(body), command) + body + payload


def version(minor, reply=None, rv=0):
    return (
        ask(Command.VERSION, wire.VERSION.pack(4, minor, 0)),
        wire.VERSION.pack(4, minor if reply is None else reply, rv),
    )


def array(*readers, count=16):
    return wire.pack_states(readers, count)


WAIT = ask(Command.WAIT_READER_STATE_CHANGE)
STOP = ask(Command.STOP_WAITING)
STATES = ask(Command.GET_READERS_STATE)
SIGNAL = wire.SIGNAL.pack(0, 0)
HANG_UP = (b"", b"")


class Server:
    """Plays one script per connection: a list of (bytes expected, bytes answered).

    After the last it waits for the client to close, unless that was HANG_UP.
    """

    def __init__(self, path):
        self.path = str(path)
        self.problems = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.path)
        self._listener.listen(4)
        self._threads = []

    def plays(self, *scripts):
        thread = threading.Thread(target=self._run, args=(scripts,))
        thread.start()
        self._threads.append(thread)
        return self.path

    def _run(self, scripts):
        for script in scripts:
            connection, _ = self._listener.accept()
            with connection:
                self._play(connection, script)

    def _play(self, connection, script):
        for expected, answer in script:
            if (expected, answer) == HANG_UP:
                return
            got = bytearray()
            while len(got) < len(expected):
                part = connection.recv(len(expected) - len(got))
                if not part:
                    break
                got += part
            if got != expected:
                self.problems.append((bytes(got).hex(), expected.hex()))
                return
            # In two parts: an answer is not always one recv.
            connection.sendall(answer[:5])
            connection.sendall(answer[5:])
        if rest := connection.recv(1):
            self.problems.append((rest.hex(), "end"))

    def close(self):
        self._listener.close()
        for thread in self._threads:
            thread.join(10)
            assert not thread.is_alive()
        assert self.problems == []


@pytest.fixture
def directory():
    # Not tmp_path, which may be longer than a socket path can be.
    with tempfile.TemporaryDirectory(prefix="vr-") as name:
        yield Path(name)


@pytest.fixture
def server(directory):
    server = Server(directory / "s")
    yield server
    server.close()


@pytest.mark.parametrize("minor", [4, 5, 6])
def test_agrees_on_its_version(server, minor):
    with PcscClient(server.plays([version(minor)]), minor) as client:
        assert client.minor == minor


def test_takes_the_lower_version_a_newer_server_mentions(server):
    with PcscClient(server.plays([version(5, reply=6)]), 5) as client:
        assert client.minor == 5


def test_retries_once_with_the_version_of_an_older_server(server):
    script = [version(6, reply=4, rv=SCARD.E_SERVICE_STOPPED), version(4)]
    with PcscClient(server.plays(script)) as client:
        assert client.minor == 4


@pytest.mark.parametrize("offered", [2, 6])
def test_no_common_version(server, offered):
    script = [version(6, reply=offered, rv=SCARD.E_SERVICE_STOPPED)]
    with pytest.raises(PcscError, match="0x8010001E") as caught:
        PcscClient(server.plays(script))
    assert caught.value.code == SCARD.E_SERVICE_STOPPED


def test_context(server):
    script = [
        version(6),
        (
            ask(Command.ESTABLISH_CONTEXT, wire.ESTABLISH_CONTEXT.pack(2, 0, 0)),
            wire.ESTABLISH_CONTEXT.pack(2, 77, 0),
        ),
        (
            ask(Command.RELEASE_CONTEXT, wire.RELEASE_CONTEXT.pack(77, 0)),
            wire.RELEASE_CONTEXT.pack(77, 0),
        ),
    ]
    with PcscClient(server.plays(script)) as client:
        assert client.establish() == 77
        assert client.hcontext == 77
        client.release()


@pytest.mark.parametrize("slots", [16, 48])
def test_readers_before_4_6(server, slots):
    script = [version(4), (STATES, array(None, CARD, count=slots))]
    with PcscClient(server.plays(script), 4, reader_slots=slots) as client:
        assert client.readers() == [CARD]


def test_readers_of_4_6(server):
    script = [
        version(6),
        (ask(Command.GET_READERS_STATE_SIZE), wire.READERS_STATE_SIZE.pack(3)),
        (ask(Command.GET_READERS_STATE_ARRAY), array(EMPTY, None, CARD, count=3)),
    ]
    with PcscClient(server.plays(script)) as client:
        assert client.readers() == [EMPTY, CARD]


def test_reader_events(server):
    script = [version(5), (ask(Command.GET_READER_EVENTS), wire.READER_EVENTS.pack(7, 0))]
    with PcscClient(server.plays(script), 5) as client:
        assert client.reader_events() == 7


def test_reader_events_do_not_exist_in_4_4(server):
    with (
        PcscClient(server.plays([version(4)]), 4) as client,
        pytest.raises(ValueError, match=r"4\.4"),
    ):
        client.reader_events()


def test_a_card_from_connect_to_disconnect(server):
    connect, transmit = wire.CONNECT, wire.TRANSMIT
    apdu = bytes.fromhex("00A4040000")
    script = [
        version(4),
        (
            ask(Command.CONNECT, connect.pack(0, b"Reader 00 00", 2, 3, 0, 0, 0)),
            connect.pack(0, b"Reader 00 00", 2, 3, 55, 2, 0),
        ),
        (ask(Command.BEGIN_TRANSACTION, wire.BEGIN_TRANSACTION.pack(55, 0)),
         wire.BEGIN_TRANSACTION.pack(55, 0)),
        (
            ask(Command.TRANSMIT, transmit.pack(55, 2, 16, 5, 0, 0, 65548, 0), apdu),
            transmit.pack(55, 2, 16, 5, 2, 16, 2, 0) + b"\x90\x00",
        ),
        (
            ask(Command.TRANSMIT, transmit.pack(55, 2, 16, 5, 0, 0, 1, 0), apdu),
            transmit.pack(55, 2, 16, 5, 2, 16, 2, SCARD.E_INSUFFICIENT_BUFFER),
        ),
        (ask(Command.END_TRANSACTION, wire.END_TRANSACTION.pack(55, 1, 0)),
         wire.END_TRANSACTION.pack(55, 1, 0)),
        (ask(Command.RECONNECT, wire.RECONNECT.pack(55, 1, 3, 1, 0, 0)),
         wire.RECONNECT.pack(55, 1, 3, 1, 1, 0)),
        (STATES, array(CARD)),
        (ask(Command.STATUS, wire.STATUS.pack(55, 0)), wire.STATUS.pack(55, 0)),
        (ask(Command.DISCONNECT, wire.DISCONNECT.pack(55, 2, 0)), wire.DISCONNECT.pack(55, 2, 0)),
    ]  # fmt: skip
    with PcscClient(server.plays(script), 4) as client:
        assert client.connect("Reader 00 00", 2, 3) == (55, 2)
        client.begin(55)
        assert client.transmit(55, 2, apdu) == b"\x90\x00"
        with pytest.raises(PcscError) as caught:
            client.transmit(55, 2, apdu, recv_length=1)
        assert caught.value.code == SCARD.E_INSUFFICIENT_BUFFER
        client.end(55, 1)
        assert client.reconnect(55, 1, 3, 1) == 1
        assert client.status(55) == CARD
        client.disconnect(55, 2)


def test_status_of_a_reader_that_is_gone(server):
    with PcscClient(server.plays([version(4), (STATES, array())]), 4) as client:
        with pytest.raises(PcscError) as caught:
            client.status(55)
        assert caught.value.code == SCARD.E_READER_UNAVAILABLE


def test_control_and_attributes(server):
    control, attrib = wire.CONTROL, wire.ATTRIB
    script = [
        version(4),
        (
            ask(Command.CONTROL, control.pack(55, 0x42000D48, 2, 10, 0, 0), b"in"),
            control.pack(55, 0x42000D48, 2, 10, 3, 0) + b"out",
        ),
        (
            ask(Command.CONTROL, control.pack(55, 1, 0, 65548, 0, 0)),
            control.pack(55, 1, 0, 65548, 9, 0x8010001F),
        ),
        (
            ask(Command.GET_ATTRIB, attrib.pack(55, 0x7FFF0003, b"", 264, 0)),
            attrib.pack(55, 0x7FFF0003, b"name\0", 5, 0),
        ),
        (
            ask(Command.SET_ATTRIB, attrib.pack(55, 9, b"xy", 2, 0)),
            attrib.pack(55, 9, b"xy", 2, 0x8010001F),
        ),
    ]
    with PcscClient(server.plays(script), 4) as client:
        assert client.control(55, 0x42000D48, b"in", 10) == b"out"
        with pytest.raises(PcscError, match="Unsupported feature"):
            client.control(55, 1)
        assert client.get_attrib(55, 0x7FFF0003) == b"name\0"
        with pytest.raises(PcscError, match="Unsupported feature"):
            client.set_attrib(55, 9, b"xy")


def test_an_error_leaves_the_connection_usable(server):
    begin = wire.BEGIN_TRANSACTION
    script = [
        version(4),
        (
            ask(Command.BEGIN_TRANSACTION, begin.pack(1, 0)),
            begin.pack(1, SCARD.E_SHARING_VIOLATION),
        ),
        (STATES, array(EMPTY)),
    ]
    with PcscClient(server.plays(script), 4) as client:
        with pytest.raises(PcscError, match="Sharing violation") as caught:
            client.begin(1)
        assert caught.value.code == SCARD.E_SHARING_VIOLATION
        assert client.readers() == [EMPTY]


def test_wait_signal_and_stop(server):
    script = [
        version(5),
        (WAIT, array(EMPTY) + wire.SIGNAL.pack(3, 0)),
        (WAIT, array(CARD)),
        (STOP, SIGNAL),
    ]
    with PcscClient(server.plays(script), 5) as client:
        assert client.wait()[0] == EMPTY
        assert client.receive_signal() == Signal(3, 0)
        assert client.wait()[0] == CARD
        assert client.receive_signal(0) is None
        assert client.stop_waiting() == Signal(0, 0)


def test_a_signal_that_came_first_answers_stop(server):
    script = [version(4), (WAIT, array(EMPTY) + SIGNAL), (STOP, b""), (STATES, array(CARD))]
    with PcscClient(server.plays(script), 4) as client:
        client.wait()
        assert client.stop_waiting() == Signal(0, 0)
        assert client.readers() == [CARD]


def test_wait_of_4_6_has_no_answer_but_the_signal(server):
    script = [
        version(6),
        (WAIT, b""),
        (ask(Command.GET_READERS_STATE_SIZE), wire.READERS_STATE_SIZE.pack(1)),
        (ask(Command.GET_READERS_STATE_ARRAY), array(EMPTY, count=1) + SIGNAL),
    ]
    with PcscClient(server.plays(script)) as client:
        assert client.wait() == [EMPTY]
        assert client.receive_signal(10) == Signal(0, 0)


def test_status_change_that_happened_before(server):
    script = [version(4), (WAIT, array(CARD)), (STOP, SIGNAL)]
    with PcscClient(server.plays(script), 4) as client:
        assert client.get_status_change([EMPTY]) == [CARD]


def test_status_change_passes_over_signals_without_news(server):
    script = [
        version(4),
        (WAIT, array(EMPTY) + SIGNAL),
        (WAIT, array(EMPTY) + SIGNAL),
        (WAIT, array(CARD)),
        (STOP, SIGNAL),
    ]
    with PcscClient(server.plays(script), 4) as client:
        assert client.get_status_change([EMPTY]) == [CARD]


def test_status_change_when_the_time_is_over(server):
    script = [version(4), (WAIT, array(EMPTY)), (STOP, SIGNAL), (STATES, array(EMPTY))]
    with PcscClient(server.plays(script), 4) as client:
        assert client.get_status_change([EMPTY], timeout_s=0) == [EMPTY]


def test_status_change_cancelled(server):
    script = [version(4), (WAIT, array(EMPTY) + wire.SIGNAL.pack(0, SCARD.E_CANCELLED))]
    with PcscClient(server.plays(script), 4) as client:
        with pytest.raises(PcscError) as caught:
            client.get_status_change([EMPTY])
        assert caught.value.code == SCARD.E_CANCELLED


def test_cancel_uses_a_connection_of_its_own_without_version(server):
    cancel = ask(Command.CANCEL, wire.CANCEL.pack(99, 0)), wire.CANCEL.pack(99, 0)
    listener = server.plays([cancel], [cancel])
    with PcscClient(listener, handshake=False) as client:
        client.send(Command.CANCEL, wire.CANCEL.pack(99, 0))
        assert client.receive(wire.CANCEL.size) == wire.CANCEL.pack(99, 0)
        client.close()
        client.cancel(99)


# Servers that are not there, or not well -----------------------------------------------------


def test_nobody_ever_served_the_path(directory):
    with pytest.raises(VreaderError, match="No such file") as caught:
        PcscClient(str(directory / "nothing"))
    assert "vreader serve" in caught.value.hint


def test_the_server_has_ended(directory):
    path = directory / "s"
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    with pytest.raises(VreaderError, match="refused") as caught:
        PcscClient(str(path))
    assert f"remove {path}" in caught.value.hint


def test_a_path_too_long(directory):
    with pytest.raises(UsageError, match="107 bytes") as caught:
        PcscClient("/" + "x" * 107)
    assert caught.value.hint
    with pytest.raises(VreaderError, match="No such file"):
        PcscClient("/" + "x" * 106)


@pytest.mark.parametrize("path", ["", "a\0b", "/dev/null/s", "/"])
def test_odd_paths(path):
    with pytest.raises(VreaderError) as caught:
        PcscClient(path)
    assert caught.value.hint


@pytest.mark.parametrize("part", [0, 100])
def test_a_server_that_closes(server, part):
    """In place of an answer, or in its middle; the next call says the same."""
    with PcscClient(server.plays([version(4), (STATES, array()[:part]), HANG_UP]), 4) as client:
        for _ in range(2):
            with pytest.raises(VreaderError, match="closed the connection") as caught:
                client.readers()
            assert caught.value.hint


def test_a_server_that_says_nothing(directory):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(directory / "s"))
        listener.listen()
        with pytest.raises(VreaderError, match=r"did not answer within 0\.01 s") as caught:
            PcscClient(str(directory / "s"), timeout_s=0.01)
    assert caught.value.hint


def test_a_server_that_announces_more_than_was_asked(server):
    transmit = wire.TRANSMIT
    script = [
        version(4),
        (
            ask(Command.TRANSMIT, transmit.pack(1, 2, 16, 1, 0, 0, 2, 0), b"\0"),
            transmit.pack(1, 2, 16, 1, 2, 16, 2**31, 0),
        ),
    ]
    with (
        PcscClient(server.plays(script), 4) as client,
        pytest.raises(VreaderError, match="2147483648 bytes, 2 asked"),
    ):
        client.transmit(1, 2, b"\0", recv_length=2)


def test_an_unknown_code_is_shown_as_it_is():
    assert str(PcscError(0x80100099)) == "PC/SC: Unknown error (0x80100099)"


@pytest.fixture
def full(tmp_path):
    """A server like pcscd, before which one client stands in line already."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "full"))
        listener.listen(0)
        first = socket.socket(socket.AF_UNIX)
        first.connect(str(tmp_path / "full"))
        yield listener
        first.close()


def test_a_client_stands_in_line(full):
    """As libpcsclite does: pcscd lets one wait, and the next waits until it may."""

    def serve():
        first, _ = full.accept()
        second, _ = full.accept()
        with first, second:
            assert second.recv(100)
            second.sendall(wire.VERSION.pack(4, 4, 0))

    serving = threading.Thread(target=serve)
    serving.start()
    with PcscClient(full.getsockname(), 4) as client:
        assert client.server == (os.getpid(), os.getuid())
    serving.join()


def test_a_line_that_does_not_move(full):
    with pytest.raises(VreaderError, match="it does not take the connection") as caught:
        PcscClient(full.getsockname(), timeout_s=0.05)
    assert "hangs" in caught.value.hint
