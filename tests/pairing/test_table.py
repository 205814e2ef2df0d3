# SPDX-License-Identifier: Apache-2.0
"""The matrix as text, on a terminal, and as JSON."""

import json
import re

from sample_pairings import answered

from vreader.pairing.report.matrix import Matrix
from vreader.pairing.report.table import as_json, rich_table, table


def matrix():
    return Matrix.of_sweep(
        "Fabrikam 2.0",
        [
            answered("piv", bits=32),
            answered("piv", bits=64),
            answered("gids", "", bits=32, card_name=""),
            answered("gids", bits=64, problem="the card does not answer"),
        ],
    )


def test_plain():
    assert table(matrix()).split("\n") == [
        "Fabrikam 2.0, packages ours, policy default, Windows 10.0-amd64",
        "",
        "bits  32          64",
        "piv   msclmd.dll  msclmd.dll",
        "gids  none        error",
        "",
        "4 cells: msclmd.dll 2, error 1, none 1",
    ]


def test_what_was_not_asked():
    few = Matrix.of_sweep("", [answered("piv", bits=32), answered("gids", bits=64)])
    assert table(few).split("\n")[2:5] == [
        "bits  32          64",
        "piv   msclmd.dll  -",
        "gids  -           msclmd.dll",
    ]


def test_one_answer():
    assert table(Matrix.of_sweep("one", [answered()])).split("\n")[2] == "Windows  10.0-amd64"


def test_nothing_moves_the_cursor():
    hostile = answered("p\x1b[2J\ud800", "\x07.dll", packages="a\nb")
    shown = table(Matrix.of_sweep("x", [hostile, answered("piv")]))
    assert "p\ufffd[2J\ufffd" in shown
    assert all(letter.isprintable() or letter == "\n" for letter in shown)


def test_on_a_terminal(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    shown = rich_table(matrix(), 100)
    assert "\x1b[32mmsclmd.dll" in shown
    assert "\x1b[1;31merror" in shown


def test_a_narrow_terminal(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    many = [answered(f"[red]{card}", packages=f"set {n}") for card in "ab" for n in range(9)]
    shown = rich_table(Matrix.of_sweep("x", many), 60)
    lines = re.sub(r"\x1b\[\d*m", "", shown).split("\n")
    assert max(map(len, lines)) <= 60
    assert sum("[red]a" in line for line in lines) == 3  # tables
    assert all("\n".join(lines).count(f"set {n} ") == 1 for n in range(9))


def test_json():
    told = json.loads(as_json(matrix(), skipped=3))
    assert (told["name"], told["skipped"], len(told["cells"])) == ("Fabrikam 2.0", 3, 4)
    first = told["cells"][0]
    assert len({cell["id"] for cell in told["cells"]}) == 4
    assert [first[axis] for axis in ("card", "packages", "policy", "os", "bits")] == [
        "piv", "ours", "default", "10.0-amd64", 32,
    ]  # fmt: skip
    assert first["pairing"]["outcome"] == "msclmd.dll"
    assert first["pairing"]["steps"][1]["sw"] == "6A82"
