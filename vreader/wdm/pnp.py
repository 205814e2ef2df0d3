# SPDX-License-Identifier: Apache-2.0
"""The Plug and Play manager: how a device comes, starts, stops and goes.

A PnP request goes to the top of the stack; START is handled on the way up, REMOVE on the way down,
and a minor code a driver does not know is passed down with its status unchanged. Which request may
come when is the table of :mod:`vreader.wdm.lifecycle`; while a driver pends one, others are
STATUS_DEVICE_BUSY or wait (:mod:`vreader.wdm.turns`).
"""

from collections.abc import Callable
from functools import partial

from vreader.wdm.events import DeviceEvent
from vreader.wdm.io_manager import DriverEntry, IoManager
from vreader.wdm.irp import (
    IRP_MJ,
    IRP_MN,
    BugCheck,
    Irp,
)
from vreader.wdm.lifecycle import PnpState, next_pnp_state
from vreader.wdm.objects import DO_DEVICE_INITIALIZING, DeviceObject, DriverObject
from vreader.wdm.power_manager import PowerManager
from vreader.wdm.rootbus import (
    DEVICE_CAPABILITIES,
    DEVICE_RELATIONS,
    PNP_DEVICE_STATE,
    QUERY_ID,
    BusQueryId,
    DeviceRelationType,
    bus_entry,
)
from vreader.wdm.status import NTSTATUS
from vreader.wdm.turns import send


