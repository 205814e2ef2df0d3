# SPDX-License-Identifier: Apache-2.0
"""Forty readers: programs of 4.6 see all, those of older protocols the first sixteen."""

import pytest

from vreader.bridge.pcsclite.client import PcscClient
from vreader.host.scard import ScardApi
from vreader.winscard.codes import ReaderFlag
from vreader.winscard.status_change import ReaderState

READERS = 40
APDU = b"\0\xa4\4\0"


@pytest.fixture
def crowd(make_place):
    """A door with forty readers, and a card in the first and in the last one."""
    place = make_place()
    place.more = [place.host.add_reader("Door Reader") for _ in range(READERS - 1)]
    place.last = place.more[-1]
    place.last.insert(type(place.card)())
    place.names = [place.reader.name, *(reader.name for reader in place.more)]
    return place


def names(client):
    return [state.name for state in client.readers()]


@pytest.mark.wdk("rm.more-than-sixteen")
def test_in_process_all_are_there(crowd):
    api = ScardApi(crowd.host)
    context = api.SCardEstablishContext()
    assert crowd.names[0] == "Door Reader 00 00"
    assert crowd.names[-1] == "Door Reader 27 00"
    assert api.SCardListReaders(context) == crowd.names
    states = api.SCardGetStatusChange(context, 0, [ReaderState(name) for name in crowd.names])
    present = [state.reader for state in states if state.event_state & ReaderFlag.PRESENT]
    assert present == [crowd.names[0], crowd.names[-1]]
    hcard, protocol = api.SCardConnect(context, crowd.last.name)
    assert api.SCardTransmit(hcard, protocol, APDU) == b"\x90\x00"


@pytest.mark.wdk("rm.more-than-sixteen")
def test_programs_of_4_6_see_all(crowd):
    client = crowd.client(6)
    assert names(client) == crowd.names
    assert len(client.slots()) == READERS
    hcard, protocol = client.connect(crowd.last.name, 2, 3)
    assert client.transmit(hcard, protocol, APDU) == b"\x90\x00"
    known = client.readers()
    client.wait()
    crowd.last.remove()
    assert client.receive_signal(10).rv == 0
    after = client.readers()
    assert [a.name for a, b in zip(known, after, strict=True) if a != b] == [crowd.last.name]


@pytest.mark.parametrize("minor", [4, 5])
def test_older_programs_see_the_first_sixteen_and_may_use_the_others(crowd, minor):
    client = crowd.client(minor)
    assert names(client) == crowd.names[:16]
    hcard, protocol = client.connect(crowd.last.name, 2, 3)  # who knows its name
    assert client.transmit(hcard, protocol, APDU) == b"\x90\x00"
    client.wait()
    crowd.last.remove()  # a change it cannot see wakes it all the same
    assert client.receive_signal(10).rv == 0
    assert names(client) == crowd.names[:16]


@pytest.mark.parametrize("slots", [16, 48])
def test_as_many_as_the_library_has_slots(make_place, slots):
    place = make_place(slots=slots)
    for _ in range(READERS - 1):
        place.host.add_reader("Door Reader")
    client = place.client(5, reader_slots=slots)
    assert len(names(client)) == min(READERS, slots)
    assert len(client.slots()) == slots


def test_a_place_that_is_free_goes_to_the_next_reader(crowd):
    old, new = crowd.client(4), crowd.client(6)
    crowd.more[2].unplug()
    assert names(old) == crowd.names[:3] + crowd.names[4:16]  # nobody moves up
    again = crowd.host.add_reader("Later Reader")
    assert names(old)[3] == names(new)[3] == again.name


def test_the_number_of_slots_never_shrinks(crowd):
    client = crowd.client(6)
    for reader in crowd.more:
        reader.unplug()
    assert names(client) == crowd.names[:1]
    assert len(client.slots()) == READERS
    with PcscClient(crowd.path) as fresh:
        assert len(fresh.slots()) == READERS
    for _ in range(READERS):
        crowd.host.add_reader("Door Reader")
    assert len(client.slots()) == READERS + 1


def test_readers_come_and_go_while_it_waits(crowd):
    client = crowd.client(6)
    for _ in range(5):
        client.wait()
        reader = crowd.host.add_reader("Door Reader")
        assert client.receive_signal(10).rv == 0
        assert reader.name in names(client)
        client.wait()
        reader.unplug()
        assert client.receive_signal(10).rv == 0
        assert reader.name not in names(client)
