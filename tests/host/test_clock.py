# SPDX-License-Identifier: Apache-2.0
"""The real clock, without waiting for it: everything is due at once or never."""

import threading

import pytest

from vreader.host.clock import RealClock

PATIENCE_S = 20


@pytest.fixture
def clock():
    clock = RealClock(lambda call: call())
    yield clock
    clock.stop()


def test_a_due_call_runs_on_the_timer_thread(clock):
    ran = threading.Event()
    names = []

    def call():
        names.append(threading.current_thread().name)
        ran.set()

    clock.call_at(clock.now() - 1, call)
    assert ran.wait(PATIENCE_S)
    assert names == ["timers"]


def test_calls_run_in_order_of_their_time(clock):
    order, held, done = [], threading.Event(), threading.Event()
    now = clock.now()
    clock.call_at(now - 9, lambda: held.wait(PATIENCE_S))
    clock.call_at(now - 1, lambda: (order.append(3), done.set()))
    clock.call_at(now - 3, lambda: order.append(1))
    clock.call_at(now - 2, lambda: order.append(2))
    held.set()
    assert done.wait(PATIENCE_S)
    assert order == [1, 2, 3]


def test_a_cancelled_call_never_runs_and_is_not_waited_for(clock):
    ran, done = [], threading.Event()
    clock.call_at(clock.now() + 1000, lambda: ran.append("far")).cancel()
    held = threading.Event()
    clock.call_at(clock.now() - 9, lambda: held.wait(PATIENCE_S))
    timer = clock.call_at(clock.now() - 5, lambda: ran.append("near"))
    clock.call_at(clock.now() - 4, done.set)
    timer.cancel()
    held.set()
    assert done.wait(PATIENCE_S)
    assert ran == []
    timer.cancel()  # again: harmless


def test_a_call_cancelled_while_the_timer_waits_for_the_lock_does_not_run():
    waiting, go, ended = threading.Event(), threading.Event(), threading.Event()
    ran = []

    def run(call):  # a host whose lock somebody holds
        waiting.set()
        assert go.wait(PATIENCE_S)
        call()
        ended.set()

    clock = RealClock(run)
    timer = clock.call_at(clock.now() - 1, lambda: ran.append(True))
    assert waiting.wait(PATIENCE_S)
    timer.cancel()
    go.set()
    assert ended.wait(PATIENCE_S)
    clock.stop()
    assert ran == []


def test_stop_ends_the_thread_and_forgets_what_was_due():
    before = set(threading.enumerate())
    clock = RealClock(lambda call: call())
    clock.stop()
    clock.call_at(clock.now() - 1, lambda: pytest.fail("ran after stop"))
    assert set(threading.enumerate()) == before
    clock = RealClock(lambda call: call())
    clock.call_at(clock.now() + 1000, lambda: pytest.fail("ran early"))
    clock.stop()
    clock.stop()
    assert set(threading.enumerate()) == before


def test_calls_that_were_cancelled_take_no_room(clock):
    last = clock.call_at(clock.now() + 2000, lambda: None)
    for _ in range(10_000):
        clock.call_at(clock.now() + 1000, lambda: None).cancel()
    assert len(clock._due) < 200
    assert any(entry[2] is last for entry in clock._due)


def test_stop_from_a_due_call():
    clock = RealClock(lambda call: call())
    stopped = threading.Event()
    clock.call_at(clock.now() - 1, lambda: (clock.stop(), stopped.set()))
    assert stopped.wait(PATIENCE_S)
    clock.stop()