class PnpManager(PowerManager):
    """Builds device stacks and sends them PnP and power requests."""

    def __init__(self, io: IoManager) -> None:
        super().__init__(io)
        self._bus = io.load_driver("root", bus_entry)
        io.relations_changed = self._relations_changed

    # ------------------------------------------------------------------ a device comes

    def add_device(
        self,
        name: str,
        driver: DriverObject,
        *,
        properties: dict[str, object] | None = None,
        exclusive: bool = True,
        filters: tuple[DriverEntry, ...] = (),
        lower_filters: tuple[DriverEntry, ...] = (),
    ) -> DeviceObject:
        """Make a PDO, have lower filters, ``driver``, upper filters attach to it, and start it.

        Args:
            name: the PDO's name, shown in traces.
            driver: the function driver.
            properties: what the bus knows about the device.
            exclusive: only one handle at a time.
            filters: DriverEntry routines of upper filters, lowest first.
            lower_filters: those that stand between the PDO and ``driver``, lowest first.

        Returns:
            the PDO; where a driver pends START_DEVICE it is not started yet. Raises BugCheck when
            AddDevice or START_DEVICE fails; nothing is left then.
        """
        pdo = self.io.IoCreateDevice(self._bus, name, None)
        pdo.exclusive = exclusive
        pdo.properties = properties or {}
        pdo.Flags &= ~DO_DEVICE_INITIALIZING
        below = self._load_filters(f"{name} lower filter", lower_filters)
        above = self._load_filters(f"{name} filter", filters)
        try:
            for each in (*below, driver, *above):
                if each.AddDevice is None:
                    raise BugCheck(0xC9, f"{each.name} has no AddDevice")
                status = each.AddDevice(each, pdo)
                if status is not NTSTATUS.SUCCESS:
                    raise BugCheck(0xC9, f"AddDevice of {each.name} returned {status!s}")
            status = self._change(pdo, IRP_MN.START_DEVICE)
            if status not in (NTSTATUS.SUCCESS, NTSTATUS.PENDING):
                raise BugCheck(0xC9, f"START_DEVICE of {name} returned {status!s}")
        except BaseException:
            self.remove(pdo)
            raise
        return pdo

    def _load_filters(self, name: str, entries: tuple[DriverEntry, ...]) -> list[DriverObject]:
        """Load filters for one device; those of one of that name that has gone are unloaded."""
        names = [f"{name} {index}" for index in range(len(entries))]
        for each in names:
            before = self.io.drivers.get(each.lower())
            if before is not None and not before.devices:
                self.io.unload_driver(each)
        return [self.io.load_driver(*each) for each in zip(names, entries, strict=True)]

    # ------------------------------------------------------------------ stop and start again

    def query_stop(self, pdo: DeviceObject) -> bool:
        """QUERY_STOP_DEVICE, before resources are given out anew; CANCEL_STOP after a veto.

        An answer that does not come at once counts as a veto.
        """
        if self._change(pdo, IRP_MN.QUERY_STOP_DEVICE) is NTSTATUS.SUCCESS:
            return True
        pdo.turns.when_idle(lambda: self.cancel_stop(pdo))
        return False

    def cancel_stop(self, pdo: DeviceObject) -> NTSTATUS:
        """CANCEL_STOP_DEVICE: the device goes on as before."""
        return self._change(pdo, IRP_MN.CANCEL_STOP_DEVICE)

    def stop(self, pdo: DeviceObject) -> NTSTATUS:
        """STOP_DEVICE, after a query that succeeded."""
        return self._change(pdo, IRP_MN.STOP_DEVICE)

    def start(self, pdo: DeviceObject) -> NTSTATUS:
        """START_DEVICE of a stopped device."""
        return self._change(pdo, IRP_MN.START_DEVICE)

    # ------------------------------------------------------------------ a device goes

    def query_remove(self, pdo: DeviceObject) -> bool:
        """Ask whether a device may be removed in good order.

        Who has registered for it (the resource manager) lets go of its handle first. A handle that
        stays open vetoes the removal, and so does a driver, or an answer that does not come at
        once. After a veto CANCEL_REMOVE goes out and those who let go are told.
        """
        asked = self.io.notify_target(pdo, "query-remove")
        if asked:
            status = self._change(pdo, IRP_MN.QUERY_REMOVE_DEVICE)
            if status is NTSTATUS.SUCCESS and not pdo.open_handles:
                return True
        self.cancel_remove(pdo)
        return False

    def cancel_remove(self, pdo: DeviceObject) -> None:
        """CANCEL_REMOVE_DEVICE: the device stays, and who let go of it may come back."""
        pdo.turns.when_idle(lambda: self._change(pdo, IRP_MN.CANCEL_REMOVE_DEVICE))
        pdo.turns.when_idle(lambda: self.io.notify_target(pdo, "remove-cancelled"))

    def surprise_removal(self, pdo: DeviceObject) -> None:
        """SURPRISE_REMOVAL; :meth:`remove` must follow."""
        pdo.turns.when_idle(partial(self._surprise, pdo))

    def _surprise(self, pdo: DeviceObject) -> None:
        if isinstance(next_pnp_state(pdo.pnp_state, IRP_MN.SURPRISE_REMOVAL), PnpState):
            self._children_left(pdo)
            self._change(pdo, IRP_MN.SURPRISE_REMOVAL)
            self.io.notify_target(pdo, "remove-complete")

    def remove(self, pdo: DeviceObject, done: Callable[[], None] = lambda: None) -> None:
        """REMOVE_DEVICE, sent when the last open has seen CLOSE; then ``done`` is called.

        The request pends until the last remove-lock holder lets go. A device is removed once,
        whoever asks; who asks again is told too.
        """
        if pdo.removal is not None:
            pdo.removal.append(done)
        elif pdo.pnp_state is PnpState.REMOVED:
            done()
        else:
            pdo.removal = [done]
            pdo.turns.when_idle(partial(self._remove, pdo))

    def _remove(self, pdo: DeviceObject) -> None:
        if pdo.opens:
            pdo.last_close = partial(pdo.turns.when_idle, partial(self._remove, pdo))
            return
        self._children_left(pdo)
        # After a surprise they know; their names of the device end with it.
        surprised = pdo.pnp_state is PnpState.SURPRISE_REMOVED
        told = [] if surprised else self.io.target_registrations(pdo)

        def deleted(_irp: Irp) -> None:
            pdo.pnp_state = PnpState.REMOVED
            self.io.IoDeleteDevice(pdo)
            for registration in told:
                registration.tell("remove-complete")
            calls, pdo.removal = pdo.removal or [], None
            for done in calls:
                done()

        irp = self._in_turn(pdo, IRP_MN.REMOVE_DEVICE, deleted)
        # Looked at now, not on completion: drivers detach when their call down has returned.
        if irp.completed and pdo.AttachedDevice is not None:
            raise BugCheck(0xC9, f"REMOVE_DEVICE left a device attached to {pdo.name}")

    # ------------------------------------------------------------------ what a device is

    def query_ids(self, pdo: DeviceObject, id_type: BusQueryId) -> list[str]:
        """IRP_MN_QUERY_ID: hardware or compatible ids, or one device or instance id."""
        question = QUERY_ID(id_type)
        self._ask(pdo, IRP_MN.QUERY_ID, question)
        return question.Ids

    def query_capabilities(self, pdo: DeviceObject) -> DEVICE_CAPABILITIES:
        """IRP_MN_QUERY_CAPABILITIES: what the bus says of the device."""
        answer = DEVICE_CAPABILITIES()
        self._ask(pdo, IRP_MN.QUERY_CAPABILITIES, answer)
        return answer

    def query_device_state(self, pdo: DeviceObject) -> PNP_DEVICE_STATE:
        """IRP_MN_QUERY_PNP_DEVICE_STATE."""
        answer = PNP_DEVICE_STATE()
        self._ask(pdo, IRP_MN.QUERY_PNP_DEVICE_STATE, answer)
        return answer

    def query_relations(self, pdo: DeviceObject, kind: DeviceRelationType) -> list[DeviceObject]:
        """IRP_MN_QUERY_DEVICE_RELATIONS."""
        question = DEVICE_RELATIONS(kind)
        self._ask(pdo, IRP_MN.QUERY_DEVICE_RELATIONS, question)
        return question.Objects

    def _relations_changed(self, pdo: DeviceObject) -> None:
        """Ask a stack for its children, of whom some may be new and some gone.

        A card's devnode is such a child: a PDO without a driver of its own until one is found.
        """
        if pdo.pnp_state in (PnpState.SURPRISE_REMOVED, PnpState.REMOVED):
            return
        present = self.query_relations(pdo, DeviceRelationType.BusRelations)
        for child in list(pdo.children):
            if child not in present:
                self._child_left(pdo, child)
        for child in present:
            if child not in pdo.children:
                pdo.children.append(child)
                child.properties["instance"] = self.query_ids(child, BusQueryId.InstanceID)
                self._change(child, IRP_MN.START_DEVICE)
                self._tell(child, "devnode arrival")

    def _children_left(self, pdo: DeviceObject) -> None:
        for child in list(pdo.children):
            self._child_left(pdo, child)

    def _child_left(self, pdo: DeviceObject, child: DeviceObject) -> None:
        pdo.children.remove(child)
        self._change(child, IRP_MN.SURPRISE_REMOVAL)
        self.remove(child)
        self._tell(child, "devnode departure")

    def _tell(self, device: DeviceObject, change: str) -> None:
        if self.io.events:
            self.io.events.emit(DeviceEvent(device.name, change))

    # ------------------------------------------------------------------ requests

    def _change(self, pdo: DeviceObject, minor: IRP_MN) -> NTSTATUS:
        """Send a request that moves a device on in its life, if it may come now.

        DEVICE_BUSY while a driver pends another one.
        """
        state = next_pnp_state(pdo.pnp_state, minor)
        if isinstance(state, NTSTATUS):
            return state
        if pdo.turns.pending:
            return NTSTATUS.DEVICE_BUSY

        def through(irp: Irp) -> None:
            if irp.IoStatus.Status is NTSTATUS.SUCCESS:
                pdo.pnp_state = state

        irp = self._in_turn(pdo, minor, through)
        return irp.IoStatus.Status if irp.completed else NTSTATUS.PENDING

    def _in_turn(self, pdo: DeviceObject, minor: IRP_MN, through: Callable[[Irp], None]) -> Irp:
        """Send a request; whatever waits for its end goes on then."""

        def end(irp: Irp) -> None:
            through(irp)
            pdo.turns.end()

        pdo.turns.pending = True
        try:
            return send(pdo, IRP_MJ.PNP, minor, None, end)
        except BaseException:
            pdo.turns.pending = False  # a driver has crashed, which does not end it
            raise

    def _ask(self, pdo: DeviceObject, minor: IRP_MN, parameters: object) -> NTSTATUS:
        irp = send(pdo, IRP_MJ.PNP, minor, parameters)
        if not irp.completed:
            raise BugCheck(0xC9, f"{minor.name} must not pend", irp)
        return irp.IoStatus.Status
