# SPDX-License-Identifier: Apache-2.0
"""A reader that drives its card over a link: requests, time, what may happen meanwhile."""

import pytest

from vreader.card import CardGone, CardMute, Description
from vreader.iso7816 import Atr
from vreader.reader.events import TpduEvent
from vreader.reader.linkspec import LinkSettings
from vreader.smclib.ioctl import Attr, Ioctl, Protocol
from vreader.smclib.states import CardState
from vreader.smclib.structs import PTS_TYPE_DEFAULT, PTS_TYPE_OPTIMAL
from vreader.wdm import NTSTATUS

BWT = 1.429503
OK = b"\x90\x00"
FAST = Atr.build(protocols=(0, 1), ta1=0x95).raw


def u32(value):
    return value.to_bytes(4, "little")


def script(*harms, pps=()):
    """Disturb the first blocks, and what crosses in a PPS, as told, then nothing."""
    left = {True: list(pps), False: list(harms)}

    def disturb(to_card, raw):
        harms = left[raw[0] == 0xFF]
        return harms.pop(0) if harms else ""

    return disturb


@pytest.fixture
def make_linked(make_rig):
    def make(kind, *harms, timeout_s=None, describe=None, unmask=False, **settings):
        options = {} if describe is None else {"describe": describe}
        if harms:
            settings["disturb"] = script(*harms)
        link = LinkSettings(kind, **settings)
        return make_rig(link=link, timeout_s=timeout_s, unmask=unmask, **options)

    return make


def tpdus(rig):
    """What crossed the line, in words."""
    return [
        f"{event.protocol} {'>' if event.to_card else '<'} {event.text or event.data.hex()}"
        for event in rig.events
        if isinstance(event, TpduEvent)
    ]


def start(rig, command=b"\0\xca\0\0", out=65546):
    selected = rig.ext.CardCapabilities.Protocol.Selected
    return rig.send(Ioctl.SMARTCARD_TRANSMIT, u32(selected) + u32(8) + command, out)


def apdu(rig, command=b"\0\xca\0\0"):
    answer = start(rig, command)
    rig.work()
    assert answer.status is not None, "pending"
    return answer.status, answer.data[8:]


# ------------------------------------------------------------------ exchanges


@pytest.mark.parametrize("kind", ["t0", "t1"])
def test_an_apdu_goes_there_and_back(make_linked, kind):
    rig = make_linked(kind)
    card = rig.ready()
    assert apdu(rig, bytes.fromhex("00A4040002") + b"ab") == (NTSTATUS.SUCCESS, OK)
    assert [command[:7] for command in card.log] == [bytes.fromhex("00A4040002") + b"ab"]
    assert [event.command for event in rig.apdus] == [bytes.fromhex("00A4040002") + b"ab"]


@pytest.mark.wdk("t0.case4", "t0.wrong-le")
def test_nothing_hides_what_t0_says(make_linked, make_card):
    rig = make_linked("t0")
    card = rig.ready(make_card())
    card.script = [b"hello" + OK, b"world" + OK]
    assert apdu(rig, bytes.fromhex("00A4040002") + b"ab") == (NTSTATUS.SUCCESS, b"\x61\x05")
    assert apdu(rig, bytes.fromhex("00C0000005")) == (NTSTATUS.SUCCESS, b"hello" + OK)
    assert apdu(rig, bytes.fromhex("00B0000000")) == (NTSTATUS.SUCCESS, b"\x6c\x05")
    assert apdu(rig, bytes.fromhex("00B0000005")) == (NTSTATUS.SUCCESS, b"world" + OK)
    assert len(card.log) == 2


@pytest.mark.parametrize("kind", ["t0", "t1"])
def test_the_reader_speaks_its_links_protocol_alone(make_linked, kind):
    rig = make_linked(kind)
    rig.insert()
    rig.power()
    own, other = (1, 2) if kind == "t0" else (2, 1)
    assert rig.protocol(other)[0] is NTSTATUS.NOT_SUPPORTED
    assert rig.protocol(int(Protocol.RAW))[0] is NTSTATUS.NOT_SUPPORTED
    assert rig.protocol(3) == (NTSTATUS.SUCCESS, u32(own))
    protocols = rig.ioctl(Ioctl.SMARTCARD_GET_ATTRIBUTE, u32(Attr.PROTOCOL_TYPES), 4)
    assert protocols == (NTSTATUS.SUCCESS, u32(own))


