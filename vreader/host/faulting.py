# SPDX-License-Identifier: Apache-2.0
"""Setting a fault on a reader: whether it can happen there, and who resets its card."""

from typing import TYPE_CHECKING

from vreader.errors import UsageError
from vreader.reader.armed import ArmedFault, Faults
from vreader.reader.faults import Fault, FaultPlan
from vreader.reader.linked import LinkedSlot
from vreader.reader.linkspec import SPOIL
from vreader.reader.slot import Slot

if TYPE_CHECKING:
    from vreader.host.host import Host
    from vreader.host.reader import HostReader
    from vreader.reader.hardware import Other
    from vreader.smclib.structs import SMARTCARD_EXTENSION


def arm(
    host: "Host",
    reader: "HostReader",
    ext: "SMARTCARD_EXTENSION",
    plan: FaultPlan | str,
    other: "Other | None",
) -> ArmedFault:
    """Let ``plan`` happen in ``reader``; see :meth:`HostReader.fault`."""
    if isinstance(plan, str):
        plan = FaultPlan.parse(plan)
    slot = ext.ReaderExtension
    if not isinstance(slot, Slot):
        raise UsageError(
            f"{reader.name} has a driver of its own, which knows no faults",
            hint="let its card or its driver do it",
        )
    if plan.fault is Fault.BAD_BLOCK:
        _check_link(slot, reader.name, plan)
    if plan.fault is Fault.RESET_BY_OTHER and other is None:
        if host.rm is None:
            raise UsageError(
                f"{reader.name} is served to a resource manager of somebody else",
                hint="reset the card there, with another program",
            )
        from vreader.host.otherapp import resets

        other = resets(host.rm, reader)
    hardware = slot.hardware

    def add() -> ArmedFault:
        if other is not None:
            hardware.other = other
        if hardware.faults is None:
            hardware.faults = Faults()
        return hardware.faults.add(plan)

    return host.run(add)


def _check_link(slot: Slot, name: str, plan: FaultPlan) -> None:
    if not isinstance(slot, LinkedSlot):
        raise UsageError(
            f"{name} has no link on which blocks could be harmed",
            hint="give it one with link='t1', on the command line --link t1",
        )
    if slot.link.settings.kind == "t0" and plan.harm == SPOIL:
        raise UsageError(
            "a spoilt character of T=0 is repeated at once", hint="harm=lose or harm=cut"
        )
