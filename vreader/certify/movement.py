# SPDX-License-Identifier: Apache-2.0
"""Part F: cards that come and go at any moment, and readers that do."""

from random import Random

from vreader.certify.bench import IS_ABSENT, IS_PRESENT, Bench
from vreader.certify.cards import BOTH, BOTH_WARM, READ, STATUS, TestCard, pattern
from vreader.certify.check import MONITOR, Failed, Part
from vreader.smclib.ioctl import Attr, Ioctl, Power
from vreader.smclib.states import CardState
from vreader.wdm import NTSTATUS

PART = Part("F", "Insertion and removal")
_SUCCESS, _NO_MEDIA = NTSTATUS.SUCCESS, NTSTATUS.NO_MEDIA
_LIBRARY = "WDK Smart Card Driver Library Callback Routines"
_SURPRISE = "WDK Handling an IRP_MN_SURPRISE_REMOVAL Request"
_STOP = "WDK Stopping a Device to Rebalance Resources"
_REMOVE = "WDK Handling an IRP_MN_REMOVE_DEVICE Request"
_OK = bytes((0, STATUS, 0x90, 0))
_READ = bytes((0, READ, 0, 0, 4))
_SEED = 7816


@PART.check(MONITOR)
def cycles(bench: Bench) -> None:
    """Ten insertions and removals at any state of the card are all noticed."""
    dice = Random(_SEED)  # noqa: S311 - repeatable on purpose
    for _ in range(10):
        waiting = bench.send(IS_PRESENT)
        card = bench.insert()
        waiting.must_be(_SUCCESS, b"")
        waiting = bench.send(IS_ABSENT)
        depth = dice.randrange(4)
        if depth:
            bench.cold_reset()
        if depth > 1:
            bench.connect()
        if depth > 2:
            bench.must_answer(_OK, b"\x90\x00")
        waiting.must_pend()
        bench.reader.remove()
        waiting.must_be(_SUCCESS, b"")
        bench.state_must_be(CardState.ABSENT, "after a removal")
        bench.power(Power.COLD_RESET).must_be(_NO_MEDIA)
        if depth > 2 and len(card.commands) != 1:
            raise Failed(f"the card got {len(card.commands)} commands instead of one")


@PART.check(MONITOR)
def another_card(bench: Bench) -> None:
    """The next card is known by its own ATR, nothing of the last one is left."""
    bench.ready(TestCard(BOTH))
    bench.reader.remove()
    bench.ask_attribute(Attr.ATR_STRING).must_be(bench.profile.no_card_attribute)
    bench.insert(TestCard(BOTH_WARM))
    bench.state_must_be(bench.profile.insertion_state, "of a second card")
    bench.transmit(_OK).must_be(NTSTATUS.INVALID_DEVICE_STATE)
    bench.power(Power.COLD_RESET).must_be(_SUCCESS, BOTH_WARM)
    bench.ask_attribute(Attr.ATR_STRING).must_be(_SUCCESS, BOTH_WARM)


@PART.check(MONITOR)
def removal_in_command(bench: Bench) -> None:
    """A card taken out while it works: STATUS_NO_MEDIA once, and its late answer is dropped."""
    card = bench.ready()
    bench.meanwhile(card, "transmit", bench.reader.remove)
    bench.transmit(_READ).must_be(_NO_MEDIA, b"")
    bench.state_must_be(CardState.ABSENT, "after a removal")
    bench.ready()
    bench.must_answer(_READ, pattern(4) + b"\x90\x00")


@PART.check(MONITOR)
def swap_in_command(bench: Bench) -> None:
    """A card swapped while it works: STATUS_NO_MEDIA, and the new card is to be reset."""
    card = bench.ready(TestCard(BOTH))

    def happen() -> None:
        bench.reader.remove()
        bench.insert(TestCard(BOTH_WARM))

    bench.meanwhile(card, "transmit", happen)
    bench.transmit(_READ).must_be(_NO_MEDIA, b"")
    bench.state_must_be(bench.profile.insertion_state, "of a second card")
    bench.power(Power.COLD_RESET).must_be(_SUCCESS, BOTH_WARM)


