# SPDX-License-Identifier: Apache-2.0
"""One connection of the door: signals, versions, what a context is."""

import contextlib
import socket
import struct
import threading

import pytest
from pcsclite_raw import ask, raw

from vreader.bridge.pcsclite import wire
from vreader.bridge.pcsclite.client import PcscClient, PcscError, Signal
from vreader.bridge.pcsclite.wire import Command
from vreader.errors import VreaderError
from vreader.winscard.codes import SCARD

MINORS = [4, 5, 6]
WAIT = Command.WAIT_READER_STATE_CHANGE
APDU = b"\0\xa4\4\0"


# ------------------------------------------------------------------ signals


@pytest.mark.parametrize("minor", MINORS)
def test_a_wait_is_answered_once(place, minor):
    client = place.client(minor)
    client.wait()
    place.reader.remove()
    assert client.receive_signal() == Signal(2, 0)
    place.reader.insert(place.card)
    # Not waiting: neither that change nor STOP is answered. What comes next is a reply.
    client.send(Command.STOP_WAITING)
    assert [state.event_counter for state in client.readers()] == [3]


@pytest.mark.parametrize("minor", MINORS)
def test_stop_is_the_answer_when_nothing_happened(place, minor):
    client = place.client(minor)
    for _ in range(3):
        client.wait()
        assert client.stop_waiting() == Signal(2, 0)
    assert len(client.readers()) == 1


@pytest.mark.parametrize("minor", MINORS)
def test_stop_after_a_signal_takes_the_signal(place, minor):
    client = place.client(minor)
    client.wait()
    place.reader.remove()
    assert client.stop_waiting() == Signal(2, 0)
    assert len(client.readers()) == 1


@pytest.mark.parametrize("minor", MINORS)
def test_stop_without_a_wait_is_not_answered(place, minor):
    client = place.client(minor)
    client.send(Command.STOP_WAITING)
    assert len(client.readers()) == 1


@pytest.mark.parametrize("minor", MINORS)
def test_cancel_from_another_connection(place, minor):
    client = place.client(minor)
    client.wait()
    client.cancel()
    assert client.receive_signal().rv == SCARD.E_CANCELLED
    assert len(client.readers()) == 1


def test_cancel_of_a_context_that_does_not_wait_is_no_error(place):
    client = place.client()
    client.cancel()
    client.wait()
    assert client.stop_waiting().rv == 0


def test_cancel_of_an_unknown_context(place):
    client = place.client()
    with pytest.raises(PcscError) as caught:
        client.cancel(client.hcontext ^ 1)
    assert caught.value.code == SCARD.E_INVALID_HANDLE


@pytest.mark.parametrize("minor", MINORS)
def test_a_cancel_between_a_signal_and_the_next_wait_is_not_lost(place, minor):
    client = place.client(minor)
    client.wait()
    place.reader.remove()
    assert client.receive_signal().rv == 0
    client.cancel()
    client.wait()
    assert client.receive_signal(5).rv == SCARD.E_CANCELLED


def test_a_cancel_after_the_end_of_the_wait_harms_no_later_one(place):
    client = place.client()
    client.wait()
    place.reader.remove()
    client.receive_signal()
    client.cancel()
    client.send(Command.STOP_WAITING)  # the program's time was over
    client.wait()
    assert client.stop_waiting().rv == 0


def test_4_6_holds_the_signal_back_until_the_states_are_sent(place):
    client = place.client(6)
    client.send(WAIT)
    # The reply to a request of this connection proves that WAIT has been served.
    client.send(Command.GET_READERS_STATE_SIZE)
    assert client.receive(4) == struct.pack("=i", 16)
    place.reader.remove()
    assert client.receive_signal(0.05) is None
    client.send(Command.GET_READERS_STATE_ARRAY)
    states = wire.unpack_states(client.receive(16 * 184))
    assert states[0].event_counter == 2  # what the client sees is newer than its WAIT
    assert client.receive_signal(5).rv == 0


def test_4_6_a_held_back_cancel_is_not_overwritten_by_a_change(place):
    client = place.client(6)
    client.send(WAIT)
    client.send(Command.GET_READERS_STATE_SIZE)
    client.receive(4)
    client.cancel()
    place.reader.remove()
    client.send(Command.GET_READERS_STATE_ARRAY)
    client.receive(16 * 184)
    assert client.receive_signal(5).rv == SCARD.E_CANCELLED


def test_4_6_the_array_is_as_long_as_was_said(place):
    client = place.client(6)
    client.send(Command.GET_READERS_STATE_SIZE)
    assert client.receive(4) == struct.pack("=i", 16)
    for number in range(20):
        place.host.add_reader(f"More {number}")
    client.send(Command.GET_READERS_STATE_ARRAY)
    assert len(wire.unpack_states(client.receive(16 * 184))) == 16
    assert len(client.slots()) == 21


