# SPDX-License-Identifier: Apache-2.0
"""One computer: readers, who may open them, shutting down."""

import gc
import threading
import weakref

import pytest

from vreader.errors import UsageError, VreaderError
from vreader.host import Host
from vreader.smclib.ioctl import Attr, Ioctl
from vreader.smclib.states import CardState
from vreader.wdm import NTSTATUS
from vreader.wdm.events import DeviceEvent


def test_a_reader_the_resource_manager_has_cannot_be_opened(make_host):
    host = make_host()
    host.add_reader()
    with pytest.raises(VreaderError, match="ACCESS_DENIED") as caught:
        host.open_device(r"\\.\SCReader0")
    assert "has it open" in caught.value.hint


def test_without_a_resource_manager_it_can(make_host):
    host = make_host(None)
    host.add_reader()
    with host.open_device(r"\\.\SCReader0") as device:
        assert device.ioctl(Ioctl.SMARTCARD_GET_STATE, b"", 4)[0] is NTSTATUS.SUCCESS
        with pytest.raises(VreaderError):
            host.open_device(r"\\.\SCReader0")


def test_an_unknown_device_is_named_with_a_hint(make_host):
    with pytest.raises(VreaderError, match="SCReader7") as caught:
        make_host(None).open_device(r"\\.\SCReader7")
    assert "SCReader0" in caught.value.hint


@pytest.mark.wdk("name.symbolic-link", "attribute.device-unit")
def test_readers_get_names_links_and_units_in_order(make_host):
    host = make_host(None)
    readers = [host.add_reader("Same") for _ in range(3)]
    assert [reader.link for reader in readers] == [rf"\\.\SCReader{n}" for n in range(3)]
    assert [reader.device for reader in readers] == ["reader0", "reader1", "reader2"]
    for number, reader in enumerate(readers):
        with host.open_device(reader.link) as device:
            tag = Attr.DEVICE_UNIT.to_bytes(4, "little")
            status, unit = device.ioctl(Ioctl.SMARTCARD_GET_ATTRIBUTE, tag, 4)
            assert (status, int.from_bytes(unit, "little")) == (NTSTATUS.SUCCESS, number)


def test_readers_added_from_many_threads_are_all_different(make_host, in_thread):
    host = make_host(None)
    start = threading.Barrier(4)

    def add():
        start.wait()
        return host.add_reader().device

    joins = [in_thread(add) for _ in range(4)]
    assert sorted(join() for join in joins) == [f"reader{n}" for n in range(4)]


@pytest.mark.wdk("name.link-is-legacy", "rm.readers-as-devices")
def test_a_link_alone_makes_no_reader(make_host):
    host = make_host()
    reader = host.add_reader()
    (device,) = host.io.drivers["vreader"].devices
    host.run(host.io.IoCreateSymbolicLink, r"\\.\SCReader7", device)
    assert [status.name for status in host.rm.statuses()] == [reader.name]


@pytest.mark.wdk("name.link-reused", "name.symbolic-link")
def test_a_link_is_free_again_after_unplugging(make_host):
    host = make_host(None)
    first = host.add_reader()
    second = host.add_reader()
    first.unplug()
    third = host.add_reader()
    assert (second.link, third.link) == (r"\\.\SCReader1", r"\\.\SCReader0")
    assert third.device == "reader2"


def test_a_reader_that_has_left_is_forgotten(make_host, in_thread):
    host = make_host()
    reader = host.add_reader()
    start = threading.Barrier(4)

    def unplug():
        start.wait()
        reader.unplug()

    for join in [in_thread(unplug) for _ in range(4)]:
        join()
    assert host.readers == []
    assert host.add_reader().eject()
    assert host.readers == []
    assert host.add_reader().device == "reader2"


@pytest.mark.parametrize("name", ["", "  ", "00 00", "bell\a", "x" * 33, "word " * 20])
def test_a_name_that_cannot_be_said_is_a_usage_error(make_host, name):
    host = make_host(None)
    if name == "00 00":
        assert host.add_reader(name).name == "00 00"
        return
    with pytest.raises(UsageError):
        host.add_reader(name)
    assert host.readers == []


def test_close_removes_readers_ends_threads_and_may_come_twice(make_card):
    before = set(threading.enumerate())
    events = []
    host = Host()
    host.events.subscribe(events.append)
    reader = host.add_reader()
    card = make_card()
    card.gated = False
    reader.insert(card)
    assert reader.state is CardState.NEGOTIABLE  # the resource manager greeted it
    host.clock.call_at(host.clock.now() + 1000, lambda: None)  # starts the timer thread
    host.close()
    host.close()
    assert set(threading.enumerate()) == before
    assert not reader.plugged_in
    assert host.io.drivers == {}  # unloaded, which asks for all their devices to be gone
    changes = [event.change for event in events if isinstance(event, DeviceEvent)]
    assert changes == ["arrival", "departure"]


def test_close_with_a_handle_still_open(make_host):
    host = make_host(None)
    device = host.open_device(host.add_reader().link)
    host.close()
    assert device.ioctl(Ioctl.SMARTCARD_GET_STATE, b"", 4) == (NTSTATUS.DEVICE_REMOVED, b"")
    device.close()
    assert host.io.drivers["vreader"].devices == []


def test_a_host_is_a_context_manager():
    with Host() as host:
        reader = host.add_reader()
    assert not reader.plugged_in


def test_a_host_forgets_cards_that_left(make_host, make_card):
    host = make_host(None)
    reader = host.add_reader()

    class Cardlike(type(make_card())):
        pass

    card = Cardlike()
    reader.insert(card)
    assert host.serial_card(card) is host.serial_card(card)
    reader.remove()
    gone = weakref.ref(card)
    del card
    gc.collect()
    assert gone() is None
