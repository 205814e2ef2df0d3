# SPDX-License-Identifier: Apache-2.0
"""``vreader registry``: what people have of a machine's registry, and what can be wrong with it."""

import json
import os
import threading
from pathlib import Path

import pytest
from hives import hive

from vreader.registry import Registry, Value
from vreader.registry.files import load_registry
from vreader.registry.regexport import export_reg

CALAIS = r"HKLM\SOFTWARE\Microsoft\Cryptography\Calais"
WOW64 = r"HKLM\SOFTWARE\Wow6432Node\Microsoft\Cryptography\Calais"
CARD = "\\SmartCards\\Fabrikam"
USAGE, ENVIRONMENT = 2, 3


@pytest.fixture
def machine(here: Path) -> Path:
    """A folder with what a tester exported: a .reg file of each version, hives."""
    registry = Registry()
    registry.create(CALAIS + CARD).set("ATR", Value.binary(bytes.fromhex("3B0451FF0800")))
    registry.create(WOW64 + CARD).set("80000001", Value.sz("narrow.dll"))
    software = registry.open(r"HKLM\SOFTWARE")
    (here / "calais.reg").write_bytes(export_reg(registry, [CALAIS]))
    (here / "narrow.reg").write_bytes(export_reg(registry, [WOW64], version=4))
    (here / "SOFTWARE").write_bytes(hive(software, name="emRoot\\System32\\Config\\SOFTWARE"))
    (here / "calais.hiv").write_bytes(hive(registry.open(CALAIS), name=""))
    (here / "dirty").write_bytes(hive(software, dirty=True))
    (here / "bad.reg").write_text('REGEDIT4\n\n[HKEY_CURRENT_USER\\A]\n"v"=hex:01,0g\n')
    (here / "cut").write_bytes(hive(software)[:4500])
    (here / "gone.reg").write_text(f"REGEDIT4\n[-HKEY_LOCAL_MACHINE{CALAIS[4:]}]\n")
    return here


SHOWN = r"""HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Cryptography\Calais\
  SmartCards\
    Fabrikam\
      ATR  REG_BINARY  3b 04 51 ff 08 00
"""


@pytest.mark.parametrize("file", ["calais.reg", "SOFTWARE"])
def test_show_a_key(cli, machine, file):
    assert cli("registry", "show", file, CALAIS) == (0, SHOWN, "")


def test_show_all(cli, machine):
    said = cli("registry", "show", "SOFTWARE", "--depth", "1")
    assert said == (0, "HKEY_LOCAL_MACHINE\\\n  SOFTWARE\\ …\n", "")


def test_show_what_a_32_bit_program_sees(cli, machine):
    said = cli("registry", "show", "SOFTWARE", CALAIS, "--bits", "32")
    assert said.out.startswith(r"HKEY_LOCAL_MACHINE\SOFTWARE\Wow6432Node\Microsoft")
    assert "80000001  REG_SZ      narrow.dll" in said.out


def test_show_json(cli, machine):
    found = json.loads(cli("registry", "show", "calais.reg", CALAIS + CARD, "--json").out)
    assert found[0]["values"] == [{"name": "ATR", "type": "REG_BINARY", "data": "3b0451ff0800"}]


def test_show_nothing(cli, machine):
    assert cli("registry", "show", "gone.reg") == (0, "", "")
    assert cli("registry", "show", "gone.reg", "--json") == (0, "[]\n", "")


def test_show_a_hive_of_a_key(cli, machine):
    assert cli("registry", "show", "calais.hiv", "--root", CALAIS, CALAIS) == (0, SHOWN, "")


def test_a_hive_that_was_in_use_is_noted(cli, machine):
    said = cli("registry", "show", "dirty", CALAIS)
    assert said.out == SHOWN
    assert said.err.startswith("note: dirty was in use")


def test_import(cli, machine):
    said = cli("registry", "import", "all.reg", "calais.reg", "narrow.reg")
    assert said == (0, "all.reg: 12 keys\n", "")
    assert Path("all.reg").read_bytes()[:2] == b"\xff\xfe"
    assert load_registry("all.reg").open(WOW64 + CARD).get("80000001").decoded == "narrow.dll"
    said = cli("registry", "import", "all.reg", "gone.reg", "SOFTWARE", "--only", WOW64)
    assert said.code == 0
    assert load_registry("all.reg").find(CALAIS) is None


@pytest.mark.parametrize("bad", ["bad.reg", "cut", "missing.reg", "calais.hiv"])
def test_import_is_all_or_nothing(cli, machine, bad):
    cli("registry", "import", "all.reg", "narrow.reg")
    before = {path.name: path.read_bytes() for path in machine.iterdir()}
    said = cli("registry", "import", "all.reg", "calais.reg", bad)
    assert said.code == USAGE
    assert bad in said.err
    assert {path.name: path.read_bytes() for path in machine.iterdir()} == before


