# SPDX-License-Identifier: Apache-2.0
"""``vreader inf new``: from an ATR or a card to a file that the lint finds in order."""

import json

import pytest

from vreader.setupapi.inf import read_inf
from vreader.setupapi.target import TargetOS, models_for

ABOUT = ("--name", "Card", "--vendor", "Fabrikam", "--module", "c.dll")


def ids(data, os_name="10.0-amd64"):
    return [model.ids for model in models_for(read_inf(data), TargetOS.parse(os_name))]


def test_an_atr_to_a_file(cli, tmp_path):
    path = tmp_path / "card.inf"
    said = cli("inf", "new", "--atr", "3b 04 51 ff 08 00", *ABOUT, "-o", str(path))
    assert (said.code, said.out, said.err) == (0, "", "")
    data = path.read_bytes()
    assert data.count(b"\r\n") == data.count(b"\n")
    assert ids(data) == [["SCFILTER\\CID_51ff0800"]]
    assert cli("inf", "lint", str(path)).code == 0


def test_to_stdout_it_is_the_same_text(cli, tmp_path):
    path = tmp_path / "card.inf"
    asked = ("inf", "new", "--atr", "3B0451FF0800", *ABOUT)
    assert cli(*asked, "--output", str(path)).code == 0
    assert cli(*asked).out == path.read_bytes().decode().replace("\r\n", "\n")


def test_a_file_is_replaced_when_asked(cli, tmp_path):
    path = tmp_path / "card.inf"
    path.write_text("mine")
    asked = ("inf", "new", "--atr", "3B0451FF0800", *ABOUT, "-o", str(path))
    said = cli(*asked)
    assert said.code == 2
    assert "--force" in said.err
    assert path.read_text() == "mine"
    assert cli(*asked, "--force").code == 0
    assert ids(path.read_bytes())
    assert [each.name for each in tmp_path.iterdir()] == ["card.inf"]


def test_as_json(cli, tmp_path):
    path = tmp_path / "card.inf"
    said = cli("inf", "new", "--atr", "3B0451FF0800", *ABOUT, "-o", str(path), "--json")
    told = json.loads(said.out)
    assert (told["file"], told["hardware_id"]) == (str(path), "SCFILTER\\CID_51ff0800")
    assert told["text"].replace("\n", "\r\n").encode() == path.read_bytes()
    assert json.loads(cli("inf", "new", "--atr", "3B0451FF0800", *ABOUT, "--json").out) == told | {
        "file": None
    }


@pytest.mark.parametrize(
    ("windows", "bits", "module"),
    [
        ("6.1-x86", "32", r"System32\c32.dll"),
        ("6.1-amd64", "64", r"System32\c.dll"),
        ("6.2-amd64", "32", r"SysWOW64\c32.dll"),
        ("6.3-amd64", "64", r"System32\c.dll"),
        ("10.0-x86", "32", r"System32\c32.dll"),
        ("10.0-arm64", "64", r"System32\c.dll"),
        ("10.0-arm64", "32", r"SysWOW64\c32.dll"),
    ],
)
def test_the_card_is_paired_with_it(cli, tmp_path, windows, bits, module):
    """An inverse-convention ATR with a mask and a name that INF files could misread."""
    path, atr = str(tmp_path / "card.inf"), "3F0451FF0800"
    made = cli(
        "inf", "new", "--atr", atr, "--mask", "FFFFFFFFFF00", "--name", " Карта; [x], =1 ",
        "--vendor", "Société, Ltd.; x", "--module", "c.dll", "--module-wow64", "c32.dll",
        "--arch", "x86,amd64,arm64", "-o", path,
    )  # fmt: skip
    assert (made.code, made.err) == (0, "")
    said = cli("pair", "--atr", "3F0451FF0801", "--inf", path, "--os", windows, "--short")
    assert said.code == 1  # another id: nothing is installed for it
    said = cli(
        "pair", "--atr", atr, "--inf", path, "--os", windows, "--bits", bits, "--short"
    )  # fmt: skip
    assert said.code == 0
    assert f"C:\\Windows\\{module} is loaded" in said.out


@pytest.mark.parametrize(
    ("spec", "ident"),
    [
        ("yubikey", "8073c021c057597562694b6579"),
        ("tpmvsc", "80fba000000397425446590401"),
        ("atr:3B0451FF0800", "51ff0800"),
    ],
)
def test_the_atr_of_a_card(cli, spec, ident):
    said = cli("inf", "new", "--card", spec, *ABOUT)
    assert said.code == 0
    assert ids(said.out.encode()) == [[f"SCFILTER\\CID_{ident}"]]


def test_all_that_can_be_said(cli):
    said = cli(
        "inf", "new", "--atr", "3B0451FF0800", *ABOUT, "--mask", "ffffffffff00",
        "--module-wow64", "c32.dll", "--csp", "no", "--ksp", "yes", "--arch", "arm64,x86",
        "--guid", "01234567-89ab-cdef-0123-456789abcdef", "--driver-ver", "02/03/2027,4.5.6.7",
    )  # fmt: skip
    assert said.code == 0
    assert ids(said.out.encode(), "10.0-arm64") == [
        ["SCFILTER\\CID_01234567-89AB-CDEF-0123-456789ABCDEF"]
    ]
    assert ids(said.out.encode()) == []
    assert "DriverVer   = 02/03/2027,4.5.6.7\n" in said.out
    assert '"80000001",0x00000000,"c32.dll"' in said.out
    assert "Base Smart Card Crypto" not in said.out
    assert ",ff,ff,00\n" in said.out


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ((), "one of --atr and --card says which card it is"),
        (("--atr", "3B00", "--card", "piv"), "one of --atr and --card"),
        (("--atr", "xyz"), "--atr 'xyz' is not hexadecimal"),
        (("--atr", "3B0451FF0800", "--mask", "f"), "--mask 'f' is not hexadecimal"),
        (("--atr", "3B00"), "the ATR has no historical bytes"),
        (("--atr", "3B0451FF0800", "--arch", "amd46"), "'amd46' is no architecture"),
        (("--atr", "3B0451FF0800", "-o", "/nowhere/x.inf"), "cannot write /nowhere/x.inf: No such"),
        (("--card", "none"), "there is no card in an empty reader"),
        (("--card", "pivv"), "unknown card kind 'pivv'"),
        (("--csp", "maybe", "--atr", "3B0451FF0800"), "argument --csp: invalid choice"),
    ],
    ids=str,
)
def test_what_cannot_be_made(cli, arguments, problem):
    said = cli("inf", "new", *ABOUT, *arguments)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(f"vreader: {problem}")
    assert "\nhint: " in said.err


def test_what_is_missing(cli):
    said = cli("inf", "new", "--atr", "3B0451FF0800")
    assert (said.code, said.out) == (2, "")
    assert "the following arguments are required: --name, --vendor, --module" in said.err


def test_a_misspelt_action(cli):
    said = cli("inf", "nwe")
    assert (said.code, said.out) == (2, "")
    assert "did you mean new?" in said.err
