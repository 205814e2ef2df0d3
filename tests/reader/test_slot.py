# SPDX-License-Identifier: Apache-2.0
"""Cards at work: late answers, vanishing, deadlines, cancel, faults."""

import pytest

from vreader.card import CardGone, CardMute, Description
from vreader.reader.driver import VirtualReader
from vreader.smclib.ioctl import Ioctl
from vreader.smclib.profile import CONTACT
from vreader.smclib.states import CardState
from vreader.wdm import NTSTATUS

GET_STATE = Ioctl.SMARTCARD_GET_STATE
TIMEOUT_S = 2.0


def finish(items):
    for item in items:
        item.finish(item.run())


@pytest.fixture
def impatient(make_rig):
    return make_rig(timeout_s=TIMEOUT_S)


# ------------------------------------------------------------------ the card vanishes


@pytest.mark.wdk("lock.vanished-card", "ioctl.transmit.no-media", "callback.transmit.no-media")
def test_a_card_vanishes_in_the_middle_of_its_apdu(rig):
    card = rig.ready()
    tracking = rig.send(Ioctl.SMARTCARD_IS_ABSENT)
    apdu = rig.start_apdu()
    late = rig.held()
    rig.remove()
    assert (apdu.status, apdu.data) == (NTSTATUS.NO_MEDIA, b"")
    assert tracking.status is NTSTATUS.SUCCESS
    assert rig.state is CardState.ABSENT
    finish(late)
    assert (apdu.status, apdu.data) == (NTSTATUS.NO_MEDIA, b"")
    assert card.log == [b"\0\xca\0\0"]
    assert [event.problem for event in rig.apdus] == ["late"]


@pytest.mark.wdk("transition.reset.vanished", "callback.card-power.no-media")
@pytest.mark.parametrize("minor", [0, 1, 2], ids=["down", "cold", "warm"])
def test_a_card_vanishes_in_the_middle_of_power(rig, minor):
    rig.ready()
    power = rig.start_power(minor)
    late = rig.held()
    rig.remove()
    assert (power.status, power.data) == (NTSTATUS.NO_MEDIA, b"")
    finish(late)
    assert power.status is NTSTATUS.NO_MEDIA
    assert rig.state is CardState.ABSENT


def test_the_late_answer_of_one_card_is_not_that_of_the_next(rig, make_card):
    first = rig.ready()
    first.script = [b"old\x90\x00"]
    apdu = rig.start_apdu()
    late = rig.held()
    rig.remove()
    second = rig.ready(make_card())
    second.script = [b"new\x90\x00"]
    fresh = rig.start_apdu()
    fresh_work = rig.held()
    finish(late)
    assert fresh.status is None
    finish(fresh_work)
    assert (fresh.status, fresh.data[8:]) == (NTSTATUS.SUCCESS, b"new\x90\x00")
    assert apdu.status is NTSTATUS.NO_MEDIA


def test_a_card_taken_out_at_work_is_interrupted(rig):
    card = rig.ready()
    interrupted = []
    card.interrupt = lambda: interrupted.append(True)
    rig.start_apdu()
    late = rig.held()
    assert not interrupted
    rig.remove()
    assert interrupted == [True]
    finish(late)
    rig.insert(card)
    rig.remove()
    assert interrupted == [True]  # it was idle


@pytest.mark.wdk(
    "lock.state-lock", "lock.request-gate", "callback.pending", "tracking.beside-request"
)
def test_while_a_card_works_the_reader_is_busy_but_tells_of_removal(rig):
    rig.ready()
    rig.start_apdu()
    assert rig.ioctl(GET_STATE, b"", 4)[0] is not None  # the card's work is run by this
    held = rig.start_apdu()
    rig.held()
    busy = rig.send(GET_STATE, b"", 4)
    assert busy.status is NTSTATUS.DEVICE_BUSY
    tracking = rig.send(Ioctl.SMARTCARD_IS_ABSENT)
    rig.remove()
    assert tracking.status is NTSTATUS.SUCCESS
    assert held.status is NTSTATUS.NO_MEDIA
    assert rig.send(GET_STATE, b"", 4).data == b"\1\0\0\0"


