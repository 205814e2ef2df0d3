# SPDX-License-Identifier: Apache-2.0
"""Part A, the card monitor: IS_PRESENT and IS_ABSENT tell of every insertion and removal."""

from vreader.certify.bench import IS_ABSENT, IS_PRESENT, Bench
from vreader.certify.cards import STATUS
from vreader.certify.check import MONITOR, Part
from vreader.smclib.ioctl import Attr
from vreader.smclib.states import CardState
from vreader.wdm import NTSTATUS

PART = Part("A", "Card monitor")
_SUCCESS = NTSTATUS.SUCCESS


@PART.check(MONITOR)
def absent_at_once(bench: Bench) -> None:
    """IS_ABSENT on an empty reader succeeds at once and returns nothing."""
    bench.send(IS_ABSENT).must_be(_SUCCESS, b"")


@PART.check(MONITOR)
def present_at_once(bench: Bench) -> None:
    """IS_PRESENT with a card inside succeeds at once and returns nothing."""
    bench.insert()
    bench.send(IS_PRESENT).must_be(_SUCCESS, b"")


@PART.check(MONITOR)
def present_pends(bench: Bench) -> None:
    """IS_PRESENT on an empty reader pends."""
    bench.send(IS_PRESENT).must_pend()


@PART.check(MONITOR)
def absent_pends(bench: Bench) -> None:
    """IS_ABSENT with a card inside pends."""
    bench.insert()
    bench.send(IS_ABSENT).must_pend()


@PART.check(MONITOR)
def insertion_completes(bench: Bench) -> None:
    """An insertion completes IS_PRESENT with STATUS_SUCCESS and no bytes."""
    waiting = bench.send(IS_PRESENT)
    bench.insert()
    waiting.must_be(_SUCCESS, b"")


@PART.check(MONITOR)
def removal_completes(bench: Bench) -> None:
    """A removal completes IS_ABSENT with STATUS_SUCCESS and no bytes."""
    bench.insert()
    waiting = bench.send(IS_ABSENT)
    bench.reader.remove()
    waiting.must_be(_SUCCESS, b"")


@PART.check(MONITOR)
def waits_again(bench: Bench) -> None:
    """When one wait has completed the next one is accepted, as the resource manager alternates."""
    for _ in range(3):
        waiting = bench.send(IS_PRESENT)
        waiting.must_pend()
        bench.insert()
        waiting.must_be(_SUCCESS)
        waiting = bench.send(IS_ABSENT)
        waiting.must_pend()
        bench.reader.remove()
        waiting.must_be(_SUCCESS)


@PART.check("WDK IOCTL_SMARTCARD_IS_PRESENT")
def one_at_a_time(bench: Bench) -> None:
    """While one request waits a second gets STATUS_DEVICE_BUSY, and the first waits on."""
    waiting = bench.send(IS_PRESENT)
    bench.send(IS_PRESENT, what="a second IS_PRESENT").must_be(NTSTATUS.DEVICE_BUSY)
    satisfied = NTSTATUS.DEVICE_BUSY if bench.profile.tracking_busy_first else _SUCCESS
    bench.send(IS_ABSENT, what="IS_ABSENT beside IS_PRESENT").must_be(satisfied)
    waiting.must_pend()
    bench.insert()
    waiting.must_be(_SUCCESS)


@PART.check("WDK IOCTL_SMARTCARD_IS_PRESENT")
def cancel(bench: Bench) -> None:
    """CancelIo completes the wait with STATUS_CANCELLED, and the next one is accepted."""
    waiting = bench.send(IS_PRESENT)
    bench.device.cancel()
    waiting.must_be(NTSTATUS.CANCELLED)
    waiting = bench.send(IS_PRESENT)
    waiting.must_pend()
    bench.insert()
    waiting.must_be(_SUCCESS)


@PART.check("WDK IRP_MJ_CLEANUP")
def close_cancels(bench: Bench) -> None:
    """Closing the last handle completes the wait with STATUS_CANCELLED; the next open can wait."""
    waiting = bench.send(IS_PRESENT)
    bench.device.close()
    waiting.must_be(NTSTATUS.CANCELLED)
    bench.reopen()
    waiting = bench.send(IS_PRESENT)
    waiting.must_pend()
    bench.insert()
    waiting.must_be(_SUCCESS)


@PART.check("WDK DispatchCleanup Routines")
def other_open_keeps(bench: Bench) -> None:
    """Closing another open of a shared reader leaves the wait of the first alone."""
    bench.replug(exclusive=False)
    bench.reopen()
    waiting = bench.send(IS_PRESENT)
    bench.host.open_device(bench.reader.link).close()
    waiting.must_pend()
    bench.insert()
    waiting.must_be(_SUCCESS)


@PART.check("WDK IOCTL_SMARTCARD_IS_PRESENT")
def buffers(bench: Bench) -> None:
    """Buffers with IS_ABSENT are ignored, or refused where the driver profile says so."""
    refuses = bench.profile.tracking_refuses_buffers
    status = NTSTATUS.INVALID_PARAMETER if refuses else _SUCCESS
    bench.send(IS_ABSENT, bytes(4), 4, what="IS_ABSENT with buffers").must_be(status, b"")


@PART.check("WDK Smart Card Driver Library Callback Routines")
def others_are_served(bench: Bench) -> None:
    """A wait keeps no other request from being served."""
    waiting = bench.send(IS_PRESENT)
    bench.state_must_be(CardState.ABSENT, "while IS_PRESENT waits")
    bench.attribute(Attr.VENDOR_NAME)
    waiting.must_pend()
    bench.insert()
    waiting.must_be(_SUCCESS)
    waiting = bench.send(IS_ABSENT)
    bench.connect()
    bench.must_answer(bytes((0, STATUS, 0x90, 0)), b"\x90\x00")
    waiting.must_pend()


@PART.check("WDK Smart Card Driver Library Callback Routines")
def beside_a_command(bench: Bench) -> None:
    """A wait is accepted while a card works on a command, and a removal then completes both."""
    card = bench.ready()
    waits = []

    def happen() -> None:
        waits.append(bench.send(IS_ABSENT))
        waits[0].must_pend()
        bench.reader.remove()

    bench.meanwhile(card, "transmit", happen)
    bench.transmit(bytes((0, STATUS, 0x90, 0))).must_be(NTSTATUS.NO_MEDIA, b"")
    waits[0].must_be(_SUCCESS)
