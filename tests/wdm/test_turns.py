# SPDX-License-Identifier: Apache-2.0
"""Requests for the life of one device follow each other, also where a driver pends one."""

import pytest

from vreader.wdm import IRP_MN, NTSTATUS, BugCheck
from vreader.wdm.lifecycle import PnpState

LINK = r"\\.\Thing0"


@pytest.mark.wdk("pnp.life-cycle")
def test_while_a_driver_pends_a_request_the_next_one_is_refused(keeper):
    keeper.pdo.pnp_state = PnpState.STOPPED
    assert keeper.pnp.start(keeper.pdo) is NTSTATUS.PENDING
    assert keeper.pnp.start(keeper.pdo) is NTSTATUS.DEVICE_BUSY
    assert keeper.asked() == ["START_DEVICE"]
    keeper.let_go()
    assert keeper.pdo.pnp_state is PnpState.STARTED


@pytest.mark.wdk("pnp.cancel-stop", "pnp.cancel-remove")
@pytest.mark.parametrize("what", ["stop", "remove"])
def test_an_answer_that_does_not_come_at_once_is_a_veto(keeper, what):
    heard = []
    keeper.io.register_target_notification(LINK, lambda event: heard.append(event) or True)
    assert not getattr(keeper.pnp, f"query_{what}")(keeper.pdo)
    told = ["query-remove"] if what == "remove" else []
    assert heard == told
    for name in (f"QUERY_{what.upper()}_DEVICE", f"CANCEL_{what.upper()}_DEVICE"):
        assert keeper.asked() == [name]
        assert heard == told
        keeper.let_go()
    assert keeper.asked() == []
    assert keeper.pdo.pnp_state is PnpState.STARTED
    assert heard == (["query-remove", "remove-cancelled"] if told else [])


@pytest.mark.wdk("pnp.surprise.outstanding", "pnp.life-cycle")
def test_a_device_pulled_out_while_its_start_pends_goes_when_that_is_through(keeper):
    keeper.pdo.pnp_state = PnpState.STOPPED
    keeper.pnp.start(keeper.pdo)
    heard, gone = [], []
    keeper.io.register_target_notification(LINK, lambda event: heard.append(event) or True)
    keeper.pnp.surprise_removal(keeper.pdo)
    keeper.pnp.remove(keeper.pdo, lambda: gone.append(True))
    for name in ("START_DEVICE", "SURPRISE_REMOVAL", "REMOVE_DEVICE"):
        assert (keeper.asked(), gone) == ([name], [])
        keeper.let_go()
    assert heard == ["remove-complete"]
    assert gone == [True]
    assert keeper.pdo.pnp_state is PnpState.REMOVED
    assert keeper.driver.devices == []


def test_a_device_that_a_listener_pulls_out_as_it_starts_goes_when_it_has_started(computer):
    pnp, pdo = computer.pnp, computer.pdo
    through = computer.driver.MajorFunction[0x1B]
    order = []

    def start(device, irp):
        name = IRP_MN(irp.stack[irp.current].MinorFunction).name
        order.append(name)
        if name == "START_DEVICE":
            pnp.surprise_removal(pdo)
            pnp.remove(pdo, lambda: order.append("gone"))
        status = through(device, irp)
        order.append(f"{name} returned")
        return status

    computer.driver.MajorFunction[0x1B] = start
    pdo.pnp_state = PnpState.STOPPED
    pnp.start(pdo)
    names = ("START_DEVICE", "SURPRISE_REMOVAL", "REMOVE_DEVICE")
    expected = [text for name in names for text in (name, f"{name} returned")]
    assert order == [*expected, "gone"]
    assert pdo.pnp_state is PnpState.REMOVED


def test_a_driver_that_crashes_in_a_request_leaves_the_device_removable(computer):
    through = computer.driver.MajorFunction[0x1B]

    def crash(device, irp):
        raise BugCheck(0xC9, "crash")

    computer.driver.MajorFunction[0x1B] = crash
    with pytest.raises(BugCheck, match="crash"):
        computer.pnp.query_stop(computer.pdo)
    computer.driver.MajorFunction[0x1B] = through
    computer.pnp.remove(computer.pdo)
    assert computer.driver.devices == []
