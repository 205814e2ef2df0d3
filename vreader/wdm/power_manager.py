# SPDX-License-Identifier: Apache-2.0
"""The power manager: it puts devices, or the whole computer, to sleep and wakes them.

A power request goes to the top of the stack and always down to the bus.
"""

from collections.abc import Callable

from vreader.wdm.io_manager import IoManager
from vreader.wdm.irp import IRP_MJ, IRP_MN_POWER, BugCheck, Irp
from vreader.wdm.lifecycle import PnpState
from vreader.wdm.objects import DeviceObject
from vreader.wdm.power import POWER_STATE, PowerSystemWorking
from vreader.wdm.status import NTSTATUS
from vreader.wdm.turns import send

# How long a driver may keep a power request: the watchdog of Windows.
POWER_TIMEOUT_S = 600.0


class PowerManager:
    """Sends power requests, one at a time to each device."""

    def __init__(self, io: IoManager) -> None:
        self.io = io

    def set_power(self, pdo: DeviceObject, device_state: int) -> NTSTATUS:
        """SET_POWER to D0…D3 (0…3); STATUS_PENDING where it has to wait for a driver."""
        return self._set(pdo, POWER_STATE(False, device_state))

    def set_system_power(self, pdo: DeviceObject, system_state: int) -> NTSTATUS:
        """QUERY_POWER, then SET_POWER to S0…S5 (0…5); the way up is not asked for.

        Where a driver refuses, SET_POWER says that the computer stays awake.
        """
        state = POWER_STATE(True, system_state)
        if not system_state:
            return self._set(pdo, state)
        result = NTSTATUS.PENDING

        def asked(status: NTSTATUS) -> None:
            nonlocal result
            result = status
            if status is NTSTATUS.SUCCESS:
                result = NTSTATUS.PENDING
                self._power(pdo, IRP_MN_POWER.SET_POWER, state, done)
            else:
                self._set(pdo, POWER_STATE(True, PowerSystemWorking))

        def done(status: NTSTATUS) -> None:
            nonlocal result
            result = status

        self._power(pdo, IRP_MN_POWER.QUERY_POWER, state, asked)
        return result

    def _set(self, pdo: DeviceObject, state: POWER_STATE) -> NTSTATUS:
        result = NTSTATUS.PENDING

        def done(status: NTSTATUS) -> None:
            nonlocal result
            result = status

        self._power(pdo, IRP_MN_POWER.SET_POWER, state, done)
        return result

    def _power(
        self,
        pdo: DeviceObject,
        minor: IRP_MN_POWER,
        state: POWER_STATE,
        done: Callable[[NTSTATUS], None],
    ) -> None:
        """Send a power request when the one before is through; ``done`` is called with its status.

        A driver may pend it, but not for ever.
        """
        clock = self.io.clock

        def go() -> None:
            if pdo.pnp_state is PnpState.REMOVED:
                return done(NTSTATUS.DELETE_PENDING)
            watchdog = clock.call_at(clock.now() + POWER_TIMEOUT_S, too_late)
            pdo.power_turns.pending = True

            def through(irp: Irp) -> None:
                watchdog.cancel()
                pdo.power_turns.end()
                if self.io.verifier and pdo.DriverObject.name not in irp.history:
                    raise BugCheck(0xC9, "a power request was not passed down to the bus", irp)
                done(irp.IoStatus.Status)

            try:
                sent.append(send(pdo, IRP_MJ.POWER, minor, state, through))
            except BaseException:
                watchdog.cancel()
                pdo.power_turns.pending = False
                raise

        def too_late() -> None:
            raise BugCheck(0x9F, "DRIVER_POWER_STATE_FAILURE", sent[0])

        sent: list[Irp] = []
        pdo.power_turns.when_idle(go)
