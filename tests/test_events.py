# SPDX-License-Identifier: Apache-2.0
import pytest

from vreader.events import Emitter, Event


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
    with pytest.raises(AttributeError):
        Ping(1).number = 2


class Pong(Ping):
    text: str = "pong"


def test_an_event_is_a_value_with_named_fields_and_defaults():
    assert Pong.fields == ("number", "text")
    assert Pong(1) == Pong(number=1, text="pong")
    assert hash(Pong(1)) == hash(Pong(1))
    assert Pong(1) != Pong(2)
    assert repr(Pong(1)) == "Pong(number=1, text='pong')"


@pytest.mark.parametrize(("args", "kwargs"), [((1, "a", 2), {}), ((1,), {"other": 1})])
def test_an_event_takes_its_fields_and_nothing_else(args, kwargs):
    with pytest.raises(TypeError):
        Pong(*args, **kwargs)


def test_a_field_without_default_must_be_given():
    with pytest.raises(AttributeError):
        Pong()
