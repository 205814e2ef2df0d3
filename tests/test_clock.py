# SPDX-License-Identifier: Apache-2.0
"""Time that passes when a test says so."""

from vreader.clock import ManualClock


def test_calls_run_in_order_at_their_moment():
    clock, seen = ManualClock(), []
    for when in (3.0, 1.0, 2.0, 1.0):
        clock.call_at(when, lambda when=when: seen.append((when, clock.now())))
    clock.advance(2.0)
    assert seen == [(1.0, 1.0), (1.0, 1.0), (2.0, 2.0)]
    assert clock.now() == 2.0
    clock.advance(5.0)
    assert seen[-1] == (3.0, 3.0)
    assert clock.now() == 7.0


def test_a_cancelled_call_does_not_run():
    clock, seen = ManualClock(), []
    timer = clock.call_at(1.0, lambda: seen.append(1))
    timer.cancel()
    timer.cancel()
    clock.advance(2.0)
    assert seen == []


def test_a_call_may_schedule_another_that_is_due_meanwhile():
    clock, seen = ManualClock(), []
    clock.call_at(1.0, lambda: clock.call_at(1.5, lambda: seen.append(clock.now())))
    clock.advance(2.0)
    assert seen == [1.5]
