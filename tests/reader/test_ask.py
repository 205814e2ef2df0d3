# SPDX-License-Identifier: Apache-2.0
"""What becomes of what a card's code returns or raises."""

import pytest

from vreader.smclib.states import CardState
from vreader.wdm import NTSTATUS


@pytest.mark.parametrize("traced", [False, True])
@pytest.mark.parametrize(
    "answer",
    [ZeroDivisionError("a bug"), KeyError(1), None, "9000", 0x9000, [0x90, 0]],
    ids=lambda value: repr(value),
)
def test_a_bug_of_the_card_is_6f00_with_a_traceback(make_rig, traced, answer):
    rig = make_rig(traced=traced)
    card = rig.ready()
    card.script = [answer]
    assert rig.apdu() == (NTSTATUS.SUCCESS, b"\x6f\x00")
    assert rig.state is CardState.SPECIFIC
    assert rig.apdu() == (NTSTATUS.SUCCESS, b"\x90\x00")
    if traced:
        (fault,) = rig.faults
        assert fault.reader == "reader0"
        kind = type(answer).__name__ if isinstance(answer, Exception) else "TypeError"
        assert kind in fault.traceback
        assert rig.apdus[0].problem == "fault"


def test_a_fault_over_a_secret_tells_its_type_alone(rig):
    card = rig.ready()
    pin = b"87654321"
    card.script = [ValueError(f"invalid PIN {pin!r}")]
    assert rig.apdu(b"\x00\x20\x00\x80\x08" + pin) == (NTSTATUS.SUCCESS, b"\x6f\x00")
    (fault,) = rig.faults
    assert "ValueError" in fault.traceback
    assert "in transmit" in fault.traceback
    assert pin.decode() not in repr(rig.events)


@pytest.mark.parametrize("traced", [False, True])
def test_a_fault_over_a_secret_reply_tells_its_type_alone(make_rig, caplog, traced):
    rig = make_rig(traced=traced)
    rig.ready().script = [ValueError("session key 4711")]
    assert rig.apdu(bytes.fromhex("002A8086 02 ABCD 00")) == (NTSTATUS.SUCCESS, b"\x6f\x00")
    assert "ValueError" in caplog.text
    assert "4711" not in caplog.text + repr(rig.events)


def test_a_fault_while_powering_down_is_told_and_the_card_is_down(rig):
    card = rig.ready()
    card.script = [RuntimeError("relay stuck")]
    assert rig.power(0) == (NTSTATUS.SUCCESS, b"")
    assert rig.state is CardState.SWALLOWED
    assert "relay stuck" in rig.faults[0].traceback


def test_a_bytearray_is_as_good_as_bytes(rig):
    rig.ready().script = [bytearray(b"\x01\x90\x00")]
    assert rig.apdu() == (NTSTATUS.SUCCESS, b"\x01\x90\x00")
