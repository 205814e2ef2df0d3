# SPDX-License-Identifier: Apache-2.0
"""A reader is installed from its INF: service, exclusive flag, ids, and what may be wrong."""

import os
from pathlib import Path

import pytest

import vreader.reader
from vreader.errors import UsageError, VreaderError
from vreader.reader.base import ReaderDriver
from vreader.reader.driver import VirtualReader
from vreader.registry import Value
from vreader.wdm import NTSTATUS

OURS = Path(vreader.reader.__file__).with_name("vreader.inf")
SERVICE = r"HKLM\SYSTEM\CurrentControlSet\Services\vreader"
ENUM = r"HKLM\SYSTEM\CurrentControlSet\Enum\ROOT\VREADER"


class Plain(ReaderDriver):
    """A driver without an INF; it keeps its driver object."""

    service = "plain"
    loaded = None

    def DriverEntry(self, driver):
        type(self).loaded = driver
        return super().DriverEntry(driver)


@pytest.mark.wdk("registration.install-reader", "registration.service-key", "registration.group")
def test_a_reader_is_installed_when_it_is_plugged_in(make_host):
    host = make_host(None)
    host.add_reader()
    host.add_reader()
    assert host.registry.open(SERVICE).get("Group") == Value.sz("SmartCardReader")
    assert [key.name for key in host.registry.open(ENUM).subkeys()] == ["0000", "0001"]
    assert host.io.drivers["vreader"].Settings["Start"] == 2


def test_the_service_keys_values_are_handed_to_driver_entry(make_host, tmp_path):
    inf = tmp_path / "other.inf"
    text = OURS.read_text().replace("[Reader.Service]", "[Reader.Service]\nAddReg=Settings")
    text = text.replace("[Strings]", "[Settings]\nHKR,,Speed,0x10001,9600\n[Strings]")
    inf.write_text(text.replace("AddService = vreader", "AddService = other"))
    make_host(None).add_reader(driver=Plain, inf=str(inf))
    assert Plain.loaded.name == "other"
    assert Plain.loaded.Settings["Speed"] == 9600


@pytest.mark.wdk("registration.exclusive", "routine.dispatch-create.exclusive")
def test_the_inf_decides_whether_a_reader_is_exclusive(make_host, tmp_path):
    host = make_host(None)
    inf = tmp_path / "shared.inf"
    inf.write_text(OURS.read_text().replace("HKR,,Exclusive,0x00010001,1", ""))
    alone, shared = host.add_reader(), host.add_reader(inf=str(inf))
    with host.open_device(alone.link), pytest.raises(VreaderError, match="STATUS_ACCESS_DENIED"):
        host.open_device(alone.link)
    with host.open_device(shared.link), host.open_device(shared.link):
        pass
    overruled = host.add_reader(exclusive=False)
    with host.open_device(overruled.link), host.open_device(overruled.link):
        pass


def test_a_driver_without_an_inf_is_loaded_as_it_is(make_host):
    host = make_host(None)
    reader = host.add_reader(driver=Plain)
    assert Plain.loaded.Settings == {}
    assert host.registry.find(r"HKLM\SYSTEM") is None
    with host.open_device(reader.link), pytest.raises(VreaderError, match="STATUS_ACCESS_DENIED"):
        host.open_device(reader.link)


def test_the_bus_answers_with_the_ids_of_the_inf(make_host):
    host = make_host(None)
    reader = host.add_reader()
    (pdo,) = (pdo for pdo in host.io.drivers["root"].devices if pdo.name == reader.device)
    assert pdo.properties["hardware_ids"] == [r"ROOT\VREADER"]
    assert pdo.properties["instance_id"] == "0000"


def test_a_changed_inf_is_read_again(make_host, tmp_path):
    inf = tmp_path / "x.inf"
    inf.write_text(OURS.read_text())
    host = make_host(None)
    host.add_reader(inf=str(inf))
    inf.write_text(OURS.read_text().replace("ErrorControl   = 1", "ErrorControl = 0"))
    host.add_reader(inf=str(inf))
    assert host.registry.open(SERVICE).get("ErrorControl").decoded == 0


def test_a_change_in_the_same_moment_is_seen(make_host, tmp_path):
    inf = tmp_path / "x.inf"
    host = make_host(None)
    for text in (
        OURS.read_text(),
        OURS.read_text().replace("= SmartCardReader\nServ", "= X\nServ"),
    ):
        inf.write_text(text)
        os.utime(inf, ns=(1, 1))
        host.add_reader(inf=str(inf))
    assert host.registry.open(SERVICE).get("Group") == Value.sz("X")


def test_two_drivers_of_one_service_are_refused_and_two_classes_are_two_services(make_host):
    class Mine(VirtualReader):
        pass

    class Impostor(Mine):
        service = "vreader"

    host = make_host(None)
    host.add_reader()
    assert host.add_reader(driver=Mine) is not None
    assert {"vreader", "mine"} < set(host.io.drivers)
    with pytest.raises(UsageError, match="two drivers have the service name 'vreader'"):
        host.add_reader(driver=Impostor)
    assert len(host.readers) == 2


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "cannot read .*gone.inf: No such file"),
        ("[Version", "gone.inf, line 1, column 1"),
        ("[Version]", "for no device on Windows 10.0-amd64"),
        ("[Manufacturer]\nm=M,NTamd64\n[M.NTamd64]\nd=I,ID\n[I]\n", "names no driver"),
        ("[Manufacturer]\nm=M,NTamd64\n[M.NTamd64]\nd=I,ID\n", r"no section \[I\]"),
    ],
)
def test_an_inf_that_cannot_be_used_leaves_no_reader(make_host, tmp_path, content, problem):
    inf = tmp_path / "gone.inf"
    if content is not None:
        inf.write_text(content)
    host = make_host(None)
    with pytest.raises(UsageError, match=problem) as error:
        host.add_reader(inf=str(inf))
    assert error.value.hint
    assert host.readers == []
    assert host.run(host.io.create_file, r"\\.\SCReader0")[0] is NTSTATUS.OBJECT_NAME_NOT_FOUND


def test_our_inf_names_our_driver():
    assert VirtualReader.inf == str(OURS)
    assert f"AddService = {VirtualReader.service}," in OURS.read_text()