def test_reader_events_are_counted_also_in_the_signal(place):
    client = place.client(5)
    assert client.reader_events() == 2
    client.wait()
    place.host.add_reader("Second")
    assert client.receive_signal() == Signal(3, 0)
    assert client.reader_events() == 3


def test_slots_do_not_move(place):
    client = place.client(6)
    second = place.host.add_reader("Second")
    third = place.host.add_reader("Third")
    second.unplug()
    names = [state.name for state in client.slots()[:4]]
    assert names == [place.reader.name, "", third.name, ""]
    fourth = place.host.add_reader("Fourth")
    names = [state.name for state in client.slots()[:4]]
    assert names == [place.reader.name, fourth.name, third.name, ""]


@pytest.mark.parametrize("minor", [4, 5])
def test_a_library_with_48_slots(make_place, minor):
    place = make_place(slots=48)
    client = place.client(minor, reader_slots=48)
    assert len(client.slots()) == 48
    client.wait()
    place.reader.remove()
    assert client.receive_signal().rv == 0
    assert len(place.client(6).slots()) == 16


def test_a_client_that_never_reads_stops_nobody(place):
    client = raw(place)
    client.sendall(ask(Command.VERSION, wire.VERSION.pack(4, 4, 0)))
    flood = threading.Thread(target=_flood, args=(client, ask(WAIT)))
    flood.start()
    witness = place.client(4)
    for _ in range(50):
        witness.wait()
        if place.reader.card is None:
            place.reader.insert(place.card)
        else:
            place.reader.remove()
        assert witness.receive_signal().rv == 0
    if place.reader.card is None:
        place.reader.insert(place.card)
    place.innocent_client_works()
    client.shutdown(socket.SHUT_RDWR)
    flood.join()
    client.close()


def _flood(connection, message):
    with contextlib.suppress(OSError):
        for _ in range(100_000):
            connection.sendall(message)


# ------------------------------------------------------------------ versions


@pytest.mark.parametrize(("major", "minor"), [(4, 3), (4, 7), (3, 4), (5, 5), (-1, -1)])
def test_a_version_nobody_speaks(place, major, minor):
    with raw(place) as connection:
        connection.sendall(ask(Command.VERSION, wire.VERSION.pack(major, minor, 0)))
        assert wire.VERSION.unpack(connection.recv(12)) == (4, 6, SCARD.E_SERVICE_STOPPED)
        connection.sendall(ask(Command.VERSION, wire.VERSION.pack(4, 6, 0)))
        assert wire.VERSION.unpack(connection.recv(12)) == (4, 6, 0)


# ------------------------------------------------------------------ contexts


def test_a_released_context_can_be_established_anew(place):
    client = place.client()
    before = client.hcontext
    hcard, _ = client.connect(place.reader.name, 2, 3)
    client.release()
    assert place.sharing() == 0
    assert client.establish() not in (0, before)
    with pytest.raises(VreaderError):
        client.disconnect(hcard)


def test_establish_again_gives_another_number(place):
    client = place.client()
    before = client.hcontext
    assert client.establish() != before
    assert len(place.host.rm.contexts) == 1


def test_a_bad_scope(place):
    client = place.client()
    with pytest.raises(PcscError) as caught:
        client.establish(4)
    assert caught.value.code == SCARD.E_INVALID_VALUE


def test_begin_waits_in_slices(place):
    owner, other = place.client(), place.client()
    first, _ = owner.connect(place.reader.name, 2, 3)
    second, _ = other.connect(place.reader.name, 2, 3)
    owner.begin(first)
    for _ in range(2):
        with pytest.raises(PcscError) as caught:
            other.begin(second)
        assert caught.value.code == SCARD.E_SHARING_VIOLATION
    owner.end(first)
    other.begin(second)


def test_a_bug_of_ours_is_told_and_does_not_end_the_connection(place, monkeypatch):
    faults = []
    monkeypatch.setattr(threading, "excepthook", faults.append)
    client = place.client()
    hcard, protocol = client.connect(place.reader.name, 2, 3)

    def broken(*args):
        raise RuntimeError("a bug")

    monkeypatch.setattr("vreader.winscard.operations.transmit", broken)
    monkeypatch.setattr("vreader.winscard.operations.control", lambda *args: iter(broken, 0))
    with pytest.raises(PcscError) as caught:
        client.control(hcard, 1)
    assert caught.value.code == SCARD.F_INTERNAL_ERROR
    assert len(faults) == 1
    monkeypatch.undo()
    assert client.transmit(hcard, protocol, APDU) == b"\x90\x00"


def test_the_client_of_this_test_is_one_of_4_4_to_4_6(place):
    for minor in MINORS:
        with PcscClient(place.path, minor) as client:
            assert client.minor == minor