@pytest.mark.wdk("transition.reset.vanished")
def test_who_tracks_a_card_beside_its_reset_changes_nothing_of_how_that_ends(make_rig):
    rig = make_rig(CONTACT._replace(vanished_reset=NTSTATUS.SUCCESS))
    rig.insert()
    power = rig.start_power()
    rig.send(Ioctl.SMARTCARD_IS_ABSENT)
    rig.remove()
    assert (power.status, power.data) == (NTSTATUS.SUCCESS, b"")


def test_a_card_put_in_by_who_hears_that_another_is_gone(rig, make_card):
    """Tracking asked for meanwhile is about the new card."""
    rig.ready()
    again = []

    def apdu(status, data):
        rig.hardware.insert(make_card())

    def tracking(status, data):
        again.append(rig.send(Ioctl.SMARTCARD_IS_ABSENT))

    rig.io.device_io_control(rig.handle, Ioctl.SMARTCARD_IS_ABSENT, b"", 0, tracking)
    rig.io.device_io_control(
        rig.handle, Ioctl.SMARTCARD_TRANSMIT, bytes.fromhex("0200000008000000 00CA0000"), 64, apdu
    )
    rig.remove()
    assert rig.state is CardState.SWALLOWED
    assert [answer.status for answer in again] == [None]
    rig.remove()
    assert again[0].status is NTSTATUS.SUCCESS


def test_a_reader_that_leaves_with_the_last_request_of_its_card(rig):
    rig.ready()
    gone = []
    rig.pnp.remove(rig.pdo, lambda: gone.append(True))
    command = bytes.fromhex("0200000008000000 00CA0000")
    rig.io.device_io_control(
        rig.handle, Ioctl.SMARTCARD_TRANSMIT, command, 64,
        lambda status, data: rig.io.close_handle(rig.handle),
    )  # fmt: skip
    rig.remove()
    assert gone == [True]


def test_a_reader_that_leaves_as_it_wakes(make_rig, make_card):
    rig = make_rig(CONTACT._replace(asleep_waits=True))
    gone = []
    rig.pnp.remove(rig.pdo, lambda: gone.append(True))
    rig.io.device_io_control(
        rig.handle, Ioctl.SMARTCARD_IS_PRESENT, b"", 0,
        lambda status, data: rig.io.close_handle(rig.handle),
    )  # fmt: skip
    rig.pnp.set_power(rig.pdo, 3)
    rig.hardware.insert(make_card())
    rig.pnp.set_power(rig.pdo, 0)
    assert gone == [True]


def test_an_idle_card_loses_its_power_when_it_leaves(rig):
    card = rig.ready()
    rig.remove()
    rig.work()
    assert card.log == ["off"]


def test_a_working_card_that_leaves_is_not_called_meanwhile(rig):
    card = rig.ready()
    rig.start_apdu()
    late = rig.held()
    rig.remove()
    assert rig.held() == []
    finish(late)
    assert card.log == [b"\0\xca\0\0"]


def test_a_card_asked_twice_after_a_deadline_is_working_until_both_answers_came(impatient):
    rig = impatient
    rig.ready()
    rig.start_apdu()
    first = rig.held()
    rig.clock.advance(TIMEOUT_S)
    rig.start_apdu()
    second = rig.held()
    finish(first)
    rig.remove()
    assert rig.held() == []  # still at work for the second request: left alone
    finish(second)


# ------------------------------------------------------------------ deadline


@pytest.mark.wdk("ioctl.transmit.io-timeout", "callback.transmit.io-timeout")
def test_a_card_that_works_too_long_is_timed_out(impatient):
    rig = impatient
    rig.ready()
    apdu = rig.start_apdu()
    late = rig.held()
    rig.clock.advance(TIMEOUT_S - 0.001)
    assert apdu.status is None
    rig.clock.advance(0.001)
    assert (apdu.status, apdu.data) == (NTSTATUS.IO_TIMEOUT, b"")
    assert rig.state is CardState.SPECIFIC
    finish(late)
    assert apdu.status is NTSTATUS.IO_TIMEOUT
    assert [event.problem for event in rig.apdus] == ["late"]


