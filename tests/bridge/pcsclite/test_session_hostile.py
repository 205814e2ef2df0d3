# SPDX-License-Identifier: Apache-2.0
"""Rubbish on a connection, and clients that die at the worst moment: nobody else notices."""

import contextlib
import socket
import struct

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pcsclite_raw import ask, raw

from vreader.bridge.pcsclite import wire
from vreader.bridge.pcsclite.client import PcscError
from vreader.bridge.pcsclite.events import ClientEvent
from vreader.bridge.pcsclite.wire import Command
from vreader.errors import VreaderError
from vreader.winscard.codes import SCARD

MINORS = [4, 5, 6]
WAIT = Command.WAIT_READER_STATE_CHANGE
APDU = b"\0\xa4\4\0"


def is_closed(connection):
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


# ------------------------------------------------------------------ rubbish


@pytest.mark.parametrize(
    "message",
    [
        ask(0),
        ask(0x03),
        ask(0xFFFFFFFF),
        ask(Command.CONNECT, bytes(151)),
        ask(Command.CONNECT, size=0xFFFFFFFF),
        ask(Command.CONNECT, wire.CONNECT.pack(0, b"x", 2, 3, 0, 0, 0)),  # no context
        ask(Command.TRANSMIT, wire.TRANSMIT.pack(1, 2, 16, 65549, 0, 0, 300, 0)),
        ask(Command.CONTROL, wire.CONTROL.pack(1, 2, 0xFFFFFFFF, 0, 0, 0)),
        ask(Command.BEGIN_TRANSACTION, wire.BEGIN_TRANSACTION.pack(12345, 0)),
        ask(Command.SET_ATTRIB, wire.ATTRIB.pack(1, 2, b"", 265, 0)),
        ask(Command.STATUS, wire.STATUS.pack(-1, 0)),
    ],
)
def test_rubbish_ends_the_connection(place, message):
    with raw(place) as connection:
        connection.sendall(message)
        assert is_closed(connection)
    place.until(lambda: any(_dropped(event) for event in place.events))
    place.innocent_client_works()


def _dropped(event):
    return isinstance(event, ClientEvent) and event.change == "dropped" and event.reason


def test_a_card_handle_of_another_program(place):
    owner, thief = place.client(), place.client()
    hcard, protocol = owner.connect(place.reader.name, 2, 3)
    with pytest.raises(VreaderError):
        thief.transmit(hcard, protocol, APDU)
    assert owner.transmit(hcard, protocol, APDU) == b"\x90\x00"


def test_a_context_of_another_program(place):
    owner, other = place.client(), place.client()
    other.hcontext = owner.hcontext
    with pytest.raises(PcscError) as caught:
        other.connect(place.reader.name, 2, 3)
    assert caught.value.code == SCARD.E_INVALID_VALUE
    with pytest.raises(PcscError) as caught:
        other.release()
    assert caught.value.code == SCARD.E_INVALID_HANDLE


@pytest.mark.parametrize("cut", [1, 7, 8, 9, 39, 40, 43])
def test_half_a_message(place, cut):
    message = ask(Command.TRANSMIT, wire.TRANSMIT.pack(1, 2, 16, 4, 0, 0, 300, 0)) + APDU
    with raw(place) as connection:
        connection.sendall(message[:cut])
    place.until(lambda: any(_dropped(event) for event in place.events))
    place.innocent_client_works()


def test_a_message_in_single_bytes(place):
    client = place.client()
    hcard, _ = client.connect(place.reader.name, 2, 3)
    body = wire.TRANSMIT.pack(hcard, 2, 16, 4, 0, 0, 300, 0)
    for byte in ask(Command.TRANSMIT, body) + APDU:
        client._socket.send(bytes((byte,)))
    assert client.receive(34)[-2:] == b"\x90\x00"


def test_many_messages_at_once(place):
    client = place.client()
    client._socket.sendall(ask(Command.GET_READER_EVENTS) * 100)
    assert client.receive(800) == wire.READER_EVENTS.pack(2, 0) * 100


COMMANDS = st.sampled_from(list(Command))
BODIES = st.binary(max_size=300)
WORDS = st.one_of(
    st.sampled_from([0, 1, 2, 3, 4, 264, 65548, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]),
    st.integers(0, 0xFFFFFFFF),
)


@st.composite
def well_formed(draw):
    """A message of the right size with any content."""
    command = draw(COMMANDS)
    size = wire.REQUEST[command].size
    words = draw(st.lists(WORDS, min_size=size // 4 + 1, max_size=size // 4 + 1))
    return ask(command, b"".join(struct.pack("=I", word) for word in words)[:size])


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    messages=st.lists(
        st.one_of(
            st.binary(max_size=100),
            st.builds(ask, COMMANDS, BODIES),
            st.builds(ask, WORDS, BODIES, WORDS),
            well_formed(),
        ),
        max_size=8,
    ),
    connected=st.booleans(),
)
def test_anything_at_all(place, messages, connected):
    with raw(place) as connection:
        if connected:
            connection.sendall(ask(Command.ESTABLISH_CONTEXT, wire.ESTABLISH_CONTEXT.pack(2, 0, 0)))
            connection.recv(12)
        with contextlib.suppress(OSError):
            connection.sendall(b"".join(messages))
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass
    place.innocent_client_works()
    assert [e for e in place.events if type(e).__name__ == "DoorFaultEvent"] == []


# ------------------------------------------------------------------ death


def test_a_client_that_dies_with_a_transaction(place):
    victim, other = place.client(), place.client()
    first, _ = victim.connect(place.reader.name, 2, 3)
    second, protocol = other.connect(place.reader.name, 2, 3)
    victim.begin(first)
    victim.close()
    place.until(lambda: place.sharing() == 1)
    assert place.card.calls.count("reset") == 1
    with pytest.raises(PcscError) as caught:
        other.transmit(second, protocol, APDU)
    assert caught.value.code == SCARD.W_RESET_CARD
    place.innocent_client_works()


@pytest.mark.parametrize("command", ["begin", "connect"])
def test_a_client_that_dies_while_it_waits_for_a_transaction(place, command):
    owner, victim = place.client(), place.client()
    first, protocol = owner.connect(place.reader.name, 2, 3)
    waiting, _ = victim.connect(place.reader.name, 2, 3)
    owner.begin(first)
    if command == "begin":
        body = wire.BEGIN_TRANSACTION.pack(waiting, 0)
        victim.send(Command.BEGIN_TRANSACTION, body)
    else:
        name = place.reader.name.encode()
        body = wire.CONNECT.pack(victim.hcontext, name, 2, 3, 0, 0, 0)
        # A request behind it that nobody will read must not hide that the client has gone.
        victim.send(Command.CONNECT, body, ask(Command.GET_READER_EVENTS))
    reader = place.host.rm.readers[place.reader.name]
    place.until(lambda: reader.places)
    victim.close()
    place.until(lambda: place.sharing() == 1)
    assert not reader.places
    assert owner.transmit(first, protocol, APDU) == b"\x90\x00"
    owner.end(first)
    place.innocent_client_works()


def test_a_client_that_dies_while_its_card_works(place):
    victim = place.client()
    hcard, _ = victim.connect(place.reader.name, 2, 3)
    victim.begin(hcard)
    body = wire.TRANSMIT.pack(hcard, 2, 16, 4, 0, 0, 300, 0)
    victim.send(Command.TRANSMIT, body, b"\0\x0c\0\0")
    assert place.card.working.wait(10)
    victim.close()
    place.card.may_answer.set()
    place.until(lambda: place.sharing() == 0)
    assert place.card.calls[-1] == "reset"
    place.innocent_client_works()
