# SPDX-License-Identifier: Apache-2.0
"""SET_PROTOCOL of a reader that drives its card over a link: PPS, and what a card may answer."""

import pytest

from vreader.iso7816 import Atr
from vreader.reader.events import TpduEvent
from vreader.smclib.ioctl import Ioctl, Protocol
from vreader.smclib.states import CardState
from vreader.smclib.structs import PTS_TYPE_DEFAULT, PTS_TYPE_OPTIMAL
from vreader.wdm import NTSTATUS

OK = b"\x90\x00"
FAST = Atr.build(protocols=(0, 1), ta1=0x95).raw


def u32(value):
    return value.to_bytes(4, "little")


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
    rig = make_linked("t1", pps_harms=["", "spoil"])
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
    rig = make_linked("t0", pps_harms=["", "spoil"])
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
