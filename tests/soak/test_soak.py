# SPDX-License-Identifier: Apache-2.0
"""The soak program itself: it runs, it can be repeated, and it finds what it should."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.fixture
def soak(monkeypatch):
    """The modules of the program."""
    monkeypatch.syspath_prepend(str(HERE))
    import soak

    return soak


def test_a_short_run(tmp_path):
    figures = tmp_path / "figures.json"
    parts = [word for name in ("apdu", "pcsclite", "vpcd", "control", "kill piv")
             for word in ("--surface", name)]  # fmt: skip
    done = subprocess.run(
        [sys.executable, HERE / "soak.py", *parts, "--inputs", "300", "--kills", "3", "--seed", "5",
         "--json", figures, "--corpus", tmp_path / "corpus"],
        capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("seed 5\n")
    told = json.loads(figures.read_text())
    assert [part["surface"] for part in told["parts"]] == [
        "apdu", "pcsclite", "vpcd", "control", "kill piv",
    ]  # fmt: skip
    assert all(part["inputs"] >= 3 and not part["findings"] for part in told["parts"])
    assert not (tmp_path / "corpus").exists()


class Broken:
    """A card with bugs: INS FD raises, INS F8 gives half a status word."""

    def __init__(self, card):
        self.card = card
        self.applications = card.applications
        self.power_on, self.reset = card.power_on, card.reset

    def transmit(self, command):
        if command[1:2] == b"\xfd":
            raise RuntimeError("boom")
        return b"\x90" if command[1:2] == b"\xf8" else self.card.transmit(command)


def test_bugs_of_a_card_are_found_and_kept(soak, monkeypatch, tmp_path, capsys):
    good = soak.surfaces.new_piv_card
    monkeypatch.setattr(soak.surfaces, "new_piv_card", lambda: Broken(good()))
    run = soak.Run("apdu", 100_000, 1)
    soak.fuzz("apdu", run, 1, tmp_path)
    assert len(run.findings) == soak.ENOUGH
    assert any("boom" in what for what in run.findings)
    assert any("is no answer of a card" in what for what in run.findings)
    assert "FOUND in apdu" in capsys.readouterr().out
    for kept in (tmp_path / "apdu").iterdir():
        with soak.surfaces.opener("apdu")() as surface:
            assert surface.check(kept.read_bytes()) is not None


def test_a_thread_that_dies_is_found(soak, monkeypatch):
    from vreader.bridge.vpcd.card_end import CardSession

    with soak.surfaces.opener("vpcd")() as surface:
        assert surface.check(soak.surfaces.framed([b"\x01", b"\x04"])) is None
        monkeypatch.setattr(soak.surfaces, "LIMIT_S", 0.5)
        monkeypatch.setattr(CardSession, "answer", lambda self, payload: 1 // 0)
        assert "died: ZeroDivisionError" in surface.check(soak.surfaces.framed([b"\x04"]))
