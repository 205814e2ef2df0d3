# SPDX-License-Identifier: Apache-2.0
"""Part E: what a reader knows of its card when it wakes up."""

from vreader.certify.bench import IS_ABSENT, IS_PRESENT, Bench
from vreader.certify.cards import BOTH, BOTH_WARM, STATUS, TestCard
from vreader.certify.check import Failed, Part
from vreader.smclib.ioctl import Power
from vreader.smclib.states import CardState
from vreader.wdm import NTSTATUS

PART = Part("E", "Sleep and resume")
_SUCCESS = NTSTATUS.SUCCESS
_PASSING = "WDK Passing Power IRPs"
_POWER = "WDK DispatchPower, pscr sample"
_OK = bytes((0, STATUS, 0x90, 0))


def _nap(bench: Bench) -> None:
    bench.reader.sleep()
    bench.reader.wake()


@PART.check(_PASSING)
def power_passed_on(bench: Bench) -> None:
    """Power requests, asleep and awake, are passed down to the bus."""
    for _ in range(2):
        _nap(bench)
        bench.insert() if bench.reader.card is None else bench.reader.remove()


@PART.check(_POWER)
def state_after_waking(bench: Bench) -> None:
    """A card that was SPECIFIC is a newly inserted one when the reader wakes."""
    card = bench.ready()
    _nap(bench)
    bench.state_must_be(bench.profile.insertion_state, "after waking with a card")
    bench.transmit(_OK).must_be(NTSTATUS.INVALID_DEVICE_STATE)
    if card.commands:
        raise Failed("the command reached the card all the same")


@PART.check(_POWER)
def works_after_waking(bench: Bench) -> None:
    """A card lost its power asleep and can be used again when the reader wakes."""
    card = bench.ready()
    _nap(bench)
    if card.powered:
        raise Failed("the card kept its power while the reader slept")
    bench.connect()
    bench.must_answer(_OK, b"\x90\x00")


@PART.check(_POWER)
def card_stayed(bench: Bench) -> None:
    """Waking with a card completes IS_ABSENT, for it may be another card."""
    bench.ready()
    waiting = bench.send(IS_ABSENT)
    _nap(bench)
    waiting.must_be(_SUCCESS, b"")


@PART.check(_POWER)
def card_swapped(bench: Bench) -> None:
    """A card swapped asleep completes IS_ABSENT, and the reset tells the new card's ATR."""
    bench.ready(TestCard(BOTH))
    waiting = bench.send(IS_ABSENT)
    bench.reader.sleep()
    bench.reader.remove()
    bench.insert(TestCard(BOTH_WARM))
    bench.reader.wake()
    waiting.must_be(_SUCCESS, b"")
    bench.power(Power.COLD_RESET).must_be(_SUCCESS, BOTH_WARM)


@PART.check(_POWER)
def card_gone(bench: Bench) -> None:
    """A card taken out asleep completes IS_ABSENT, and the reader is ABSENT."""
    bench.ready()
    waiting = bench.send(IS_ABSENT)
    bench.reader.sleep()
    bench.reader.remove()
    bench.reader.wake()
    waiting.must_be(_SUCCESS, b"")
    bench.state_must_be(CardState.ABSENT, "after the card was taken out asleep")
    bench.send(IS_PRESENT).must_pend()


@PART.check(_POWER)
def card_came(bench: Bench) -> None:
    """A card inserted asleep completes IS_PRESENT and can be used."""
    waiting = bench.send(IS_PRESENT)
    bench.reader.sleep()
    bench.insert()
    bench.reader.wake()
    waiting.must_be(_SUCCESS, b"")
    bench.connect()
    bench.must_answer(_OK, b"\x90\x00")


@PART.check(_POWER)
def nothing_came(bench: Bench) -> None:
    """An empty reader that wakes empty leaves IS_PRESENT waiting, and sees the next card."""
    waiting = bench.send(IS_PRESENT)
    _nap(bench)
    waiting.must_pend()
    bench.insert()
    waiting.must_be(_SUCCESS, b"")


@PART.check(_POWER)
def asleep(bench: Bench) -> None:
    """A sleeping reader lets no request through to the card: it refuses, or answers when awake."""
    card = bench.insert()
    bench.reader.sleep()
    sent = bench.power(Power.COLD_RESET)
    if card.powered:
        raise Failed("a sleeping reader gave its card power")
    if bench.profile.asleep_waits:
        sent.must_pend()
    else:
        sent.must_be(NTSTATUS.DEVICE_POWERED_OFF, b"")
    bench.reader.wake()
    sent.must_be(_SUCCESS if bench.profile.asleep_waits else NTSTATUS.DEVICE_POWERED_OFF)
    bench.connect()


@PART.check(_POWER)
def in_command(bench: Bench) -> None:
    """Falling asleep while a card works fails the command; awake the card can be used again."""
    card = bench.ready()
    bench.meanwhile(card, "transmit", bench.reader.sleep)
    bench.transmit(_OK).must_fail()
    bench.reader.wake()
    bench.connect()
    bench.must_answer(_OK, b"\x90\x00")
