# SPDX-License-Identifier: Apache-2.0
"""Calls in progress: turns are taken in order and never lost."""

import pytest

from vreader.clock import ManualClock
from vreader.events import Emitter
from vreader.wdm import IoManager
from vreader.winscard.call import Call, WaitQueue
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


def test_wake_all(io):
    queue, log = WaitQueue(patient=False), []
    calls = [waiting_in(queue, io, log, n) for n in range(3)]
    queue.wake_all()
    assert log == ["0 woken", "1 woken", "2 woken"]
    assert not queue.calls
    for call in calls:
        call.resume()
        assert call.done