@PART.check(MONITOR)
def removal_in_reset(bench: Bench) -> None:
    """A card taken out during its reset: the profile's status, and the reader is ABSENT."""
    card = bench.insert()
    bench.meanwhile(card, "power_on", bench.reader.remove)
    bench.power(Power.COLD_RESET).must_be(bench.profile.vanished_reset)
    bench.state_must_be(CardState.ABSENT, "after a removal")


# ---------------------------------------------------------------------- the reader goes


@PART.check(_SURPRISE)
def pulled_out_waiting(bench: Bench) -> None:
    """A reader pulled out fails the wait, with no word of a card, and the handle can be closed."""
    waiting = bench.send(IS_PRESENT)
    bench.reader.unplug()
    waiting.must_fail()
    bench.device.close()


@PART.check(_SURPRISE)
def pulled_out_refuses(bench: Bench) -> None:
    """A reader that was pulled out refuses every request of a handle that is still open."""
    bench.insert()
    bench.reader.unplug()
    for code, data, size in (
        (Ioctl.SMARTCARD_GET_STATE, b"", 4),
        (Ioctl.SMARTCARD_POWER, b"\1\0\0\0", 33),
        (IS_PRESENT, b"", 0),
    ):
        bench.send(code, data, size).must_be(bench.profile.removed_status, b"")


@PART.check(_SURPRISE)
def pulled_out_in_command(bench: Bench) -> None:
    """A reader pulled out while its card works fails the command, once."""
    card = bench.ready()
    bench.meanwhile(card, "transmit", bench.reader.unplug)
    bench.transmit(_OK).must_fail()
    bench.send(Ioctl.SMARTCARD_GET_STATE, b"", 4).must_be(bench.profile.removed_status)
    bench.unload()


@PART.check(_REMOVE)
def name_is_gone(bench: Bench) -> None:
    """A reader that was removed has no device name, and the next one may have it."""
    link = bench.reader.link
    if bench.replug().link != link:
        raise Failed(f"{link} is still taken after its reader has gone")
    bench.reopen()
    bench.state_must_be(CardState.ABSENT, "of a new reader")


@PART.check(_REMOVE)
def removed_in_order(bench: Bench) -> None:
    """A reader nobody uses can be removed in good order; one that is open stays and works."""
    if bench.reader.eject():
        raise Failed("the reader was removed though it is open")
    bench.ready()
    bench.must_answer(_OK, b"\x90\x00")
    bench.device.close()
    if not bench.reader.eject():
        raise Failed("the reader cannot be removed though nobody has it open")


@PART.check(_REMOVE)
def leaves_nothing(bench: Bench) -> None:
    """After commands, waits and failures the driver unloads: no request and no lock is left."""
    for mute in (False, True):
        card = bench.ready()
        waiting = bench.send(IS_ABSENT)
        if mute:
            card.mute.add("transmit")
        bench.transmit(_OK).wait()
        bench.reader.remove()
        waiting.wait()
    bench.send(IS_PRESENT).must_pend()
    bench.unload()


# ---------------------------------------------------------------------- the reader stops


@PART.check(_STOP)
def stop_and_start(bench: Bench) -> None:
    """A stopped reader refuses requests; started again it sees its card as newly inserted."""
    bench.ready()
    if not bench.reader.stop():
        raise Failed("an idle reader refuses to be stopped")
    stopped = bench.profile.stopped_status
    bench.send(Ioctl.SMARTCARD_GET_STATE, b"", 4).must_be(stopped)
    bench.reader.start()
    bench.state_must_be(bench.profile.insertion_state, "after a restart with a card")
    bench.connect()
    bench.must_answer(_OK, b"\x90\x00")


@PART.check(_STOP)
def stop_in_command(bench: Bench) -> None:
    """A reader whose card works vetoes being stopped, and the command completes."""
    card = bench.ready()
    stopped: list[bool] = []
    bench.meanwhile(card, "transmit", lambda: stopped.append(bench.reader.stop()))
    bench.must_answer(_OK, b"\x90\x00")
    if stopped != [False]:
        raise Failed("the reader was stopped in the middle of a command")