@pytest.mark.wdk(
    "ioctl.power.io-timeout", "callback.card-power.io-timeout", "transition.reset.failed"
)
def test_a_reset_that_times_out_leaves_the_card_unpowered(impatient):
    rig = impatient
    rig.ready()
    power = rig.start_power()
    late = rig.held()
    rig.clock.advance(TIMEOUT_S)
    assert power.status is NTSTATUS.IO_TIMEOUT
    assert rig.state is CardState.SWALLOWED
    finish(late)
    assert rig.state is CardState.SWALLOWED
    assert rig.apdu()[0] is NTSTATUS.INVALID_DEVICE_STATE


def test_an_answer_in_time_takes_the_deadline_back(impatient):
    rig = impatient
    rig.ready()
    assert rig.apdu() == (NTSTATUS.SUCCESS, b"\x90\x00")
    next_one = rig.start_apdu()
    rig.held()
    rig.clock.advance(TIMEOUT_S - 0.5)
    assert next_one.status is None


def test_without_a_limit_a_card_may_think_for_ever(rig):
    rig.ready()
    apdu = rig.start_apdu()
    late = rig.held()
    rig.clock.advance(1e6)
    assert apdu.status is None
    finish(late)
    assert apdu.status is NTSTATUS.SUCCESS


# ------------------------------------------------------------------ cancel


def test_cancel_in_the_middle_of_an_apdu(rig):
    rig.ready()
    apdu = rig.start_apdu()
    late = rig.held()
    assert rig.cancel(apdu)
    assert (apdu.status, apdu.data) == (NTSTATUS.CANCELLED, b"")
    assert rig.state is CardState.SPECIFIC
    finish(late)
    assert apdu.status is NTSTATUS.CANCELLED
    assert rig.apdu()[0] is NTSTATUS.SUCCESS


def test_a_cancelled_reset_leaves_the_card_unpowered(rig):
    rig.ready()
    power = rig.start_power()
    late = rig.held()
    assert rig.cancel(power)
    assert power.status is NTSTATUS.CANCELLED
    finish(late)
    assert rig.state is CardState.SWALLOWED


def test_cancel_after_the_answer_is_harmless(rig):
    rig.ready()
    apdu = rig.start_apdu()
    rig.work()
    assert not rig.cancel(apdu)
    assert apdu.status is NTSTATUS.SUCCESS


# ------------------------------------------------------------------ CardGone, CardMute, faults


@pytest.mark.wdk("transition.any.removal", "ioctl.transmit.no-media")
def test_card_gone_makes_the_reader_absent(rig):
    card = rig.ready()
    tracking = rig.send(Ioctl.SMARTCARD_IS_ABSENT)
    card.script = [CardGone()]
    assert rig.apdu() == (NTSTATUS.NO_MEDIA, b"")
    assert rig.state is CardState.ABSENT
    assert rig.slot.card is None
    assert tracking.status is NTSTATUS.SUCCESS
    assert rig.changes == ["removed"]
    assert rig.apdus[0].problem == "gone"
    assert rig.apdu()[0] is NTSTATUS.NO_MEDIA


@pytest.mark.wdk("transition.reset.vanished")
@pytest.mark.parametrize("minor", [0, 1, 2], ids=["down", "cold", "warm"])
def test_card_gone_during_power(rig, minor):
    rig.ready().script = [CardGone()]
    assert rig.power(minor) == (NTSTATUS.NO_MEDIA, b"")
    assert rig.state is CardState.ABSENT


def test_card_gone_ends_the_request_also_of_a_driver_that_does_not_hear_of_it(make_rig):
    class Deaf(VirtualReader):
        def CardMoved(self, ext, card, inserted):
            if inserted:
                super().CardMoved(ext, card, inserted)

    rig = make_rig(driver=Deaf())
    rig.ready().script = [CardGone()]
    assert rig.apdu() == (NTSTATUS.NO_MEDIA, b"")


@pytest.mark.wdk("ioctl.transmit.io-timeout")
def test_card_mute_is_a_timeout_and_the_card_stays(rig):
    card = rig.ready()
    card.script = [CardMute(), b"\x90\x00"]
    assert rig.apdu() == (NTSTATUS.IO_TIMEOUT, b"")
    assert rig.state is CardState.SPECIFIC
    assert rig.apdu() == (NTSTATUS.SUCCESS, b"\x90\x00")
    assert [event.problem for event in rig.apdus] == ["mute", ""]


