# SPDX-License-Identifier: Apache-2.0
"""pyscard is in our world inside of the block, and where it was outside, whatever happened."""

import subprocess
import sys
import threading

import pytest
import smartcard.scard.scard as seam
from observers import Cards, Readers
from smartcard import scard
from smartcard.CardMonitoring import CardMonitor, CardMonitoringThread
from smartcard.Exceptions import CardConnectionException
from smartcard.ReaderMonitoring import ReaderMonitor
from smartcard.System import readers

from vreader.bridge.pyscard import stand_in
from vreader.errors import UsageError

SELECT = [0x00, 0xA4, 0x04, 0x00, 0x05, 0xA0, 0x00, 0x00, 0x03, 0x08]
NATIVE = seam._scard
PATIENCE_S = 30.0


def names() -> list[str]:
    return [reader.name for reader in readers()]


def connected():
    connection = readers()[0].createConnection()
    connection.connect()
    return connection


def test_a_card_answers(seen):
    connection = connected()
    data, *status = connection.transmit(SELECT)
    assert status == [0x90, 0x00]
    assert data[:1] == [0x61]


@pytest.mark.parametrize("error", [None, ValueError, KeyboardInterrupt])
def test_everything_is_as_it_was(world, error):
    def use() -> None:
        with world.pyscard():
            assert seam._scard is not NATIVE
            connected().transmit(SELECT)
            if error is not None:
                raise error

    if error is None:
        use()
    else:
        with pytest.raises(error):
            use()
    assert seam._scard is NATIVE
    assert vars(scard)["SCardConnect"] is seam.SCardConnect


def test_worlds_one_after_the_other(make_world):
    for name in ("First 00 00", "Second 00 00"):
        with make_world(readers=[name]).pyscard():
            assert names() == [name]


def test_the_innermost_world_counts_and_connections_stay_where_they_were_made(make_world):
    outer, inner = make_world(readers=["Outer 00 00"]), make_world(readers=["Inner 00 00"])
    with outer.pyscard():
        connection = connected()
        with inner.pyscard():
            assert names() == ["Inner 00 00"]
            assert connection.transmit(SELECT)[1] == 0x90
            outer.remove()
            with pytest.raises(CardConnectionException):
                connection.transmit(SELECT)
        assert names() == ["Outer 00 00"]


def test_the_outer_world_may_end_first(make_world):
    first, second = (stand_in(make_world(readers=[name]).scard) for name in ("A 00 00", "B 00 00"))
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert names() == ["B 00 00"]
    second.__exit__(None, None, None)
    assert seam._scard is NATIVE


def test_who_waits_is_cancelled(world):
    answers = []

    def wait() -> None:
        _, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
        _, known = scard.SCardGetStatusChange(context, 0, [("Virtual Reader 00 00", 0)])
        answers.append(scard.SCardGetStatusChange(context, scard.INFINITE, [known[0][:2]])[0])

    with world.pyscard():
        thread = threading.Thread(target=wait)
        thread.start()
        while not world.scard._waits:
            thread.join(0.001)
    thread.join(PATIENCE_S)
    assert answers == [scard.SCARD_E_CANCELLED]


def test_monitors_end_with_their_world(world, capfd):
    before = threading.enumerate()
    with world.pyscard():
        cards, there = Cards(), Readers()
        CardMonitor().addObserver(cards)
        ReaderMonitor(period=0.01).addObserver(there)
        cards.wait("Virtual Reader 00 00")
        there.wait("Virtual Reader 00 00")
        ReaderMonitor(period=0.01).addObserver(Readers())  # forgets its thread, which goes on
    assert threading.enumerate() == before
    assert CardMonitoringThread.instance is None
    assert CardMonitor.instance is None
    assert capfd.readouterr() == ("", "")
    assert seam._scard is NATIVE


def test_monitors_of_an_outer_world_go_on_in_it(make_world):
    outer, inner = make_world(readers=["Outer 00 00"]), make_world(readers=["Inner 00 00"])
    with outer.pyscard():
        outer_cards, outer_readers = Cards(), Readers()
        CardMonitor().addObserver(outer_cards)
        ReaderMonitor(period=0.01).addObserver(outer_readers)
        outer_cards.wait("Outer 00 00")
        outer_readers.wait("Outer 00 00")
        with inner.pyscard():
            inner_cards = Cards()
            CardMonitor().addObserver(inner_cards)
            inner_cards.wait("Inner 00 00")
            outer.remove()
            outer_cards.wait()
            inner.remove()
            inner_cards.wait()
            outer.host.add_reader("Other")
            outer_readers.wait("Outer 00 00", "Other 00 00")
        outer.insert()
        outer_cards.wait("Outer 00 00")
        assert inner_cards.told == ["+Inner 00 00", "-Inner 00 00"]
        assert outer_cards.told == ["+Outer 00 00", "-Outer 00 00", "+Outer 00 00"]


def test_an_observer_may_end_the_world(world):
    ended = threading.Event()
    block = world.pyscard()

    class Ends(Cards):
        def update(self, observable, handlers) -> None:
            if handlers[1]:
                block.__exit__(None, None, None)
                ended.set()

    block.__enter__()
    monitor, cards = CardMonitor(), Cards()
    monitor.addObserver(cards)
    cards.wait("Virtual Reader 00 00")
    monitor.addObserver(Ends())
    thread = CardMonitoringThread.instance
    world.remove()
    assert ended.wait(PATIENCE_S)
    thread.join(PATIENCE_S)
    assert not thread.is_alive()


def test_a_connection_that_lives_longer_is_not_connected_any_more(world):
    with world.pyscard():
        connection = connected()
    assert seam._scard is NATIVE
    with pytest.raises(CardConnectionException):
        connection.transmit(SELECT)
    with pytest.raises(CardConnectionException):
        connection.getATR()
    connection.disconnect()
    connection.release()


def test_a_context_that_is_forgotten_keeps_nothing(world):
    with world.pyscard():
        scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
    assert seam._scard is NATIVE


def test_the_world_may_be_closed_first(world):
    with world.pyscard():
        connection = connected()
        world.close()
        with pytest.raises(CardConnectionException):
            connection.transmit(SELECT)
    assert seam._scard is NATIVE


def test_contexts_are_released_at_the_end(world):
    with world.pyscard():
        connection = connected()
        assert world.host.rm.contexts
    assert not world.host.rm.contexts
    del connection


def test_handles_of_before_are_pyscards_own_affair(world):
    """What was made elsewhere is given back there: to our manager it is no handle at all."""
    with world.pyscard():
        assert scard.SCardReleaseContext(12345) == scard.SCARD_E_INVALID_HANDLE
        assert scard.SCardConnect(12345, "x", 2, 3)[0] == scard.SCARD_E_INVALID_HANDLE


def test_a_world_with_another_manager_is_refused(make_world):
    world = make_world()
    world.host.rm = None
    with pytest.raises(UsageError, match="no resource manager"):
        world.pyscard()


def test_nothing_imports_pyscard_before_it_is_needed():
    code = (
        "import sys, vreader.world, vreader.bridge.pyscard\n"
        "with vreader.world(stack='in-process') as world: world.pyscard()\n"
        "assert 'smartcard' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
