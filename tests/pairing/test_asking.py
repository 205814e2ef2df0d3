# SPDX-License-Identifier: Apache-2.0
"""Questions about cards of somebody's own code: what it does is no more than the answer."""

import os
import threading

import pytest

from vreader.errors import VreaderError
from vreader.pairing.asking import ask, end_of_thread
from vreader.pairing.question import Question

CARDS = """
import ctypes
import os
import sys
import threading


class Fine:
    def __init__(self):
        print("made")
        assert sys.stdin.read() == ""

    def power_on(self):
        return b"\\x3b\\x00"

    reset = power_on

    def power_off(self):
        pass

    def transmit(self, c_apdu):
        return b"\\x6a\\x82"


class Pid(Fine):
    def power_on(self):
        return b"\\x3b\\x04" + os.getpid().to_bytes(4)


class Exits(Fine):
    def transmit(self, c_apdu):
        os._exit(3)


class Crashes(Fine):
    def transmit(self, c_apdu):
        os.abort()


class Interrupts(Fine):
    def transmit(self, c_apdu):
        raise KeyboardInterrupt


class Talks(Fine):
    def __init__(self, pin):
        int(pin)


class Hangs(Fine):
    def __init__(self):
        while True:
            pass


class Waits(Fine):
    def transmit(self, c_apdu):
        threading.Event().wait()
"""


@pytest.fixture
def card(tmp_path):
    """Ask about one of the classes; the process that served them ends with the test."""
    (tmp_path / "card.py").write_text(CARDS)
    yield lambda name, patience_s=60: ask(Question(f"{tmp_path}/card.py:{name}"), patience_s)
    end_of_thread()


@pytest.mark.parametrize(
    ("name", "patience_s", "problem"),
    [
        ("Exits", 60, "the card's code has ended the process it was in: exit code 3"),
        ("Crashes", 0, "the card's code has ended the process it was in: SIGABRT"),
        ("Interrupts", 60, "a bug: KeyboardInterrupt: (card.py, line 42)"),
        ("Hangs", 1, "the card's code has not answered within 1 s"),
        ("Waits", 1, "the card's code has not answered within 1 s"),
    ],
)
def test_what_a_card_does_is_its_own_answer(card, name, patience_s, problem):
    found = card(name, patience_s)
    assert (found["outcome"], found["problem"], found["card"]) == ("error", problem, "")
    assert card("Fine")["outcome"] == "none"


def test_what_a_card_prints_and_reads_is_no_part_of_the_talk(card, capfd):
    assert card("Fine")["atr"] == "3B00"
    assert capfd.readouterr().out == ""


def test_a_pin_that_a_card_complains_about_is_not_repeated(card):
    problem = card("Talks,pin=31415926x")["problem"]
    assert "cannot be made: invalid literal for int() with base 10: '…'" in problem


def test_one_process_serves_many_and_ends(card):
    first = card("Pid")["atr"]
    assert card("Pid")["atr"] == first
    pid = int(first[4:], 16)
    assert pid != os.getpid()
    end_of_thread()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_where_no_process_can_be_started(card, monkeypatch):
    monkeypatch.setattr("sys.executable", "/no/python")
    with pytest.raises(VreaderError, match="own code: No such file"):
        card("Fine")


def test_each_thread_has_its_own(card):
    found = []
    other = threading.Thread(target=lambda: found.append(card("Pid")["atr"]))
    other.start()
    found.append(card("Pid")["atr"])
    other.join()
    assert found[0] != found[1]
