# SPDX-License-Identifier: Apache-2.0
"""A reader that drives its card over a link: requests, time, what may happen meanwhile."""

import pytest

from vreader.card import CardGone, CardMute, Description
from vreader.iso7816 import Atr
from vreader.reader.events import TpduEvent
from vreader.reader.linkspec import LinkSettings
from vreader.smclib.ioctl import Attr, Ioctl, Protocol
from vreader.smclib.states import CardState
from vreader.smclib.structs import RDF
from vreader.wdm import NTSTATUS, IoAllocateIrp

BWT = 1.429503
OK = b"\x90\x00"
FAST = Atr.build(protocols=(0, 1), ta1=0x95).raw


def u32(value):
    return value.to_bytes(4, "little")


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


@pytest.mark.parametrize(("ifsd", "value"), [(254, 254), (100, 100), (0, 32)])
def test_the_reader_says_how_much_it_takes_at_once(make_linked, ifsd, value):
    rig = make_linked("t1", ifsd=ifsd)
    rig.ready()
    for tag in (Attr.MAX_IFSD, Attr.CURRENT_IFSD):
        assert rig.ioctl(Ioctl.SMARTCARD_GET_ATTRIBUTE, u32(tag), 4)[1] == u32(value)


def test_an_atr_that_only_the_driver_understands_is_none_for_a_link(make_linked, make_card):
    rig = make_linked("t1")
    rig.ext.ReaderFunction[RDF.ATR_PARSE] = lambda ext: (
        setattr(ext.CardCapabilities.Protocol, "Supported", Protocol.T1) or NTSTATUS.SUCCESS
    )
    rig.insert(make_card(b"\x3b\x7f"))
    assert rig.power()[0] is NTSTATUS.SUCCESS
    assert rig.protocol() == (NTSTATUS.UNRECOGNIZED_MEDIA, b"")


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


def test_the_end_of_another_request_does_not_end_the_wait(waiting):
    rig, _, answer = waiting
    rig.slot.complete(IoAllocateIrp(1), NTSTATUS.CANCELLED)
    rig.slot.complete(None, NTSTATUS.CANCELLED)
    rig.clock.advance(BWT + 0.001)
    rig.work()
    assert answer.status is NTSTATUS.SUCCESS


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


@pytest.mark.parametrize("late_atr", [b"\x3b", Atr.build(protocols=(0,)).raw])
def test_the_late_reset_of_one_card_leaves_the_link_of_the_next_alone(
    make_linked, make_card, late_atr
):
    rig = make_linked("t1")
    rig.insert(make_card(late_atr))
    rig.start_power()
    late = rig.held()
    rig.remove()
    rig.ready()
    assert apdu(rig) == (NTSTATUS.SUCCESS, OK)
    for item in late:
        item.finish(item.run())
    assert apdu(rig) == (NTSTATUS.SUCCESS, OK)


def test_an_exchange_that_is_over_before_it_begins_does_not_begin(make_linked):
    rig = make_linked("t1")
    card = rig.ready()
    answer = start(rig)
    late = rig.held()
    rig.cancel(answer)
    for item in late:
        item.finish(item.run())
    assert card.log == []
    assert apdu(rig) == (NTSTATUS.SUCCESS, OK)  # and the ends are in step


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
