# SPDX-License-Identifier: Apache-2.0
"""``vreader doctor``: the table, JSON, exit codes."""

import json

import pytest

from vreader.doctor import CHECKS


def test_the_table(cli):
    said = cli("doctor")
    assert said.code == 0, said
    assert said.err == ""
    lines = said.out.splitlines()
    assert max(map(len, lines)) <= 120
    assert lines[0].startswith("OK    python      vreader ")
    assert lines[-1].endswith(" 0 FAIL")
    assert {line.split()[1] for line in lines if line[:1] in "ONWF" and line} >= set(CHECKS) - {
        "polkit"
    }


def test_json(cli):
    told = json.loads(cli("doctor", "--json", "python", "embedded").out)
    assert told["failed"] is False
    assert {each["check"] for each in told["findings"]} == {"python", "embedded"}
    assert set(told["findings"][0]) == {"check", "level", "text", "advice"}


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_a_failure(cli, monkeypatch, form):
    monkeypatch.setattr("vreader.privatedir.parent_directory", lambda: "/proc")
    said = cli("doctor", "embedded", *form)
    assert said.code == 1
    assert "FAIL" in said.out
    assert "TMPDIR" in said.out


def test_the_list(cli):
    assert [line.split()[0] for line in cli("doctor", "--list").out.splitlines()] == list(CHECKS)
