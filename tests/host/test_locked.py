# SPDX-License-Identifier: Apache-2.0
"""Under the lock and out of it again: whose thread does what, also where it is interrupted."""

import threading

import pytest

from vreader.host import Host
from vreader.wdm import NTSTATUS
from vreader.winscard.profile import PCSCLITE


def test_work_inside_a_call_waits_for_the_outer_one(make_host):
    host = make_host(None)
    order = []

    def inner():
        host.io.queue_work(lambda: order.append("work"), lambda _: order.append("finish"))

    def outer():
        host.run(inner)
        order.append("outer")

    host.run(outer)
    assert order == ["outer", "work", "finish"]


def test_a_call_that_raises_lets_the_next_one_work(make_host):
    host = make_host(None)
    order = []
    with pytest.raises(ZeroDivisionError):
        host.run(lambda: 1 / 0)
    host.run(host.io.queue_work, lambda: order.append("work"), lambda _: None)
    assert order == ["work"]


def test_what_is_queued_behind_interrupted_work_is_done_all_the_same(make_host):
    host, finished = make_host(None), threading.Event()

    def interrupt():
        raise KeyboardInterrupt

    def queue():
        host.io.queue_work(interrupt, lambda _: host.io.queue_work(int, lambda _: finished.set()))
        host.io.queue_work(int, lambda _: None)

    with pytest.raises(KeyboardInterrupt):
        host.run(queue)
    assert finished.wait(10)


def test_a_card_that_takes_its_time_holds_up_no_other_timer(make_host, make_card):
    host, fired = make_host(PCSCLITE._replace(auto_power_off_s=0)), threading.Event()
    card, working = make_card(), threading.Event()

    def power_off():
        working.set()
        assert card.release.wait(20)

    card.power_off = power_off
    host.add_reader().insert(card)
    assert working.wait(20)  # nobody is connected: it loses its power, on account of a timer
    host.clock.call_at(host.clock.now(), fired.set)
    assert fired.wait(10)
    card.release.set()


def test_an_interrupt_in_the_middle_of_a_command_leaves_the_reader_usable():
    class Card:
        def power_on(self):
            return bytes.fromhex("3B80800101")

        reset = power_on

        def power_off(self):
            pass

        def transmit(self, c_apdu):
            if c_apdu[1] == 1:
                raise KeyboardInterrupt
            return b"\x90\0"

    with Host(None) as host:
        reader = host.add_reader()
        reader.insert(Card())
        with host.open_device(reader.link) as device:
            device.ioctl(0x310004, b"\1\0\0\0", 33)
            device.ioctl(0x310030, b"\2\0\0\0", 4)
            header = b"\2\0\0\0\x08\0\0\0"
            with pytest.raises(KeyboardInterrupt):
                device.ioctl(0x310014, header + b"\0\1\0\0", 300)
            status, output = device.ioctl(0x310014, header + b"\0\2\0\0", 300)
            assert (status, output[8:]) == (NTSTATUS.SUCCESS, b"\x90\0")
