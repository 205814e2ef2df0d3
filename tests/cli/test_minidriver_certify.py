# SPDX-License-Identifier: Apache-2.0
"""``vreader minidriver certify``: what it prints, writes, reads, and its exit codes."""

import json
import xml.etree.ElementTree as ET

import pytest

from vreader.minidriver.certify import Settings, select
from vreader.minidriver.certify.cmck import load

BAD = """
from vreader.minidriver.module import Module
from vreader.minidriver.drivers.msclmd import ClassMinidriver


class Bad(ClassMinidriver):
    def CardAcquireContext(self, data, flags):
        print("acquiring")
        return super().CardAcquireContext(data and data._replace(version=7), flags)
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(BAD)
    return tmp_path


def test_a_minidriver_that_passes(cli, here):
    said = cli("minidriver", "certify", "--card", "gids", "--only", "A,E.cardid")
    assert said.code == 0
    assert said.out.startswith("msclmd.dll\n")
    assert all(check.id in said.out for check in select(["A", "E.cardid"]))


def test_a_minidriver_that_fails(cli, here):
    options = ("--dll", "mine.py:Bad", "--only", "A", "--junit", "r.xml", "--json")
    said = cli("minidriver", "certify", "--card", "gids", *options)
    told = json.loads(said.out)
    assert (said.code, told["passed"]) == (1, False)
    failures = [
        c.get("name") for c in ET.parse("r.xml").iter("testcase") if c.find("failure") is not None
    ]
    assert failures == [c["id"] for c in told["checks"] if c["outcome"] == "failed"]
    assert "A.version-minimum" in failures


def test_init_prints_what_config_reads(cli, here):
    said = cli("minidriver", "certify", "init")
    (here / "c.xml").write_text(said.out)
    assert load("c.xml") == Settings()
    (here / "d.xml").write_text(cli("minidriver", "certify", "init", "--pin", "12345678").out)
    assert load("d.xml") == Settings(pins={1: b"12345678"})
    only = ("--card", "gids", "--config", "c.xml", "--only", "G.verify")
    assert cli("minidriver", "certify", *only).code == 0


def test_the_pin_of_a_card(cli, here, monkeypatch):
    asked = ("minidriver", "certify", "--card", "tpmvsc", "--only", "E.delete")
    refused = cli(*asked)
    assert refused.code == 1
    assert "hint: the user's PIN of the settings is refused" in refused.err
    monkeypatch.setenv("CARD_PIN", "12345678")
    said = cli(*asked, "--pin", "env:CARD_PIN")
    assert (said.code, said.err) == (0, "")


def test_an_older_report_stays_until_there_is_a_new_one(cli, here, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    (here / "r.xml").write_text("older")
    monkeypatch.setattr("vreader.minidriver.certify.certify", interrupted)
    assert cli("minidriver", "certify", "--card", "gids", "--junit", "r.xml").code
    assert (here / "r.xml").read_text() == "older"


def test_the_file_of_a_card_stays_as_it_is(cli, here):
    card = "gids,state=my.card"
    cli("minidriver", "certify", "--card", card, "--only", "E.cardid")
    before = (here / "my.card").read_bytes()
    assert cli("minidriver", "certify", "--card", card, "--only", "E,G").code == 0
    assert (here / "my.card").read_bytes() == before


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--card", "none"),
        ("--card", "gids", "--only", "Z"),
        ("--card", "gids", "--config", "none.xml"),
        ("--card", "gids", "--dll", "mine.txt", "--only", "Z"),
        ("--card", "gids", "--dll", "none.py:Bad", "--junit", "r.xml"),
        ("--card", "gids", "--dll", "mine.py:Worse", "--only", "A"),
        ("--card", "gids", "--pin", "env:NO_SUCH_PIN"),
        ("begin",),
    ],
)
def test_nonsense_is_a_usage_error(cli, here, options):
    said = cli("minidriver", "certify", *options)
    assert said.code == 2
    assert not said.out
    assert "hint" in said.err
    assert not (here / "r.xml").exists()
