# SPDX-License-Identifier: Apache-2.0
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vreader.minidriver.abi.pins import ALL_ROLES, MAX_PINS, Role, pin_set, pins_of


def test_the_set_of_user_and_administrator():
    assert pin_set([Role.USER, Role.ADMIN]) == 6
    assert pin_set([Role.ADMIN]) == 4
    assert pin_set(range(MAX_PINS)) == ALL_ROLES


@given(st.sets(st.integers(0, MAX_PINS - 1)))
def test_pins_of_undoes_pin_set(pins):
    assert pins_of(pin_set(pins)) == tuple(sorted(pins))


def test_there_is_no_ninth_pin():
    with pytest.raises(ValueError, match="0 to 7"):
        pin_set([8])
