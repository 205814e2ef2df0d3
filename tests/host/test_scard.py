# SPDX-License-Identifier: Apache-2.0
"""ScardApi beyond the conversations: contexts, threads, readers that come and go, the end."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from scard_place import ATR, ECHO, Card, code_of, until

from vreader.clock import ManualClock
from vreader.host import Host
from vreader.host.scard import READER_GROUPS, ScardApi
from vreader.reader.base import GUID_DEVINTERFACE_SMARTCARD_READER
from vreader.smclib.ioctl import Protocol
from vreader.winscard.codes import (
    INFINITE,
    PNP_NOTIFICATION,
    SCARD,
    ReaderFlag,
    ScardError,
    ShareMode,
)
from vreader.winscard.manager import ResourceManager
from vreader.winscard.profile import PCSCLITE
from vreader.winscard.status_change import ReaderState

F = ReaderFlag


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def host(clock):
    with Host(clock=clock) as host:
        yield host


@pytest.fixture
def reader(host):
    return host.add_reader("Reader 00 00")


@pytest.fixture
def api(host):
    return ScardApi(host, blocking=False)


@pytest.fixture
def context(api):
    return api.SCardEstablishContext()


@pytest.fixture
def pool():
    with ThreadPoolExecutor(8) as pool:
        yield pool


def test_contexts(api):
    context = api.SCardEstablishContext()
    api.SCardIsValidContext(context)
    api.SCardReleaseContext(context)
    for call in (api.SCardIsValidContext, api.SCardReleaseContext, api.SCardListReaders):
        assert code_of(call, context) == SCARD.E_INVALID_HANDLE
    assert code_of(api.SCardEstablishContext, 4) == SCARD.E_INVALID_VALUE


def test_readers_and_groups(host, api, context):
    assert code_of(api.SCardListReaders, context) == SCARD.E_NO_READERS_AVAILABLE
    host.add_reader("B Reader 00 00")
    host.add_reader("A Reader 00 00")
    host.add_reader("B Reader 00 00")
    names = ["B Reader 00 00", "A Reader 00 00", "B Reader 01 00"]
    assert api.SCardListReaders(context) == names
    assert api.SCardListReaderGroups(context) == list(READER_GROUPS)


def test_a_name_that_was_given_back(host, api, context):
    first, _ = host.add_reader("Reader"), host.add_reader("Reader")
    first.unplug()
    host.add_reader("Reader")
    assert sorted(api.SCardListReaders(context)) == ["Reader 00 00", "Reader 01 00"]


def test_handles_that_are_none(api, context, reader):
    reader.insert(Card())
    hcard, _ = api.SCardConnect(context, reader.name)
    api.SCardDisconnect(hcard)
    for call, *args in (
        (api.SCardDisconnect,),
        (api.SCardBeginTransaction,),
        (api.SCardEndTransaction,),
        (api.SCardTransmit, Protocol.T1, b"\0\xa4\4\0"),
        (api.SCardStatus,),
        (api.SCardReconnect,),
        (api.SCardControl, 1),
        (api.SCardGetAttrib, 1),
        (api.SCardSetAttrib, 1, b""),
    ):
        assert code_of(call, hcard, *args) == SCARD.E_INVALID_HANDLE


def test_too_long_a_command(api, context, reader):
    reader.insert(Card())
    hcard, protocol = api.SCardConnect(context, reader.name)
    too_long = bytes(65549)
    assert code_of(api.SCardTransmit, hcard, protocol, too_long) == SCARD.E_INSUFFICIENT_BUFFER


@pytest.mark.wdk("rm.clock")
def test_time_out_by_the_hosts_clock(host, api, context, clock, reader, pool):
    waiting = pool.submit(api.SCardGetStatusChange, context, 5000, [ReaderState(reader.name, 16)])
    until(lambda: clock._due)
    host.run(clock.advance, 4.999)
    assert not waiting.done()
    host.run(clock.advance, 0.001)
    assert code_of(waiting.result) == SCARD.E_TIMEOUT
    assert host.rm._listeners == []


def test_a_wait_forgets_its_timer(host, api, context, clock, reader, pool):
    waiting = pool.submit(api.SCardGetStatusChange, context, 7000, [ReaderState(reader.name, 16)])
    until(lambda: clock._due)
    reader.insert(Card())
    (state,) = waiting.result(10)
    assert state.event_state & F.PRESENT
    assert state.atr == ATR
    assert [due for due in clock._due if due[2].call is not None and due[0] == 7.0] == []


@pytest.mark.wdk("rm.pnp-notification")
def test_readers_that_came_and_left_before_the_wait(host, api, context):
    asked = [ReaderState(PNP_NOTIFICATION)]
    assert code_of(api.SCardGetStatusChange, context, 0, asked) == SCARD.E_TIMEOUT
    first = host.add_reader("Reader")
    with pytest.raises(ScardError):
        api.SCardGetStatusChange(context, 0, asked)  # who gives no counter missed it
    known = ReaderState(PNP_NOTIFICATION, host.rm.reader_events << 16)
    first.unplug()
    host.add_reader("Reader")
    (state,) = api.SCardGetStatusChange(context, 0, [known])
    assert state.event_state == host.rm.reader_events << 16 | F.CHANGED


def test_the_reader_counter_returns_to_one(host):
    host.rm.reader_events = 32767
    host.add_reader("Reader")
    assert host.rm.reader_events == 1


def test_releasing_the_context_ends_its_waits(host, api, context, reader, pool):
    waiting = pool.submit(
        api.SCardGetStatusChange, context, INFINITE, [ReaderState(reader.name, 16)]
    )
    until(lambda: host.rm._listeners)
    api.SCardReleaseContext(context)
    assert code_of(waiting.result) == SCARD.E_INVALID_HANDLE


@pytest.mark.parametrize("with_reader", [True, False])
def test_closing_the_host_ends_everything(api, context, host, pool, with_reader):
    rm = host.rm
    name = host.add_reader("Reader").name if with_reader else PNP_NOTIFICATION
    waiting = pool.submit(api.SCardGetStatusChange, context, INFINITE, [ReaderState(name, F.EMPTY)])
    until(lambda: rm._listeners)
    host.close()
    # Whether its reader left first or the service stopped is for the scheduler to say.
    error = waiting.exception(10)
    if error is None:
        assert waiting.result()[0].event_state & F.CHANGED
    else:
        assert error.code == SCARD.E_NO_SERVICE
    assert code_of(api.SCardEstablishContext) == SCARD.E_NO_SERVICE
    assert code_of(api.SCardIsValidContext, context) == SCARD.E_NO_SERVICE


def test_a_context_that_is_released_just_before_a_wait(host, api, context, reader, pool):
    class Slow(ScardApi):
        """Loses its time slice when it has found the context."""

        def _context(self, number):
            found = super()._context(number)
            api.SCardReleaseContext(number)
            return found

    asked = [ReaderState(reader.name, F.EMPTY)]
    waiting = pool.submit(Slow(host).SCardGetStatusChange, context, INFINITE, asked)
    try:
        assert code_of(waiting.result, 10) == SCARD.E_INVALID_HANDLE
    finally:
        reader.insert(Card())  # a wait that goes on ends now


def test_numbers_that_no_program_can_mean(host, api, context, reader):
    hcard, _ = api.SCardConnect(context, reader.name, ShareMode.DIRECT, 0)
    unsupported, too_big = SCARD.E_UNSUPPORTED_FEATURE, SCARD.E_INSUFFICIENT_BUFFER
    for tag in (-1, 1 << 40):
        assert code_of(api.SCardGetAttrib, hcard, tag) == unsupported
        assert code_of(api.SCardSetAttrib, hcard, tag, b"") == unsupported
    assert api.SCardControl(hcard, 0x42000D48, b"", 1 << 60)
    assert code_of(api.SCardControl, hcard, 0x42000D48, b"", -1) == too_big
    assert code_of(api.SCardControl, hcard, 1, bytes(65549)) == too_big
    assert code_of(api.SCardControl, hcard, -1) == unsupported
    assert api.SCardEstablishContext(3)  # pcsclite.h has a fourth scope
    assert code_of(api.SCardEstablishContext, 4) == SCARD.E_INVALID_VALUE


@pytest.mark.wdk("rm.cancel")
def test_cancel_ends_all_waits_of_the_context_and_no_other(host, api, context, reader, pool):
    other = api.SCardEstablishContext()
    asked = [ReaderState(reader.name, F.EMPTY)]
    waits = [
        pool.submit(api.SCardGetStatusChange, one, INFINITE, asked)
        for one in (context, context, other)
    ]
    until(lambda: len(host.rm._listeners) == 3)
    api.SCardCancel(context)
    assert [code_of(wait.result) for wait in waits[:2]] == [SCARD.E_CANCELLED] * 2
    assert not waits[2].done()
    api.SCardCancel(other)
    assert code_of(waits[2].result) == SCARD.E_CANCELLED


def test_a_card_that_was_there_before_the_reader_does_not_count(clock):
    with Host(None, clock=clock) as host:
        reader = host.add_reader("Reader")
        reader.insert(Card())
        manager = host.run(
            lambda: ResourceManager(
                host.io, GUID_DEVINTERFACE_SMARTCARD_READER, PCSCLITE, lambda: 1, host.events
            )
        )
        (status,) = manager.statuses()
        assert status.event_counter == 0
        assert status.atr == ATR
        reader.remove()
        assert manager.statuses()[0].event_counter == 1
        host.run(manager.close)


def test_a_disconnected_handle_takes_no_transaction(host, api, context, reader, pool):
    """Another thread disconnects while BeginTransaction waits: the lock must not be lost."""
    reader.insert(Card())
    patient = ScardApi(host)
    second = api.SCardEstablishContext()
    holder, _ = api.SCardConnect(context, reader.name)
    waiter, _ = api.SCardConnect(second, reader.name)
    api.SCardBeginTransaction(holder)
    begun = pool.submit(patient.SCardBeginTransaction, waiter)
    rm_reader = host.rm.readers[reader.name]
    until(lambda: rm_reader.places)
    api.SCardDisconnect(waiter)
    api.SCardEndTransaction(holder)
    assert code_of(begun.result) == SCARD.E_INVALID_HANDLE
    assert rm_reader.owner is None
    api.SCardBeginTransaction(holder)
    api.SCardEndTransaction(holder)


def test_a_connect_whose_context_is_released_leaves_nothing(host, api, context, reader, pool):
    reader.insert(Card())
    second = api.SCardEstablishContext()
    holder, _ = api.SCardConnect(context, reader.name)
    api.SCardBeginTransaction(holder)
    connecting = pool.submit(api.SCardConnect, second, reader.name)
    rm_reader = host.rm.readers[reader.name]
    until(lambda: rm_reader.places)
    api.SCardReleaseContext(second)
    api.SCardEndTransaction(holder)
    assert code_of(connecting.result) == SCARD.E_INVALID_HANDLE
    assert rm_reader.sharing == 1
    assert list(host.rm.handles) == [holder]


def test_a_mute_card_whose_reset_takes_long_keeps_nobody_from_being_refused(
    host, api, context, reader, pool
):
    working, may_answer = threading.Event(), threading.Event()

    class Slow(Card):
        def transmit(self, c_apdu):
            working.set()
            may_answer.wait(30)
            return b"\x90\x00"

    reader.insert(Slow())
    other = api.SCardEstablishContext()
    hcard, protocol = api.SCardConnect(context, reader.name)
    second, _ = api.SCardConnect(other, reader.name)
    api.SCardBeginTransaction(hcard)
    answer = pool.submit(api.SCardTransmit, hcard, protocol, b"\0\xa4\4\0")
    assert working.wait(10)
    for call, *args in (
        (api.SCardTransmit, protocol, b"\0\xa4\4\0"),
        (api.SCardReconnect,),
        (api.SCardControl, 1),
        (api.SCardGetAttrib, 1),
        (api.SCardStatus,),
    ):
        assert code_of(call, second, *args) == SCARD.E_SHARING_VIOLATION
    may_answer.set()
    assert answer.result(10) == b"\x90\x00"


def test_removal_while_a_card_is_being_powered_up(host, api, context, reader, pool):
    working, may_answer = threading.Event(), threading.Event()

    class SlowStart(Card):
        def power_on(self):
            working.set()
            may_answer.wait(30)
            return ATR

    inserting = pool.submit(reader.insert, SlowStart())
    assert working.wait(10)
    assert host.rm.statuses()[0].atr == b""
    reader.remove()
    reader.insert(Card())
    until(lambda: host.rm.statuses()[0].atr)
    may_answer.set()
    inserting.result(10)
    (status,) = host.rm.statuses()
    assert status.event_counter == 1  # the first was gone before it was seen
    assert status.atr == ATR
    hcard, protocol = api.SCardConnect(context, reader.name)
    assert api.SCardTransmit(hcard, protocol, ECHO) == ECHO + b"\x90\x00"


def test_an_interrupt_while_waiting_leaves_the_reader_usable(
    host, api, context, reader, monkeypatch
):
    reader.insert(Card())
    patient = ScardApi(host)
    other = api.SCardEstablishContext()
    holder, _ = api.SCardConnect(context, reader.name)
    second, protocol = api.SCardConnect(other, reader.name)
    api.SCardBeginTransaction(holder)

    def interrupted(self, timeout=None):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(threading.Event, "wait", interrupted)
        patient.SCardBeginTransaction(second)
    assert not host.rm.readers[reader.name].places
    api.SCardEndTransaction(holder)
    api.SCardBeginTransaction(second)
    assert api.SCardTransmit(second, protocol, ECHO) == ECHO + b"\x90\x00"
