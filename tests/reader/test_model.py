# SPDX-License-Identifier: Apache-2.0
"""One reader against a small model of it: anything in any order, answers held back at random.

A driver below the reader pends PnP and power requests at random and completes them later.
"""

import itertools

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from vreader.iso7816 import Atr
from vreader.smclib.ioctl import Ioctl
from vreader.smclib.states import CardState
from vreader.wdm import IRP_MJ, NTSTATUS

ABSENT, SWALLOWED, NEGOTIABLE, SPECIFIC = (
    CardState.ABSENT, CardState.SWALLOWED, CardState.NEGOTIABLE, CardState.SPECIFIC,
)  # fmt: skip
TIMEOUT_S = 5.0
PENDING = None


class EchoCard:
    """Answers a command with itself, and a reset with an ATR that carries its number."""

    def __init__(self, number):
        self.atr = bytes(Atr.build(protocols=(1,), historical=number.to_bytes(2, "big")))

    def power_on(self):
        return self.atr

    def reset(self):
        return self.atr

    def power_off(self):
        pass

    def transmit(self, c_apdu):
        return c_apdu + b"\x90\x00"


class Hand:
    """The request in hand: what it asked, what it will be answered, its work."""

    def __init__(self, kind, answer, output, work):
        self.kind, self.answer, self.output, self.work = kind, answer, output, work


