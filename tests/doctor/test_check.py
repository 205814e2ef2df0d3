# SPDX-License-Identifier: Apache-2.0
"""A check harms nobody: it has its time, and whatever it raises is a finding."""

import sys
import threading

import pytest

from vreader.doctor import CHECKS, examine
from vreader.doctor.check import Check, Level, fail, ok, run_all
from vreader.doctor.machine import Machine
from vreader.errors import UsageError


def test_findings_carry_the_name_of_their_check():
    def look(machine):
        yield ok("well")
        yield fail("not so", "do this")

    found = run_all([Check("name", "about", look)], Machine())
    assert [each.record() for each in found] == [
        {"check": "name", "level": "OK", "text": "well", "advice": ""},
        {"check": "name", "level": "FAIL", "text": "not so", "advice": "do this"},
    ]


@pytest.mark.parametrize("error", [ValueError("a\nb"), SystemExit(3), KeyboardInterrupt()])
def test_what_a_check_raises_is_told_beside_what_it_found(error):
    def look(machine):
        yield ok("first")
        raise error

    first, second = run_all([Check("x", "about", look)], Machine())
    assert first.text == "first"
    assert second.level is Level.WARN
    assert type(error).__name__ in second.text
    assert "\n" not in second.text


def test_a_check_that_hangs_keeps_nobody():
    for_ever = threading.Event()

    def hang(machine):
        yield ok("first")
        for_ever.wait()

    def work(machine):
        yield ok("well")

    found = run_all(
        [Check("h", "a thing", hang, limit_s=0.05), Check("w", "about", work)], Machine()
    )
    for_ever.set()
    assert [(each.check, each.level) for each in found] == [
        ("h", Level.OK),
        ("h", Level.WARN),
        ("w", Level.OK),
    ]
    assert "0.05 s" in found[1].text
    assert "a thing" in found[1].advice


def test_every_check_says_something_here_and_what_to_do():
    found = examine()
    assert {each.check for each in found} == set(CHECKS)
    for each in found:
        assert "this check" not in each.text, each
        assert each.advice or each.level in (Level.OK, Level.NOTE), each


def test_of_linux_alone(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    found = examine(["python", "cards", "pcscd", "embedded"])
    assert [(each.check, each.level) for each in found if each.level is not Level.OK] == [
        ("python", Level.WARN),
        ("embedded", Level.NOTE),
        ("pcscd", Level.NOTE),
    ]


def test_one_that_cannot_be_imported():
    (found,) = run_all([Check("x", "about", "nothing:look", anywhere=True)], Machine())
    assert found.level is Level.WARN
    assert "ModuleNotFoundError" in found.text


def test_only_some():
    assert {each.check for each in examine(["port", "python"])} == {"python", "port"}
    with pytest.raises(UsageError) as caught:
        examine(["pyhton"])
    assert "did you mean python?" in caught.value.hint