def test_a_card_of_another_protocol_gets_an_atr_that_fits(make_linked, make_card):
    rig = make_linked("t0")
    rig.insert(make_card(Atr.build(protocols=(1,), historical=b"hist").raw))
    status, atr = rig.power()
    assert (status, Atr.parse(atr).protocols) == (NTSTATUS.SUCCESS, (0,))
    assert rig.protocol() == (NTSTATUS.SUCCESS, u32(1))


def test_a_bug_of_the_card_is_6f00_on_this_line_too(make_linked):
    rig = make_linked("t1")
    card = rig.ready()
    card.script = [ValueError("a bug")]
    assert apdu(rig) == (NTSTATUS.SUCCESS, b"\x6f\x00")
    assert len(rig.faults) == 1
    assert apdu(rig) == (NTSTATUS.SUCCESS, OK)


def test_a_command_t0_cannot_carry_is_an_invalid_parameter(make_linked):
    rig = make_linked("t0", envelope=False)
    card = rig.ready()
    for command in (b"\0\xa4\4", b"\0\xa4\4\0\5ab", bytes.fromhex("00DA000000012C") + bytes(300)):
        assert apdu(rig, command) == (NTSTATUS.INVALID_PARAMETER, b"")
    assert card.log == []
    assert apdu(rig) == (NTSTATUS.SUCCESS, OK)


def test_the_card_may_go_or_be_mute(make_linked):
    rig = make_linked("t1")
    card = rig.ready()
    card.script = [CardMute()]
    assert apdu(rig) == (NTSTATUS.IO_TIMEOUT, b"")
    assert apdu(rig) == (NTSTATUS.DEVICE_PROTOCOL_ERROR, b"")  # out of step
    assert rig.power(2)[0] is NTSTATUS.SUCCESS
    assert rig.protocol()[0] is NTSTATUS.SUCCESS
    card.script = [CardGone()]
    assert apdu(rig) == (NTSTATUS.NO_MEDIA, b"")
    assert rig.state is CardState.ABSENT


# ------------------------------------------------------------------ time


def test_a_lost_block_is_waited_for_on_the_clock(make_linked):
    rig = make_linked("t1", "lose", ifsd=0)
    card = rig.ready()
    answer = start(rig)
    rig.work()
    rig.clock.advance(BWT - 0.001)
    rig.work()
    assert (answer.status, card.log) == (None, [])
    rig.clock.advance(0.002)
    rig.work()
    assert (answer.status, answer.data[8:]) == (NTSTATUS.SUCCESS, OK)
    assert len(card.log) == 1


@pytest.mark.wdk("t1.disturbed")
def test_lost_for_good_is_a_time_out_and_a_reset_helps(make_linked):
    rig = make_linked("t1", *["lose"] * 7, ifsd=0)
    card = rig.ready()
    answer = start(rig)
    for _ in range(7):
        rig.work()
        assert answer.status is None
        rig.clock.advance(BWT + 0.001)
    rig.work()
    assert answer.status is NTSTATUS.IO_TIMEOUT
    assert rig.power()[0] is NTSTATUS.SUCCESS
    assert rig.protocol()[0] is NTSTATUS.SUCCESS
    assert apdu(rig) == (NTSTATUS.SUCCESS, OK)
    assert card.log.count(b"\0\xca\0\0") == 1


def test_spoilt_for_good_is_a_protocol_error(make_linked):
    rig = make_linked("t1", "", "spoil", "", "spoil", "", "spoil", "", "spoil", ifsd=0)
    rig.ready()
    assert apdu(rig) == (NTSTATUS.DEVICE_PROTOCOL_ERROR, b"")
    assert "resynchronised" in rig.apdus[-1].problem
    assert apdu(rig) == (NTSTATUS.SUCCESS, OK)


@pytest.fixture
def waiting(make_linked):
    """A reader that waits for a lost block; its request and its card."""
    rig = make_linked("t1", "lose", ifsd=0)
    card = rig.ready()
    answer = start(rig)
    rig.work()
    assert answer.status is None
    card.log.clear()
    return rig, card, answer


def test_removal_ends_the_wait(waiting):
    rig, card, answer = waiting
    rig.remove()
    assert (answer.status, answer.data) == (NTSTATUS.NO_MEDIA, b"")
    rig.work()
    assert card.log == ["off"]
    rig.clock.advance(100)
    assert rig.held() == []


def test_cancel_ends_the_wait(waiting):
    rig, _, answer = waiting
    assert rig.cancel(answer)
    assert answer.status is NTSTATUS.CANCELLED
    rig.clock.advance(100)
    assert rig.held() == []
    assert apdu(rig)[0] is NTSTATUS.DEVICE_PROTOCOL_ERROR  # left in the middle
    assert rig.power(2)[0] is NTSTATUS.SUCCESS
    assert rig.protocol()[0] is NTSTATUS.SUCCESS
    assert apdu(rig) == (NTSTATUS.SUCCESS, OK)


