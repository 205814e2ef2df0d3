# SPDX-License-Identifier: Apache-2.0
"""``vreader sweep``: what it prints and writes, and its exit codes."""

import json
import os
import pty
from pathlib import Path

import pytest

PLAN = """
name = "two cards"
cards = ["piv", {card = "atr:3B00", label = "nobody"}]
os = ["10.0-amd64", "6.1-x86"]
bits = [32, 64]
"""


@pytest.fixture
def plan(here) -> Path:
    (here / "plan.toml").write_text(PLAN)
    return here / "plan.toml"


def test_a_table(cli, plan):
    said = cli("sweep", "plan.toml")
    assert said.code == 0
    lines = [line.split() for line in said.out.splitlines()]
    assert lines[0] == ["two", "cards,", "packages", "inbox", "only,", "policy", "default"]
    assert lines[2:5] == [
        ["Windows", "10.0-amd64", "10.0-amd64", "6.1-x86"],
        ["bits", "32", "64", "32"],
        ["piv", "msclmd.dll", "msclmd.dll", "msclmd.dll"],
    ]
    assert lines[5][0] == "nobody"
    assert said.err == "vreader: not asked: 2 cells that cannot be: a 64-bit program on a 32-bit " \
        "Windows\n"  # fmt: skip


def test_json(cli, plan):
    said = cli("sweep", "plan.toml", "--json")
    told = json.loads(said.out)
    assert (told["name"], told["skipped"], told["excluded"]) == ("two cards", 2, 0)
    assert len(told["cells"]) == 6
    assert told["cells"][0]["pairing"]["steps"]


def test_each_cell_is_what_pair_says(cli, plan):
    told = json.loads(cli("sweep", "plan.toml", "--json").out)
    specs = {"piv": "piv", "nobody": "atr:3B00"}
    for cell in told["cells"]:
        where = ["--os", cell["os"], "--bits", str(cell["bits"])]
        said = cli("pair", "--card", specs[cell["card"]], *where, "--json")
        (alone,) = json.loads(said.out)
        assert cell["pairing"] == {**alone, "card": cell["card"]}


def test_a_page_instead_of_a_table(cli, plan):
    said = cli("sweep", "plan.toml", "--html", "report.html")
    assert (said.code, said.out) == (0, "")
    assert "<title>two cards</title>" in Path("report.html").read_text()
    assert "msclmd.dll" in cli("sweep", "plan.toml", "--html", "report.html", "--table").out


def test_kept_answers(cli, plan):
    first = cli("sweep", "plan.toml", "-o", "kept.jsonl", "--table")
    content = Path("kept.jsonl").read_bytes()
    assert content.count(b"\n") == 1 + 6
    assert cli("sweep", "plan.toml", "-o", "kept.jsonl") == first
    assert Path("kept.jsonl").read_bytes() == content


def test_a_cell_without_an_answer_is_exit_code_1(cli, here):
    Path("plan.toml").write_text('cards = ["piv:9,pin=31415926", "piv"]\n')
    said = cli("sweep", "plan.toml", "-o", "kept.jsonl", "--html", "report.html", "--json")
    assert said.code == 1
    assert said.err.startswith("vreader: 1 of 2 cells have no answer; piv:9, 10.0-amd64: card kind")
    written = Path("kept.jsonl").read_text() + Path("report.html").read_text()
    assert "31415926" not in said.out + said.err + written


def test_nothing_is_shown_of_progress_but_on_a_terminal(command, plan):
    ours, theirs = pty.openpty()
    try:
        said = command(
            "sweep", "plan.toml", capture_output=False, stdout=theirs, stderr=theirs,
            env={**os.environ, "TERM": "xterm", "COLUMNS": "80"},
        )  # fmt: skip
        assert said.code == 0
        shown = os.read(ours, 1 << 16).decode()
    finally:
        os.close(ours)
        os.close(theirs)
    assert "6/6" in shown
    assert "\x1b[32mmsclmd.dll" in shown


@pytest.mark.parametrize(
    ("words", "problem", "hint"),
    [
        ([], "the following arguments are required: PLAN.toml", "vreader sweep --help"),
        (["no.toml"], "no.toml: No such file", "TOML"),
        (
            ["card.py"],
            "card.py: Expected '=' after a key in a key/value pair (at line 2, column 7)",
            "TOML",
        ),
        (["plan.toml", "--jobs", "-1"], "--jobs cannot be -1", "0 to 1024"),
        (["plan.toml", "--backend", "loki"], "there is no back end 'loki'", "mean loky?"),
        (["plan.toml", "-o", "plan.toml"], "plan.toml, line 1 is no answer", "left as it is"),
        (["plan.toml", "--html", "no/a.html"], "cannot write no/a.html: No such", "another file"),
        (["plan.toml", "--json", "--table"], "not allowed with argument", "vreader sweep --help"),
    ],
)
def test_what_is_wrong(cli, plan, words, problem, hint):
    said = cli("sweep", *words)
    assert said.code in (2, 3)
    assert said.out == ""
    first, second = said.err.splitlines()
    assert problem in first
    assert second.startswith("hint: ")
    assert hint in second
    assert plan.read_text() == PLAN


def test_a_page_is_not_begun_before_it_is_known(cli, plan):
    assert cli("sweep", "plan.toml", "--html", "new.html", "-o", "plan.toml").code == 2
    assert not Path("new.html").exists()


@pytest.mark.parametrize(
    ("module", "words"),
    [
        ("jinja2", ["--html", "report.html"]),
        ("joblib", ["--jobs", "2"]),
        ("dask.distributed", ["--backend", "dask"]),
    ],
)
def test_a_missing_library(cli, plan, monkeypatch, module, words):
    monkeypatch.setitem(__import__("sys").modules, module, None)
    said = cli("sweep", "plan.toml", *words)
    assert (said.code, said.out) == (2, "")
    package = module.partition(".")[0]
    assert said.err.startswith(f"vreader: this needs {package}: ")
    assert "hint: pip install " in said.err
    assert not Path("report.html").exists()
