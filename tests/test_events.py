# SPDX-License-Identifier: Apache-2.0
from dataclasses import FrozenInstanceError, dataclass

import pytest

from vreader.events import Emitter, Event


@dataclass(frozen=True, slots=True)
class Ping(Event):
    number: int


def test_an_emitter_is_true_only_while_somebody_reads():
    events = Emitter()
    assert not events
    unsubscribe = events.subscribe(lambda event: None)
    assert events
    unsubscribe()
    assert not events


def test_sinks_hear_in_the_order_they_came():
    events, heard = Emitter(), []
    events.subscribe(lambda event: heard.append(("first", event)))
    events.subscribe(lambda event: heard.append(("second", event)))
    events.emit(Ping(1))
    assert heard == [("first", Ping(1)), ("second", Ping(1))]


def test_unsubscribing_twice_is_harmless():
    events, heard = Emitter(), []
    unsubscribe = events.subscribe(heard.append)
    events.subscribe(lambda event: None)
    unsubscribe()
    unsubscribe()
    events.emit(Ping(1))
    assert heard == []
    assert events


def test_a_sink_may_leave_while_it_hears():
    events, heard = Emitter(), []

    def once(event):
        heard.append(event)
        unsubscribe()

    unsubscribe = events.subscribe(once)
    events.subscribe(heard.append)
    events.emit(Ping(1))
    events.emit(Ping(2))
    assert heard == [Ping(1), Ping(1), Ping(2)]


def test_events_are_values():
    assert Ping(1) == Ping(1)
    with pytest.raises(FrozenInstanceError):
        Ping(1).number = 2
