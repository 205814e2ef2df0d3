# SPDX-License-Identifier: Apache-2.0
"""What of the windows profile passes through libpcsclite's protocol, and fairness at the door."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from vreader.bridge.pcsclite import wire
from vreader.bridge.pcsclite.client import PcscError
from vreader.winscard.codes import SCARD, Disposition, Win32
from vreader.winscard.profile import PCSCLITE, WINDOWS

APDU = b"\0\xa4\4\0"
FEATURES = 0x42000D48


@pytest.fixture
def place(make_place):
    return make_place(profile=WINDOWS)


@pytest.fixture
def pool():
    with ThreadPoolExecutor(4) as pool:
        yield pool


def code_of(call, *args):
    with pytest.raises(PcscError) as caught:
        call(*args)
    return caught.value.code


def connected(place):
    client = place.client()
    hcard, protocol = client.connect(place.reader.name, 2, 3)
    return client, hcard, protocol


def begin(client, hcard):
    """As libpcsclite does: again and again."""
    while True:
        try:
            return client.begin(hcard)
        except PcscError as error:
            if error.code != SCARD.E_SHARING_VIOLATION:
                raise


@pytest.mark.parametrize("profile", [PCSCLITE, WINDOWS], ids=lambda profile: profile.name)
def test_a_program_that_asks_again_keeps_its_place(make_place, pool, profile):
    place = make_place(profile=profile)
    owner, first, _ = connected(place)
    one, second, _ = connected(place)
    other, third, _ = connected(place)
    places = place.host.rm.readers[place.reader.name].places
    owner.begin(first)
    assert code_of(one.begin, second) == SCARD.E_SHARING_VIOLATION  # its first half second
    late = pool.submit(begin, other, third)
    place.until(lambda: len(places) == 1)
    early = pool.submit(begin, one, second)
    place.until(lambda: len(places) == 2)
    owner.end(first)
    early.result(10)
    assert not late.done()
    one.end(second)
    late.result(10)
    other.end(third)


def test_a_transmit_waits_as_long_as_the_library_asks(place, pool):
    owner, first, protocol = connected(place)
    other, second, _ = connected(place)
    owner.begin(first)
    assert code_of(other.transmit, second, protocol, APDU) == SCARD.E_SHARING_VIOLATION
    sent = pool.submit(other.transmit, second, protocol, APDU)
    places = place.host.rm.readers[place.reader.name].places
    place.until(lambda: places)
    owner.end(first)
    assert sent.result(10) == b"\x90\x00"


def test_what_the_library_asks_once_waits_without_end(place, pool):
    owner, first, _ = connected(place)
    other, second, _ = connected(place)
    reader = place.host.rm.readers[place.reader.name]
    owner.begin(first)
    told = pool.submit(other.control, second, FEATURES)
    place.until(lambda: reader.places)
    assert reader.places[0].patient
    owner.end(first)
    assert told.result(10)


def test_a_program_that_dies_while_it_waits(place):
    owner, first, protocol = connected(place)
    victim, second, _ = connected(place)
    reader = place.host.rm.readers[place.reader.name]
    owner.begin(first)
    victim.send(wire.Command.CONTROL, wire.CONTROL.pack(second, FEATURES, 0, 64, 0, 0))
    place.until(lambda: reader.places)
    victim.close()
    # It has gone, but its connection is ended with a reset, which waits for the transaction.
    owner.transmit(first, protocol, APDU)
    owner.end(first)
    place.until(lambda: place.sharing() == 1)
    assert place.card.calls[-1] == "reset"
    assert code_of(owner.transmit, first, protocol, APDU) == SCARD.W_RESET_CARD


def test_closing_the_door_ends_waits_for_each_other(place):
    victim, _, _ = connected(place)
    owner, first, _ = connected(place)
    owner.begin(first)
    victim.close()  # its end waits for the transaction of the other
    places = place.host.rm.readers[place.reader.name].places
    place.until(lambda: places)
    place.door.close()
    assert not [t for t in threading.enumerate() if t.name.startswith("pcsclite")]
    assert place.host.rm.contexts == {}


def test_codes_pass_as_they_are(place):
    client, hcard, _ = connected(place)
    assert code_of(client.control, hcard, 0x42000001) == Win32.INVALID_FUNCTION
    assert code_of(client.get_attrib, hcard, 0x00FF1234) == Win32.NOT_SUPPORTED
    other, second, protocol = connected(place)
    client.disconnect(hcard, Disposition.UNPOWER)
    assert code_of(other.transmit, second, protocol, APDU) == SCARD.W_UNPOWERED_CARD


def test_the_service_stops_with_the_last_reader(place):
    client, hcard, _ = connected(place)
    place.reader.unplug()
    assert code_of(client.begin, hcard) == SCARD.E_SERVICE_STOPPED
    assert code_of(client.connect, "Any Reader 0", 2, 3) == SCARD.E_SERVICE_STOPPED
    client.release()
    assert place.host.rm.contexts == {}
    assert code_of(client.establish) == SCARD.E_NO_SERVICE
    again = place.host.add_reader("Door Reader")
    client.establish()
    assert [state.name for state in client.readers()] == [again.name]
