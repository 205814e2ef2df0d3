# SPDX-License-Identifier: Apache-2.0
"""Faults of a world's readers: what a person does to see how programs take it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vreader.errors import VreaderError
from vreader.world.desk import Desk, Place
from vreader.world.spec import asked_fault

if TYPE_CHECKING:
    from vreader.host import Host
    from vreader.reader.armed import ArmedFault
    from vreader.reader.faults import FaultPlan
    from vreader.world.otherclient import OtherProgram


class Faulting(Desk):
    """Readers in a row whose cards may fail on purpose."""

    host: "Host"
    environment: dict[str, str]
    _has_pcscd: bool

    def __init__(self) -> None:
        super().__init__()
        self._others: dict[str, OtherProgram] = {}  # by the reader's name

    def fault(self, reader: object = None, plan: "FaultPlan | str | None" = None) -> "ArmedFault":
        """Let something go wrong in a reader, see :mod:`vreader.reader.faults`.

        Args:
            reader: its name or number; may be left out where there is one reader, or where the
                plan names it.
            plan: what goes wrong, and when; a text like ``mute,on=VERIFY``.

        Returns:
            What counts how often it has happened (``struck``).

        Raises:
            UsageError: no such reader, no such fault, or one that cannot happen there.
            VreaderError: for RESET_BY_OTHER: pcscd refuses another program.
        """
        from vreader.reader.faults import Fault

        reader, plan = asked_fault(reader, plan)
        place = self.place(reader)
        foreign = plan.fault is Fault.RESET_BY_OTHER and self._has_pcscd
        return place.reader.fault(plan, self._other(place) if foreign else None)

    def faults(self, reader: object = None) -> "list[ArmedFault]":
        """Return what may go wrong, and what has, in ``reader`` or in all readers."""
        places = self.places if reader is None else [self.place(reader)]
        return [armed for place in places for armed in place.faults]

    def clear_faults(self, reader: object = None) -> None:
        """Let nothing go wrong any more, in ``reader`` or in all of them; raises UsageError."""
        for place in self.places if reader is None else [self.place(reader)]:
            place.reader.clear_faults()
            if other := self._others.pop(place.name, None):
                other.close()

    def _set_faults(self, plans: "Sequence[FaultPlan | str]") -> None:
        for plan in plans:
            self.fault(None, plan)

    def _other(self, place: Place) -> "OtherProgram":
        """Return another program at this world's pcscd, connected if that runs already."""
        from vreader.reader.faults import Fault
        from vreader.world.otherclient import OtherProgram

        def wanted() -> bool:
            resets = (armed for armed in place.faults if armed.plan.fault is Fault.RESET_BY_OTHER)
            return any(armed.left != 0 for armed in resets)

        other = self._others.get(place.name) or OtherProgram(self.host, place.name, wanted)
        if socket := self.environment.get("PCSCLITE_CSOCK_NAME"):
            try:
                other.connect(socket)
            except VreaderError as error:
                raise VreaderError(
                    f"another application cannot connect to {place.name}: {error}",
                    hint="has a program the reader for itself? Set the fault before",
                ) from None
        self._others[place.name] = other
        return other

    def _close_others(self) -> None:
        while self._others:
            self._others.popitem()[1].close()

    def _connect_others(self) -> None:
        for other in self._others.values():
            other.connect(self.environment["PCSCLITE_CSOCK_NAME"])
