# SPDX-License-Identifier: Apache-2.0
"""The slot: the driver's view of the place where a card sits and works.

A request to the card is work that may take time: it runs without the lock, on the thread of whoever
asked, and its answer counts only if the request is still pending then. The card may vanish
meanwhile; the request has then been completed STATUS_NO_MEDIA and the late answer is dropped.
"""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from vreader.card import Card, interrupt
from vreader.clock import Clock, Timer
from vreader.reader.ask import FAULT_RESPONSE, Answer, Asked, Problem, ask_card, power_off
from vreader.reader.events import CardEvent
from vreader.reader.hardware import SlotHardware
from vreader.reader.observer import ApduObserver
from vreader.reader.work import CardWork
from vreader.smclib.ioctl import Ioctl, Power
from vreader.smclib.library import (
    SmartcardCompleteCardTracking,
    set_state,
)
from vreader.smclib.states import ReaderEvent
from vreader.smclib.structs import PTS_TYPE_OPTIMAL, SMARTCARD_EXTENSION
from vreader.wdm import (
    NTSTATUS,
    IoCompleteRequest,
    IoManager,
    IoMarkIrpPending,
    Irp,
)
from vreader.wdm.irp import CancelRoutine

if TYPE_CHECKING:
    from vreader.reader.faulty import Harmed
    from vreader.reader.pinpad import Pinpad


# Looked up once: see vreader.wdm.irp.
_SUCCESS, _PENDING = NTSTATUS.SUCCESS, NTSTATUS.PENDING
_GONE, _FAULT = Problem.GONE, Problem.FAULT
_POWER, _POWER_DOWN = int(Ioctl.SMARTCARD_POWER), int(Power.POWER_DOWN)
_6700 = b"\x67\x00"
_SELECT, _BY_NAME = 0xA4, b"\x04"


