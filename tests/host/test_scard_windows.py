# SPDX-License-Identifier: Apache-2.0
"""ScardApi as Windows has it: waiting in line, and the service that stops."""

from itertools import pairwise

import pytest
from scard_place import ECHO, Card, code_of, until

from vreader.host.scard import ScardApi
from vreader.smclib.ioctl import Protocol
from vreader.winscard.codes import INFINITE, SCARD, Disposition, ScardError, ShareMode
from vreader.winscard.profile import PCSCLITE, WINDOWS, WINDOWS_7
from vreader.winscard.status_change import ReaderState

# ------------------------------------------------------------------ waiting


@pytest.mark.wdk("rm.transaction.waits", "rm.transaction.transmit")
@pytest.mark.parametrize("call", ["begin", "transmit", "control", "attribute", "reconnect"])
@pytest.mark.parametrize("one_context", [True, False])
def test_calls_wait_for_the_transaction(place, pool, call, one_context):
    api, reader = place.api, place.reader
    place.slot.insert(Card())
    holder, _ = api.SCardConnect(place.context, place.name)
    context = place.context if one_context else api.SCardEstablishContext()
    hcard, protocol = api.SCardConnect(context, place.name)
    api.SCardBeginTransaction(holder)
    waiting = pool.submit(
        *{
            "begin": (api.SCardBeginTransaction, hcard),
            "transmit": (api.SCardTransmit, hcard, protocol, ECHO),
            "control": (api.SCardControl, hcard, 0x42000D48),
            "attribute": (api.SCardGetAttrib, hcard, 0x00090303),
            "reconnect": (api.SCardReconnect, hcard),
        }[call]
    )
    until(lambda: reader.places)
    assert api.SCardTransmit(holder, protocol, ECHO) == ECHO + b"\x90\0"
    assert not waiting.done()
    api.SCardEndTransaction(holder)
    waiting.result(10)
    assert (reader.turn, reader.places) == (None, [])


@pytest.mark.parametrize("profile", [PCSCLITE, WINDOWS], ids=lambda profile: profile.name)
def test_many_threads_begin_in_the_order_of_asking(make_place, pool, profile):
    place = make_place(profile)
    place.slot.insert(Card())
    api, reader, order = place.api, place.reader, []

    def use(number, hcard):
        api.SCardBeginTransaction(hcard)
        order.append(number)
        api.SCardEndTransaction(hcard)

    holder, *others = (place.connect() for _ in range(9))
    api.SCardBeginTransaction(holder)
    waits = []
    for number, hcard in enumerate(others):
        waits.append(pool.submit(use, number, hcard))
        until(lambda: len(reader.places) == len(waits))
    api.SCardEndTransaction(holder)
    for wait in waits:
        wait.result(10)
    assert order == list(range(8))


def test_who_does_not_want_to_wait_is_refused(place):
    place.slot.insert(Card())
    hasty = ScardApi(place.host, blocking=False)
    holder, other = place.connect(), place.connect()
    place.api.SCardBeginTransaction(holder)
    assert code_of(hasty.SCardBeginTransaction, other) == SCARD.E_SHARING_VIOLATION
    assert code_of(hasty.SCardTransmit, other, 2, ECHO) == SCARD.E_SHARING_VIOLATION
    place.api.SCardEndTransaction(holder)
    assert hasty.SCardTransmit(other, 2, ECHO) == ECHO + b"\x90\0"


@pytest.mark.parametrize("profile", [PCSCLITE, WINDOWS], ids=lambda profile: profile.name)
def test_a_refusal_that_waiting_does_not_cure(make_place, pool, profile):
    """Libpcsclite repeats Reconnect until nobody else is connected; Windows refuses it."""
    place = make_place(profile)
    place.slot.insert(Card())
    one, other = place.connect(), place.connect()
    alone = pool.submit(place.api.SCardReconnect, one, ShareMode.EXCLUSIVE)
    if profile.caller_asks_again:
        with pytest.raises(TimeoutError):
            alone.result(0.05)
        place.api.SCardDisconnect(other)
        alone.result(10)
    else:
        assert code_of(alone.result, 10) == SCARD.E_SHARING_VIOLATION


def test_an_idle_holder_does_not_stop_the_others_for_ever(place, pool):
    card = Card()
    place.slot.insert(card)
    holder, other = place.connect(), place.connect()
    place.api.SCardBeginTransaction(holder)
    begun = pool.submit(place.api.SCardBeginTransaction, other)
    until(lambda: place.reader.places)
    place.host.run(place.clock.advance, 5)
    assert code_of(begun.result, 10) == SCARD.W_RESET_CARD
    assert card.resets == 1
    place.api.SCardReconnect(other)
    place.api.SCardBeginTransaction(other)


