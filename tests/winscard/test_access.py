# SPDX-License-Identifier: Apache-2.0
"""Turns: in the order of asking, never lost, and nobody breaks into a transaction."""

from itertools import pairwise

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from winscard_desk import Desk

from vreader.winscard.codes import SCARD, Disposition, ScardError
from vreader.winscard.profile import PCSCLITE, WINDOWS

SHARING_VIOLATION = SCARD.E_SHARING_VIOLATION


def code_of(call):
    with pytest.raises(ScardError) as caught:
        call.result()
    return caught.value.code


@pytest.fixture
def four(desk):
    desk.insert()
    return desk, [desk.connect() for _ in range(4)]


@pytest.mark.wdk("rm.transaction.waits")
def test_transactions_are_begun_in_the_order_of_asking(four):
    desk, handles = four
    desk.do("begin_transaction", handles[0])
    waiting = [desk.start("begin_transaction", handle) for handle in handles[1:]]
    for before, handle in pairwise(handles):
        done = [call.done for call in waiting]
        desk.do("end_transaction", before, 0)
        assert [call.done for call in waiting].count(True) == done.count(True) + 1
        assert desk.reader.owner is handle
        late = desk.start("begin_transaction", handles[0])  # who comes late does not come first
        assert late.give_up(SHARING_VIOLATION)
    desk.do("end_transaction", handles[-1], 0)
    assert desk.reader.owner is None
    assert desk.reader.places == []


@pytest.mark.wdk("rm.transaction.transmit")
def test_a_call_that_waited_is_not_overtaken(four):
    desk, (one, two, three, four) = four
    desk.do("begin_transaction", one)
    sent = desk.start("transmit", two, 2, b"\0\1\0\0", 300)
    begun = desk.start("begin_transaction", three)
    other = desk.start("transmit", four, 2, b"\0\2\0\0", 300)
    assert [call.done for call in (sent, begun, other)] == [False] * 3
    desk.do("end_transaction", one, 0)
    assert sent.result() == b"\0\1\0\0\x90\0"
    assert begun.done
    assert not other.done
    desk.do("end_transaction", three, 0)
    assert other.done


def test_a_reset_that_waited_ends_before_the_next_transaction(four):
    desk, (one, two, three, _) = four
    desk.do("begin_transaction", one)
    gone = desk.start("disconnect", two, Disposition.RESET)
    begun = desk.start("begin_transaction", three)
    desk.do("end_transaction", one, 0)
    assert gone.done
    assert code_of(begun) == SCARD.W_RESET_CARD  # it came before, not into, the transaction
    assert desk.reader.owner is None


@pytest.mark.parametrize("call", ["control", "get_attribute", "reconnect", "connect"])
def test_what_else_waits(four, call):
    desk, (one, two, _, _) = four
    desk.do("begin_transaction", one)
    arguments = {
        "control": (two, 0x42000D48, b"", 300),
        "get_attribute": (two, 0x00090303),
        "reconnect": (two, 2, 3, 0),
        "connect": (desk.context(), desk.slot.name, 2, 3),
    }
    waiting = desk.start(call, *arguments[call])
    assert not waiting.done
    desk.do("end_transaction", one, 0)
    waiting.result()
    assert desk.reader.turn is None


@pytest.mark.parametrize("profile", [PCSCLITE, WINDOWS])
def test_who_asks_again_keeps_its_place(make_desk, profile):
    desk = make_desk(profile)
    desk.insert()
    one, two, three = (desk.connect() for _ in range(3))
    desk.do("begin_transaction", one)
    first = desk.start("begin_transaction", two)
    second = desk.start("begin_transaction", three)
    assert first.give_up(SHARING_VIOLATION)  # as the door does after half a second
    desk.pass_time(0.9)
    first = desk.start("begin_transaction", two)
    desk.do("end_transaction", one, 0)
    assert (first.done, second.done) == (True, False)
    desk.do("end_transaction", two, 0)
    assert second.done


