# SPDX-License-Identifier: Apache-2.0
"""When plans of faults strike."""

from vreader.reader.armed import Faults
from vreader.reader.faults import Fault, FaultPlan

SELECT = bytes.fromhex("00A4040005A000000308")
VERIFY = bytes.fromhex("0020008008313233343536FFFF")


def strikes(faults, *commands):
    return [
        None if (plan := faults.of_command(c, str)) is None else plan.fault.value for c in commands
    ]


def test_after_and_times_count_what_fits():
    faults = Faults()
    armed = faults.add(FaultPlan.parse("mute,on=VERIFY,after=1,times=2"))
    assert faults
    assert strikes(faults, SELECT, VERIFY, SELECT, VERIFY, VERIFY, VERIFY) == [
        None, None, None, "mute", "mute", None,
    ]  # fmt: skip
    assert not faults
    assert (armed.seen, armed.struck, armed.left) == (3, 2, 0)
    assert faults.all == [armed]


def test_earlier_plans_go_first_and_always_never_ends():
    faults = Faults()
    faults.add(FaultPlan.parse("mute"))
    faults.add(FaultPlan.parse("truncate,times=always"))
    assert strikes(faults, *[SELECT] * 3) == ["mute", "truncate", "truncate"]
    assert faults
    assert faults.all[1].left is None
    faults.clear()
    assert not faults
    assert strikes(faults, SELECT) == [None]


def test_resets_are_counted_for_the_atr_alone():
    faults = Faults()
    faults.add(FaultPlan.parse("garble-atr,after=1"))
    assert strikes(faults, SELECT, SELECT) == [None, None]
    assert faults.of_reset() is None
    assert faults.of_reset() == FaultPlan(Fault.GARBLE_ATR, after=1)
    assert faults.of_reset() is None


def test_a_card_without_power_waits_for_a_reset():
    faults = Faults()
    assert not faults
    faults.dark = object()
    assert faults
    faults.of_reset()
    assert not faults