@pytest.mark.wdk("transition.reset.failed", "ioctl.power.io-timeout")
@pytest.mark.parametrize("problem", [CardMute(), ValueError(), b"", None], ids=repr)
def test_a_reset_without_an_atr_is_a_timeout_and_leaves_the_card_unpowered(rig, problem):
    rig.ready().script = [problem]
    assert rig.power() == (NTSTATUS.IO_TIMEOUT, b"")
    assert rig.state is CardState.SWALLOWED
    assert rig.apdu()[0] is NTSTATUS.INVALID_DEVICE_STATE
    assert rig.power()[0] is NTSTATUS.SUCCESS


@pytest.mark.wdk("transition.reset.failed")
@pytest.mark.parametrize("atr", [CardMute(), b"", b"\x3b", bytes.fromhex("3B80800102")], ids=repr)
def test_a_card_whose_atr_is_of_no_use_loses_its_power(rig, atr):
    card = rig.ready()
    card.script = [atr]
    rig.power()
    assert card.log == ["on", "off"]


SELECT = bytes.fromhex("00A4040005A000000308")


def test_the_application_is_followed_before_anybody_looks(make_rig):
    rig = make_rig(traced=False, describe=lambda command, aid: Description(aid.hex()))
    rig.ready()
    rig.apdu(SELECT)
    rig.io.events.subscribe(rig.events.append)
    rig.apdu()
    assert rig.apdus[-1].text == "a000000308"


def test_a_late_reset_forgets_nothing_of_the_next_card(make_rig, make_card):
    rig = make_rig(describe=lambda command, aid: Description(aid.hex()))
    rig.insert()
    rig.start_power()
    late = rig.held()
    rig.remove()
    rig.ready(make_card())
    rig.apdu(SELECT)
    finish(late)
    rig.apdu()
    assert rig.apdus[-1].text == "a000000308"


def test_a_late_select_says_nothing_of_the_next_card(make_rig, make_card):
    rig = make_rig(describe=lambda command, aid: Description(aid.hex()))
    rig.ready()
    rig.start_apdu(SELECT)
    late = rig.held()
    rig.remove()
    rig.ready(make_card())
    finish(late)
    rig.apdu()
    assert [event.text for event in rig.apdus] == ["", ""]


@pytest.mark.parametrize("answer", [b"", b"\x90"])
def test_an_answer_without_status_word_is_a_protocol_error(rig, answer):
    rig.ready().script = [answer]
    assert rig.apdu() == (NTSTATUS.DEVICE_PROTOCOL_ERROR, b"")


@pytest.mark.parametrize("command", [b"", b"\x00"])
def test_no_card_is_asked_less_than_two_bytes(rig, command):
    card = rig.ready()
    assert rig.apdu(command) == (NTSTATUS.SUCCESS, b"\x67\x00")
    assert card.log == []


@pytest.mark.parametrize("command", [b"\0\1", b"\0\1\2\3", bytes(65544)], ids=len)
def test_any_other_command_reaches_the_card_as_it_is(rig, command):
    card = rig.ready()
    assert rig.apdu(command) == (NTSTATUS.SUCCESS, b"\x90\x00")
    assert card.log == [command]


@pytest.mark.wdk("check.transmit.reply-too-long", "ioctl.transmit.short-buffer")
def test_a_reply_that_does_not_fit_is_too_small(rig):
    card = rig.ready()
    card.script = [bytes(9), bytes(8)]
    assert rig.apdu(out=16) == (NTSTATUS.BUFFER_TOO_SMALL, b"")
    assert rig.apdu(out=16) == (NTSTATUS.SUCCESS, bytes(8))


# ------------------------------------------------------------------ inserting


def test_a_slot_holds_one_card(rig, make_card):
    first = rig.insert()
    assert not rig.hardware.insert(make_card())
    assert rig.slot.card is first
    rig.remove()
    assert not rig.hardware.remove()


def test_what_happens_to_a_card_is_told(rig):
    rig.insert()
    rig.power(1)
    rig.power(2)
    rig.power(0)
    rig.remove()
    assert rig.changes == ["inserted", "cold reset", "warm reset", "power down", "removed"]
