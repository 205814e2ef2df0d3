# SPDX-License-Identifier: Apache-2.0
"""The table of a device object's life."""

import pytest

from vreader.wdm import IRP_MN, NTSTATUS
from vreader.wdm.lifecycle import IO, LIFE, OPENS, REQUESTS, PnpState, next_pnp_state

S = PnpState


@pytest.mark.wdk("pnp.life-cycle")
def test_the_table_is_total():
    assert set(LIFE) == set(OPENS) == set(IO) == set(PnpState)
    for row in LIFE.values():
        assert set(row) == set(REQUESTS)
        assert all(isinstance(outcome, PnpState | NTSTATUS) for outcome in row.values())


@pytest.mark.parametrize("state", PnpState)
def test_every_state_but_the_first_can_be_reached(state):
    reached, new = {S.NOT_STARTED}, {S.NOT_STARTED}
    while new:
        outcomes = {outcome for each in new for outcome in LIFE[each].values()}
        new = {outcome for outcome in outcomes if isinstance(outcome, PnpState)} - reached
        reached |= new
    assert state in reached


def test_nothing_leads_out_of_removed():
    assert set(LIFE[S.REMOVED].values()) == {NTSTATUS.DELETE_PENDING}


def test_a_reader_can_be_pulled_out_in_every_state():
    for state in set(PnpState) - {S.SURPRISE_REMOVED, S.REMOVED}:
        assert LIFE[state][IRP_MN.SURPRISE_REMOVAL] is S.SURPRISE_REMOVED
        assert LIFE[state][IRP_MN.REMOVE_DEVICE] is S.REMOVED


@pytest.mark.parametrize("minor", [IRP_MN.QUERY_ID, IRP_MN.QUERY_CAPABILITIES, 0x55])
def test_a_request_that_is_no_change_changes_nothing(minor):
    assert next_pnp_state(S.STARTED, minor) is S.STARTED


def test_io_is_served_where_it_can_be():
    assert [state for state in PnpState if IO[state] is None] == [
        S.STARTED, S.STOP_PENDING, S.REMOVE_PENDING,
    ]  # fmt: skip
    assert OPENS[S.REMOVE_PENDING] is NTSTATUS.DELETE_PENDING
