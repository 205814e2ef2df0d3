# SPDX-License-Identifier: Apache-2.0
"""ScardApi as Windows has it: waiting in line, names and groups, the service that stops."""

import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest

from vreader.clock import ManualClock
from vreader.host import Host
from vreader.host.scard import ScardApi
from vreader.smclib.ioctl import Protocol
from vreader.smclib.states import CardState
from vreader.winscard.codes import (
    INFINITE,
    PNP_NOTIFICATION,
    SCARD,
    Disposition,
    ReaderFlag,
    ScardError,
    ShareMode,
)
from vreader.winscard.database import ALL_READERS, DEFAULT_READERS
from vreader.winscard.profile import PCSCLITE, WINDOWS, WINDOWS_7
from vreader.winscard.status_change import ReaderState

F = ReaderFlag
ATR = bytes.fromhex("3B80800101")
ECHO = b"\0\xa4\4\0"
DIRECT = ShareMode.DIRECT


class Card:
    def __init__(self):
        self.resets = 0

    def power_on(self):
        return ATR

    def reset(self):
        self.resets += 1
        return ATR

    def power_off(self):
        pass

    def transmit(self, c_apdu):
        return c_apdu + b"\x90\x00"


class Place:
    """A host with one reader, and the functions."""

    def __init__(self, profile):
        self.clock = ManualClock()
        self.host = Host(profile, clock=self.clock)
        self.slot = self.host.add_reader("Windows Reader")
        self.name = self.slot.name
        self.api = ScardApi(self.host)
        self.context = self.api.SCardEstablishContext()

    @property
    def reader(self):
        return self.host.rm.readers[self.name]

    def connect(self, share=ShareMode.SHARED, protocols=3):
        context = self.api.SCardEstablishContext()
        return self.api.SCardConnect(context, self.name, share, protocols)[0]

    def look(self, name=None, current=0):
        asked = [ReaderState(name or self.name, current)]
        return self.api.SCardGetStatusChange(self.context, 0, asked)[0].event_state


@pytest.fixture
def make_place():
    places = []

    def make(profile=WINDOWS):
        places.append(Place(profile))
        return places[-1]

    yield make
    for place in places:
        place.host.close()


@pytest.fixture
def place(make_place):
    return make_place()


@pytest.fixture
def pool():
    with ThreadPoolExecutor(12) as pool:
        yield pool


def code_of(call, *args):
    with pytest.raises(ScardError) as caught:
        call(*args)
    return caught.value.code


def until(condition):
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


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


# ------------------------------------------------------------------ names and groups


@pytest.mark.wdk("rm.name.case")
@pytest.mark.parametrize("profile", [PCSCLITE, WINDOWS], ids=lambda profile: profile.name)
def test_whether_case_matters(make_place, profile):
    place = make_place(profile)
    place.slot.insert(Card())
    shouted = place.name.upper()
    if profile.names_ignore_case:
        assert place.api.SCardConnect(place.context, shouted)
    else:
        assert code_of(place.api.SCardConnect, place.context, shouted) == SCARD.E_UNKNOWN_READER
        assert code_of(place.look, shouted) == SCARD.E_UNKNOWN_READER


@pytest.mark.wdk("rm.name.case", "rm.name.windows")
def test_names_are_compared_without_case(place):
    place.slot.insert(Card())
    assert place.name == "Windows Reader 0"
    hcard, _ = place.api.SCardConnect(place.context, "WINDOWS reader 0")
    assert place.api.SCardStatus(hcard).reader == place.name
    assert place.look("windows READER 0") & F.PRESENT
    assert place.api.SCardGetAttrib(hcard, 0x7FFF0004) == place.name.encode() + b"\0"


def test_letters_are_compared_one_by_one_as_names_of_keys_are(place):
    name = place.host.add_reader("Straße Reader").name
    asked = [ReaderState(name.replace("S", "s").replace("R", "r"))]
    assert place.api.SCardGetStatusChange(place.context, 0, asked)[0].event_state & F.EMPTY
    for other in ("STRASSE READER 0", "\udcff", "", "a\0b"):
        assert code_of(place.api.SCardConnect, place.context, other) == SCARD.E_UNKNOWN_READER


