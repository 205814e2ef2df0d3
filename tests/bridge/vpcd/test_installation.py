# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import pytest

from vreader.bridge.vpcd.installation import TWIN, find_installation, plan_readers
from vreader.errors import UsageError, VreaderError


def fake_pcscd(directory: Path, version: str, usage: str = "") -> str:
    script = directory / "pcscd"
    script.write_text(
        f'#!/bin/sh\ncase "$1" in --version) echo "{version}";; --help) echo "{usage}";; esac\n'
    )
    script.chmod(0o755)
    return str(script)


def with_driver(directory: Path) -> str:
    (directory / "serial").mkdir()
    (directory / "serial" / "libifdvpcd.so").touch()
    return f"libsystemd usb usbdropdir={directory} ipcdir=/run/pcscd"


def test_finds_the_driver_where_this_pcscd_looks(tmp_path):
    found = find_installation(fake_pcscd(tmp_path, with_driver(tmp_path)))
    assert found.driver == tmp_path / "serial" / "libifdvpcd.so"
    assert found.drop_directory == tmp_path
    assert found.max_readers == 16
    assert found.command[1:] == ("--foreground",)


def test_polkit_is_disabled_where_that_can_be_asked(tmp_path):
    pcscd = fake_pcscd(
        tmp_path,
        with_driver(tmp_path) + "\nPCSCLITE_MAX_READERS_CONTEXTS: 48",
        "  --disable-polkit\tdisable polkit support",
    )
    found = find_installation(pcscd)
    assert found.command[1:] == ("--foreground", "--disable-polkit")
    assert found.max_readers == 48


def test_no_pcscd():
    with pytest.raises(VreaderError, match="not installed") as error:
        find_installation("no-such-pcscd")
    assert "apt install pcscd vsmartcard-vpcd" in error.value.hint


def test_no_socket_activation(tmp_path):
    with pytest.raises(VreaderError, match="without socket activation") as error:
        find_installation(fake_pcscd(tmp_path, "Enabled features: usb"))
    assert "--stack embedded" in error.value.hint


def test_no_driver(tmp_path, monkeypatch):
    monkeypatch.setattr("vreader.bridge.vpcd.installation._DROP_DIRECTORIES", ())
    with pytest.raises(VreaderError, match=r"libifdvpcd\.so") as error:
        find_installation(fake_pcscd(tmp_path, "libsystemd usbdropdir=/nowhere"))
    assert "apt install vsmartcard-vpcd" in error.value.hint


def test_another_driver(tmp_path):
    pcscd = fake_pcscd(tmp_path, with_driver(tmp_path))
    (tmp_path / "serial" / "libccidtwin.so").touch()
    assert find_installation(pcscd, TWIN).driver == tmp_path / "serial" / "libccidtwin.so"
    with pytest.raises(VreaderError) as error:
        find_installation("no-such-pcscd", TWIN)
    assert "apt install pcscd libccid" in error.value.hint


def test_a_driver_with_one_slot():
    assert plan_readers(["A 00 00", "B 00 00"], slots=1).places == ((0, 0), (1, 0))
    assert len(plan_readers([f"A{i} 00 00" for i in range(16)], slots=1).places) == 16
    with pytest.raises(UsageError, match="only 00 00 can be"):
        plan_readers(["A 00 01"], slots=1)


def test_a_pcscd_that_cannot_be_run(tmp_path):
    script = tmp_path / "pcscd"
    script.write_text("#!/no/such/interpreter\n")
    script.chmod(0o755)
    with pytest.raises(VreaderError, match="cannot be run"):
        find_installation(str(script))


def test_names_become_stanzas_and_slots():
    plan = plan_readers(["A 00 00", "B 00 01", "A 00 01", "Yubico YubiKey CCID 00 00"])
    assert plan.stanzas == ("A", "B", "Yubico YubiKey CCID")
    assert plan.places == ((0, 0), (1, 1), (0, 1), (2, 0))


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["Virtual Reader"], "Virtual Reader 00 00"),
        (["A 01 00"], "change the words"),
        (["A 00 02"], "change the words"),
        (["A 00 00", "A 00 00"], "name of its own"),
        (['A" 00 00'], "quotes"),
        (["A\nLIBPATH x 00 00"], "quotes"),
        (["  00 00"], "leave out"),
        (["A" * 122 + " 00 00"], "shorten"),
        ([f"A{i} 00 00" for i in range(9)], "fewer cards"),
    ],
)
def test_names_pcscd_cannot_give(names, words):
    with pytest.raises(UsageError) as error:
        plan_readers(names)
    assert words in error.value.hint


def test_as_many_as_fit():
    assert len(plan_readers([f"A{i} 00 0{j}" for i in range(8) for j in (0, 1)]).places) == 16
    assert plan_readers(["A" * 121 + " 00 00"]).places == ((0, 0),)
