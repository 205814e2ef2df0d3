# SPDX-License-Identifier: Apache-2.0
"""``vreader reader certify``: what it prints, writes, loads, and its exit codes."""

import json
import xml.etree.ElementTree as ET

import pytest

from vreader.certify import select

DRIVER = """
from vreader.reader.driver import VirtualReader
from vreader.wdm import NTSTATUS


class Good(VirtualReader):
    service, inf = "good", None


class Bad(VirtualReader):
    service, inf = "bad", None

    def RDF_CARD_TRACKING(self, ext):
        return NTSTATUS.SUCCESS


class Talkative(VirtualReader):
    service, inf = "talkative", None

    def RDF_CARD_POWER(self, ext):
        print("powering")
        return VirtualReader.RDF_CARD_POWER(ext)


class NoDriver:
    pass


def function():
    pass


VALUE = 5
"""


@pytest.fixture
def driver(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(DRIVER)
    (tmp_path / "broken.py").write_text("1/0")
    (tmp_path / "exits.py").write_text("raise SystemExit(0)")
    (tmp_path / "wordy.py").write_text("raise ValueError('one\\ntwo')")
    monkeypatch.chdir(tmp_path)


def test_our_reader_passes(cli):
    said = cli("reader", "certify")
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("VirtualReader, profile contact\n")
    assert all(check.id in said.out for check in select())
    assert said.out.endswith(" 0 failed, 1 not applicable\n")


@pytest.mark.parametrize("options", [("--profile", "nfc"), ("--link", "t0"), ("--link", "t1")])
def test_other_readers_of_ours_pass(cli, options):
    assert cli("reader", "certify", *options).code == 0


def test_a_part_as_json(cli):
    said = cli("reader", "certify", "--profile", "nfc", "--only", "A,B.presence", "--json")
    told = json.loads(said.out)
    assert (said.code, told["profile"], told["passed"]) == (0, "nfc", True)
    assert [check["id"] for check in told["checks"]] == [c.id for c in select(["A", "B.presence"])]


def test_a_driver_that_fails(cli, driver):
    said = cli("reader", "certify", "--driver", "mine.py:Bad", "--only", "A", "--junit", "r.xml")
    assert said.code == 1
    assert "FAIL  A.present-pends" in said.out
    assert "IS_PRESENT was completed STATUS_SUCCESS, it should pend" in said.out
    assert "SupportsInsertionAndRemovalMonitor" in said.out
    failures = [c.get("name") for c in ET.parse("r.xml").iter("testcase") if len(c)]
    assert "A.present-pends" in failures


def test_a_driver_that_passes(cli, driver):
    said = cli("reader", "certify", "--driver", "./mine.py:Good", "--only", "C")
    assert said.code == 0
    assert said.out.startswith("Good, ")


@pytest.mark.parametrize(
    ("words", "problem", "hint"),
    [
        ([], "OPERATION", "reader --help"),
        (["x"], "OPERATION", "reader --help"),
        (["certify", "x"], "unrecognized arguments: x", "reader --help"),
        (["certify", "--profile", "x"], "'x'", "reader --help"),
        (["certify", "--link", "x"], "unknown link 'x'", "t0, t1"),
        (["certify", "--only", "A,x"], "no check 'x'", "A.cancel"),
        (["certify", "--only", ""], "no check ''", "A.cancel"),
        (["certify", "--driver", "mine.py"], "names no class", "file.py:Class"),
        (["certify", "--driver", "mine.py:"], "names no class", "file.py:Class"),
        (["certify", "--driver", ":Good"], "names no class", "file.py:Class"),
        (["certify", "--driver", "none.py:Good"], "no file none.py", "file.py:Class"),
        (["certify", "--driver", "mine.py:Nobody"], "no class Nobody", "spelling"),
        (["certify", "--driver", "mine.py:VALUE"], "no class VALUE", "spelling"),
        (["certify", "--driver", "mine.py:NoDriver"], "is no reader driver", "ReaderDriver"),
        (["certify", "--driver", "mine.py:function"], "is no reader driver", "ReaderDriver"),
        (["certify", "--driver", "broken.py:X"], "ZeroDivisionError", "python broken.py"),
        (["certify", "--driver", "exits.py:X"], "SystemExit: 0", "python exits.py"),
        (["certify", "--driver", "wordy.py:X"], "ValueError: one two", "python wordy.py"),
    ],
)
def test_what_cannot_be_meant(cli, driver, words, problem, hint):
    said = cli("reader", *words)
    assert (said.code, said.out) == (2, "")
    first, second = said.err.splitlines()
    assert problem in first
    assert second.startswith("hint: ")
    assert hint in second


def test_what_a_driver_prints_is_no_part_of_the_report(cli, driver):
    said = cli(
        "reader", "certify", "--driver", "mine.py:Talkative", "--only", "A, C.connect", "--json"
    )
    assert said.code == 0
    assert len(json.loads(said.out)["checks"]) == len(select(["A", "C.connect"]))
    assert "powering" in said.err


def test_a_report_that_cannot_be_written(cli, driver):
    said = cli("reader", "certify", "--only", "A.cancel", "--junit", "no/such/r.xml")
    assert (said.code, said.out) == (3, "")  # said before the checks are run
    assert "cannot write no/such/r.xml" in said.err
