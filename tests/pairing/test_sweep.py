# SPDX-License-Identifier: Apache-2.0
"""Sweeps: every cell once, the same answers however they were come by, and after a kill."""

import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from vreader.errors import UsageError, VreaderError
from vreader.pairing.plan import Plan
from vreader.pairing.sweep import sweep

# Writes down each time it is made; the one called ``stop`` waits for somebody at a pipe.
CARD = """
import os
import pathlib

HERE = pathlib.Path(__file__).parent


class Counted:
    def __init__(self, name):
        with open(HERE / os.environ.get("ASKED", "asked"), "a") as file:
            file.write(name + "\\n")
        if name == "20" and (HERE / "pipe").exists():
            open(HERE / "pipe").read()
        self.atr = bytes((0x3B, 0x02, 0x14, int(name)))

    def power_on(self):
        return self.atr

    def reset(self):
        return self.atr

    def power_off(self):
        pass

    def transmit(self, c_apdu):
        return bytes.fromhex("6A82")
"""
CELLS = 40


@pytest.fixture
def plan(tmp_path) -> str:
    """A plan with cards that are counted."""
    (tmp_path / "card.py").write_text(CARD)
    cards = ", ".join(
        f'{{label = "card {n}", card = "card.py:Counted,name={n}"}}' for n in range(CELLS)
    )
    path = tmp_path / "plan.toml"
    path.write_text(f"cards = [{cards}]\n")
    return str(path)


def asked(plan: str, log: str = "asked") -> list[int]:
    return [int(line) for line in Path(plan).with_name(log).read_text().split()]


def pairings(kept: Path) -> list[object]:
    """The answers in a file, in their order: what they are called is each file's own."""
    return [json.loads(line)["pairing"] for line in kept.read_bytes().splitlines()[1:]]


def told(answers) -> list[tuple[str, str, str]]:
    return [(a.cell.card, a.record["card"], a.record["atr"]) for a in answers]


def test_every_cell_once_in_order(plan):
    steps = []
    answers = sweep(Plan.load(plan), progress=lambda *step: steps.append(step))
    assert told(answers) == [(f"card {n}", f"card {n}", f"3B0214{n:02X}") for n in range(CELLS)]
    assert asked(plan) == list(range(CELLS))
    assert steps == [(n, CELLS) for n in range(CELLS + 1)]


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_the_same_by_other_processes(plan, tmp_path, backend):
    here, there = tmp_path / "here.jsonl", tmp_path / "there.jsonl"
    first = sweep(Plan.load(plan), str(here), jobs=1)
    second = sweep(Plan.load(plan), str(there), jobs=2, backend=backend)
    assert first == second
    assert pairings(here) == pairings(there)
    assert not {*here.read_bytes().splitlines()} & {*there.read_bytes().splitlines()}  # salted
    assert sorted(asked(plan)) == sorted([*range(CELLS)] * 2)


def has_no_reader(pipe) -> bool:
    """Wait till nobody has the other end of a pipe."""
    waiting = select.poll()
    waiting.register(pipe, 0)
    return bool(waiting.poll(30_000))


@pytest.mark.parametrize("jobs", [1, 2])
def test_killed_in_the_middle_and_resumed(plan, tmp_path, jobs):
    whole = sweep(Plan.load(plan), str(tmp_path / "whole.jsonl"))
    pipe, kept = tmp_path / "pipe", tmp_path / "kept.jsonl"
    os.mkfifo(pipe)
    command = [sys.executable, "-m", "vreader", "sweep", plan, "-o", kept, "--jobs", str(jobs)]

    def start(log: str) -> subprocess.Popen:
        return subprocess.Popen(
            command,
            env={**os.environ, "ASKED": log},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    # Opens when card 20 is made, which waits.
    with start("first") as process, pipe.open("wb", buffering=0) as writer:
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert jobs > 1 or has_no_reader(writer)
        first = asked(plan, "first")
        lines = len(pairings(kept))
        pipe.unlink()
    assert lines == 20 if jobs == 1 else lines <= 20
    assert set(range(lines)) < set(first)
    with start("second") as process:
        assert process.wait(60) == 0
    assert sorted(asked(plan, "second")) == list(range(lines, CELLS))  # what is kept is not asked
    assert pairings(kept) == pairings(tmp_path / "whole.jsonl")
    assert sweep(Plan.load(plan), str(kept)) == whole


@pytest.mark.parametrize("jobs", [1, 2])
def test_interrupted_at_the_terminal(plan, tmp_path, jobs):
    pipe, kept = tmp_path / "pipe", tmp_path / "kept.jsonl"
    os.mkfifo(pipe)
    command = [sys.executable, "-m", "vreader", "sweep", plan, "-o", kept, "--jobs", str(jobs)]
    with (
        subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        ) as process,
        pipe.open("wb", buffering=0) as writer,  # opens when card 20 is made, which waits
    ):
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 130
        assert out == b""
        assert err.decode() == f"vreader: stopped; with -o {kept} it goes on from here\n"
        assert has_no_reader(writer)  # whoever made the card has gone
    pipe.unlink()
    lines = len(pairings(kept))
    assert lines <= 20
    assert len(sweep(Plan.load(plan), str(kept))) == CELLS
    assert len(pairings(kept)) == CELLS


