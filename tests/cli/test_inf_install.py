# SPDX-License-Identifier: Apache-2.0
"""``vreader inf show``, ``stage`` and ``install``."""

import json
from pathlib import Path

import pytest

from vreader.registry.files import load_registry

FABRIKAM = str(Path(__file__).parents[1] / "setupapi" / "fixtures" / "fabrikam.inf")
DEVICE = r"SCFILTER\CID_51FF0800"
CARD = r"HKLM\SOFTWARE\Microsoft\Cryptography\Calais\SmartCards\Fabrikam"


def test_show(cli):
    said = cli("inf", "show", FABRIKAM, "--os", "10.0-amd64", "--device", DEVICE)
    assert (said.code, said.err) == (0, "")
    assert "  10.0-amd64  device   [FabrikamVendor64_61_Install.NT] for" in said.out
    assert "         ATR: 3B0451FF0800\n" in said.out
    told = json.loads(cli("inf", "show", f"{FABRIKAM},unsigned", "--json").out)
    assert (told["signature"], told["version"]) == ("unsigned", "7.0.0.4")


def test_stage(cli, tmp_path):
    store = str(tmp_path / "store")
    row = "oem0.inf   fabrikam.inf, FabrikamVendor, 10/03/2008 version 7.0.0.4, whql\n"
    for files in ([f"{FABRIKAM},whql"], [f"{FABRIKAM},whql"], []):
        said = cli("inf", "stage", *files, "--store", store)
        assert (said.code, said.out, said.err) == (0, row, "")
    assert json.loads(cli("inf", "stage", "--store", store, "--json").out)[0]["source"] == "store"
    assert cli("inf", "stage", "--store", store, "--remove", "oem0.inf").out == row
    assert cli("inf", "stage", "--store", store).out == ""


def test_a_hostile_file_does_not_reach_the_terminal(cli, tmp_path):
    bad = tmp_path / "a\x1b[31m\n.inf"
    bad.write_text('[Version]\nProvider="\x1b]0;x\x07"\n')
    said = cli("inf", "stage", str(bad), "--store", str(tmp_path / "store"))
    assert (said.code, said.out.count("\n"), "\x1b" in said.out) == (0, 1, False)
    assert said.out.startswith("oem0.inf   a\ufffd[31m\ufffd.inf, \ufffd]0;x\ufffd, ")


def test_a_bad_file_stages_none(cli, tmp_path):
    bad = tmp_path / "bad.inf"
    bad.write_text("[Version")
    said = cli("inf", "stage", FABRIKAM, str(bad), "--store", str(tmp_path / "store"))
    assert said.code == 2
    assert said.err.startswith("vreader: bad.inf, line 1, column 1: ")
    assert not (tmp_path / "store").exists()


def test_install_prints_a_reg_file_and_its_steps(cli, tmp_path):
    said = cli("inf", "install", FABRIKAM)
    assert said.code == 0
    assert said.err.startswith("fabrikam.inf, line 33 [DefaultInstall.ntamd64]: copy Fabrikamcm64")
    path = tmp_path / "out.reg"
    path.write_text(said.out)
    assert load_registry(str(path)).open(CARD).get("80000001").decoded == "Fabrikamcm.dll"


def test_install_takes_a_file_whose_signer_is_said(cli):
    assert cli("inf", "install", f"{FABRIKAM},unsigned") == cli("inf", "install", FABRIKAM)
    assert "is no signature" in cli("inf", "install", f"{FABRIKAM},mine").err


def test_install_to_a_registry_keeps_what_is_there(cli, tmp_path):
    path = tmp_path / "machine.reg"
    path.write_text('REGEDIT4\n\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Mine]\n"v"="x"\n')
    said = cli("inf", "install", FABRIKAM, "--device", DEVICE, "--registry", str(path))
    assert (said.code, said.err) == (0, "")
    assert "umpass.inf, line " in said.out
    registry = load_registry(str(path))
    assert registry.open(r"HKLM\SOFTWARE\Mine").get("v").decoded == "x"
    device = registry.open(rf"HKLM\SYSTEM\CurrentControlSet\Enum\{DEVICE}\0000")
    assert device.get("Service").decoded == "UmPass"
    assert registry.find(CARD) is not None


def test_install_as_json(cli):
    told = json.loads(cli("inf", "install", FABRIKAM, "--os", "6.1-x86", "--json").out)
    assert told["section"].lower() == "defaultinstall.ntx86"
    assert told["files"][0]["destination"] == r"C:\Windows\system32\Fabrikamcm.dll"
    assert [key["key"].rpartition("\\")[2] for key in told["registry"]] == ["Fabrikam"]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--device", "X"], "fabrikam.inf: nothing in it is for X on 10.0-amd64"),
        (["--device", DEVICE, "--os", "10.0-arm64"], "fabrikam.inf: nothing in it is for"),
        (["--os", "95"], "'95' is no Windows"),
        (["--default", "--device", "X"], "--default is without a device"),
        (["--device", "a\\\\b"], "fabrikam.inf: nothing in it is for"),
    ],
)
def test_what_cannot_be_installed_writes_nothing(cli, tmp_path, options, problem):
    path = tmp_path / "machine.reg"
    said = cli("inf", "install", FABRIKAM, "--registry", str(path), *options)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(f"vreader: {problem}")
    assert not path.exists()


@pytest.mark.parametrize("action", ["show", "stage", "install"])
def test_what_cannot_be_read(cli, tmp_path, monkeypatch, action):
    monkeypatch.chdir(tmp_path)
    options = ["--store", "s"] if action == "stage" else []
    said = cli("inf", action, "none.inf", *options)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("vreader: cannot read none.inf: No such file or directory\nhint: ")


def test_an_action_that_is_misspelt(cli):
    said = cli("inf", "instal", FABRIKAM)
    assert said.code == 2
    assert "did you mean install?" in said.err