@pytest.mark.wdk("rm.name.introduced", "rm.groups")
def test_a_reader_under_a_name_of_its_own(place):
    api, context = place.api, place.context
    place.slot.insert(Card())
    api.SCardIntroduceReader(context, "Front desk", place.name)
    assert api.SCardListReaders(context) == [place.name, "Front desk"]
    api.SCardForgetReader(context, place.name)
    assert api.SCardListReaders(context) == ["Front desk"]
    hcard, protocol = api.SCardConnect(context, "front DESK")
    assert api.SCardTransmit(hcard, protocol, ECHO) == ECHO + b"\x90\0"
    assert place.look("Front desk") & F.INUSE
    key = r"HKLM\SOFTWARE\Microsoft\Cryptography\Calais\Readers\Front desk"
    assert place.host.registry.open(key).get("Device").decoded == place.name
    api.SCardForgetReader(context, "Front desk")
    assert code_of(api.SCardListReaders, context) == SCARD.E_NO_READERS_AVAILABLE
    assert code_of(api.SCardConnect, context, "Front desk") == SCARD.E_UNKNOWN_READER


@pytest.mark.wdk("rm.groups")
def test_readers_by_group(place):
    api, context = place.api, place.context
    second = place.host.add_reader("Second Reader").name
    assert api.SCardListReaderGroups(context) == [DEFAULT_READERS]
    api.SCardIntroduceReaderGroup(context, "Office")
    api.SCardAddReaderToGroup(context, second, "Office")
    assert api.SCardListReaderGroups(context) == [DEFAULT_READERS, "Office"]
    assert api.SCardListReaders(context, ["office"]) == [second]
    assert api.SCardListReaders(context, ["office", DEFAULT_READERS]) == [place.name, second]
    assert api.SCardListReaders(context, [ALL_READERS + "\0"]) == [place.name, second]
    for group in ("Nobody's", "SCard$LocalReaders", "SCard$SystemReaders"):
        assert code_of(api.SCardListReaders, context, [group]) == SCARD.E_NO_READERS_AVAILABLE
    api.SCardRemoveReaderFromGroup(context, second, DEFAULT_READERS)
    assert api.SCardListReaders(context, [DEFAULT_READERS]) == [place.name]
    api.SCardForgetReaderGroup(context, "Office")
    assert api.SCardListReaderGroups(context) == [DEFAULT_READERS]


@pytest.mark.wdk("rm.cache.read", "rm.cache.write")
def test_the_card_data_cache_is_everybodys(place):
    api, card = place.api, bytes(range(16))
    api.SCardWriteCache(place.context, card, 7, "cardcf", b"\1\2")
    other = api.SCardEstablishContext()
    assert api.SCardReadCache(other, card, 7, "cardcf") == b"\1\2"
    limit = WINDOWS.cache_item_bytes
    api.SCardWriteCache(other, card, 7, "big", bytes(limit))
    too_big = (other, card, 7, "big", bytes(limit + 1))
    assert code_of(api.SCardWriteCache, *too_big) == SCARD.W_CACHE_ITEM_TOO_BIG


def test_pcscd_has_no_database_and_no_cache(make_place):
    place = make_place(PCSCLITE)
    assert WINDOWS.database
    assert not PCSCLITE.database
    api, context = place.api, place.context
    for call, *args in (
        (api.SCardIntroduceReader, "A", place.name),
        (api.SCardForgetReader, place.name),
        (api.SCardIntroduceReaderGroup, "G"),
        (api.SCardForgetReaderGroup, "G"),
        (api.SCardAddReaderToGroup, place.name, "G"),
        (api.SCardRemoveReaderFromGroup, place.name, "G"),
        (api.SCardReadCache, bytes(16), 0, "n"),
        (api.SCardWriteCache, bytes(16), 0, "n", b""),
    ):
        assert code_of(call, context, *args) == SCARD.E_UNSUPPORTED_FEATURE
    assert api.SCardListReaders(context, ["any group"]) == [place.name]


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


# ------------------------------------------------------------------ what is told of a reader