def test_import_of_a_key_that_no_hive_has(cli, machine):
    only = ("--only", WOW64, "--only", CALAIS + "\\SmartCard")
    said = cli("registry", "import", "all.reg", "SOFTWARE", "calais.reg", *only)
    assert (said.code, said.out) == (USAGE, "")
    assert said.err.startswith(rf"vreader: SOFTWARE has no key {CALAIS}\SmartCard")
    assert "did you mean SmartCards?" in said.err
    assert not Path("all.reg").exists()


def test_import_of_a_key_that_is_then_deleted(cli, machine):
    said = cli("registry", "import", "all.reg", "SOFTWARE", "gone.reg", "--only", CALAIS)
    assert said.code == 0
    assert load_registry("all.reg").find(CALAIS) is None


@pytest.mark.parametrize("file", ["calais.reg", "dirty"])
def test_a_pipe_is_read_once(command, machine, file):
    os.mkfifo("pipe")
    content = Path(file).read_bytes()
    writer = threading.Thread(target=lambda: Path("pipe").write_bytes(content), daemon=True)
    writer.start()
    said = command("registry", "show", "pipe", CALAIS, "--root", r"HKLM\SOFTWARE")
    writer.join(60)
    assert (said.code, said.out) == (0, SHOWN)
    assert ("note: pipe was in use" in said.err) is (file == "dirty")


def test_export(cli, machine):
    assert cli("registry", "export", "SOFTWARE", CALAIS, "-o", "out.reg") == (0, "", "")
    assert Path("out.reg").read_bytes() == Path("calais.reg").read_bytes()
    said = cli("registry", "export", "SOFTWARE", CALAIS, "-o", "out.reg", "--version", "4")
    assert (said.code, "exists already" in said.err) == (USAGE, True)
    cli("registry", "export", "SOFTWARE", CALAIS, "-o", "out.reg", "--version", "4", "--force")
    assert Path("out.reg").read_bytes().startswith(b"REGEDIT4\r\n")


def test_export_to_stdout(command, machine):
    said = command("registry", "export", "calais.reg", "--version", "4")
    assert said.out.startswith("REGEDIT4\n")
    full = Path("/dev/full").open("w")  # noqa: SIM115 - closed below
    with full:
        import subprocess

        said = command(
            "registry", "export", "calais.reg", stdout=full, stderr=subprocess.PIPE,
            capture_output=False,
        )  # fmt: skip
    assert said.code == ENVIRONMENT
    assert "cannot write the output" in said.err


WRONG = {
    "no action": (["x"], "invalid choice: 'x'", "vreader registry --help"),
    "no file": (["show"], "the following arguments are required: FILE", "registry show --help"),
    "nothing to import": (["import", "a.reg"], "are required: FILE", "registry import --help"),
    "missing": (["show", "no.reg"], "cannot read no.reg: No such file", "name a .reg file or a h"),
    "a folder": (["show", "."], "cannot read .: Is a directory", "name a .reg file or a hive"),
    "no registry": (["show", "card.py"], "card.py, line 2, column 1: not a .reg", "its first line"),
    "bad value": (
        ["show", "bad.reg"],
        "bad.reg, line 4, column 12: '0g' is no byte",
        "two hexadecimal digits each",
    ),
    "cut off": (["show", "cut"], "cut, byte 0x28: ", "save the hive again"),
    "no such key": (
        ["show", "calais.reg", CALAIS + "\\SmartCard\\X"],
        "calais.reg has no key HKLM",
        "did you mean SmartCards?",
    ),
    "no such key in a hive": (
        ["export", "SOFTWARE", r"HKLM\SOFTWARE\X"],
        r"SOFTWARE has no key HKLM\SOFTWARE\X",
        "vreader registry show SOFTWARE",
    ),
    "no root": (["show", "calais.reg", "HKLX"], "'HKLX' is no root", "a key is HKLM"),
    "no key": (["export", "calais.reg", r"HKLM\\A"], "a key's name has 1 to 255", "a key is HKLM"),
    "root of a hive": (["show", "SOFTWARE", "--root", "X"], "'X' is no root", "below a key: HKLM"),
    "place of a hive": (["show", "calais.hiv"], "nothing says which key", "--root HKLM"),
    "bits": (["show", "calais.reg", CALAIS, "--bits", "16"], "invalid choice: 16", "show --help"),
    "bits of nothing": (["show", "calais.reg", "--bits", "32"], "--bits is about", "name one"),
    "depth": (["show", "calais.reg", "--depth", "-1"], "--depth -1", "0 is the key alone"),
    "depth word": (["show", "calais.reg", "--depth", "x"], "invalid int value", "show --help"),
    "version": (["export", "calais.reg", "--version", "6"], "choice: 6", "export --help"),
    "into a hive": (["import", "SOFTWARE", "calais.reg"], "which is only read", "name a .reg file"),
    "into a change": (["import", "gone.reg", "calais.reg"], "gone.reg, line 2", "let it be one of"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong(cli, machine, case):
    words, problem, hint = WRONG[case]
    said = cli("registry", *words)
    assert (said.code, said.out) == (USAGE, "")
    first, second, *rest = said.err.splitlines()
    assert first.startswith("vreader: ")
    assert problem in first
    assert second.startswith("hint: ")
    assert hint in second
    assert not rest
