# SPDX-License-Identifier: Apache-2.0
"""Killed at any moment, a card's file holds what was acknowledged; and the soak would notice."""

import random
import shutil
import sys
from pathlib import Path

import pytest


@pytest.fixture
def crashes(monkeypatch):
    """The module of the soak program."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    import crashes

    return crashes


def play(crashes, kind, count):
    ticks = []
    found = list(crashes.kills(kind, count, random.Random(7), ticks.append, lambda: False))
    return found, len(ticks)


@pytest.mark.parametrize("kind", ["piv", "gids"])
def test_thirty_kills(crashes, kind):
    assert play(crashes, kind, 30) == ([], 30)


@pytest.mark.parametrize("kind", ["piv", "gids"])
def test_every_turn_leaves_what_it_tells(crashes, kind, tmp_path):
    writer = crashes.WRITERS[kind](str(tmp_path / "a.card"))
    for number in range(1, 2 * len(writer.words) + 1):
        word, value = writer.turn(number)
        assert writer.found(word) == value
    tries = int(writer.found("wrong"))
    writer.renew()
    assert int(writer.found("wrong")) > tries
    writer.card.close()


def test_what_was_lost_or_gained_is_found(crashes, monkeypatch):
    told = [("object", 5, "5"), ("wrong", 6, "0"), ("generate", 9, "00")]
    monkeypatch.setattr(crashes, "_one_kill", lambda *args: told)
    found, _ = play(crashes, "piv", 1)
    assert len(found) == 3
    assert "object '5' was acknowledged" in found[0]
    assert "0 tries left became" in found[1]
    assert "generate '00' was acknowledged" in found[2]


def test_the_command_under_way_may_have_worked(crashes, monkeypatch):
    def one_kill(kind, path, number, chance):
        writer = crashes.WRITERS[kind](path)
        told = [(word, n, value) for n in range(1, 6) for word, value in [writer.turn(n)]]
        for _ in range(unheard[0]):
            writer.turn(6)
        writer.card.close()
        return told

    monkeypatch.setattr(crashes, "_one_kill", one_kill)
    unheard = [0]
    for unheard[0], wrong in ((0, 0), (1, 0), (2, 1)):
        found, _ = play(crashes, "piv", 1)
        assert len(found) == wrong, found


def test_a_file_that_cannot_be_opened_is_found(crashes, monkeypatch):
    def one_kill(kind, path, number, chance):
        shutil.copyfile(sys.executable, path)
        return []

    monkeypatch.setattr(crashes, "_one_kill", one_kill)
    found, _ = play(crashes, "piv", 1)
    assert "cannot be opened" in found[0]
