# SPDX-License-Identifier: Apache-2.0
"""A card's devnode: a child of its reader, made by the filter above the reader."""

import pytest

from vreader.events import Emitter
from vreader.reader.hardware import SlotHardware
from vreader.reader.scfilter import SmartCardFilter, card_id
from vreader.smclib.ioctl import Ioctl
from vreader.wdm import (
    IRP_MJ,
    NTSTATUS,
    BugCheck,
    IoAllocateIrp,
    IoCallDriver,
    IoGetNextIrpStackLocation,
)
from vreader.wdm.lifecycle import PnpState
from vreader.wdm.rootbus import BusQueryId, DeviceRelationType

YUBIKEY = bytes.fromhex("3BFD1300008131FE158073C021C057597562694B657940")
ID = r"SCFILTER\CID_8073c021c057597562694b6579"


@pytest.fixture
def filtered(make_rig, make_card):
    upper = SmartCardFilter()
    rig = make_rig(filters=(upper.DriverEntry,))
    rig.upper = upper
    rig.tracking = rig.send(Ioctl.SMARTCARD_IS_PRESENT)
    rig.insert(make_card(YUBIKEY))
    rig.tracking = rig.send(Ioctl.SMARTCARD_IS_ABSENT)
    return rig


@pytest.mark.parametrize(
    ("atr", "identity"),
    [
        ("3B0451FF0800", r"SCFILTER\CID_51ff0800"),
        ("3F6900000064018101 0C829000", r"SCFILTER\CID_00640181010c829000"),
        ("3BFE1800008031FE45457374454944207665722031 2E30A8",
         r"SCFILTER\CID_4573744549442076657220312e30"),
        ("3B8D0180FBA000000397425446590401CF", r"SCFILTER\CID_80fba000000397425446590401"),
        ("3B00", ""),
        ("3B", ""),
    ],
)  # fmt: skip
def test_the_identity_of_a_card_is_in_its_historical_bytes(atr, identity):
    assert card_id(bytes.fromhex(atr)) == identity


@pytest.mark.wdk("kernel.child-pdo", "pnp.query-device-relations", "pnp.query-id")
def test_a_card_that_answers_its_reset_is_a_child_of_the_reader(filtered):
    assert filtered.pdo.children == []
    filtered.power()
    (child,) = filtered.pdo.children
    assert child.pnp_state is PnpState.STARTED
    assert filtered.pnp.query_ids(child, BusQueryId.HardwareIDs) == [ID]
    assert filtered.pnp.query_ids(child, BusQueryId.DeviceID) == [ID]
    assert filtered.pnp.query_ids(child, BusQueryId.InstanceID) == ["1"]
    assert filtered.pnp.query_relations(
        filtered.pdo, DeviceRelationType.BusRelations
    ) == [child]  # fmt: skip


def test_a_second_reset_of_the_same_card_makes_no_second_child(filtered):
    filtered.power()
    before = list(filtered.pdo.children)
    filtered.power(2)
    assert filtered.pdo.children == before


def test_a_card_that_leaves_takes_its_devnode_with_it(filtered):
    filtered.power()
    (child,) = filtered.pdo.children
    filtered.remove()
    assert filtered.pdo.children == []
    assert child.pnp_state is PnpState.REMOVED
    assert filtered.upper.card is None


def test_who_knows_the_card_better_may_name_it(filtered):
    filtered.power()
    filtered.upper.identify([r"SCFILTER\CID_x"], (r"SCFILTER\CID_piv",))
    (child,) = filtered.pdo.children
    assert filtered.pnp.query_ids(child, BusQueryId.HardwareIDs) == [r"SCFILTER\CID_x"]
    assert filtered.pnp.query_ids(child, BusQueryId.CompatibleIDs) == [r"SCFILTER\CID_piv"]


def test_a_card_that_has_gone_cannot_be_named(filtered):
    filtered.power()
    filtered.remove()
    filtered.upper.identify([r"SCFILTER\CID_x"])
    assert (filtered.pdo.children, filtered.upper.card) == ([], None)


def test_a_reader_pulled_out_takes_the_devnode_of_its_card_along(filtered):
    filtered.power()
    (child,) = filtered.pdo.children
    filtered.pnp.surprise_removal(filtered.pdo)
    assert child.pnp_state is PnpState.REMOVED
    assert (filtered.pdo.children, filtered.upper.card) == ([], None)
    filtered.upper.identify([r"SCFILTER\CID_x"])  # too late
    filtered.io.close_handle(filtered.handle)
    filtered.pnp.remove(filtered.pdo)
    filtered.upper.identify([r"SCFILTER\CID_x"])
    assert filtered.upper.card is None
    assert [d.devices for d in filtered.io.drivers.values()] == [[] for _ in filtered.io.drivers]


def test_one_filter_object_filters_one_reader(filtered):
    with pytest.raises(BugCheck, match="AddDevice of reader1 filter 0 returned"):
        filtered.pnp.add_device(
            "reader1", filtered.driver, filters=(filtered.upper.DriverEntry,),
            properties=filtered.pdo.properties | {"hardware": SlotHardware(Emitter(), "reader1")},
        )  # fmt: skip
    filtered.power()
    assert len(filtered.pdo.children) == 1


def test_a_card_is_asked_for_nothing_but_what_its_bus_knows(filtered):
    filtered.power()
    (child,) = filtered.pdo.children
    assert filtered.pnp.set_power(child, 3) is NTSTATUS.SUCCESS
    irp = IoAllocateIrp(1)
    IoGetNextIrpStackLocation(irp).MajorFunction = IRP_MJ.DEVICE_CONTROL
    assert IoCallDriver(child, irp) is NTSTATUS.INVALID_DEVICE_REQUEST
