# SPDX-License-Identifier: Apache-2.0
"""``vreader inf lint``: findings as a table and as JSON, and what the exit code says."""

import json
from pathlib import Path

import pytest

OURS = Path(__file__).parents[2] / "vreader" / "reader" / "vreader.inf"


@pytest.fixture
def bad(tmp_path):
    """Our INF with an error in line 52 and a warning without a line of its own."""
    path = tmp_path / "bad.inf"
    text = OURS.read_text().replace("StartType      = 2", "StartType = 4")
    path.write_text(text.replace("CatalogFile = vreader.cat\n", "\n"))
    return path


def test_our_own_is_clean(cli):
    said = cli("inf", "lint", str(OURS))
    assert (said.code, said.out, said.err) == (0, f"{OURS}: nothing to complain about\n", "")
    assert json.loads(cli("inf", "lint", str(OURS), "--json").out) == []


def test_an_error_is_exit_code_1(cli, bad):
    said = cli("inf", "lint", str(bad))
    assert said.code == 1
    assert "   52  error    205  StartType is neither 2 nor 3: 4\n" in said.out
    assert "(WDK Registering a WDM Smart Card Reader Driver" in said.out
    assert "       write   StartType = 2, or 3 while developing\n" in said.out


def test_a_warning_is_not(cli, tmp_path):
    path = tmp_path / "warned.inf"
    path.write_text(OURS.read_text().replace("CatalogFile = vreader.cat\n", "\n"))
    said = cli("inf", "lint", str(path))
    assert (said.code, said.out.split()[:3]) == (0, ["4", "warning", "103"])


def test_as_json(cli, bad):
    said = cli("inf", "lint", str(bad), "--json")
    assert said.code == 1
    told = json.loads(said.out)
    assert [(one["number"], one["line"]) for one in told] == [(103, 4), (205, 52)]
    assert all(one["reason"] and one["source"] and one["fix"] for one in told)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "cannot read x.inf: No such file or directory"),
        (b"[Version", "x.inf, line 1, column 1: a section's name does not end with ]"),
        (b"\xff\xfe[", "x.inf, line 1: byte 2 is not UTF-16-LE"),
    ],
)
def test_what_cannot_be_read(cli, tmp_path, monkeypatch, content, problem):
    monkeypatch.chdir(tmp_path)
    if content is not None:
        Path("x.inf").write_bytes(content)
    said = cli("inf", "lint", "x.inf")
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(f"vreader: {problem}\nhint: ")


def test_an_endless_file_is_refused(cli):
    said = cli("inf", "lint", "/dev/zero")
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("vreader: /dev/zero is longer than 16 MiB\nhint: ")