def test_who_comes_back_too_late_has_lost_its_place(four):
    desk, (one, two, three, _) = four
    desk.do("begin_transaction", one)
    first = desk.start("begin_transaction", two)
    second = desk.start("begin_transaction", three)
    first.give_up(SHARING_VIOLATION)
    desk.pass_time(1.1)
    first = desk.start("begin_transaction", two)
    desk.do("end_transaction", one, 0)
    assert (first.done, second.done) == (False, True)


def test_while_it_is_away_others_have_their_turn(four):
    desk, (one, two, three, _) = four
    desk.do("begin_transaction", one)
    desk.start("begin_transaction", two).give_up(SHARING_VIOLATION)
    second = desk.start("begin_transaction", three)
    desk.do("end_transaction", one, 0)
    assert second.done


@pytest.mark.parametrize("call", ["begin_transaction", "transmit"])
def test_an_interrupted_call_passes_its_turn_on(four, call):
    desk, (one, two, three, _) = four
    desk.do("begin_transaction", one)
    arguments = (two, 2, b"\0\0\0\0", 300) if call == "transmit" else (two,)
    interrupted = desk.start(call, *arguments)
    interrupted.waker = lambda: None  # its thread does not take up the turn
    begun = desk.start("begin_transaction", three)
    desk.do("end_transaction", one, 0)
    assert [call.done for call in (interrupted, begun)] == [False] * 2
    desk.host.run(interrupted.abandon)
    assert code_of(interrupted) == SCARD.E_CANCELLED
    assert begun.done


@pytest.mark.parametrize("serial", [True, False])
def test_a_transaction_of_the_same_context(make_desk, serial):
    desk = make_desk()
    desk.insert()
    context = desk.context(serial=serial)
    one, two = desk.connect(context), desk.connect(context)
    desk.do("begin_transaction", one)
    begun = desk.start("begin_transaction", two)
    if serial:  # it would wait for itself
        assert code_of(begun) == SHARING_VIOLATION
    else:
        assert not begun.done
        desk.do("end_transaction", one, 0)
        begun.result()


@pytest.mark.parametrize("event", ["remove", "unplug", "disconnect"])
def test_whoever_waits_hears_of_the_end(four, event):
    desk, (one, two, three, _) = four
    desk.host.add_reader("Another, so that the service goes on")
    desk.do("begin_transaction", one)
    begun = desk.start("begin_transaction", two)
    sent = desk.start("transmit", three, 2, b"\0\0\0\0", 300)
    if event == "disconnect":
        desk.do("disconnect", two, 0)
        assert code_of(begun) == SCARD.E_INVALID_HANDLE
        assert not sent.done
        desk.do("end_transaction", one, 0)
        assert sent.done
        return
    reader = desk.reader
    getattr(desk.slot, event)()
    gone = SCARD.W_REMOVED_CARD if event == "remove" else SCARD.E_READER_UNAVAILABLE
    assert code_of(begun) == code_of(sent) == gone
    assert (reader.places, reader.turn, reader.owner) == ([], None, None)


@pytest.mark.parametrize("profile", [PCSCLITE, WINDOWS])
def test_nobody_waits_with_a_context_that_was_released(make_desk, profile):
    desk = make_desk(profile._replace(exit_always_resets=False))
    desk.insert()
    holder, context = desk.connect(), desk.context()
    two, three = desk.connect(context), desk.connect()
    desk.do("begin_transaction", holder)
    waits = [
        desk.start("begin_transaction", two),
        desk.start("connect", context, desk.slot.name, 2, 3),
    ]
    begun = desk.start("begin_transaction", three)
    desk.do("release_context", context)
    assert [code_of(wait) for wait in waits] == [SCARD.E_INVALID_HANDLE] * 2
    assert not begun.done
    desk.do("end_transaction", holder, 0)
    assert begun.done
    assert desk.reader.sharing == 2


