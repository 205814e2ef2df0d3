# SPDX-License-Identifier: Apache-2.0
"""What the bus answers about its devices."""

import pytest

from vreader.wdm import IRP_MJ
from vreader.wdm.rootbus import DEVICE_RELATIONS, QUERY_ID, BusQueryId, DeviceRelationType


@pytest.fixture
def named(computer):
    computer.pdo.properties.update(
        hardware_ids=[r"ROOT\THING&REV1", r"ROOT\THING"],
        compatible_ids=[r"ROOT\ANYTHING"],
        instance_id="7",
    )
    return computer


@pytest.mark.wdk("pnp.query-id")
@pytest.mark.parametrize(
    ("kind", "ids"),
    [
        (BusQueryId.DeviceID, [r"ROOT\THING&REV1"]),
        (BusQueryId.HardwareIDs, [r"ROOT\THING&REV1", r"ROOT\THING"]),
        (BusQueryId.CompatibleIDs, [r"ROOT\ANYTHING"]),
        (BusQueryId.InstanceID, ["7"]),
    ],
)
def test_ids(named, kind, ids):
    assert named.pnp.query_ids(named.pdo, kind) == ids


def test_a_device_without_ids_has_none(computer):
    assert computer.pnp.query_ids(computer.pdo, BusQueryId.CompatibleIDs) == []


@pytest.mark.wdk("pnp.query-capabilities")
def test_capabilities(computer):
    found = computer.pnp.query_capabilities(computer.pdo)
    assert (found.Removable, found.SurpriseRemovalOK, found.EjectSupported) == (True, True, False)
    assert found.DeviceState == (0, 3, 3, 3, 3, 3)


@pytest.mark.wdk("pnp.query-pnp-device-state")
def test_device_state(computer):
    def flags():
        found = computer.pnp.query_device_state(computer.pdo)
        return found.Disabled, found.Removed, found.Failed, found.NotDisableable

    assert flags() == (False, False, False, False)
    through = computer.driver.MajorFunction[IRP_MJ.PNP]

    def driver(device, irp):
        state = irp.stack[irp.current].Parameters
        state.Failed = state.NotDisableable = True
        return through(device, irp)

    computer.driver.MajorFunction[IRP_MJ.PNP] = driver
    assert flags() == (False, False, True, True)
    computer.driver.MajorFunction[IRP_MJ.PNP] = through
    computer.pnp.surprise_removal(computer.pdo)
    assert flags() == (False, True, False, False)


@pytest.mark.wdk("pnp.query-device-relations")
def test_relations(computer):
    ask = computer.pnp.query_relations
    assert ask(computer.pdo, DeviceRelationType.TargetDeviceRelation) == [computer.pdo]
    assert ask(computer.pdo, DeviceRelationType.BusRelations) == []
    assert ask(computer.pdo, DeviceRelationType.EjectionRelations) == []


def test_a_question_is_empty_before_it_is_answered():
    assert QUERY_ID(BusQueryId.DeviceID).Ids == []
    assert DEVICE_RELATIONS(DeviceRelationType.BusRelations).Objects == []
