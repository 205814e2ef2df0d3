# SPDX-License-Identifier: Apache-2.0
"""Symbolic links, device interfaces, and who is told of changes."""

import pytest

from vreader.wdm import NTSTATUS
from vreader.wdm.events import DeviceEvent

LINK = r"\\.\Thing0"


@pytest.mark.wdk("name.link-reused")
def test_a_name_can_be_given_once_and_taken_away(computer):
    io, fdo = computer.io, computer.thing.fdo
    assert io.links_of(fdo) == io.links_of(computer.pdo) == [LINK]
    assert io.IoCreateSymbolicLink(LINK.lower(), fdo) is NTSTATUS.OBJECT_NAME_COLLISION
    assert io.IoDeleteSymbolicLink(LINK) is NTSTATUS.SUCCESS
    assert io.IoDeleteSymbolicLink(LINK) is NTSTATUS.OBJECT_NAME_NOT_FOUND
    assert io.create_file(LINK) == (NTSTATUS.OBJECT_NAME_NOT_FOUND, None)


def test_names_ignore_case_and_unknown_ones_are_not_found(computer):
    assert computer.io.create_file(LINK.upper())[0] is NTSTATUS.SUCCESS
    assert computer.io.create_file(r"\\.\Thing1") == (NTSTATUS.OBJECT_NAME_NOT_FOUND, None)


def test_a_name_left_behind_by_a_deleted_device_leads_nowhere(computer):
    computer.pnp.remove(computer.pdo)  # this driver forgets its link
    assert computer.io.create_file(LINK) == (NTSTATUS.OBJECT_NAME_NOT_FOUND, None)
    assert computer.thing.heard == ["REMOVE_DEVICE"]


@pytest.mark.wdk("kernel.exclusive-path")
def test_a_path_behind_the_name_is_the_same_device(computer):
    status, handle = computer.io.create_file(LINK + r"\some\path")
    assert status is NTSTATUS.SUCCESS
    assert computer.io.create_file(LINK) == (NTSTATUS.ACCESS_DENIED, None)
    computer.io.close_handle(handle)


def test_a_listener_hears_of_devices_there_before_and_after(computer):
    io, heard = computer.io, []
    io.IoSetDeviceInterfaceState("{guid}", "a", computer.pdo, enable=True)

    def listener(link, arrived):
        heard.append((link, arrived))

    io.register_interface_notification("{guid}", listener)
    io.IoSetDeviceInterfaceState("{guid}", "b", computer.pdo, enable=True)
    again = io.IoSetDeviceInterfaceState("{guid}", "b", computer.pdo, enable=True)
    assert again is NTSTATUS.OBJECT_NAME_COLLISION
    io.IoSetDeviceInterfaceState("{guid}", "a", computer.pdo, enable=False)
    again = io.IoSetDeviceInterfaceState("{guid}", "a", computer.pdo, enable=False)
    assert again is NTSTATUS.OBJECT_NAME_NOT_FOUND
    io.unregister_interface_notification("{guid}", listener)
    io.IoSetDeviceInterfaceState("{guid}", "b", computer.pdo, enable=False)
    assert heard == [("a", True), ("b", True), ("a", False)]
    changes = [event.change for event in computer.events if isinstance(event, DeviceEvent)]
    assert changes == ["arrival", "arrival", "departure", "departure"]


def test_a_listener_that_has_been_taken_away_meanwhile_is_not_called(computer):
    io, heard = computer.io, []

    def last(link, arrived):
        heard.append("last")

    def first(link, arrived):
        heard.append("first")
        io.unregister_interface_notification("{guid}", first)
        io.unregister_interface_notification("{guid}", last)

    io.register_interface_notification("{guid}", first)
    io.register_interface_notification("{guid}", last)
    io.IoSetDeviceInterfaceState("{guid}", "a", computer.pdo, enable=True)
    assert heard == ["first"]


def test_a_device_withdrawn_by_a_listener_is_gone_for_the_others_too(computer):
    io, heard = computer.io, []

    def contrary(link, arrived):
        if arrived:
            io.IoSetDeviceInterfaceState("{guid}", link, computer.pdo, enable=False)

    io.register_interface_notification("{guid}", contrary)
    io.register_interface_notification("{guid}", lambda link, arrived: heard.append(arrived))
    io.IoSetDeviceInterfaceState("{guid}", "a", computer.pdo, enable=True)
    assert heard == [False]  # and no arrival behind it


def test_a_target_registration_ends_alone(computer):
    io, heard = computer.io, []
    stop = [io.register_target_notification(LINK, heard.append) for _ in range(2)]
    stop[0]()
    stop[0]()
    io.notify_target(computer.pdo, "remove-cancelled")
    assert heard == ["remove-cancelled"]


def test_a_target_listener_may_end_another(computer):
    io, heard = computer.io, []
    io.register_target_notification(LINK, lambda event: stop() or True)
    stop = io.register_target_notification(LINK, heard.append)
    assert io.notify_target(computer.pdo, "query-remove")
    assert heard == []
