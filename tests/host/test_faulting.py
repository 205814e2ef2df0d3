# SPDX-License-Identifier: Apache-2.0
"""Faults are set on a reader where they can happen."""

import pytest

from vreader.errors import UsageError
from vreader.host import Host
from vreader.reader.base import ReaderDriver
from vreader.reader.faults import Fault, FaultPlan
from vreader.winscard.profile import PCSCLITE


class Own(ReaderDriver):
    """A driver that asks its card by itself."""


def test_faults_of_a_reader():
    with Host(PCSCLITE) as host:
        reader = host.add_reader("Desk")
        reader.clear_faults()
        armed = reader.fault("mute,after=1")
        assert reader.fault(FaultPlan(Fault.SLOW)) in reader.faults
        assert reader.faults[0] is armed
        assert (armed.seen, armed.struck, armed.left) == (0, 0, 1)
        reader.clear_faults()
        assert reader.faults == ()


@pytest.mark.parametrize(
    ("options", "plan", "message"),
    [
        ({"driver": Own}, "mute", "a driver of its own"),
        ({}, "bad-block", "no link"),
        ({"link": "t0"}, "bad-block", "T=0"),
        ({}, "mutte", "unknown fault"),
    ],
)
def test_where_it_cannot_happen(options, plan, message):
    with Host(PCSCLITE) as host, pytest.raises(UsageError, match=message) as caught:
        host.add_reader("Desk", **options).fault(plan)
    assert caught.value.hint


def test_nobody_of_ours_resets_the_card_of_somebody_elses_manager():
    with Host(None) as host:
        reader = host.add_reader("Desk")
        with pytest.raises(UsageError, match="somebody else"):
            reader.fault("reset-by-other")
        reader.fault("reset-by-other", lambda go_on: go_on())
