# SPDX-License-Identifier: Apache-2.0
"""Power states: S0…S5 of the system, D0…D3 of a device, and how one leads to the other.

A power request carries a :class:`POWER_STATE`. A reader is its stack's power policy owner; here it
maps the system's state to its own on the same request instead of asking for a second one with
PoRequestPowerIrp, which nobody outside could tell apart.
"""

from typing import NamedTuple

PowerSystemWorking, PowerSystemSleeping1, PowerSystemSleeping2 = 0, 1, 2
PowerSystemSleeping3, PowerSystemHibernate, PowerSystemShutdown = 3, 4, 5
PowerDeviceD0, PowerDeviceD1, PowerDeviceD2, PowerDeviceD3 = 0, 1, 2, 3

# DEVICE_CAPABILITIES.DeviceState of a reader on the root bus: what it can keep in S0…S5.
DEVICE_STATES = (PowerDeviceD0, *(PowerDeviceD3,) * 5)


class POWER_STATE(NamedTuple):
    """Parameters.Power of IRP_MJ_POWER: S states where ``system``, else D states."""

    system: bool
    state: int


def power_of(parameters: object) -> int:
    """Return the device state a power request leads to (SET_POWER and QUERY_POWER)."""
    if not isinstance(parameters, POWER_STATE):
        raise TypeError("a power request carries a POWER_STATE")
    return DEVICE_STATES[parameters.state] if parameters.system else parameters.state
