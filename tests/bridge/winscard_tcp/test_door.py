# SPDX-License-Identifier: Apache-2.0
"""Programs with the token are served, one cannot harm another, nobody else gets in."""

import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from winscard_client import NUMBER, Client, ask, dial, receive, send

from vreader.bridge.winscard_tcp import wire
from vreader.bridge.winscard_tcp.door import WinscardTcpDoor
from vreader.bridge.winscard_tcp.events import WinscardClientEvent
from vreader.bridge.winscard_tcp.functions import FUNCTIONS
from vreader.card import MemoryStore
from vreader.errors import VreaderError
from vreader.host import Host
from vreader.host.scard import ScardApi
from vreader.kinds import find_kind
from vreader.smclib.states import CardState
from vreader.winscard.codes import SCARD, ReaderFlag
from vreader.winscard.status_change import ReaderState


def card():
    return find_kind("blank").create("", {}, MemoryStore(), None)


@pytest.fixture
def context(client):
    code, (context,) = client("SCardEstablishContext", 2)
    assert code == 0
    return context


@pytest.fixture
def told(host):
    changes = []
    arrived = threading.Condition()

    def hear(event):
        if isinstance(event, WinscardClientEvent):
            with arrived:
                changes.append((event.change, event.reason))
                arrived.notify_all()

    host.events.subscribe(hear)

    def wait_for(change, reason=""):
        with arrived:
            assert arrived.wait_for(
                lambda: any(c == change and reason in r for c, r in changes), 20
            ), changes

    return wait_for


def test_a_program_lists_readers_connects_and_transmits(client, context, reader):
    name = reader.name
    reader.insert(card())
    assert client("SCardListReaders", context, []) == (0, [[name]])
    code, (handle, protocol) = client("SCardConnect", context, name, 2, 3)
    assert code == 0
    code, (told, state, in_force, atr) = client("SCardStatus", handle)
    assert (code, told, state, in_force) == (0, name, CardState.SPECIFIC, protocol)
    assert atr
    code, (answer,) = client("SCardTransmit", handle, protocol, bytes.fromhex("00A4040000"))
    assert code == 0
    assert len(answer) == 2
    assert client("SCardDisconnect", handle, 0) == (0, [])
    assert client("SCardStatus", handle) == (SCARD.E_INVALID_HANDLE, [])


def test_handles_are_those_of_the_machine(client, host, reader):
    reader.insert(card())
    api = ScardApi(host)
    handle, _ = api.SCardConnect(api.SCardEstablishContext(), reader.name)
    code, (told, *_) = client("SCardStatus", handle)
    assert (code, told) == (0, reader.name)


def test_status_change_waits_and_can_be_cancelled(client, context, reader, door):
    state = ReaderState(reader.name, ReaderFlag.EMPTY)
    code, _ = client("SCardGetStatusChange", context, 0, [state])
    assert code == SCARD.E_TIMEOUT
    send_wait(client, context, state)
    reader.insert(card())
    _, results = reply(client, "SCardGetStatusChange")
    assert results[0][0].event_state & ReaderFlag.PRESENT
    assert results[0][0].atr
    now = results[0][0]._replace(current_state=results[0][0].event_state)
    send_wait(client, context, now)
    other, _ = dial(door, client=client.number)
    code = 1
    while code:  # until the wait has begun; then it is answered
        ask(other, "SCardCancel", context)
        client.calls.settimeout(0.05)
        try:
            code, _ = reply(client, "SCardGetStatusChange")
        except TimeoutError:
            continue
        assert code == SCARD.E_CANCELLED
        break
    other.close()


def send_wait(client, context, state):
    number = wire.LENGTH.pack(NUMBER["SCardGetStatusChange"])
    send(client.calls, number + wire.write("iiR", [context, 0xFFFFFFFF, [state]]))


def reply(client, name):
    raw = receive(client.calls)
    code = int.from_bytes(raw[:4], "little")
    return code, wire.read(FUNCTIONS[NUMBER[name]].results, raw[4:]) if not code else []


def test_card_types_and_the_cache_are_forwarded(client, context):
    atr, mask = bytes.fromhex("3B80"), bytes.fromhex("FFF0")
    made = client("SCardIntroduceCardType", context, "Some Card", None, [], atr, mask, 2)
    assert made == (0, [])
    named = client("SCardSetCardTypeProviderName", context, "Some Card", 2, "Some CSP")
    assert named == (0, [])
    name = client("SCardGetCardTypeProviderName", context, "Some Card", 2)
    assert name == (0, ["Some CSP"])
    assert "Some Card" in client("SCardListCards", 0, None, [])[1][0]
    assert client("SCardForgetCardType", context, "Some Card") == (0, [])
    item = (context, bytes(16), 1, "name")
    assert client("SCardReadCache", *item)[0] == SCARD.W_CACHE_ITEM_NOT_FOUND
    assert client("SCardWriteCache", *item, b"data") == (0, [])
    assert client("SCardReadCache", *item) == (0, [b"data"])


def test_contexts_end_with_the_program(client, context, host, told):
    api = ScardApi(host)
    api.SCardIsValidContext(context)
    client.close()
    told("left")
    # Its life ends in any order with its calls.
    for _ in range(1000):
        if context not in host.rm.contexts:
            break
        threading.Event().wait(0.01)
    assert context not in host.rm.contexts


@pytest.mark.parametrize(
    ("hello", "reason"),
    [
        ({"token": bytes(32)}, "the token is wrong"),
        ({"magic": 1}, "not our winscard.dll"),
        ({"version": 9}, "not our winscard.dll"),
        ({"client": 77}, "there is no client 77"),
    ],
)
def test_strangers_are_not_answered(door, told, hello, reason):
    with pytest.raises(EOFError):
        dial(door, **hello)
    told("dropped", reason)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"\xff\xff\xff\xff", "a request of 4294967295 bytes"),
        (b"\0\0\0\0", "a request of 0 bytes"),
        (b"\4\0\0\0\xff\0\0\0", "there is no function 255"),
        (b"\4\0\0\0\1\0\0\0", "shorter than its parameters"),
        (b"\x0d\0\0\0\1\0\0\0" + bytes(9), "1 bytes behind"),
    ],
)
def test_rubbish_ends_its_connection_alone(door, client, context, told, raw, reason):
    other, _ = dial(door, client=client.number)
    other.sendall(raw)
    assert other.recv(1) == b""
    other.close()
    told("dropped", reason)
    assert client("SCardIsValidContext", context) == (0, [])


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(number=st.integers(0, len(NUMBER) - 1), body=st.binary(max_size=60))
def test_no_bytes_harm_the_others(door, client, number, body):
    other, _ = dial(door, client=client.number)
    send(other, wire.LENGTH.pack(number) + body)
    other.shutdown(1)
    while other.recv(4096):
        pass
    other.close()
    assert client("SCardIsValidContext", 12345)[0] == SCARD.E_INVALID_HANDLE


def test_closing_the_door_ends_the_waits(host, reader):
    door = WinscardTcpDoor(host)
    client = Client(door)
    _, (context,) = client("SCardEstablishContext", 2)
    send_wait(client, context, ReaderState(reader.name, ReaderFlag.EMPTY))
    door.close()
    door.close()
    assert context not in host.rm.contexts
    client.close()


def test_a_host_without_a_resource_manager_has_no_door():
    with Host(None) as host, pytest.raises(VreaderError, match="no resource manager"):
        WinscardTcpDoor(host)