def test_who_was_interrupted_does_not_keep_its_place_for_ever(four):
    desk, (one, two, three, _) = four
    desk.do("begin_transaction", one)
    interrupted = desk.start("begin_transaction", two)
    interrupted.waker = lambda: None  # its thread does not take up the turn
    desk.do("end_transaction", one, 0)
    desk.host.run(interrupted.abandon)
    desk.pass_time(2)
    desk.do("begin_transaction", one)
    first = desk.start("begin_transaction", three)
    second = desk.start("begin_transaction", two)
    desk.do("end_transaction", one, 0)
    assert (first.done, second.done) == (True, False)


class Turns(RuleBasedStateMachine):
    """Anything at all happens to a card that several programs want; a small model stands beside.

    The model is the list of who waits, in the order of asking, and who holds the transaction.
    """

    def __init__(self):
        super().__init__()
        self.desk = Desk(WINDOWS._replace(transaction_idle_s=None, exit_always_resets=False))
        self.card = self.desk.insert()
        self.handles = [self.desk.connect() for _ in range(4)]
        self.depth = dict.fromkeys(self.handles, 0)
        self.waiting = []  # (handle, kind, call)
        self.sent = 0

    def teardown(self):
        self.desk.host.close()

    @property
    def holder(self):
        return next((handle for handle in self.handles if self.depth[handle]), None)

    def free(self, handle):
        return all(waiter is not handle for waiter, _, _ in self.waiting)

    def settle(self):
        """Let the model do what must have happened since somebody let go."""
        while self.waiting and self.holder is None:
            handle, kind, call = self.waiting.pop(0)
            assert call.done, f"{kind} should have had its turn"
            call.result()
            if kind == "begin":
                self.depth[handle] = 1

    @rule(number=st.integers(0, 3))
    def begin(self, number):
        handle = self.handles[number]
        if not self.free(handle):
            return
        call = self.desk.start("begin_transaction", handle)
        if self.holder in (None, handle):
            call.result()
            self.depth[handle] += 1
        else:
            self.waiting.append((handle, "begin", call))

    @rule(number=st.integers(0, 3))
    def transmit(self, number):
        handle = self.handles[number]
        if not self.free(handle):
            return
        self.sent += 1
        command = self.sent.to_bytes(4, "big")
        call = self.desk.start("transmit", handle, 2, command, 300)
        if self.holder in (None, handle):
            assert call.result() == command + b"\x90\0"
        else:
            self.waiting.append((handle, "transmit", call))

    @precondition(lambda self: self.holder is not None)
    @rule()
    def end(self):
        handle = self.holder
        self.desk.do("end_transaction", handle, 0)
        self.depth[handle] -= 1
        self.settle()

    @precondition(lambda self: self.holder is not None)
    @rule()
    def disconnect(self):
        handle = self.holder
        self.desk.do("disconnect", handle, 0)
        self.depth.pop(handle)
        fresh = self.desk.start("connect", self.desk.context(), self.desk.slot.name, 2, 3)
        self.handles.remove(handle)
        self.settle_with(fresh)

    def settle_with(self, connecting):
        """Disconnect and connect again: the new connection waits at the end of the line."""
        self.settle()
        while not connecting.done:
            holder = self.holder
            while self.depth[holder]:
                self.desk.do("end_transaction", holder, 0)
                self.depth[holder] -= 1
            self.settle()
        handle, _ = connecting.result()
        self.handles.append(handle)
        self.depth[handle] = 0

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def give_up(self, data):
        place = data.draw(st.integers(0, len(self.waiting) - 1))
        handle, _, call = self.waiting.pop(place)
        assert call.give_up(SHARING_VIOLATION)
        handle.asked = 0  # it does not come back for its old place

    @invariant()
    def they_agree(self):
        reader = self.desk.reader
        assert reader.owner is self.holder
        assert [place.calls[0] for place in reader.places] == [call for _, _, call in self.waiting]
        assert reader.turn is None
        assert not reader.busy


TestTurns = Turns.TestCase
TestTurns.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
