# SPDX-License-Identifier: Apache-2.0
"""A slot whose card suffers faults: where plans strike on requests. Not on the way of others."""

from collections.abc import Callable

from vreader.card import Card, CardGone, CardMute, tear
from vreader.reader.armed import Faults
from vreader.reader.ask import Answer
from vreader.reader.events import FaultEvent
from vreader.reader.faults import Fault, FaultPlan
from vreader.reader.linkspec import Disturb
from vreader.reader.slot import Slot
from vreader.reader.work import CardWork
from vreader.wdm import NTSTATUS, Irp

_DARK = FaultPlan(Fault.MUTE)


class Harmed:
    """What a plan does to one exchange."""

    def __init__(self, plan: FaultPlan, faults: Faults) -> None:
        self._plan = plan
        self._faults = faults

    def transmit(self, card: Card, command: bytes) -> bytes:
        """Have the card answer."""
        return suffer(self._plan, card, self._faults, command)

    @property
    def waited_s(self) -> float:
        """How much longer than the card itself it takes, in seconds."""
        return self._plan.seconds if self._plan.fault is Fault.SLOW else 0.0

    def arriving(self, answer: Answer) -> Answer:
        """Return what the reader gets of an answer."""
        cut = self._plan.fault is Fault.TRUNCATE and isinstance(answer, bytes)
        return truncated(self._plan, answer) if cut and isinstance(answer, bytes) else answer

    def disturbing(self, disturb: Disturb | None) -> Disturb | None:
        """Return what disturbs the blocks of this exchange."""
        return Harm(self._plan, disturb) if self._plan.fault is Fault.BAD_BLOCK else disturb


def exchange(
    slot: Slot,
    faults: Faults,
    command: bytes,
    answered: Callable[[Irp, Answer], NTSTATUS],
    typed: bool,
) -> NTSTATUS:
    """Pend the current IRP and have the card execute a C-APDU, with the fault that is due."""
    irp, card = slot.ext.OsData.CurrentIrp, slot.hardware.card
    plan = None
    if card is not None and faults.dark is card:
        plan = _DARK
    elif card is not None and len(command) >= 2:
        plan = faults.of_command(command, lambda: slot.observer.text_of(command, typed))
        if plan is not None:
            _tell(slot, plan)
    if plan is None:
        return slot.request(slot.asks(command, irp, typed, None), answered)
    ask = slot.asks(command, irp, typed, Harmed(plan, faults))
    return slot.request(ask, answered, _beginning(slot, plan))


def _beginning(slot: Slot, plan: FaultPlan) -> Callable[[CardWork], None] | None:
    """Return what sees to it that the card begins later."""
    other = slot.hardware.other
    if plan.fault is Fault.SLOW:
        due = slot.clock.now() + plan.seconds

        def slowly(work: CardWork) -> None:
            slot.clock.call_at(due, lambda: slot.begin(work))

        return slowly
    if plan.fault is Fault.RESET_BY_OTHER and other is not None:
        return lambda work: other(lambda: slot.begin(work))
    return None


def harmed_reset(
    slot: Slot, faults: Faults
) -> Callable[[Callable[[], bytes]], Callable[[], bytes]]:
    """Count a reset; return what makes of a card's reset the one that the reader gets."""
    plan = faults.of_reset()
    if plan is None:
        return lambda call: call
    _tell(slot, plan)
    return lambda call: lambda: garbled(plan, call())


def _tell(slot: Slot, plan: FaultPlan) -> None:
    if slot.io.events:
        slot.io.events.emit(FaultEvent(slot.observer.reader, plan.fault.value, plan.effect))


# ---------------------------------------------------------------------- what the reader gets


def suffer(plan: FaultPlan, card: Card, faults: Faults, command: bytes) -> bytes:
    """Have ``card`` answer ``command`` with the fault; raises CardMute and CardGone as cards do."""
    fault = plan.fault
    if fault is Fault.POWER_LOSS:
        tear(card, command, plan.when == "after")
        faults.dark = card
        raise CardMute
    if fault in (Fault.MUTE, Fault.REMOVE_MID_APDU, Fault.WRONG_SW):
        if plan.executed:
            card.transmit(command)
        if fault is Fault.WRONG_SW:
            return plan.sw.to_bytes(2)
        raise CardMute if fault is Fault.MUTE else CardGone
    return card.transmit(command)


def garbled(plan: FaultPlan, atr: bytes) -> bytes:
    """Return what becomes of an ATR."""
    return bytes((atr[0] ^ 0xFF,)) + atr[1:] if plan.bytes is None else atr[: plan.bytes]


def truncated(plan: FaultPlan, answer: bytes) -> bytes:
    """Return what arrives of an answer."""
    return answer[: 1 if plan.bytes is None else plan.bytes]


class Harm:
    """Disturbs the first blocks of a command; see :data:`vreader.reader.linkspec.Disturb`."""

    def __init__(self, plan: FaultPlan, before: Callable[[bool, bytes], str] | None) -> None:
        self._left = plan.blocks
        self._harm = plan.harm
        self._before = before

    def __call__(self, to_card: bool, raw: bytes) -> str:
        """Draw for one block."""
        if self._left:
            self._left -= 1
            return self._harm
        return "" if self._before is None else self._before(to_card, raw)
