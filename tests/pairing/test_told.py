# SPDX-License-Identifier: Apache-2.0
"""Answers for people: why there is nothing, where there is nothing."""

import pytest
from sample_pairings import driver, pairing

from vreader.pairing.events import PairingStep
from vreader.pairing.told import hardware_ids, summary, told, why_none

OFF = PairingStep("plug and play", "group policy has turned it off for cards (EnableScPnP)")


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"suppressed_by": "Old"}, "kept away by entry 'Old'"),
        ({"steps": (OFF,)}, OFF.text),
        ({"problem": "it has left", "steps": (OFF,)}, "it has left"),
    ],
)
def test_why_there_is_no_device(other, why):
    found = pairing(device=None)._replace(**other)
    assert f"device    none: {why}" in list(summary(found))
    assert list(hardware_ids(found))[-1] == f"no device: {why}"


def test_the_driver_that_was_taken_need_not_fit():
    fitting, resort = driver(), driver("scunknown.inf", 0x00FFFFFF, "inbox")
    lines = [line for line in summary(pairing()._replace(driver=resort)) if "driver " in line]
    assert [line.split(": ")[0] for line in lines] == [
        "driver    fits", "driver    fits", "driver    taken",
    ]  # fmt: skip
    assert fitting.package in lines[0]
    assert resort.package in lines[-1]


def test_steps_stand_below_their_stage():
    lines = list(told(pairing()))
    assert lines[:3] == ["insertion", "  piv answers 3B 04 51 FF 08 00", "plug and play"]
    assert list(told(pairing(), steps=False)) == lines[lines.index("") + 1 :]


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (pairing(), "entry 'Fabrikam' fits"),
        (pairing(module=""), "there is no Calais entry"),
        (pairing(module="", problem="it has left"), "it has left"),
        (
            pairing(steps=(PairingStep("winscard", "nearest is 'X': …", (("nearest", {}),)),)),
            "nearest is 'X'",
        ),
    ],
)
def test_why_no_entry_fits(found, why):
    (line,) = why_none(found)
    assert line.startswith(why)
