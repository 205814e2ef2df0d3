# SPDX-License-Identifier: Apache-2.0
"""Reading a conversation: mistakes are told with the file, the entry and the line."""

import pytest

from cards.scripted.script import FOREVER, parse
from vreader.errors import UsageError

GOOD = '[[exchange]]\ncommand = "00A4*"\nanswer = "9000"\n'


def test_what_is_assumed():
    script = parse(GOOD)
    [entry] = script.entries
    assert (script.atr, script.warm_atr) == (("3B80800101",), ("3B80800101",))
    assert (script.strict, script.otherwise) == (False, b"\x6f\x00")
    assert (entry.times, entry.delay, entry.states, entry.goto) == (FOREVER, 0, (), "")
    assert parse('order = "strict"\n' + GOOD).entries[0].times == 1
    assert parse("").entries == ()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("atr = [\n3B]", "talk.toml is not TOML: .*line 2"),
        ("x = " + "[" * 5000, "is not TOML"),
        ('colour = "red"', "line 1: colour is not known here"),
        ('\natr = "3B0"', "line 2: atr is not hexadecimal"),
        ("atr = 3", "line 1: atr is a text or a list"),
        ("atr = []", "line 1: atr is an empty list"),
        (f'atr = "{"00" * 34}"', "line 1: atr has more than 33 bytes"),
        ('atr = "{aid}"', "which nothing fills in"),
        ('order = "loose"', "line 1: order is not 'loose'"),
        ('otherwise = "mute"', "otherwise is bytes"),
        ("exchange = 3", r"line 1: exchange is written \[\[exchange\]\]"),
        (GOOD + "repeat = 2", "line 4: exchange 1: repeat is not known"),
        (GOOD + 'regex = "00.*"', "exchange 1: command and others say it twice"),
        (GOOD + 'ins = "A4"', "exchange 1: command and others say it twice"),
        ('[[exchange]]\nanswer = "9000"', "exchange 1: command says nothing"),
        ('[[exchange]]\ncommand = "00A4"', "exchange 1: answer is missing"),
        (GOOD + '[[exchange]]\ncommand = "0"', "line 5: exchange 2: command is not a pattern: it"),
        (GOOD + '[[exchange]]\nins = "X0"', "line 5: exchange 2: ins is not a pattern: 'X'"),
        ('[[exchange]]\nregex = "("\nanswer = ""', "line 2: exchange 1: regex is not one"),
        (GOOD + 'mask = "FFFFFFFFFF"', "line 4: exchange 1: mask is bytes, at most"),
        (GOOD + 'mask = "F."', "line 4: exchange 1: mask is bytes"),
        ('[[exchange]]\nins = "A4"\nmask = "FF"\nanswer = ""', "mask goes with command"),
        (GOOD + "times = 0", "line 4: exchange 1: times is not 0"),
        (GOOD + "times = true", "times is not True"),
        (GOOD + 'times = "ever"', "times is not 'ever'"),
        (GOOD + "delay = -1", "delay is not -1"),
        (GOOD + "delay = nan", "delay is not nan"),
        (GOOD + "delay = 601", "delay is not 601"),
        (GOOD + 'state = "lockd"', "exchange 1, line 1: nothing leads to the state 'lockd'"),
        (GOOD + "state = [1]", "state is a text or a list"),
        ('"a\\nb" = 1', r"'a\\nb' is not known here"),
        (GOOD + "goto = 7", "goto is a text, not int"),
        ("times = " + "9" * 5000, "is not TOML: .*digits"),
        ('otherwise = ["6F00", "9000"]', "line 1: otherwise is one answer"),
        (GOOD + '[[exchange]]\nins = "A4B0"\nanswer = ""', "line 5: exchange 2: ins is one byte"),
        ('[[exchange]]\np1 = "*"\nanswer = ""', "p1 is one byte"),
        ('[[exchange]]\nregex = "[[A]"\nanswer = ""', "regex is not one: Possible nested set"),
        ('atr = "3B 0"', "atr is not hexadecimal: .*half a byte"),
        ('atr = "3B 0G"', "atr is not hexadecimal: 'G'"),
    ],
)
def test_mistakes(text, problem):
    with pytest.raises(UsageError, match=problem) as caught:
        parse(text, "talk.toml")
    assert str(caught.value).startswith("talk.toml")
    assert "\n" not in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize("line", ["data = 31323334", 'answer = "31323334X"', 'data = "31323334X"'])
def test_mistakes_do_not_quote_a_pin(line):
    with pytest.raises(UsageError) as caught:
        parse('[[exchange]]\nins = "20"\n' + line)
    assert "3132" not in str(caught.value)


def test_lines_of_entries():
    labels = [entry.label for entry in parse("\n" + GOOD + "\n\n" + GOOD).entries]
    assert labels == ["exchange 1, line 2", "exchange 2, line 7"]
