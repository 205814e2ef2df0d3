# SPDX-License-Identifier: Apache-2.0
"""The slot of a reader whose card is driven at TPDU level, over a :class:`TpduLink`.

An exchange takes several steps with time between them. Each step is a work item, run without the
lock; between two the request pends and a timer of the clock queues the next one. Whatever completes
the request meanwhile (removal, cancel, deadline) ends the exchange where it is.
"""

from collections.abc import Callable, Generator
from functools import partial
from typing import TYPE_CHECKING

from vreader.card import Card, CardGone, CardMute
from vreader.clock import Timer
from vreader.iso7816 import Atr, AtrError
from vreader.iso7816.pps import PpsError
from vreader.iso7816.t0 import T0CommandError, T0Error, T0LostError
from vreader.iso7816.t1 import T1Error, T1LostError
from vreader.reader.ask import FAULT_RESPONSE, STATUS_OF, Answer, Asked, Problem, ask_card
from vreader.reader.callbacks import choose_protocol
from vreader.reader.events import TpduEvent
from vreader.reader.hardware import SlotHardware
from vreader.reader.link import LinkBrokenError, Steps, TpduLink
from vreader.reader.linkspec import LinkSettings
from vreader.reader.observer import ApduObserver
from vreader.reader.slot import Slot
from vreader.reader.work import CardWork
from vreader.smclib.capabilities import capabilities_of
from vreader.smclib.ioctl import Protocol
from vreader.smclib.library import set_state
from vreader.smclib.states import ReaderEvent
from vreader.smclib.structs import (
    PTS_DATA,
    PTS_TYPE_DEFAULT,
    PTS_TYPE_OPTIMAL,
    SMARTCARD_EXTENSION,
)
from vreader.wdm import NTSTATUS, IoManager, Irp

if TYPE_CHECKING:
    from vreader.reader.faulty import Harmed


class _Exchange(CardWork):
    """A request that takes its steps one by one."""

    __slots__ = ("ask", "linked", "steps", "timer")

    def __init__(
        self,
        slot: "LinkedSlot",
        irp: Irp,
        card: Card,
        run: Callable[[], Asked],
        answered: Callable[[Irp, Answer], NTSTATUS],
    ) -> None:
        super().__init__(slot, irp, card, self._step, answered)
        self.ask = run
        self.linked = slot
        self.steps: Steps[Answer] | None = None
        self.timer: Timer | None = None

    def _step(self) -> Answer | float:
        """Take one step; the answer is seconds where another follows."""
        if self.steps is None:
            if not self.linked.holds(self.irp):
                return Problem.MUTE  # completed meanwhile: not begun any more
            first = self.ask()
            if not isinstance(first, Generator):
                return first
            self.steps = first
        try:
            return next(self.steps)
        except StopIteration as end:
            answer: Answer = end.value
            return answer

    def finish(self, answer: Answer | float | None) -> None:
        """Take the answer, or wait before the next step."""
        slot = self.linked
        if not isinstance(answer, float):
            super().finish(answer)
        elif slot.holds(self.irp):
            slot.paused = self
            self.timer = slot.clock.call_at(slot.clock.now() + answer, self._go_on)
        else:
            self.end()

    def _go_on(self) -> None:
        self.linked.paused = None
        self.linked.io.queue_item(self)

    def end(self) -> None:
        """Give the exchange up between two steps."""
        if self.timer is not None:
            self.timer.cancel()
        if self.steps is not None:
            self.steps.close()
        self.linked.stopped(self)


