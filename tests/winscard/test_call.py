# SPDX-License-Identifier: Apache-2.0
"""Calls in progress: turns are taken in order and never lost."""

import pytest

from vreader.clock import ManualClock
from vreader.events import Emitter
from vreader.smclib.ioctl import Ioctl
from vreader.wdm import (
    NTSTATUS,
    DriverObject,
    FileObject,
    Handle,
    IoCompleteRequest,
    IoManager,
    IoMarkIrpPending,
    IoSetCancelRoutine,
)
from vreader.winscard.call import Call, Io, WaitQueue
from vreader.winscard.codes import SCARD, ScardError


@pytest.fixture
def io():
    return IoManager(ManualClock(), Emitter())


def waiting_in(queue, io, log, name):
    """A call that waits for its turn once and says how that went."""

    def operation():
        try:
            yield queue
            log.append(name)
            return name
        except ScardError as error:
            log.append((name, error.code))
            raise

    call = Call(io, operation())
    call.waker = lambda: log.append(f"{name} woken")
    call.start()
    return call


def test_first_come_first_served(io):
    queue, log = WaitQueue(patient=True), []
    one, two = (waiting_in(queue, io, log, name) for name in ("one", "two"))
    assert queue.wake_first()
    assert log == ["one woken"]
    one.resume()
    two.resume()  # not its turn
    assert (one.done, two.done) == (True, False)
    assert queue.wake_first()
    assert not queue.wake_first()
    two.resume()
    assert [one.result(), two.result()] == ["one", "two"]


def test_who_has_given_up_is_not_woken(io):
    queue, log = WaitQueue(patient=False), []
    one, two = (waiting_in(queue, io, log, name) for name in ("one", "two"))
    assert one.give_up(SCARD.E_SHARING_VIOLATION)
    assert not one.give_up(SCARD.E_SHARING_VIOLATION)
    with pytest.raises(ScardError):
        one.result()
    queue.wake_first()
    assert log[-1] == "two woken"
    assert not two.give_up(SCARD.E_SHARING_VIOLATION)  # too late: it has its turn
    two.resume()
    assert two.result() == "two"


def test_nobody_waits_for_it_so_it_goes_on_by_itself(io):
    queue, log = WaitQueue(patient=True), []
    call = waiting_in(queue, io, log, "own")
    call.waker = None
    queue.wake_first()
    assert not call.done
    for item in io.take_work():
        item.finish(item.run())
    assert call.result() == "own"


@pytest.mark.parametrize("woken", [False, True])
def test_an_interrupted_call_passes_its_turn_on(io, woken):
    queue, log = WaitQueue(patient=True), []
    one, two = (waiting_in(queue, io, log, name) for name in ("one", "two"))
    if woken:
        queue.wake_first()
    one.abandon()
    assert one.done
    assert ("one", SCARD.E_CANCELLED) in log
    assert ("two woken" in log) is woken
    assert list(queue.calls) == ([] if woken else [two])


@pytest.fixture
def prompting(io):
    """Start a request that pends until it is cancelled, as a prompt on a keypad does."""

    def start(code):
        def dispatch(device, irp):
            IoSetCancelRoutine(irp, cancel)
            IoMarkIrpPending(irp)
            return NTSTATUS.PENDING

        def cancel(device, irp):
            irp.IoStatus.Status = NTSTATUS.CANCELLED
            IoCompleteRequest(irp)

        def operation():
            return (yield Io(handle, code))

        driver = DriverObject(io, "keypad", {})
        driver.MajorFunction = [dispatch] * len(driver.MajorFunction)
        handle = Handle(FileObject(io.IoCreateDevice(driver, "keypad", None)))
        call = Call(io, operation())
        call.start()
        return call

    return start


def test_a_prompt_ends_with_the_program_that_wanted_it(prompting):
    call = prompting(0x42000DB0)
    call.hang_up()
    assert call.result() == (NTSTATUS.CANCELLED, b"")
    call.hang_up()  # again: harmless


@pytest.mark.parametrize("code", [Ioctl.SMARTCARD_POWER, Ioctl.SMARTCARD_TRANSMIT])
def test_a_card_at_work_is_not_interrupted(prompting, code):
    call = prompting(code)
    call.hang_up()
    assert not call.done


def test_whoever_has_gone_does_not_wait_for_a_turn(io):
    queue, log = WaitQueue(patient=True), []
    call = waiting_in(queue, io, log, "one")
    call.hang_up()
    assert log == [("one", SCARD.E_CANCELLED)]
    assert not queue.calls


def test_wake_all(io):
    queue, log = WaitQueue(patient=False), []
    calls = [waiting_in(queue, io, log, n) for n in range(3)]
    queue.wake_all()
    assert log == ["0 woken", "1 woken", "2 woken"]
    assert not queue.calls
    for call in calls:
        call.resume()
        assert call.done