class Slot:
    """One place for one card.

    Attributes:
        hardware: the place itself, where a person inserts and removes cards.
        timeout_s: how long a card may work before the request completes IO_TIMEOUT; None waits.
        pinpad: the reader's keypad, or None.
        work_type: what a request becomes.
        pts_type: the parameters in force after a reset. Where whole APDUs cross there is no line
            that could be slower than the card allows.
    """

    work_type: type[CardWork] = CardWork
    pts_type = PTS_TYPE_OPTIMAL

    def __init__(
        self,
        io: IoManager,
        ext: SMARTCARD_EXTENSION,
        hardware: SlotHardware,
        observer: ApduObserver,
        timeout_s: float | None,
    ) -> None:
        self.io = io
        self.ext = ext
        self.hardware = hardware
        self.observer = observer
        self.timeout_s = timeout_s
        self.pinpad: Pinpad | None = None
        # Who is at work; a card twice when it answers late and has been asked again.
        self._working: list[Card] = []
        self._irp: Irp | None = None
        self._deadline: Timer | None = None

    @property
    def card(self) -> Card | None:
        """The card inside, or None."""
        return self.hardware.card

    @property
    def clock(self) -> Clock:
        """The host's clock."""
        return self.io.clock

    # ------------------------------------------------------------------ what happens to the card

    def moved(self, card: Card, inserted: bool) -> None:
        """Hear from the card switch: a card has come, or was taken out, maybe while it works."""
        event = ReaderEvent.INSERTED if inserted else ReaderEvent.REMOVED
        if not inserted:
            self.observer.reset()
        # A sleeping reader notices nothing, but its card will not answer all the same.
        data = self.ext.OsData
        awake, tracking = data.InD0, data.NotificationIrp
        if awake:
            set_state(self.ext, event)
        if not inserted:
            ext = self.ext
            resetting = ext.MajorIoControlCode == _POWER and ext.MinorIoControlCode != _POWER_DOWN
            gone = ext.Profile.vanished_reset if resetting else NTSTATUS.NO_MEDIA
            self.complete(self._irp, gone)
        # Who has asked since, hearing that a request is over, has not asked for this movement.
        if awake and tracking is not None and data.NotificationIrp is tracking:
            SmartcardCompleteCardTracking(self.ext)
        if not inserted:
            self._power_off(card)  # last: whoever is to hear of the movement need not wait for it

    def power_lost(self) -> None:
        """Take the card's power with the reader's; who comes and goes is seen on waking."""
        self.power_down()
        self.complete(self._irp, NTSTATUS.DEVICE_POWERED_OFF)

    def power_down(self) -> None:
        """Take the card's power, of which nobody waits to hear."""
        if self.card is not None:
            self._power_off(self.card)

    def _power_off(self, card: Card) -> None:
        # A card at work is at most interrupted: nobody waits for it here, and its next reset is a
        # cold one.
        if any(card is busy for busy in self._working):
            interrupt(card)
        else:
            self.io.queue_work(
                lambda: ask_card(self.observer, lambda: power_off(card)), lambda answer: None
            )

    # ------------------------------------------------------------------ requests to the card

    def request(
        self,
        ask: Callable[[Card], Asked],
        answered: Callable[[Irp, Answer], NTSTATUS],
        begin: Callable[["CardWork"], None] | None = None,
    ) -> NTSTATUS:
        """Pend the current IRP and have the card work on it; returns STATUS_PENDING.

        Args:
            ask: called without the lock with the card.
            answered: called with the lock if the request is still pending; returns the status to
                complete it with, IoStatus.Information set before. A cancelled or timed out
                request hands it Problem.MUTE, for what that does to the state.
            begin: sees to it that :meth:`begin` is called with the work later; now by default.
        """
        irp, card = self.ext.OsData.CurrentIrp, self.hardware.card
        assert irp is not None  # the library calls back with a request in hand
        if card is None:
            return NTSTATUS.NO_MEDIA

        work = self.work_type(self, irp, card, partial(ask, card), answered)
        irp.CancelRoutine = work.cancel
        IoMarkIrpPending(irp)
        self._irp = irp
        self._working.append(card)
        if self.timeout_s is not None:
            self.set_deadline(self.timeout_s, work.time_is_over)
        if begin is None:
            self.io.queue_item(work)
        else:
            begin(work)
        return _PENDING

    def begin(self, work: CardWork) -> None:
        """Have the card begin a request, unless that is over."""
        if work.irp is self._irp:
            self.io.queue_item(work)
        else:
            self.stopped(work)

    def reset(
        self, change: str, cold: bool, answered: Callable[[Irp, Answer], NTSTATUS]
    ) -> NTSTATUS:
        """Pend the current IRP and have the card reset; ``change`` is what the trace calls it."""
        harmed = self.harmed_reset()

        def ask(card: Card) -> Answer:
            return self.ask_power(change, card, harmed(card.power_on if cold else card.reset))

        return self.request(ask, answered)

    def harmed_reset(self) -> Callable[[Callable[[], bytes]], Callable[[], bytes]]:
        """Count a reset; return what makes of a card's the one that the reader gets."""
        if not self.hardware.faults:
            return lambda call: call
        from vreader.reader.faulty import harmed_reset

        return harmed_reset(self, self.hardware.faults)

    def exchange(
        self, command: bytes, answered: Callable[[Irp, Answer], NTSTATUS], typed: bool = False
    ) -> NTSTATUS:
        """Pend the current IRP and have the card execute a C-APDU.

        A PIN was ``typed`` into the command or not.
        """
        irp = self.ext.OsData.CurrentIrp
        if self.hardware.faults:
            from vreader.reader.faulty import exchange

            return exchange(self, self.hardware.faults, command, answered, typed)
        return self.request(partial(self.ask_transmit, command, irp, typed), answered)

    def hold(self, cancel: CancelRoutine) -> NTSTATUS:
        """Pend the current IRP while a person is at work, not the card; returns STATUS_PENDING.

        :meth:`request` hands it to the card afterwards, :meth:`complete` ends it; so do removal
        and the loss of power.
        """
        irp = self.ext.OsData.CurrentIrp
        assert irp is not None  # the library calls back with a request in hand
        if self.hardware.card is None:
            return NTSTATUS.NO_MEDIA
        irp.CancelRoutine = cancel
        IoMarkIrpPending(irp)
        self._irp = irp
        return _PENDING

    def holds(self, irp: Irp) -> bool:
        """Whether ``irp`` is still pending here."""
        return irp is self._irp

    def set_deadline(self, seconds: float, call: Callable[[], None]) -> None:
        """Call ``call`` when the request in hand is still pending after ``seconds``."""
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = self.clock.call_at(self.clock.now() + seconds, call)

    def give_up(self, work: "CardWork", status: NTSTATUS) -> None:
        """Complete a request whose card has not answered yet."""
        if work.irp is self._irp:
            work.answered(work.irp, Problem.MUTE)
            self.complete(work.irp, status)

    def finish(self, work: "CardWork", answer: Answer) -> None:
        """Take a card's answer, if anybody still waits for it."""
        self._working.remove(work.card)
        if work.irp is not self._irp:
            return  # completed meanwhile by removal, cancel, deadline: the late answer is dropped
        if answer is _GONE:
            self.hardware.remove()
            self.complete(work.irp, NTSTATUS.NO_MEDIA)  # where nobody has who heard of it
            return
        self.complete(work.irp, work.answered(work.irp, answer))

    def stopped(self, work: CardWork) -> None:
        """Note that a card is not at work any more; nobody waits for its answer."""
        self._working.remove(work.card)

    def complete(self, irp: Irp | None, status: NTSTATUS) -> None:
        """Complete the request in hand exactly once."""
        if irp is None or irp is not self._irp:
            return
        self._irp = None
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        irp.CancelRoutine = None
        if status is not _SUCCESS:
            irp.IoStatus.Information = 0
        irp.IoStatus.Status = status
        IoCompleteRequest(irp)

    def _emit(self, change: str, atr: bytes = b"", problem: str = "") -> None:
        if self.io.events:
            self.io.events.emit(CardEvent(self.observer.reader, change, atr, problem))

    # ------------------------------------------------------------------ the card at work (no lock)

    def ask_power(self, change: str, card: Card, call: Callable[[], bytes]) -> Answer:
        """Reset the card or power it down."""
        answer = ask_card(self.observer, call)
        if card is self.hardware.card:
            self.observer.reset()
        if isinstance(answer, Problem):
            self._emit(change, problem=answer.value)
        else:
            self._emit(change, atr=answer)
        return answer

    def asks(
        self, command: bytes, irp: Irp | None, typed: bool, harmed: "Harmed | None"
    ) -> Callable[[Card], Asked]:
        """Return what has a card execute a C-APDU, with a fault or none."""
        return partial(self.ask_transmit, command, irp, typed, harmed=harmed)

    def ask_transmit(
        self,
        command: bytes,
        irp: Irp | None,
        typed: bool,
        card: Card,
        harmed: "Harmed | None" = None,
    ) -> Asked:
        """Exchange one APDU for ``irp``; a fault of the card's code becomes 6F00."""
        if len(command) < 2:
            return _6700  # the contract promises cards two bytes at least
        traced = self.io.events
        started = self.clock.now() if traced else 0.0
        if harmed is None:
            answer = ask_card(self.observer, card.transmit, command, typed)
        else:
            started -= harmed.waited_s
            answer = ask_card(self.observer, partial(harmed.transmit, card), command, typed)
            answer = harmed.arriving(answer)
        if traced:
            problem = answer.value if isinstance(answer, Problem) else ""
            self.tell(command, answer, started, problem, irp, typed)
        if command[1] == _SELECT and command[2:3] == _BY_NAME:
            self.selected(command, answer, card)
        return FAULT_RESPONSE if answer is _FAULT else answer

    def tell(
        self,
        command: bytes,
        answer: Answer,
        started: float,
        problem: str,
        irp: Irp | None,
        typed: bool,
    ) -> None:
        """Tell the trace of an exchange."""
        seconds = self.clock.now() - started
        response = FAULT_RESPONSE if answer is _FAULT else answer
        if isinstance(response, Problem):
            response = b""
        if irp is not self._irp:
            problem = problem or "late"
        self.observer.exchanged(command, response, seconds, problem, typed)

    def selected(self, command: bytes, answer: Answer, card: Card) -> None:
        """Note what a SELECT has selected, if the card is still here."""
        if isinstance(answer, bytes) and card is self.hardware.card:
            self.observer.selected(command, answer)
