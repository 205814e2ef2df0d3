# SPDX-License-Identifier: Apache-2.0
"""``vreader ctl``, from inside a world and from outside."""

import json
import subprocess
from pathlib import Path

import pytest


@pytest.fixture
def ctl(cli, serve, monkeypatch):
    """Start a world; return how to ask it from inside, with VREADER_CONTROL set."""

    def start(*options: str):
        served = serve(*options)
        monkeypatch.setenv("VREADER_CONTROL", served.environment["VREADER_CONTROL"])
        return lambda *words: cli("ctl", *words)

    return start


def line(card: str = "atr:3B80800101", where: str = "inserted", state: str = "NEGOTIABLE") -> str:
    return f"Virtual Reader 00 00\t{card}\t{where}\t{state}\n"


def test_remove_and_insert(ctl):
    ask = ctl("--card", "atr:3B80800101")
    assert ask("list") == (0, line(), "")
    assert ask("remove") == (0, line(where="out", state="ABSENT"), "")
    assert ask("list").out == line(where="out", state="ABSENT")
    inserted = ask("insert")
    assert inserted.code == 0
    assert inserted.out.startswith("Virtual Reader 00 00\tatr:3B80800101\tinserted\t")


def test_readers_by_name_and_number(ctl):
    ask = ctl("--card", "none", "--card", "atr:3B80800101")
    for reader in ("1", "Virtual Reader 2 00 00"):
        assert ask("remove", reader).code == 0
        assert ask("insert", reader).code == 0
    asked = ask("remove")
    assert asked.code == 2
    assert asked.err == (
        "vreader: which reader?\nhint: there are 'Virtual Reader 00 00', 'Virtual Reader 2 00 00'\n"
    )


def test_another_card(ctl):
    ask = ctl("--card", "atr:3B80800101")
    ask("remove")
    assert ask("insert", "--card", "piv:neutral").out.split("\t")[1] == "piv:neutral"


def test_a_card_that_cannot_be_made_changes_nothing(ctl, here: Path):
    ask = ctl("--card", "piv,state=my.card,pin=765432")
    ask("remove")
    for wrong in (
        "nonsense",
        "piv:nonsense",
        "piv,state=/nonexistent/card",
        "none",
        "card.py:Broken",
    ):
        asked = ask("insert", "--card", wrong)
        assert asked.code in (2, 3)
        assert asked.err.startswith("vreader: ")
        assert ask("list").out.split("\t")[1:3] == ["piv,state=my.card", "out"]
    assert ask("insert").code == 0


def test_the_same_state_file_again(ctl, here: Path):
    ask = ctl("--card", "piv,state=my.card")
    ask("remove")
    assert ask("insert", "--card", "piv:neutral,state=my.card").err == (
        "vreader: my.card holds a piv card of profile 5.4.3, not neutral\n"
        "hint: use --card piv:5.4.3,state=my.card\n"
    )
    assert ask("insert", "--card", "piv:5.4.3,state=my.card").code == 0


def test_secrets_of_a_card_are_not_listed(ctl):
    ask = ctl("--card", "piv,pin=765432,puk=98765432,mgmkey=" + "26AB9D5E" * 6)
    assert ask("list").out.split("\t")[1] == "piv"
    assert "765432" not in ask("list", "--json").out


def test_json(ctl):
    ask = ctl("--card", "atr:3B80800101", "--card", "none")
    listed = ask("list", "--json")
    assert json.loads(listed.out) == [
        {
            "reader": "Virtual Reader 00 00",
            "card": "atr:3B80800101",
            "inserted": True,
            "state": "NEGOTIABLE",
        },
        {"reader": "Virtual Reader 2 00 00", "card": None, "inserted": False, "state": "ABSENT"},
    ]


def test_reset_makes_the_card_new(cli, serve, monkeypatch):
    served = serve("--card", "piv,pin=111111")
    for name, value in served.environment.items():
        monkeypatch.setenv(name, value)
    wrong = ("apdu", "00A40400:A000000308=", "00200080:3030303030303030")
    assert "63C2" in cli(*wrong).out
    assert "63C1" in cli(*wrong).out
    assert cli("ctl", "reset").out.startswith("Virtual Reader 00 00\tpiv\tinserted\t")
    assert "63C2" in cli(*wrong).out
    assert "9000" in cli("apdu", "00A40400:A000000308=", "00200080:313131313131FFFF=").out


def test_reset_keeps_what_the_file_holds(cli, serve, monkeypatch, here: Path):
    served = serve("--state", here / "my.card")
    for name, value in served.environment.items():
        monkeypatch.setenv(name, value)
    wrong = ("apdu", "00A40400:A000000308=", "00200080:3030303030303030")
    assert "63C2" in cli(*wrong).out
    assert cli("ctl", "reset").code == 0
    assert "63C1" in cli(*wrong).out


def test_quit(serve, cli):
    served = serve("--card", "none")
    assert cli("ctl", "--control", served.environment["VREADER_CONTROL"], "quit") == (0, "", "")
    assert served.process.wait(60) == 0


def test_quit_ends_the_command_of_run(vreader, here: Path):
    script = "echo $VREADER_CONTROL; exec sleep 60"
    words = [*vreader, "run", "--card", "none", "--", "sh", "-c", script]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as run:
        control = run.stdout.readline().strip()
        asked = subprocess.run(
            [*vreader, "ctl", "--control", control, "quit"], timeout=60, capture_output=True
        )
        assert (asked.returncode, asked.stderr) == (0, b"")
        assert run.wait(60) == 128 + 15


@pytest.mark.parametrize(
    ("words", "code", "problem"),
    [
        (("remove", "7"), 2, "there is no reader '7'"),
        (("remove", "Nobody's"), 2, '''there is no reader "Nobody's"'''),
        (("insert", "0"), 3, "Virtual Reader 00 00 holds a card already"),
        (("remove", "1"), 3, "Virtual Reader 2 00 00 is empty"),
        (("insert", "1"), 3, "no card belongs into Virtual Reader 2 00 00"),
        (("reset", "1"), 3, "no card belongs into Virtual Reader 2 00 00"),
        (("insert", "1", "--card", "nonsense"), 2, "unknown card kind 'nonsense'"),
        (("insert", "1", "--card", "none"), 2, "none is not a card"),
        (("insert", "1", "--card", "a,"), 2, "option 1 of card 'a' is not key=value"),
    ],
)
def test_what_is_refused(ctl, words, code, problem):
    asked = ctl("--card", "atr:3B80800101", "--card", "none")(*words)
    assert (asked.code, asked.out) == (code, "")
    first, second = asked.err.splitlines()
    assert first == f"vreader: {problem}"
    assert second.startswith("hint: ")


def test_a_world_that_has_ended(serve, cli):
    served = serve("--card", "none")
    control = served.environment["VREADER_CONTROL"]
    assert served.stop()[0] == 0
    asked = cli("ctl", "--control", control, "list")
    assert asked == (
        3,
        "",
        f"vreader: no world answers at {control}: No such file or directory\n"
        "hint: it may have ended; start one with 'vreader serve'\n",
    )
