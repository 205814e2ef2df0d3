# SPDX-License-Identifier: Apache-2.0
"""``vreader ctl trace``: a person looks at what happens in a world."""

import json
import subprocess

import pytest


@pytest.fixture
def served(serve, monkeypatch):
    served = serve("--card", "piv", "--keep", "5")
    monkeypatch.setenv("VREADER_CONTROL", served.environment["VREADER_CONTROL"])
    return served


def test_the_last_events(cli, served):
    kept = cli("ctl", "trace")
    assert kept.code == 0
    assert len(kept.out.splitlines()) == 5
    assert cli("ctl", "trace", "--last", "2").out.splitlines() == kept.out.splitlines()[-2:]
    told = [json.loads(line) for line in cli("ctl", "trace", "--json").out.splitlines()]
    assert "cold reset" in [event.get("change") for event in told]


def test_following_until_the_end(served, vreader):
    words = [*vreader, "ctl", "trace", "-f", "--last", "1"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert "NEGOTIABLE" in process.stdout.readline()
        served.run(*vreader, "apdu", "00A40400:A000000308=", "00200080:31323334353637FF")
        served.run(*vreader, "ctl", "quit")
        said = process.stdout.read()
        assert process.wait(60) == 0
    assert served.process.wait(60) == 0
    assert "> 00 20 00 80 08 ** ** ** ** ** ** ** **   VERIFY PIV PIN\n" in said
    assert "2 tries left" in said


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("list", "--follow"), "list takes no --follow"),
        (("list", "--last", "1"), "list takes no --last"),
        (("trace", "0"), "trace takes no READER"),
        (("trace", "--last", "-1"), "last must be a number"),
    ],
)
def test_what_is_refused(cli, served, words, problem):
    asked = cli("ctl", *words)
    assert (asked.code, asked.out) == (2, "")
    assert asked.err.startswith(f"vreader: {problem}\nhint: ")


def test_a_world_that_keeps_no_events(cli, serve):
    control = serve("--card", "none").environment["VREADER_CONTROL"]
    asked = cli("ctl", "--control", control, "trace")
    assert asked.code == 2
    assert "--follow" in asked.err


def test_a_number_that_is_none(cli):
    assert cli("run", "--keep", "-1", "--", "true").code == 125