def test_a_cell_without_an_answer_is_asked_again(tmp_path):
    path, kept = tmp_path / "plan.toml", tmp_path / "kept.jsonl"
    path.write_text('cards = ["atr:3B00", "card.py:Card"]')
    (tmp_path / "card.py").write_text("Card = None  # for now\n")
    assert [a.record["outcome"] for a in sweep(Plan.load(str(path)), str(kept))] == [
        "none",
        "error",
    ]
    first = pairings(kept)
    again = sweep(Plan.load(str(path)), str(kept))
    assert pairings(kept) == [*first, first[1]]
    assert [a.record["outcome"] for a in again] == ["none", "error"]


def test_a_torn_line_is_asked_again(plan, tmp_path):
    kept = tmp_path / "kept.jsonl"
    whole = sweep(Plan.load(plan), str(kept))
    content = kept.read_bytes()
    kept.write_bytes(content[:-10])
    assert sweep(Plan.load(plan), str(kept)) == whole
    assert asked(plan) == [*range(CELLS), CELLS - 1]
    assert kept.read_bytes() == content


@pytest.mark.parametrize(
    "change", [lambda r: r.pop("steps"), lambda r: r.update(steps=5), lambda r: r.update(x=1)]
)
def test_what_somebody_else_has_written_is_asked_again(tmp_path, change):
    path, kept = tmp_path / "plan.toml", tmp_path / "kept.jsonl"
    path.write_text('cards = "atr:3B00"')
    whole = sweep(Plan.load(str(path)), str(kept))
    first, line = kept.read_text().splitlines()
    told = json.loads(line)
    change(told["pairing"])
    kept.write_text(f"{first}\n{json.dumps(told)}\n")
    assert sweep(Plan.load(str(path)), str(kept)) == whole
    assert len(pairings(kept)) == 2


def test_an_answer_holds_while_nothing_it_rests_on_changes(tmp_path, monkeypatch):
    (tmp_path / "a.reg").write_text("REGEDIT4\n")
    (tmp_path / "b.reg").write_text("REGEDIT4\n")
    path, kept = tmp_path / "plan.toml", tmp_path / "kept.jsonl"
    path.write_text(
        'cards = "atr:3B00"\npackages.a.registry = "a.reg"\npackages.b.registry = "b.reg"\n'
    )

    def lines():
        sweep(Plan.load(str(path)), str(kept))
        return len(pairings(kept))

    assert lines() == 2
    assert lines() == 2
    (tmp_path / "b.reg").write_text("REGEDIT4\n\n")
    assert lines() == 3
    path.write_text('cards = {card = "atr:3B00", label = "x"}\npackages.c.registry = "a.reg"\n')
    assert lines() == 3  # names in the plan do not count
    path.write_text(path.read_text() + 'policy.x.update = "never"\n')
    assert lines() == 4
    monkeypatch.setattr("vreader.pairing.sweep.__version__", "another")
    assert lines() == 5


def test_a_bad_card_is_its_own_cells_problem(tmp_path):
    path = tmp_path / "plan.toml"
    path.write_text('cards = ["atr:3B00", "piv:4.2,pin=31415926", "gone.py:Card"]')
    answers = sweep(Plan.load(str(path)))
    assert [a.record["outcome"] == "error" for a in answers] == [False, True, True]
    assert "card kind piv has no profile '4.2'" in answers[1].record["problem"]
    assert "there is no file" in answers[2].record["problem"]
    assert "31415926" not in json.dumps([a.record for a in answers])


def test_a_bug_of_a_card_is_its_own_cells_problem(tmp_path):
    (tmp_path / "card.py").write_text(
        CARD + "    def close(self):\n        raise OSError('gone')\n"
    )
    path = tmp_path / "plan.toml"
    path.write_text('cards = ["card.py:Counted,name=1", "piv"]')
    bad, good = sweep(Plan.load(str(path)))
    line = CARD.count("\n") + 2
    assert bad.record["problem"] == f"a bug: OSError: gone (card.py, line {line})"
    assert good.record["outcome"] == "msclmd.dll"


def test_the_plans_own_settings_are_used(plan):
    path = Path(plan)
    path.write_text(path.read_text() + '[options]\nbackend = "lokky"\n')
    with pytest.raises(UsageError, match="there is no back end 'lokky'") as raised:
        sweep(Plan.load(plan))
    assert raised.value.hint == "did you mean loky?"
    assert len(sweep(Plan.load(plan), backend="threading", jobs=2)) == CELLS


@pytest.mark.parametrize("backend", ["dask=tcp://127.0.0.1:9", "ray"])
def test_a_cluster_that_is_not_there(plan, backend):
    with pytest.raises(VreaderError) as raised:
        sweep(Plan.load(plan), backend=backend)
    assert raised.value.hint
    assert not Path(plan).with_name("asked").exists()