@pytest.mark.wdk("rm.state.status")
def test_status_is_the_readers_state(place):
    api = place.api
    direct = place.connect(DIRECT, 0)
    assert api.SCardStatus(direct).state is CardState.ABSENT
    place.slot.insert(Card())
    assert code_of(api.SCardTransmit, direct, 2, ECHO) == SCARD.E_PROTO_MISMATCH
    assert api.SCardStatus(direct).state is CardState.NEGOTIABLE
    assert api.SCardReconnect(direct) == Protocol.T1
    assert api.SCardStatus(direct)[1:] == (CardState.SPECIFIC, Protocol.T1, ATR)
    api.SCardDisconnect(direct, Disposition.UNPOWER)
    direct = place.connect(DIRECT, 0)
    assert api.SCardStatus(direct).state is CardState.PRESENT
    api.SCardReconnect(direct)
    api.SCardDisconnect(direct)
    place.host.run(place.clock.advance, 5)
    direct = place.connect(DIRECT, 0)
    assert api.SCardStatus(direct).state is CardState.SWALLOWED


@pytest.mark.wdk("rm.state.flags", "rm.status-change")
def test_what_a_reader_shows(place):
    assert place.look() == F.CHANGED | F.EMPTY
    direct = place.connect(DIRECT, 0)
    assert place.look() == F.CHANGED | F.EMPTY  # exclusive is told with a card only
    place.slot.insert(Card())
    assert place.look() == 1 << 16 | F.CHANGED | F.PRESENT | F.EXCLUSIVE
    place.api.SCardDisconnect(direct)
    assert place.look() == 1 << 16 | F.CHANGED | F.PRESENT
    hcard = place.connect()
    assert place.look() == 1 << 16 | F.CHANGED | F.PRESENT | F.INUSE
    place.api.SCardDisconnect(hcard)
    place.host.run(place.clock.advance, 5)
    assert place.look() == 1 << 16 | F.CHANGED | F.PRESENT | F.UNPOWERED


def test_an_idle_card_that_loses_its_power_is_a_change(place, pool):
    place.slot.insert(Card())
    asked = [ReaderState(place.name, place.look() & ~int(F.CHANGED))]
    waiting = pool.submit(place.api.SCardGetStatusChange, place.context, INFINITE, asked)
    until(lambda: place.host.rm._listeners)
    place.host.run(place.clock.advance, 5)
    (state,) = waiting.result(10)
    assert state.event_state & F.UNPOWERED


@pytest.mark.wdk("rm.pnp-notification")
def test_the_pseudo_reader_counts_readers(place, pool):
    assert place.look(PNP_NOTIFICATION) == 1 << 16 | F.CHANGED
    asked = [ReaderState(PNP_NOTIFICATION, 1 << 16)]
    assert code_of(place.api.SCardGetStatusChange, place.context, 0, asked) == SCARD.E_TIMEOUT
    waiting = pool.submit(place.api.SCardGetStatusChange, place.context, INFINITE, asked)
    until(lambda: place.host.rm._listeners)
    second = place.host.add_reader("Second Reader")
    (state,) = waiting.result(10)
    assert state.event_state == 2 << 16 | F.CHANGED
    second.unplug()
    assert place.look(PNP_NOTIFICATION, 2 << 16) == 1 << 16 | F.CHANGED


def test_a_reader_that_left_while_it_was_watched(place, pool):
    second = place.host.add_reader("Second Reader")
    asked = [ReaderState(second.name, place.look(second.name) & ~int(F.CHANGED))]
    waiting = pool.submit(place.api.SCardGetStatusChange, place.context, INFINITE, asked)
    until(lambda: place.host.rm._listeners)
    second.unplug()
    (state,) = waiting.result(10)
    assert state.event_state == F.CHANGED | F.UNKNOWN | F.IGNORE


@pytest.mark.wdk("rm.scopes")
def test_scopes(place):
    for scope in (0, 1, 2):
        context = place.api.SCardEstablishContext(scope)
        assert place.host.rm.contexts[context].scope == scope
    for scope in (-1, 3, 4):
        assert code_of(place.api.SCardEstablishContext, scope) == SCARD.E_INVALID_VALUE