def test_sleep_ends_the_wait(waiting):
    rig, card, answer = waiting
    rig.pnp.set_power(rig.pdo, 3)
    assert answer.status is NTSTATUS.DEVICE_POWERED_OFF
    rig.work()
    assert card.log == ["off"]
    rig.clock.advance(100)
    assert rig.held() == []


def test_a_deadline_ends_the_wait(make_linked):
    rig = make_linked("t1", "lose", ifsd=0, timeout_s=1.0)
    rig.ready()
    answer = start(rig)
    rig.work()
    rig.clock.advance(1.0)
    assert answer.status is NTSTATUS.IO_TIMEOUT
    rig.clock.advance(10)
    assert rig.held() == []


def test_a_step_that_ends_too_late_is_the_last(make_linked):
    rig = make_linked("t1", "lose", ifsd=0)
    rig.ready()
    answer = start(rig)
    late = rig.held()
    assert rig.cancel(answer)
    for item in late:
        item.finish(item.run())
    rig.clock.advance(100)
    assert rig.held() == []
    card = rig.slot.card
    rig.remove()
    rig.work()
    assert card.log[-1] == "off"  # not counted as being at work any more


# ------------------------------------------------------------------ PPS


def caps(rig):
    return rig.ext.CardCapabilities


@pytest.mark.wdk("pps.exchanged", "ioctl.set-protocol.optimal", "example.set-protocol")
def test_set_protocol_exchanges_a_pps(make_linked, make_card):
    rig = make_linked("t1")
    rig.insert(make_card(FAST))
    rig.power()
    assert rig.protocol(3) == (NTSTATUS.SUCCESS, u32(2))
    assert tpdus(rig) == ["PPS > request", "PPS < response"]
    sent = [event.data.hex() for event in rig.events if isinstance(event, TpduEvent)]
    assert sent == ["ff11957b"] * 2
    assert rig.state is CardState.SPECIFIC
    pts = caps(rig).PtsData
    assert (pts.Type, pts.Fl, pts.Dl, caps(rig).etu) == (PTS_TYPE_OPTIMAL, 9, 5, 8)


@pytest.mark.wdk("ioctl.set-protocol.default")
def test_the_default_asks_for_no_speed(make_linked, make_card):
    rig = make_linked("t1")
    rig.insert(make_card(FAST))
    rig.power()
    assert rig.protocol(int(Protocol.DEFAULT)) == (NTSTATUS.SUCCESS, u32(2))
    sent = [event.data.hex() for event in rig.events if isinstance(event, TpduEvent)]
    assert sent == ["ff01fe"] * 2  # T=1 is not the protocol the card starts with
    assert caps(rig).PtsData.Type == PTS_TYPE_DEFAULT


@pytest.mark.wdk("ioctl.set-protocol.single")
def test_a_card_with_nothing_to_choose_is_not_asked(make_linked, make_card):
    rig = make_linked("t1")
    rig.insert(make_card(Atr.build(protocols=(1,)).raw))
    rig.power()
    assert rig.protocol() == (NTSTATUS.SUCCESS, u32(2))
    assert tpdus(rig) == []


@pytest.mark.wdk("atr.ta2")
def test_a_card_in_specific_mode_is_not_asked(make_linked, make_card):
    rig = make_linked("t1")
    rig.insert(make_card(Atr.build(protocols=(1,), ta1=0x95, ta2=0x01).raw))
    rig.power()
    assert rig.state is CardState.SPECIFIC
    assert apdu(rig)[0] is NTSTATUS.SUCCESS
    assert not any("PPS" in text for text in tpdus(rig))


@pytest.mark.wdk("pps.refused")
def test_a_card_that_leaves_the_speed_out_is_driven_slowly(make_linked, make_card):
    rig = make_linked("t1", pps="slow")
    rig.insert(make_card(FAST))
    rig.power()
    assert rig.protocol() == (NTSTATUS.SUCCESS, u32(2))
    assert (caps(rig).PtsData.Type, caps(rig).etu) == (PTS_TYPE_DEFAULT, 93)


@pytest.mark.wdk("pps.refused", "atr.pps-fallback")
def test_after_a_failed_pps_the_card_is_reset_and_asked_for_less(make_linked, make_card):
    rig = make_linked("t1", disturb=script(pps=["", "spoil"]))
    card = rig.insert(make_card(FAST))
    rig.power()
    card.log.clear()
    assert rig.protocol() == (NTSTATUS.SUCCESS, u32(2))
    assert card.log == ["reset"]
    sent = [event.data.hex() for event in rig.events if isinstance(event, TpduEvent)]
    assert sent == ["ff11957b", "ff11957b", "ff01fe", "ff01fe"]
    assert caps(rig).PtsData.Type == PTS_TYPE_DEFAULT
    assert apdu(rig) == (NTSTATUS.SUCCESS, OK)


