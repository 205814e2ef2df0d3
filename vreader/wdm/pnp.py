# SPDX-License-Identifier: Apache-2.0
"""The Plug and Play manager: how a device comes, starts, stops, sleeps and goes.

A PnP request goes to the top of the stack; START is handled on the way up, REMOVE on the way down,
and a minor code a driver does not know is passed down with its status unchanged. Power requests are
always passed down. Which request may come when is the table of :mod:`vreader.wdm.lifecycle`.
"""

from collections.abc import Callable

from vreader.wdm.events import DeviceEvent
from vreader.wdm.io_manager import DriverEntry, IoManager
from vreader.wdm.irp import (
    IRP_MJ,
    IRP_MN,
    IRP_MN_POWER,
    BugCheck,
    IoAllocateIrp,
    IoCallDriver,
    IoGetNextIrpStackLocation,
    Irp,
)
from vreader.wdm.lifecycle import PnpState, next_pnp_state
from vreader.wdm.objects import DO_DEVICE_INITIALIZING, DeviceObject, DriverObject
from vreader.wdm.power import POWER_STATE
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

# How long a driver may keep a power request: the watchdog of Windows.
POWER_TIMEOUT_S = 600.0


class PnpManager:
    """Builds device stacks and sends them PnP and power requests."""

    def __init__(self, io: IoManager) -> None:
        self.io = io
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
        drivers = [
            self.io.load_driver(f"{name} lower filter {index}", entry)
            for index, entry in enumerate(lower_filters)
        ]
        drivers.append(driver)
        for index, entry in enumerate(filters):
            drivers.append(self.io.load_driver(f"{name} filter {index}", entry))
        try:
            for each in drivers:
                if each.AddDevice is None:
                    raise BugCheck(0xC9, f"{each.name} has no AddDevice")
                status = each.AddDevice(each, pdo)
                if status is not NTSTATUS.SUCCESS:
                    raise BugCheck(0xC9, f"AddDevice of {each.name} returned {status!s}")
            status = self._change(pdo, IRP_MN.START_DEVICE)
            if status not in (NTSTATUS.SUCCESS, NTSTATUS.PENDING):
                raise BugCheck(0xC9, f"START_DEVICE of {name} returned {status!s}")
        except BugCheck:
            self.remove(pdo)
            raise
        return pdo

    # ------------------------------------------------------------------ stop and start again

    def query_stop(self, pdo: DeviceObject) -> bool:
        """QUERY_STOP_DEVICE, before resources are given out anew; CANCEL_STOP after a veto."""
        if self._change(pdo, IRP_MN.QUERY_STOP_DEVICE) is NTSTATUS.SUCCESS:
            return True
        self._change(pdo, IRP_MN.CANCEL_STOP_DEVICE)
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
        stays open vetoes the removal, and so does a driver. After a veto CANCEL_REMOVE goes out and
        those who let go are told.
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
        self._change(pdo, IRP_MN.CANCEL_REMOVE_DEVICE)
        self.io.notify_target(pdo, "remove-cancelled")

    def surprise_removal(self, pdo: DeviceObject) -> None:
        """SURPRISE_REMOVAL; :meth:`remove` must follow."""
        self._change(pdo, IRP_MN.SURPRISE_REMOVAL)
        self.io.notify_target(pdo, "remove-complete")

    def remove(self, pdo: DeviceObject, done: Callable[[], None] = lambda: None) -> None:
        """REMOVE_DEVICE, sent when the last open has seen CLOSE; then ``done`` is called.

        The request pends until the last remove-lock holder lets go.
        """
        returned = False
        for child in list(pdo.children):
            self._child_left(pdo, child)

        def delete() -> None:
            pdo.pnp_state = PnpState.REMOVED
            self.io.IoDeleteDevice(pdo)
            done()

        def send() -> None:
            nonlocal returned
            irp = self._pnp(pdo, IRP_MN.REMOVE_DEVICE, lambda _irp: delete() if returned else None)
            returned = True
            if not irp.completed:
                return
            # Looked at now, not on completion: drivers detach when their call down has returned.
            if pdo.AttachedDevice is not None:
                raise BugCheck(0xC9, f"REMOVE_DEVICE left a device attached to {pdo.name}")
            delete()

        if pdo.opens:
            pdo.last_close = send
        else:
            send()

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

    def _child_left(self, pdo: DeviceObject, child: DeviceObject) -> None:
        pdo.children.remove(child)
        self._change(child, IRP_MN.SURPRISE_REMOVAL)
        self.remove(child)
        self._tell(child, "devnode departure")

    def _tell(self, device: DeviceObject, change: str) -> None:
        if self.io.events:
            self.io.events.emit(DeviceEvent(device.name, change))

    # ------------------------------------------------------------------ power

    def set_power(self, pdo: DeviceObject, device_state: int) -> NTSTATUS:
        """SET_POWER to D0…D3 (0…3)."""
        return self._power(pdo, IRP_MN_POWER.SET_POWER, POWER_STATE(False, device_state))

    def set_system_power(self, pdo: DeviceObject, system_state: int) -> NTSTATUS:
        """QUERY_POWER, then SET_POWER to S0…S5 (0…5); the way up is not asked for."""
        state = POWER_STATE(True, system_state)
        if system_state:
            self._power(pdo, IRP_MN_POWER.QUERY_POWER, state)
        return self._power(pdo, IRP_MN_POWER.SET_POWER, state)

    def _power(self, pdo: DeviceObject, minor: IRP_MN_POWER, state: POWER_STATE) -> NTSTATUS:
        """Send a power request; a driver may pend it, but not for ever."""
        clock = self.io.clock

        def too_late() -> None:
            raise BugCheck(0x9F, "DRIVER_POWER_STATE_FAILURE", irp)

        def done(_irp: Irp) -> None:
            watchdog.cancel()

        watchdog = clock.call_at(clock.now() + POWER_TIMEOUT_S, too_late)
        irp = self._request(pdo, IRP_MJ.POWER, minor, state, done)
        if self.io.verifier and self._bus.name not in irp.history and irp.completed:
            raise BugCheck(0xC9, "a power request was not passed down to the bus", irp)
        return irp.IoStatus.Status if irp.completed else NTSTATUS.PENDING

    # ------------------------------------------------------------------ requests

    def _change(self, pdo: DeviceObject, minor: IRP_MN) -> NTSTATUS:
        """Send a request that moves a device on in its life, if it may come now.

        Requests of one device follow each other: DEVICE_BUSY while a driver pends one.
        """
        state = next_pnp_state(pdo.pnp_state, minor)
        if isinstance(state, NTSTATUS):
            return state
        if pdo.pnp_pending:
            return NTSTATUS.DEVICE_BUSY
        pdo.pnp_pending = True

        def done(irp: Irp) -> None:
            pdo.pnp_pending = False
            if irp.IoStatus.Status is NTSTATUS.SUCCESS:
                pdo.pnp_state = state

        irp = self._request(pdo, IRP_MJ.PNP, minor, None, done)
        return irp.IoStatus.Status if irp.completed else NTSTATUS.PENDING

    def _ask(self, pdo: DeviceObject, minor: IRP_MN, parameters: object) -> NTSTATUS:
        irp = self._request(pdo, IRP_MJ.PNP, minor, parameters)
        if not irp.completed:
            raise BugCheck(0xC9, f"{minor.name} must not pend", irp)
        return irp.IoStatus.Status

    def _pnp(self, pdo: DeviceObject, minor: IRP_MN, done: Callable[[Irp], None]) -> Irp:
        return self._request(pdo, IRP_MJ.PNP, minor, None, done)

    def _request(
        self,
        pdo: DeviceObject,
        major: IRP_MJ,
        minor: int,
        parameters: object,
        done: Callable[[Irp], None] | None = None,
    ) -> Irp:
        irp = IoAllocateIrp(pdo.top.StackSize)
        location = IoGetNextIrpStackLocation(irp)
        location.MajorFunction = major
        location.MinorFunction = minor
        location.Parameters = parameters
        irp.done = done
        IoCallDriver(pdo.top, irp)
        return irp
