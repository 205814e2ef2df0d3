# SPDX-License-Identifier: Apache-2.0
"""A request to a card on its way; see :mod:`vreader.reader.slot`."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from vreader.card import Card
from vreader.reader.ask import Answer, Asked, Problem
from vreader.wdm import NTSTATUS, DeviceObject, Irp

if TYPE_CHECKING:
    from vreader.reader.slot import Slot


class CardWork:
    """A request to a card on its way: the work item, its cancel routine and its deadline."""

    __slots__ = ("answered", "card", "irp", "run", "slot")

    def __init__(
        self,
        slot: "Slot",
        irp: Irp,
        card: Card,
        run: Callable[[], Asked | float],
        answered: Callable[[Irp, Answer], NTSTATUS],
    ) -> None:
        self.slot = slot
        self.irp = irp
        self.card = card
        self.run = run
        self.answered = answered

    def finish(self, answer: Answer | None) -> None:
        """Take the answer; None where the work was interrupted."""
        self.slot.finish(self, Problem.MUTE if answer is None else answer)

    def cancel(self, device: DeviceObject, irp: Irp) -> None:
        """Complete the request CANCELLED."""
        self.slot.give_up(self, NTSTATUS.CANCELLED)

    def time_is_over(self) -> None:
        """Complete the request IO_TIMEOUT."""
        self.slot.give_up(self, NTSTATUS.IO_TIMEOUT)
