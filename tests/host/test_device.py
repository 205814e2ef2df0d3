# SPDX-License-Identifier: Apache-2.0
"""Direct device access: overlapped requests, cancel, handles, threads."""

import threading

import pytest

from vreader.clock import ManualClock
from vreader.errors import VreaderError
from vreader.smclib.ioctl import Ioctl
from vreader.smclib.profile import NFC
from vreader.wdm import NTSTATUS

HEADER = bytes.fromhex("0200000008000000")
IS_PRESENT, IS_ABSENT = Ioctl.SMARTCARD_IS_PRESENT, Ioctl.SMARTCARD_IS_ABSENT
TRANSMIT, GET_STATE = Ioctl.SMARTCARD_TRANSMIT, Ioctl.SMARTCARD_GET_STATE
PATIENCE_S = 20


def power_up(device):
    status, atr = device.ioctl(Ioctl.SMARTCARD_POWER, b"\1\0\0\0", 33)
    assert status is NTSTATUS.SUCCESS
    assert device.ioctl(Ioctl.SMARTCARD_SET_PROTOCOL, b"\3\0\0\0", 4)[0] is NTSTATUS.SUCCESS
    return atr


@pytest.fixture
def desk(make_host, make_card):
    """A host without resource manager, a reader, its device, a card that answers at once."""
    host = make_host(None)
    reader = host.add_reader()
    card = make_card()
    card.gated = False
    with host.open_device(reader.link) as device:
        yield host, reader, device, card


def test_a_direct_conversation(desk):
    _host, reader, device, card = desk
    reader.insert(card)
    assert device.ioctl(IS_PRESENT) == (NTSTATUS.SUCCESS, b"")
    assert power_up(device) == card.atr
    answer = device.ioctl(TRANSMIT, HEADER + b"\x80\1\2\3", 258)
    assert answer == (NTSTATUS.SUCCESS, HEADER + b"\x80\x90\x00")
    assert device.ioctl(Ioctl.SMARTCARD_POWER, b"\0\0\0\0") == (NTSTATUS.SUCCESS, b"")
    reader.remove()
    assert device.ioctl(IS_ABSENT) == (NTSTATUS.SUCCESS, b"")
    assert device.ioctl(GET_STATE, b"", 4) == (NTSTATUS.SUCCESS, b"\1\0\0\0")


@pytest.mark.wdk("ioctl.power.nfc-reset")
def test_an_nfc_conversation(make_host, make_card):
    host = make_host(None)
    reader = host.add_reader("Contactless 00 00", profile=NFC)
    card = make_card()
    card.gated = False
    reader.insert(card)
    with host.open_device(reader.link) as device:
        assert device.ioctl(Ioctl.SMARTCARD_POWER, b"\1\0\0\0", 33) == (NTSTATUS.SUCCESS, card.atr)
        assert device.ioctl(TRANSMIT, HEADER + b"\0\1\2\3", 258)[0] is NTSTATUS.SUCCESS


def test_a_card_taken_out_at_work_may_end_it(desk, in_thread):
    _host, reader, device, card = desk
    card.gated, card.interrupt = True, card.release.set
    reader.insert(card)
    power_up(device)
    join = in_thread(lambda: device.ioctl(TRANSMIT, HEADER + b"\0\1\2\3", 258)[0])
    assert card.working.wait(PATIENCE_S)
    reader.remove()
    assert join() is NTSTATUS.NO_MEDIA
    assert card.release.is_set()


def test_an_overlapped_request_answers_once(desk):
    _host, reader, device, card = desk
    answers = []
    device.start(IS_PRESENT, b"", 0, lambda *answer: answers.append(answer))
    assert answers == []
    reader.insert(card)
    assert answers == [(NTSTATUS.SUCCESS, b"")]


@pytest.mark.wdk("tracking.cancel")
def test_cancel_from_another_thread_ends_a_waiting_call(desk, in_thread):
    _host, _reader, device, _card = desk
    waiting = threading.Event()
    answers = []

    def wait():
        done = threading.Event()

        def told(status, output):
            answers.append(status)
            done.set()

        device.start(IS_PRESENT, b"", 0, told)
        waiting.set()
        return done.wait(PATIENCE_S)

    join = in_thread(wait)
    assert waiting.wait(PATIENCE_S)
    device.cancel()
    assert join() is True
    assert answers == [NTSTATUS.CANCELLED]


def test_an_interrupt_cancels_what_was_waited_for(desk, monkeypatch):
    _host, reader, device, card = desk

    def interrupted(self, timeout=None):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(threading.Event, "wait", interrupted)
        device.ioctl(IS_PRESENT)
    answers = []
    device.start(IS_PRESENT, b"", 0, lambda *answer: answers.append(answer))
    assert answers == []  # there is room for one tracking request
    reader.insert(card)
    assert answers == [(NTSTATUS.SUCCESS, b"")]


@pytest.mark.wdk("ioctl.is-present.cancelled")
def test_one_request_can_be_cancelled_alone_and_late(desk):
    _host, reader, device, card = desk
    answers = []
    request = device.start(IS_PRESENT, b"", 0, lambda *answer: answers.append(answer))
    request.cancel()
    assert answers == [(NTSTATUS.CANCELLED, b"")]
    request.cancel()  # it is over: harmless
    reader.insert(card)
    assert len(answers) == 1


