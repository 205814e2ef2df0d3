# SPDX-License-Identifier: Apache-2.0
"""The tables about the reader driver say something of everything."""

import runpy
from pathlib import Path

import pytest

from vreader.smclib.profile import DriverProfile
from vreader.wdm.lifecycle import PnpState

DRIVER = Path(__file__).parents[2] / "docs" / "driver.py"


@pytest.fixture(scope="module")
def driver():
    return runpy.run_path(str(DRIVER))


def test_every_option_of_a_profile_has_a_meaning(driver):
    assert list(driver["meanings"]()) == list(DriverProfile._fields)
    table = "".join(driver["profiles"]())
    assert all(f"`{option}`" in table for option in DriverProfile._fields[1:])


def test_the_life_of_a_device_has_a_row_for_every_state(driver):
    table = "".join(driver["life"]())
    assert [f"**{state.value}**" in table for state in PnpState] == [True] * len(PnpState)
