# SPDX-License-Identifier: Apache-2.0
"""Whose ``cards`` is imported, and plug-ins that cannot be loaded: in processes of their own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

MAIN = "from vreader.cli import main; main()"


@pytest.fixture
def doctor(monkeypatch):
    """Run the command where ``path`` is first in sys.path; return (exit code, findings)."""

    def run(path: Path, *checks: str):
        monkeypatch.setenv("PYTHONPATH", str(path), prepend=os.pathsep)
        done = subprocess.run(
            [sys.executable, "-c", MAIN, "doctor", "--json", *checks],
            cwd="/",
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert "Traceback" not in done.stderr
        return done.returncode, json.loads(done.stdout)["findings"]

    return run


@pytest.mark.parametrize("name", ["cards/__init__.py", "cards.py", "cards/"])
def test_a_foreign_cards(doctor, tmp_path, name):
    path = tmp_path / name
    if name.endswith("/"):
        path.mkdir()  # a namespace package comes after all others
        assert doctor(tmp_path, "cards") == (0, [*doctor(tmp_path / "x", "cards")[1]])
        return
    path.parent.mkdir(exist_ok=True)
    path.write_text("raise SystemExit('imported')")
    code, (found,) = doctor(tmp_path, "cards")
    assert code == 1
    assert (found["level"], found["text"]) == (
        "FAIL",
        f"'import cards' brings somebody else's: {path if name == 'cards.py' else path.parent}",
    )
    assert "sys.path" in found["advice"]


def plugin(directory: Path, name: str, value: str) -> None:
    metadata = directory / f"{name}_plugin-1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}-plugin\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text(f"[vreader.cards]\n{value}\n")


BROKEN = {
    "syntax": ("what = ever this", "SyntaxError"),
    "missing": ("import not_there_at_all", "ModuleNotFoundError"),
    "no kind": ("x = 1", "AttributeError"),
    "exit": ("raise SystemExit(0)", "SystemExit"),
    "noise": ("print('noise'); raise ValueError('two\\nlines')", "ValueError: two lines"),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_plugin(doctor, tmp_path, how):
    text, error = BROKEN[how]
    (tmp_path / "broken.py").write_text(text)
    plugin(tmp_path, "broken", "purse = broken:KIND")
    code, (found,) = doctor(tmp_path, "plugins")
    assert code == 0  # ours work
    assert found["level"] == "WARN"
    assert found["text"].startswith("card kind 'purse' of the package broken-plugin cannot be")
    assert error in found["text"]
    assert "pip uninstall broken-plugin" in found["advice"]


def test_plugins_that_take_each_others_names(doctor, tmp_path):
    (tmp_path / "fine.py").write_text("KIND = OTHER = 1")
    plugin(tmp_path, "one", "purse = fine:KIND")
    plugin(tmp_path, "two", "purse = fine:OTHER\npiv = fine:KIND")
    _, found = doctor(tmp_path, "plugins")
    assert sorted(each["text"] for each in found) == [
        "card kind 'piv' of the package two-plugin is hidden by ours",
        "card kind 'purse' of the package one-plugin is one of several of that name",
        "card kind 'purse' of the package two-plugin is one of several of that name",
    ]


def test_ours(look):
    assert look("cards").level("cards is ours") == "OK"
    assert look("plugins").level("card kinds: blank") == "OK"
