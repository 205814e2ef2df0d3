# SPDX-License-Identifier: Apache-2.0
"""How requests of the PnP and power managers are sent, and how those of one device follow another.

Requests that change a device's life come one by one. While a driver pends one, what can be refused
is refused by whoever looks at :attr:`Turns.pending`; what cannot (the cancellation of a query, a
device that is gone) waits until it is through.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from vreader.wdm.irp import (
    IRP_MJ,
    IoAllocateIrp,
    IoCallDriver,
    IoGetNextIrpStackLocation,
    Irp,
)

if TYPE_CHECKING:
    from vreader.wdm.objects import DeviceObject


class Turns:
    """Whose turn it is with one device.

    Attributes:
        pending: a request is on its way, or a driver pends it.
    """

    __slots__ = ("_going_on", "_waiting", "pending")

    def __init__(self) -> None:
        self.pending = False
        self._waiting: list[Callable[[], object]] = []
        self._going_on = False

    def end(self) -> None:
        """End the turn: whoever waits comes next."""
        self.pending = False
        self._go_on()

    def when_idle(self, call: Callable[[], object]) -> None:
        """Call ``call`` when no request is on its way: mostly now."""
        self._waiting.append(call)
        self._go_on()

    def _go_on(self) -> None:
        if self._going_on:
            return  # one of the calls is being made, and the next one follows it
        self._going_on = True
        try:
            while self._waiting and not self.pending:
                self._waiting.pop(0)()
        finally:
            self._going_on = False


def send(
    pdo: "DeviceObject",
    major: IRP_MJ,
    minor: int,
    parameters: object,
    through: Callable[[Irp], None] = lambda irp: None,
) -> Irp:
    """Send a request to the top of a stack.

    ``through`` is called with it when it is complete and, where no driver pends it, the drivers'
    calls have returned: one that removes a device detaches as the last thing it does.
    """
    irp = IoAllocateIrp(pdo.top.StackSize)
    location = IoGetNextIrpStackLocation(irp)
    location.MajorFunction = major
    location.MinorFunction = minor
    location.Parameters = parameters
    returned = False

    def done(irp: Irp) -> None:
        if returned:
            through(irp)

    irp.done = done
    IoCallDriver(pdo.top, irp)
    returned = True
    if irp.completed:
        through(irp)
    return irp
