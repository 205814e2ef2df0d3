# SPDX-License-Identifier: Apache-2.0
"""``vreader log`` and ``--log``: the event log of a world, shown and exported."""

import csv
import json
from pathlib import Path

import pytest

from vreader.bridge.control.client import ask
from vreader.errors import VreaderError

MUTE = """
from vreader.card import CardMute


class Mute:
    def power_on(self):
        return bytes.fromhex("3B80800101")

    reset = power_on

    def power_off(self):
        pass

    def transmit(self, c_apdu):
        raise CardMute
"""
TEXT = "Smart Card Reader 'Virtual Reader 00 00' rejected IOCTL TRANSMIT: The semaphore timeout"


@pytest.fixture
def failed(cli, serve, monkeypatch, tmp_path):
    """A world in which a command failed."""
    (tmp_path / "mute.py").write_text(MUTE)
    monkeypatch.chdir(tmp_path)
    served = serve("--card", "mute.py:Mute", "--log", "end.jsonl")
    for name, value in served.environment.items():
        monkeypatch.setenv(name, value)
    assert cli("log") == (0, "", "")
    assert cli("apdu", "00200080:3132333435363738").code != 0
    return served


@pytest.mark.wdk("event-log.export")
def test_the_log_is_shown(cli, failed):
    said = cli("log")
    assert (said.code, said.err) == (0, "")
    head, text, header = said.out.splitlines()
    assert head.split("  ")[1:] == ["Error", "SCardSvr", "610"]
    assert text.startswith(f"    {TEXT}")
    assert header == "    Command Header: 00 20 00 80"
    assert "3132" not in said.out
    assert cli("log", "--after", "1").out == ""


def test_the_log_is_exported(cli, failed):
    (entry,) = json.loads(cli("log", "--json").out)
    assert (entry["event_id"], entry["number"]) == (610, 1)
    for name, form in (("a.json", None), ("b.jsonl", None), ("c.csv", None), ("d", "csv")):
        options = ["-o", name] + (["--form", form] if form else [])
        assert cli("log", *options) == (0, "", "")
        assert Path(name).stat().st_mode & 0o777 == 0o600
    assert json.loads(Path("a.json").read_text()) == [entry]
    assert json.loads(Path("b.jsonl").read_text()) == entry
    with Path("c.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["text"] == entry["text"]
    assert row["strings"] == " | ".join(entry["strings"])
    assert Path("d").read_bytes() == Path("c.csv").read_bytes()


def test_a_dash_is_standard_output(cli, failed):
    assert cli("log", "-o", "-") == cli("log")
    assert not Path("-").exists()


def test_a_full_disk(cli, failed):
    said = cli("log", "-o", "/dev/full")
    assert said.code == 3
    assert said.err.startswith("vreader: the log is not in /dev/full: No space left")


def test_a_world_that_has_gone(cli, failed):
    assert cli("ctl", "quit").code == 0
    assert failed.process.wait(30) == 0
    said = cli("log", "-o", "kept.txt")
    assert said.code == 3
    assert said.err.startswith("vreader: no world answers at ")
    assert not Path("kept.txt").exists()


@pytest.mark.parametrize("after", ["1", 1.5, True, None, []])
def test_the_world_is_asked_with_a_number(failed, after):
    control = failed.environment["VREADER_CONTROL"]
    assert len(ask(control, {"op": "log"})["entries"]) == 1
    with pytest.raises(VreaderError, match="after must be a number"):
        ask(control, {"op": "log", "after": after})


def test_a_world_leaves_its_log(cli, failed):
    assert cli("ctl", "quit").code == 0
    assert failed.process.wait(30) == 0
    (entry,) = map(json.loads, Path("end.jsonl").read_text().splitlines())
    assert entry["text"].startswith(TEXT)


def test_a_run_leaves_its_log(cli, here):
    assert cli("run", "--card", "atr:3B00", "--log", "x.txt", "true").code == 0
    assert Path("x.txt").read_text() == ""


@pytest.mark.parametrize(
    ("words", "code", "problem"),
    [
        (["log", "--form", "x"], 2, "argument --form: invalid choice: 'x'"),
        (["log", "--after", "x"], 2, "argument --after: invalid int value: 'x'"),
        (["log", "--json", "--form", "csv"], 2, "argument --form: not allowed with"),
        (["log"], 3, "no running world is known here"),
        (["serve", "--log", "a", "--ready-file", "./a"], 2, "./a is the log's file"),
        (["run", "--log", "-", "true"], 125, "--log needs a file"),
        (["run", "--log", "", "true"], 125, "a log needs a file"),
        (["run", "--log", "no/x", "true"], 125, "cannot write the log to no/x: No such file"),
        (["run", "--log", "a", "--trace", "a", "true"], 125, "a is the trace's file"),
        (["run", "--card", "piv,state=a", "--log", "a", "true"], 125, "a is the card's own file"),
    ],
)
def test_what_may_go_wrong(cli, here, words, code, problem):
    said = cli(*words)
    assert said.code == code
    assert said.err.startswith(f"vreader: {problem}")
    assert "\nhint: " in said.err
