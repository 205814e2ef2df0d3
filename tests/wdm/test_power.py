# SPDX-License-Identifier: Apache-2.0
"""S states, D states."""

import pytest

from vreader.wdm.power import POWER_STATE, power_of


@pytest.mark.wdk("power.set-system")
@pytest.mark.parametrize(("system", "device"), [(0, 0), (1, 3), (2, 3), (3, 3), (4, 3), (5, 3)])
def test_a_system_state_leads_to_the_device_state_that_fits(system, device):
    assert power_of(POWER_STATE(True, system)) == device


@pytest.mark.parametrize("state", range(4))
def test_a_device_state_is_itself(state):
    assert power_of(POWER_STATE(False, state)) == state


def test_anything_else_is_no_power_request():
    with pytest.raises(TypeError, match="POWER_STATE"):
        power_of(3)