class LinkedSlot(Slot):
    """A slot whose card is reached by TPDUs.

    Attributes:
        link: both ends of the protocol, made anew for each reset: a late exchange of before has the
            link of before.
        paused: the exchange that waits for the clock, or None.
    """

    work_type: type[CardWork] = _Exchange
    pts_type = PTS_TYPE_DEFAULT  # until a PPS has agreed on others

    def __init__(
        self,
        io: IoManager,
        ext: SMARTCARD_EXTENSION,
        hardware: SlotHardware,
        observer: ApduObserver,
        timeout_s: float | None,
        settings: LinkSettings,
    ) -> None:
        super().__init__(io, ext, hardware, observer, timeout_s)
        self._settings = settings
        self.link = TpduLink(settings, ext.ReaderCapabilities)
        self.paused: _Exchange | None = None

    # ------------------------------------------------------------------ ends of exchanges

    def _power_off(self, card: Card) -> None:
        self._leave()
        super()._power_off(card)

    def complete(self, irp: Irp | None, status: NTSTATUS) -> None:
        """Complete the request in hand exactly once; an exchange between two steps ends."""
        if irp is not None and self.holds(irp):
            self._leave()
        super().complete(irp, status)

    def _leave(self) -> None:
        exchange, self.paused = self.paused, None
        if exchange is not None:
            exchange.end()

    # ------------------------------------------------------------------ requests to the card

    def reset(
        self, change: str, cold: bool, answered: Callable[[Irp, Answer], NTSTATUS]
    ) -> NTSTATUS:
        """Pend the current IRP and have the card reset; a new link goes with the answer."""
        link = TpduLink(self._settings, self.ext.ReaderCapabilities)
        harmed = self.harmed_reset()

        def ask(card: Card) -> Answer:
            call = harmed(card.power_on if cold else card.reset)
            return self.ask_power(change, card, lambda: link.reset(call()))

        def done(irp: Irp, answer: Answer) -> NTSTATUS:
            if not isinstance(answer, Problem):
                self.link = link
            return answered(irp, answer)

        return self.request(ask, done)

    def exchange(
        self, command: bytes, answered: Callable[[Irp, Answer], NTSTATUS], typed: bool = False
    ) -> NTSTATUS:
        """Pend the current IRP and have the card execute a C-APDU, in TPDUs."""
        if len(command) < 2 or self.hardware.faults:
            return super().exchange(command, answered, typed)
        irp = self.ext.OsData.CurrentIrp
        return self.request(partial(self._transmit, self.link, command, irp, typed), answered)

    def asks(
        self, command: bytes, irp: Irp | None, typed: bool, harmed: "Harmed | None"
    ) -> Callable[[Card], Asked]:
        """Return what has a card execute a C-APDU in TPDUs, with a fault or none."""
        if len(command) < 2:
            return super().asks(command, irp, typed, harmed)
        return partial(self._transmit, self.link, command, irp, typed, harmed=harmed)

    # ------------------------------------------------------------------ the card at work (no lock)

    def _transmit(
        self,
        link: TpduLink,
        command: bytes,
        irp: Irp | None,
        typed: bool,
        card: Card,
        harmed: "Harmed | None" = None,
    ) -> Steps[Answer]:
        secret = self.observer.is_secret(command, typed)
        started = self.clock.now()
        disturb, transmit = link.disturb, card.transmit
        if harmed is not None:
            started -= harmed.waited_s
            link.disturb = harmed.disturbing(disturb)
            transmit = partial(harmed.transmit, card)
        answer: Answer
        remark = ""
        try:
            answer = yield from link.transmit(
                partial(self._execute, transmit, typed), command, partial(self._tell, secret)
            )
        except CardGone:
            answer = Problem.GONE
        except CardMute:
            answer = Problem.MUTE
        except T0CommandError as error:
            answer, remark = Problem.COMMAND, str(error)
        except (T0Error, T1Error, LinkBrokenError) as error:
            mute = isinstance(error, T0LostError | T1LostError) and error.mute
            answer, remark = Problem.MUTE if mute else Problem.PROTOCOL, str(error)
        finally:
            link.disturb = disturb
        if harmed is not None:
            answer = harmed.arriving(answer)
        if self.io.events:
            problem = answer.value if isinstance(answer, Problem) else ""
            self.tell(command, answer, started, remark or problem, irp, typed)
        self.selected(command, answer, card)
        return answer

    def _execute(self, transmit: Callable[[bytes], bytes], typed: bool, command: bytes) -> bytes:
        answer = ask_card(self.observer, transmit, command, typed)
        if answer is Problem.GONE:
            raise CardGone
        if answer is Problem.MUTE:
            raise CardMute
        return FAULT_RESPONSE if isinstance(answer, Problem) else answer

    def ask_protocol(self, link: TpduLink, atr: Atr, pts: PTS_DATA, card: Card) -> Steps[Answer]:
        """Have the card speak the link's protocol with the parameters ``pts``, by PPS.

        Where the PPS for a speed fails, the card is reset and asked without one.

        Returns:
            The agreed PPS1 as one byte; empty where the default parameters hold.
        """
        tell = partial(self._tell, False)
        default = PTS_DATA()
        for wish in (pts, default):
            fast = (wish.Fl, wish.Dl) != (default.Fl, default.Dl)
            if not fast and link.settings.protocol == atr.default_protocol:
                return b""  # that is how the card starts
            problem: Answer
            try:
                agreed = yield from link.select(wish, tell)
            except TimeoutError:
                problem = Problem.MUTE
            except PpsError:
                problem = Problem.PROTOCOL
            else:
                return b"" if agreed.pps1 is None else bytes((agreed.pps1,))
            if not fast:
                return problem
            problem = self.ask_power("warm reset", card, lambda: link.reset(card.reset()))
            if isinstance(problem, Problem):
                return problem
        raise AssertionError("the second wish is the default")

    def _tell(
        self, secret: bool, protocol: str, to_card: bool, raw: bytes, text: str, harm: str
    ) -> None:
        if self.io.events:
            shown = b"" if secret else raw
            self.io.events.emit(
                TpduEvent(self.observer.reader, protocol, to_card, text, shown, len(raw), harm)
            )