class ReaderMachine(RuleBasedStateMachine):
    make_rig = make_below = None

    def __init__(self):
        super().__init__()
        self.below = type(self).make_below()
        self.rig = type(self).make_rig(timeout_s=TIMEOUT_S, lower_filters=(self.below.entry,))
        self.rig.pdo.exclusive = True
        self.handles = [self.rig.handle]
        self.state = ABSENT
        self.card = None
        self.asleep = False
        self.stopped = self.waking = False
        self.leaving = False
        self.hand = None
        self.tracking = None
        self.late = []
        self.numbers = itertools.count(1)

    # ---- what the model expects of requests that end

    def end_hand(self, status, output=b""):
        hand, self.hand = self.hand, None
        if hand is None:
            return
        assert (hand.answer.status, hand.answer.data) == (status, output)
        self.late.append(hand.work)

    def give_up_hand(self, status):
        """Cancel and deadline leave a card unpowered whose reset or power-down was not answered."""
        if self.hand is not None and self.hand.kind == "power":
            self.state = SWALLOWED
        self.end_hand(status)

    def end_tracking(self, status):
        tracking, self.tracking = self.tracking, None
        if tracking is not None:
            assert tracking.status is status

    def run_power_off(self):
        for item in self.rig.held():
            item.finish(item.run())

    # ---- handles

    @rule()
    def open(self):
        status, handle = self.rig.io.create_file(r"\\.\SCReader0")
        expected = NTSTATUS.SUCCESS
        if self.handles:
            expected = NTSTATUS.ACCESS_DENIED
        elif self.leaving:
            expected = NTSTATUS.DELETE_PENDING
        elif self.stopped:
            expected = NTSTATUS.DEVICE_NOT_READY
        assert status is expected
        if handle is not None:
            self.handles.append(handle)

    @precondition(lambda self: self.handles)
    @rule(data=st.data())
    def duplicate(self, data):
        handle = data.draw(st.sampled_from(self.handles))
        self.handles.append(self.rig.io.duplicate_handle(handle))

    @precondition(lambda self: self.handles)
    @rule(data=st.data())
    def close(self, data):
        index = data.draw(st.integers(0, len(self.handles) - 1))
        handle = self.handles.pop(index)
        self.rig.io.close_handle(handle)
        assert self.rig.send(Ioctl.SMARTCARD_GET_STATE, b"", 4, handle).status is (
            NTSTATUS.INVALID_HANDLE
        )
        if not self.handles:
            self.give_up_hand(NTSTATUS.CANCELLED)
            self.end_tracking(NTSTATUS.CANCELLED)

    # ---- the card

    @precondition(lambda self: self.card is None)
    @rule()
    def insert(self):
        self.card = EchoCard(next(self.numbers))
        assert self.rig.hardware.insert(self.card)
        if not self.asleep:
            self.state = SWALLOWED
            self.end_tracking(NTSTATUS.SUCCESS)

    @precondition(lambda self: self.card is not None)
    @rule()
    def remove(self):
        self.card = None
        assert self.rig.hardware.remove()
        if not self.asleep:
            self.state = ABSENT
            self.end_tracking(NTSTATUS.SUCCESS)
        self.end_hand(NTSTATUS.NO_MEDIA)
        self.run_power_off()

    # ---- power and Plug and Play

    @rule()
    def the_driver_below_will_keep_a_request(self):
        if self.below.kept is None:
            self.below.keeps = True

    @precondition(lambda self: self.below.kept is not None)
    @rule()
    def the_driver_below_lets_it_go(self):
        wakes = self.below.kept_request[1] in (0, 2)  # START_DEVICE, SET_POWER
        self.below.let_go()
        if wakes and self.waking:
            self.awake()

    @precondition(lambda self: not self.asleep and self.below.kept is None)
    @rule()
    def sleep(self):
        self.rig.pnp.set_power(self.rig.pdo, 3)
        self.waking = False
        self.fall_asleep()
        self.end_hand(NTSTATUS.DEVICE_POWERED_OFF)
        self.run_power_off()

    def fall_asleep(self):
        self.asleep = True
        if self.state > ABSENT:
            self.state = SWALLOWED

    @precondition(lambda self: self.asleep and not self.stopped and self.below.kept is None)
    @rule()
    def wake(self):
        self.rig.pnp.set_power(self.rig.pdo, 0)
        self.come_back()

    def come_back(self):
        self.waking = True
        if self.below.kept is None:
            self.awake()

    def awake(self):
        """Power is there when the bus below has given it, not sooner."""
        self.asleep = self.stopped = False
        if self.state > ABSENT or self.card is not None:
            self.end_tracking(NTSTATUS.SUCCESS)
        self.state = ABSENT if self.card is None else SWALLOWED

    @precondition(lambda self: not (self.stopped or self.leaving) and self.below.kept is None)
    @rule()
    def stop(self):
        self.below.keeps = False
        asked = self.rig.pnp.query_stop(self.rig.pdo)
        assert asked == (self.hand is None)
        if asked:
            assert self.rig.pnp.stop(self.rig.pdo) is NTSTATUS.SUCCESS
            self.stopped = True
            self.fall_asleep()
            self.run_power_off()

    @precondition(lambda self: self.stopped and self.below.kept is None)
    @rule()
    def start(self):
        self.rig.pnp.start(self.rig.pdo)
        self.come_back()

    @precondition(lambda self: not (self.stopped or self.leaving) and self.below.kept is None)
    @rule()
    def ask_to_leave(self):
        self.below.keeps = False
        self.leaving = self.rig.pnp.query_remove(self.rig.pdo)
        assert self.leaving == (not self.handles)

    @precondition(lambda self: self.leaving and self.below.kept is None)
    @rule()
    def stay(self):
        self.below.keeps = False
        self.rig.pnp.cancel_remove(self.rig.pdo)
        self.leaving = False

    @precondition(lambda self: self.stopped and self.handles)
    @rule(data=st.data(), code=st.sampled_from([1, 2, 5, 10, 14]))
    def ask_a_stopped_reader(self, data, code):
        answer = self.send(data, 0x00310000 | code << 2, b"", 64)
        assert answer.status is NTSTATUS.DEVICE_NOT_READY

    # ---- requests

    def send(self, data, code, buffer, out):
        return self.rig.send(code, buffer, out, data.draw(st.sampled_from(self.handles)))

    def card_request(self, kind, answer, expected, output=b""):
        """A request to the card: refused now, or in hand until its work is done."""
        if self.asleep:
            expected = NTSTATUS.DEVICE_POWERED_OFF
        elif self.hand is not None:
            expected = NTSTATUS.DEVICE_BUSY
        elif self.state is ABSENT:
            expected = NTSTATUS.NO_MEDIA
        assert answer.status is expected
        if expected is PENDING:
            (work,) = self.rig.held()
            self.hand = Hand(kind, answer, output, work)

    @precondition(lambda self: self.handles and not self.stopped)
    @rule(data=st.data(), minor=st.sampled_from([0, 1, 1, 2]))
    def power(self, data, minor):
        answer = self.send(data, Ioctl.SMARTCARD_POWER, minor.to_bytes(4, "little"), 33)
        atr = self.card.atr if self.card is not None and minor else b""
        self.card_request("power", answer, PENDING, atr)

    @precondition(lambda self: self.handles and not self.stopped)
    @rule(data=st.data())
    def transmit(self, data):
        command = b"\0\1" + next(self.numbers).to_bytes(4, "big")
        header = b"\2\0\0\0\x08\0\0\0"
        answer = self.send(data, Ioctl.SMARTCARD_TRANSMIT, header + command, 64)
        expected = PENDING if self.state is SPECIFIC else NTSTATUS.INVALID_DEVICE_STATE
        self.card_request("transmit", answer, expected, header + command + b"\x90\x00")

    @precondition(lambda self: self.handles and not self.stopped)
    @rule(data=st.data(), mask=st.sampled_from([1, 2, 3]))
    def set_protocol(self, data, mask):
        request = mask.to_bytes(4, "little")
        answer = self.send(data, Ioctl.SMARTCARD_SET_PROTOCOL, request, 4)
        ready = self.hand is None and self.state >= NEGOTIABLE
        expected = NTSTATUS.SUCCESS if mask & 2 else NTSTATUS.NOT_SUPPORTED
        self.card_request("protocol", answer, expected if ready else NTSTATUS.INVALID_DEVICE_STATE)
        if answer.status is NTSTATUS.SUCCESS:
            assert answer.data == b"\2\0\0\0"
            self.state = SPECIFIC

    @precondition(lambda self: self.handles and not self.stopped)
    @rule(data=st.data(), code=st.sampled_from([10, 11]))
    def track(self, data, code):
        answer = self.send(data, 0x00310000 | code << 2, b"", 0)
        if self.tracking is not None:
            assert answer.status is NTSTATUS.DEVICE_BUSY
        elif (self.state > ABSENT) == (code == 10):
            assert answer.status is NTSTATUS.SUCCESS
        else:
            assert answer.status is PENDING
            self.tracking = answer

    @precondition(lambda self: self.hand is None and self.state is not SPECIFIC)
    @precondition(lambda self: not (self.stopped or self.leaving) and self.below.kept is None)
    @rule(data=st.data())
    def get_ready(self, data):
        """Go straight to where most is possible; chance alone seldom arrives there."""
        self.below.keeps = False
        if self.asleep:
            self.wake()
        if self.card is None:
            self.insert()
        if not self.handles:
            self.open()
        self.power(data, 1)
        self.answer()
        self.set_protocol(data, 3)

    # ---- how requests end

    @precondition(lambda self: self.hand is not None)
    @rule()
    def answer(self):
        hand = self.hand
        hand.work.finish(hand.work.run())
        if hand.kind == "power":
            self.state = NEGOTIABLE if hand.output else SWALLOWED
        self.end_hand(NTSTATUS.SUCCESS, hand.output)
        self.late.pop()

    @precondition(lambda self: self.late)
    @rule(data=st.data())
    def late_answer(self, data):
        work = self.late.pop(data.draw(st.integers(0, len(self.late) - 1)))
        work.finish(work.run())

    @precondition(lambda self: self.hand is not None)
    @rule()
    def cancel_hand(self):
        assert self.rig.cancel(self.hand.answer)
        self.give_up_hand(NTSTATUS.CANCELLED)

    @precondition(lambda self: self.tracking is not None)
    @rule()
    def cancel_tracking(self):
        assert self.rig.cancel(self.tracking)
        self.end_tracking(NTSTATUS.CANCELLED)

    @precondition(lambda self: self.hand is not None)
    @rule()
    def time_passes(self):
        self.rig.clock.advance(TIMEOUT_S)
        self.give_up_hand(NTSTATUS.IO_TIMEOUT)

    # ---- what holds always

    @invariant()
    def the_reader_is_where_the_model_is(self):
        assert self.rig.state is self.state
        assert self.rig.held() == []

    @invariant()
    def what_pends_pends(self):
        for answer in (self.hand and self.hand.answer, self.tracking):
            assert answer is None or answer.status is PENDING
        data = self.rig.ext.OsData
        assert (data.CurrentIrp is not None) == (self.hand is not None)
        assert (data.NotificationIrp is not None) == (self.tracking is not None)
        # Whoever wakes the reader holds the lock too until it is awake.
        waking = self.below.kept is not None and self.below.kept_request == (IRP_MJ.POWER, 2)
        holders = (self.hand is not None) + (self.tracking is not None) + (waking and self.waking)
        assert data.RemoveLock.count == holders

    def teardown(self):
        gone = []
        self.below.keeps = False
        if self.below.kept is not None:
            self.the_driver_below_lets_it_go()
        self.rig.pnp.surprise_removal(self.rig.pdo)
        for handle in self.handles:
            self.rig.io.close_handle(handle)
        self.rig.pnp.remove(self.rig.pdo, lambda: gone.append(True))
        for work in self.late:
            work.finish(work.run())
        assert gone == [True]
        assert self.rig.driver.devices == []


def test_a_reader_behaves_like_its_model(make_rig, make_below):
    ReaderMachine.make_rig = staticmethod(make_rig)
    ReaderMachine.make_below = make_below
    test = ReaderMachine.TestCase("runTest")
    test.settings = settings(max_examples=80, stateful_step_count=50, deadline=None)
    test.runTest()