def test_after_a_failed_pps_the_first_protocol_needs_no_second(make_linked, make_card):
    rig = make_linked("t0", disturb=script(pps=["", "spoil"]))
    rig.insert(make_card(FAST))
    rig.power()
    assert rig.protocol() == (NTSTATUS.SUCCESS, u32(1))
    assert len(tpdus(rig)) == 2


@pytest.mark.wdk("callback.set-protocol.io-timeout", "ioctl.set-protocol.io-timeout", "pps.refused")
def test_a_card_that_does_not_answer_is_a_time_out(make_linked, make_card):
    rig = make_linked("t1", pps="mute")
    rig.insert(make_card(FAST))
    rig.power()
    answer = rig.send(Ioctl.SMARTCARD_SET_PROTOCOL, u32(3), 4)
    for _ in range(2):
        rig.work()
        assert answer.status is None
        rig.clock.advance(1.0)
    rig.work()
    assert answer.status is NTSTATUS.IO_TIMEOUT
    assert rig.state is CardState.NEGOTIABLE


def test_a_card_that_answers_nonsense_is_a_protocol_error(make_linked, make_card):
    rig = make_linked("t1", pps="garbled")
    rig.insert(make_card(FAST))
    rig.power()
    assert rig.protocol()[0] is NTSTATUS.DEVICE_PROTOCOL_ERROR
    assert rig.state is CardState.NEGOTIABLE


def test_a_card_may_leave_in_the_middle_of_a_pps(make_linked, make_card):
    rig = make_linked("t1", pps="mute")
    rig.insert(make_card(FAST))
    rig.power()
    answer = rig.send(Ioctl.SMARTCARD_SET_PROTOCOL, u32(3), 4)
    rig.work()
    rig.remove()
    assert answer.status is NTSTATUS.NO_MEDIA
    rig.work()
    rig.clock.advance(10)
    assert rig.held() == []


# ------------------------------------------------------------------ secrets

PIN = bytes.fromhex("3733393135383634")
VERIFY = bytes.fromhex("0020008008") + PIN


@pytest.mark.parametrize("kind", ["t0", "t1"])
def test_of_a_secret_command_only_lengths_are_told(make_linked, kind):
    rig = make_linked(kind)
    rig.ready()
    assert apdu(rig, VERIFY) == (NTSTATUS.SUCCESS, OK)
    crossed = [event for event in rig.events if isinstance(event, TpduEvent)]
    last = crossed[-3:]
    assert {event.data for event in last} == {b""}
    assert all(event.length for event in last)
    assert PIN.hex() not in repr(rig.events).replace("\\x", "")
    assert not any(PIN in getattr(event, "data", b"") for event in rig.events)


def test_a_secret_reply_is_not_told_either(make_linked):
    secret = b"session key"
    told = Description("DECIPHER", secret_reply=True)
    rig = make_linked("t0", describe=lambda command, aid: told)
    card = rig.ready()
    card.script = [secret + OK]
    assert apdu(rig, b"\0\x2a\x80\x86\1x") == (NTSTATUS.SUCCESS, b"\x61\x0b")
    assert apdu(rig, b"\0\xc0\0\0\x0b") == (NTSTATUS.SUCCESS, secret + OK)
    assert not any(secret in getattr(event, "data", b"") for event in rig.events)


def test_unless_the_user_wants_to_see_them(make_linked):
    rig = make_linked("t1", unmask=True)
    rig.ready()
    apdu(rig, VERIFY)
    assert any(PIN in event.data for event in rig.events if isinstance(event, TpduEvent))


def test_an_event_reads_like_a_line(make_linked):
    rig = make_linked("t1", "spoil", ifsd=0)
    rig.ready()
    apdu(rig)
    lines = [str(event) for event in rig.events if isinstance(event, TpduEvent)]
    assert lines[:2] == [
        "T=1 >  00 00 04 00 CA 00 00 CE  I(0,0)  spoilt on its way",
        "T=1 <  00 81 00 81  R(0) EDC error",
    ]


def test_without_a_trace_the_card_is_reached_all_the_same(make_rig):
    rig = make_rig(link=LinkSettings("t1"), traced=False)
    rig.ready()
    assert apdu(rig) == (NTSTATUS.SUCCESS, OK)
    assert rig.events == []