# ---------------------------------------------------------------------- callback


def SetProtocol(ext: SMARTCARD_EXTENSION) -> NTSTATUS:
    """RDF_SET_PROTOCOL: agree on the link's protocol and the best speed, by PPS where needed.

    SCARD_PROTOCOL_DEFAULT in the mask asks for the standard parameters instead.
    """
    slot: LinkedSlot = ext.ReaderExtension
    protocol = choose_protocol(ext)
    if protocol is None:
        return NTSTATUS.NOT_SUPPORTED
    try:
        atr = Atr.parse(ext.CardCapabilities.ATR)
    except AtrError:  # a driver of its own may have made sense of it; the link cannot
        return NTSTATUS.UNRECOGNIZED_MEDIA
    standard = ext.MinorIoControlCode & Protocol.DEFAULT
    wish = PTS_DATA(Type=PTS_TYPE_DEFAULT if standard else PTS_TYPE_OPTIMAL)
    pts = capabilities_of(atr, ext.ReaderCapabilities, wish).PtsData
    link = slot.link
    ask = partial(slot.ask_protocol, link, atr, pts)
    return slot.request(ask, partial(_agreed, ext, link, atr, wish, protocol))


def _agreed(
    ext: SMARTCARD_EXTENSION,
    link: TpduLink,
    atr: Atr,
    wish: PTS_DATA,
    protocol: Protocol,
    irp: Irp,
    answer: Answer,
) -> NTSTATUS:
    if isinstance(answer, Problem):
        return STATUS_OF[answer]
    card = capabilities_of(atr, ext.ReaderCapabilities, wish if answer else PTS_DATA())
    card.Protocol.Selected = protocol
    status = set_state(ext, ReaderEvent.SET_PROTOCOL)
    if status is NTSTATUS.SUCCESS:
        ext.CardCapabilities = card
        link.take_parameters(card.PtsData)
        irp.SystemBuffer[:4] = int(protocol).to_bytes(4, "little")
        irp.IoStatus.Information = 4
    return status
