# SPDX-License-Identifier: Apache-2.0
"""``vreader pair``: what it prints, what it writes, what it says to nonsense."""

import json
from pathlib import Path

import pytest

from vreader.pairing.policy import CHOICES, MEANINGS

FABRIKAM = Path(__file__).parents[1] / "setupapi" / "fixtures" / "fabrikam.inf"
ATR = "3B0451FF0800"


def test_from_the_insertion_to_the_dll(cli):
    said = cli("pair", "--atr", ATR, "--inf", str(FABRIKAM))
    assert said.code == 0
    stages = [line for line in said.out.split("\n") if line and not line.startswith(" ")]
    assert stages[:6] == [
        "insertion", "plug and play", "driver search", "install", "winscard", "provider",
    ]  # fmt: skip
    assert r"answer    C:\Windows\System32\Fabrikamcm.dll is loaded through" in said.out
    assert "rank 00FF0000" in said.out
    assert said.err == ""


def test_no_minidriver_is_exit_code_1(cli):
    said = cli("pair", "--atr", ATR, "--short")
    assert said.code == 1
    assert "insertion" not in said.out
    assert said.out.endswith(
        "answer    no program finds this card by a name: no minidriver is loaded\n"
    )


@pytest.mark.parametrize(
    ("os", "section"),
    [
        ("10.0-amd64", "FabrikamVendor64_61_Install.NT"),
        ("6.1-amd64", "FabrikamVendor64_61_Install.NT"),
        ("6.1-x86", "FabrikamVendor32_61_Install.NT"),
    ],
)
def test_each_windows_takes_its_section(cli, os, section):
    said = cli("pair", "--atr", ATR, "--inf", str(FABRIKAM), "--os", os, "--json")
    (found,) = json.loads(said.out)
    assert (found["driver"]["section"], found["os"]) == (section, os)


def test_several_cards(cli):
    said = cli("pair", "--card", "piv", "--card", "gids", "--atr", ATR, "--json")
    assert said.code == 1
    assert [each["class_verdict"] for each in json.loads(said.out)] == ["PIV", "GIDS", ""]


def test_the_secrets_of_a_card_are_not_told(cli):
    said = cli("pair", "--card", "piv,pin=739204,puk=73920485", "--json", "--trace", "-")
    assert "7392" not in said.out + said.err
    assert json.loads(said.out)[0]["card"] == "piv"


def test_hardware_ids(cli):
    said = cli("pair", "--card", "tpmvsc", "--hwids")
    assert said.out == (
        "Hardware Ids\n  SCFILTER\\CID_80fba000000397425446590401\n"
        "Compatible Ids\n  SCFILTER\\CID_e2f748f9-db8b-4c08-a258-583d8955d94a\n"
    )


def test_explain_none(cli):
    said = cli("pair", "--atr", "3B0451FF0801", "--installed", str(FABRIKAM), "--explain-none")
    assert said.out.startswith("nearest is 'Fabrikam': byte 5 bit 0 (historical byte 4) is 1")


def test_the_driver_search_as_setupapi_logs_it(cli):
    said = cli("pair", "--atr", ATR, "--inf", str(FABRIKAM), "--devlog")
    assert said.out.startswith(">>>")
    assert "Rank" in said.out


def test_the_registry_can_be_kept_and_asked_again(cli, tmp_path):
    kept = tmp_path / "after.reg"
    assert cli("pair", "--atr", ATR, "--inf", str(FABRIKAM), "--save-registry", str(kept)).code == 0
    said = cli(
        "pair", "--atr", ATR, "--registry", str(kept), "--policy", "plug-and-play=off", "--json"
    )
    (found,) = json.loads(said.out)
    assert (found["card_name"], found["device"]) == ("Fabrikam", None)


def test_the_trace_has_everything(cli, tmp_path):
    trace = tmp_path / "t.jsonl"
    cli("pair", "--atr", ATR, "--inf", str(FABRIKAM), "--trace", str(trace))
    records = [json.loads(line) for line in trace.read_text().split("\n") if line]
    events = {record["event"] for record in records}
    assert {"PairingStep", "ApduEvent", "IrpEvent", "DeviceEvent"} <= events
    stages = [record["stage"] for record in records if record["event"] == "PairingStep"]
    assert (stages[0], stages[-1]) == ("insertion", "provider")