@pytest.mark.parametrize("profile", [PCSCLITE, WINDOWS], ids=lambda profile: profile.name)
def test_nobody_breaks_into_a_transaction_whatever_the_others_do(make_place, pool, profile):
    place = make_place(profile)
    card, log = Card(), []
    card.transmit = lambda c_apdu: log.append(c_apdu[:2]) or b"\x90\x00"
    place.slot.insert(card)
    api = place.api

    def again(hcard, call, *args):
        """Make a call; who learns that the card was reset reconnects and does not go on."""
        try:
            call(hcard, *args)
        except ScardError as error:
            if error.code not in (SCARD.W_RESET_CARD, SCARD.E_NOT_TRANSACTED):
                raise
            api.SCardReconnect(hcard)
            return False
        return True

    def transact(name):
        hcard = place.connect()
        for _ in range(15):
            if again(hcard, api.SCardBeginTransaction):
                for step in range(3):
                    again(hcard, api.SCardTransmit, Protocol.T1, bytes((name, step, 0, 0)))
                again(hcard, api.SCardEndTransaction)

    def transmit(name):
        hcard = place.connect()
        for _ in range(30):
            again(hcard, api.SCardTransmit, Protocol.T1, bytes((name, 9, 0, 0)))

    def come_and_go(name):
        for _ in range(10):
            context = api.SCardEstablishContext()
            hcard, _ = api.SCardConnect(context, place.name)
            api.SCardDisconnect(hcard, Disposition.RESET)
            api.SCardReleaseContext(context)

    work = [transact] * 3 + [transmit] * 2 + [come_and_go] * 2
    for done in [pool.submit(what, name) for name, what in enumerate(work)]:
        done.result(60)
    reader = place.reader
    assert (reader.owner, reader.turn, reader.places, reader.busy) == (None, None, [], False)
    for before, after in pairwise(log):
        if before[1] in (0, 1):  # a transaction goes on, with the next step of the same
            assert after == bytes((before[0], before[1] + 1))


# ------------------------------------------------------------------ the service


@pytest.mark.wdk("rm.last-reader")
def test_the_service_stops_with_the_last_reader(place, pool):
    api, context = place.api, place.context
    place.slot.insert(Card())
    hcard = place.connect()
    asked = [ReaderState(place.name, place.look())]
    waiting = pool.submit(api.SCardGetStatusChange, context, INFINITE, asked)
    until(lambda: place.host.rm._listeners)
    place.slot.unplug()
    assert code_of(waiting.result, 10) == SCARD.E_SERVICE_STOPPED
    for call, *args in (
        (api.SCardEstablishContext,),
        (api.SCardListReaders, context),
        (api.SCardTransmit, hcard, 2, ECHO),
    ):
        assert code_of(call, *args) == SCARD.E_NO_SERVICE
    again = place.host.add_reader("Windows Reader")
    again.insert(Card())
    # It runs again, but knows nothing of who was there before.
    for call, *args in (
        (api.SCardListReaders, context),
        (api.SCardIsValidContext, context),
        (api.SCardConnect, context, again.name),
        (api.SCardTransmit, hcard, 2, ECHO),
        (api.SCardStatus, hcard),
    ):
        assert code_of(call, *args) == SCARD.E_SERVICE_STOPPED
    api.SCardReleaseContext(context)
    assert code_of(api.SCardReleaseContext, context) == SCARD.E_INVALID_HANDLE
    fresh = api.SCardEstablishContext()
    assert api.SCardListReaders(fresh) == [again.name]
    assert api.SCardConnect(fresh, again.name)


@pytest.mark.wdk("rm.last-reader")
def test_before_windows_8_it_went_on(make_place):
    place = make_place(WINDOWS_7)
    place.slot.unplug()
    assert code_of(place.api.SCardListReaders, place.context) == SCARD.E_NO_READERS_AVAILABLE
    assert place.api.SCardEstablishContext()


def test_a_context_of_a_stopped_service_that_had_cards(place):
    place.slot.insert(Card())
    context = place.api.SCardEstablishContext()
    place.api.SCardConnect(context, place.name)
    place.slot.unplug()
    place.api.SCardReleaseContext(context)
    assert place.host.rm.handles == {}


@pytest.mark.wdk("rm.scopes")
def test_scopes(place):
    for scope in (0, 1, 2):
        context = place.api.SCardEstablishContext(scope)
        assert place.host.rm.contexts[context].scope == scope
    for scope in (-1, 3, 4):
        assert code_of(place.api.SCardEstablishContext, scope) == SCARD.E_INVALID_VALUE