@pytest.mark.wdk("lock.state-lock", "lock.request-gate")
def test_a_card_at_work_holds_no_lock(desk, in_thread):
    host, reader, device, card = desk
    reader.insert(card)
    power_up(device)
    card.gated = True
    join = in_thread(device.ioctl, TRANSMIT, HEADER + b"\0\1\2\3", 258)
    assert card.working.wait(PATIENCE_S)
    assert device.ioctl(GET_STATE, b"", 4) == (NTSTATUS.DEVICE_BUSY, b"")
    other = host.add_reader("Other")
    assert host.open_device(other.link).ioctl(GET_STATE, b"", 4)[0] is NTSTATUS.SUCCESS
    card.release.set()
    assert join() == (NTSTATUS.SUCCESS, HEADER + b"\0\x90\x00")


@pytest.mark.wdk("lock.vanished-card", "pnp.surprise.outstanding")
@pytest.mark.parametrize("how", ["remove", "unplug", "cancel", "close"])
def test_the_request_of_a_working_card_can_be_ended_at_once(desk, in_thread, how):
    _host, reader, device, card = desk
    reader.insert(card)
    power_up(device)
    card.gated = True
    answers = []
    ended = threading.Event()

    def told(status, output):
        answers.append((status, output))
        ended.set()

    join = in_thread(device.start, TRANSMIT, HEADER + b"\0\1\2\3", 258, told)
    assert card.working.wait(PATIENCE_S)
    {"remove": reader.remove, "unplug": reader.unplug, "cancel": device.cancel,
     "close": device.close}[how]()  # fmt: skip
    assert ended.wait(PATIENCE_S)  # while the card still works
    status = NTSTATUS.NO_MEDIA if how in ("remove", "unplug") else NTSTATUS.CANCELLED
    assert answers == [(status, b"")]
    card.release.set()
    join()
    assert answers == [(status, b"")]


def test_a_card_is_never_called_twice_at_once(desk, in_thread):
    _host, reader, device, card = desk
    reader.insert(card)
    power_up(device)
    card.gated = True
    first = in_thread(device.ioctl, TRANSMIT, HEADER + b"\0\1\2\3", 258)
    assert card.working.wait(PATIENCE_S)
    reader.remove()
    reader.insert(card)
    join = in_thread(device.ioctl, Ioctl.SMARTCARD_POWER, b"\1\0\0\0", 33)
    card.release.set()
    assert first() == (NTSTATUS.NO_MEDIA, b"")
    assert join() == (NTSTATUS.SUCCESS, card.atr)


@pytest.mark.wdk("kernel.duplicate-handle")
def test_duplicates_share_the_open(desk):
    host, reader, device, _card = desk
    other = device.duplicate()
    device.close()
    assert other.ioctl(GET_STATE, b"", 4)[0] is NTSTATUS.SUCCESS
    with pytest.raises(VreaderError):
        host.open_device(reader.link)
    other.close()
    host.open_device(reader.link).close()


def test_a_closed_handle_is_invalid_and_closing_again_harmless(desk):
    _host, _reader, device, _card = desk
    device.close()
    assert device.ioctl(GET_STATE, b"", 4) == (NTSTATUS.INVALID_HANDLE, b"")
    assert device.duplicate().ioctl(GET_STATE, b"", 4)[0] is NTSTATUS.INVALID_HANDLE
    device.cancel()
    device.close()


def test_closing_wakes_who_waits_on_the_handle(desk):
    _host, _reader, device, _card = desk
    answers = []
    device.start(IS_PRESENT, b"", 0, lambda *answer: answers.append(answer))
    device.close()
    assert answers == [(NTSTATUS.CANCELLED, b"")]


def test_a_reader_pulled_out_under_an_open_handle(desk):
    host, reader, device, card = desk
    reader.insert(card)
    reader.unplug()
    assert device.ioctl(GET_STATE, b"", 4) == (NTSTATUS.DEVICE_REMOVED, b"")
    device.close()
    with pytest.raises(VreaderError, match="OBJECT_NAME_NOT_FOUND") as caught:
        host.open_device(reader.link)
    assert "SCReader0" in caught.value.hint


def test_a_request_may_be_started_from_an_answer(desk):
    """The inner request's card works when the lock is free, not inside the answer."""
    host, reader, device, card = desk
    reader.insert(card)
    power_up(device)
    free, answers = [], []

    def try_lock():
        if host.lock.acquire(blocking=False):
            free.append(True)
            host.lock.release()

    def transmit(c_apdu):
        other = threading.Thread(target=try_lock)
        other.start()
        other.join()
        return b"\x90\x00"

    card.transmit = transmit

    def told(status, output):
        device.start(TRANSMIT, HEADER + b"\0\1\2\3", 258, lambda *answer: answers.append(answer))

    device.start(GET_STATE, b"", 4, told)
    assert answers == [(NTSTATUS.SUCCESS, HEADER + b"\x90\x00")]
    assert free == [True]


def test_a_deadline_of_a_manual_clock(make_host, make_card, in_thread):
    clock = ManualClock()
    host = make_host(None, clock=clock)
    reader = host.add_reader(timeout_s=3.0)
    card = make_card()
    reader.insert(card)
    with host.open_device(reader.link) as device:
        power_up(device)
        answers = []
        join = in_thread(
            device.start, TRANSMIT, HEADER + b"\0\1\2\3", 258, lambda *a: answers.append(a)
        )
        assert card.working.wait(PATIENCE_S)
        host.run(clock.advance, 3.0)
        assert answers == [(NTSTATUS.IO_TIMEOUT, b"")]
        card.release.set()
        join()
        assert len(answers) == 1