def test_a_report(cli, tmp_path):
    page = tmp_path / "report.html"
    cli("pair", "--card", "piv", "--html", str(page))
    assert "msclmd.dll" in page.read_text()


def test_policies_are_listed(cli):
    said = cli("pair", "--policies").out
    assert all(name in said for name in MEANINGS)
    assert all(" | ".join(values) in said for values in CHOICES.values())


@pytest.mark.parametrize(
    ("words", "problem", "hint"),
    [
        ([], "which card?", "--atr HEX"),
        (["--card", "pvi"], "unknown card kind 'pvi'", "did you mean piv?"),
        (["--card", "none"], "an empty reader pairs with nothing", "for example piv"),
        (["--atr", "xyz"], "'xyz' is not a hexadecimal ATR", "3B80800101"),
        (["--atr", ATR, "--live"], "--live is a card by itself", "leave"),
        (["--atr", ATR, "--os", "95"], "'95' is no Windows", "10.0-amd64"),
        (["--atr", ATR, "--os", "10.0-x86", "--bits", "64"], "no 64-bit program runs", "32"),
        (["--atr", ATR, "--inf", "/no/such.inf"], "cannot read /no/such.inf", "INF"),
        (["--atr", ATR, "--registry", "/no/such.reg"], "cannot read /no/such.reg", ".reg"),
        (
            ["--atr", ATR, "--policy", "supress=never"],
            "no policy 'supress'",
            "did you mean suppress?",
        ),
        (["--atr", ATR, "--policy", "suppress=no"], "cannot be 'no'", "foreign-csp"),
        (["--atr", ATR, "--policy", "suppress"], "'suppress' is no policy", "name=value"),
        (["--atr", ATR, "--policy", "not-found=6A"], "'6A' is no status word", "6A82"),
        (["--atr", ATR, "--atr", ATR, "--trace", "-"], "are for one card", "one card at a time"),
    ],
)
def test_nonsense(cli, words, problem, hint):
    said = cli("pair", *words)
    assert (said.code, said.out) == (2, "")
    assert problem in said.err
    assert hint in said.err


def test_a_bad_package_says_where(cli, tmp_path):
    bad = tmp_path / "bad.inf"
    bad.write_text(FABRIKAM.read_text().replace('"ATR",0x00000001,3b', '"ATR",0x00000001,zz'))
    said = cli("pair", "--atr", ATR, "--inf", str(bad))
    assert said.code == 2
    assert "bad.inf, line " in said.err
    assert "'zz' is no byte" in said.err


HOSTILE = (
    "Windows Registry Editor Version 5.00\r\n\r\n"
    "[HKEY_LOCAL_MACHINE\\SOFTWARE\\Microsoft\\Cryptography\\Calais\\SmartCards\\E\x1b[2Jvil\ud800]\r\n"
    '"ATR"=hex:3b,04,51,ff,08,00\r\n"ATRMask"=hex:ff,ff,ff,ff,ff,ff\r\n'
)


@pytest.mark.parametrize("shown", ["--short", "--json", "--explain-none", "--devlog", "--hwids"])
def test_names_that_a_terminal_would_obey(cli, tmp_path, shown):
    hostile, page = tmp_path / "hostile.reg", tmp_path / "page.html"
    hostile.write_bytes(b"\xff\xfe" + HOSTILE.encode("utf-16-le", "surrogatepass"))
    said = cli("pair", "--atr", ATR, "--registry", str(hostile), shown, "--html", str(page))
    assert said.code == 1
    assert "\x1b" not in said.out
    page.read_text(encoding="utf-8")


def test_a_file_that_is_not_there_is_no_minidriver(cli, tmp_path):
    package = tmp_path / "nothing.inf"
    text = FABRIKAM.read_text().replace("CopyFiles ", "; ")
    package.write_text(text)
    said = cli("pair", "--atr", ATR, "--inf", str(package), "--short")
    assert (said.code, said.out[-28:]) == (1, ", but the file is not there\n")


def test_one_way_to_show_it(cli):
    said = cli("pair", "--atr", ATR, "--hwids", "--json")
    assert (said.code, said.out) == (2, "")
    assert "not allowed with" in said.err
