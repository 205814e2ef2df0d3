# SPDX-License-Identifier: Apache-2.0
"""Reads a conversation: the TOML file of a scripted card, checked whole before a card exists.

atr = "3B 80 80 01 01"         # or "mute", "gone"; a list is given one after the other
warm-atr = "3B 00"             # the answer to a warm reset, if it is another
order = "strict"               # entries in their order; "free" (the default): the first to fit
otherwise = "6F00"             # the answer to a command that fits no entry

[[exchange]]
command = "00 A4 04 00 *"      # or regex, command with mask, or cla, ins, p1, p2, data, le
answer = "90 00"               # or "mute", "gone", or a list
times = 1                      # how often at most, or "forever"
delay = 0.5                    # seconds
state = "locked"               # only in this state, or in one of a list
goto = "unlocked"              # and then the card is in this one
"""

import re
import tomllib
import warnings
from collections.abc import Collection
from itertools import pairwise
from typing import NamedTuple

from cards.scripted.matcher import FIELDS, ONE_BYTE, Bytes, Fields, Matcher, Regex
from cards.scripted.table import HINT, Table
from vreader.errors import UsageError
from vreader.iso7816.atr import MAX_ATR_LENGTH
from vreader.iso7816.pattern import Pattern
from vreader.readfile import read_text

MAX_DELAY_S = 600
FOREVER = 0
START = "start"
_TOP = ("atr", "warm-atr", "order", "otherwise", "exchange")
_ENTRY = ("name", "command", "mask", "regex", *FIELDS,
          "answer", "times", "delay", "state", "goto")  # fmt: skip
_OF_COMMAND = ("cla", "ins", "p1", "p2", "data")


class Entry(NamedTuple):
    """One exchange of the conversation.

    Attributes:
        label: what to call it to people.
        matcher: which commands it is for.
        answers: templates, one for each time; the last one stays.
        times: how often it may be used; 0 is for ever.
        delay: seconds before the answer.
        states: the states it is for; none means all.
        goto: the state after it; empty means the same.
    """

    label: str
    matcher: Matcher
    answers: tuple[str, ...]
    times: int
    delay: float
    states: tuple[str, ...]
    goto: str


class Script(NamedTuple):
    """A conversation.

    Attributes:
        path: where it was read.
        atr, warm_atr: answers to resets, one for each time; the last one stays.
        strict: entries are used in their order.
        otherwise: the answer to commands that fit no entry.
        entries: in the order of the file.
    """

    path: str
    atr: tuple[str, ...]
    warm_atr: tuple[str, ...]
    strict: bool
    otherwise: bytes
    entries: tuple[Entry, ...]


def load(path: str) -> Script:
    """Read the conversation in the file ``path``; raises UsageError for what it cannot be."""
    return parse(read_text(path, "conversation", HINT), path)


def parse(text: str, path: str = "conversation") -> Script:
    """Read a conversation.

    Raises:
        UsageError: it is not TOML, or something in it makes no sense; names the entry and line.
    """
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # ValueError alone: a number of many digits
        raise UsageError(f"{path} is not TOML: {error}", hint="see toml.io") from None
    top = Table(table, path, text, 1)
    top.know(_TOP)
    strict = top.choice("order", ("free", "strict")) == "strict"
    atr = top.answers("atr", "3B 80 80 01 01", ())
    warm = top.answers("warm-atr", "", ()) if "warm-atr" in table else atr
    if any(len(answer) > 2 * MAX_ATR_LENGTH for answer in (*atr, *warm)):
        raise top.error("atr", f"has more than {MAX_ATR_LENGTH} bytes", "no reader takes more")
    otherwise, *others = top.answers("otherwise", "6F00", ())
    if others:
        raise top.error("otherwise", "is one answer, not several", 'for example "6F 00"')
    if otherwise in ("mute", "gone"):
        raise top.error("otherwise", "is bytes, not mute or gone")
    exchanges = table.get("exchange", [])
    if not isinstance(exchanges, list) or not all(isinstance(e, dict) for e in exchanges):
        raise top.error("exchange", "is written [[exchange]], once for each")
    entries = tuple(
        _entry(Table(exchange, path, part, line, number), strict)
        for number, (exchange, (line, part)) in enumerate(
            zip(exchanges, _parts(text, len(exchanges)), strict=True), 1
        )
    )
    _check_states(entries, path)
    return Script(path, atr, warm, strict, bytes.fromhex(otherwise), entries)


def _parts(text: str, count: int) -> list[tuple[int, str]]:
    """Return line and text of each ``[[exchange]]``; 0 and nothing if it is written otherwise."""
    starts = [m.start() for m in re.finditer(r"^[ \t]*\[\[\s*exchange\s*\]\]", text, re.MULTILINE)]
    if len(starts) != count:
        return [(0, "")] * count
    line, before, found = 1, 0, []
    for start, end in pairwise([*starts, len(text)]):
        line += text.count("\n", before, start)
        found.append((line, text[start:end]))
        before = start
    return found


def _check_states(entries: Collection[Entry], path: str) -> None:
    """Raise for a state that nothing leads to: it is misspelt."""
    reached = {START} | {entry.goto for entry in entries}
    for entry in entries:
        for state in entry.states:
            if state not in reached:
                raise UsageError(
                    f"{path}: {entry.label}: nothing leads to the state {state!r}",
                    hint="states: " + ", ".join(map(repr, sorted(filter(None, reached)))),
                )


def _entry(table: Table, strict: bool) -> Entry:
    table.know(_ENTRY)
    matcher = _matcher(table)
    if "answer" not in table.values:
        raise table.error("answer", "is missing", 'for example answer = "90 00"')
    names = (*_OF_COMMAND, *matcher.groups)
    times: object = table.values.get("times", 1 if strict else "forever")
    if times == "forever":
        times = FOREVER
    elif type(times) is not int or times < 1:
        raise table.error("times", f"is not {times!r:.40}", 'write a number, or "forever"')
    delay: object = table.values.get("delay", 0)
    if type(delay) not in (int, float) or not 0 <= float(str(delay)) <= MAX_DELAY_S:
        raise table.error("delay", f"is not {delay!r:.40}", f"seconds, {MAX_DELAY_S} at most")
    return Entry(
        table.label,
        matcher,
        table.answers("answer", "", names),
        int(str(times)),
        float(str(delay)),
        table.texts("state"),
        table.text("goto"),
    )


def _matcher(table: Table) -> Matcher:
    ways = [key for key in ("command", "regex") if key in table.values]
    fields = [key for key in FIELDS if key in table.values]
    if len(ways) + bool(fields) != 1:
        raise table.error(
            "command",
            "says nothing" if not ways and not fields else "and others say it twice",
            "one of: command, regex, or some of " + ", ".join(FIELDS),
        )
    if "mask" in table.values and ways != ["command"]:
        raise table.error("mask", "goes with command", 'write command = "…" beside it')
    if fields:
        wanted = {key: table.pattern(key) for key in fields}
        for key in wanted.keys() & set(ONE_BYTE):
            if wanted[key].more or len(wanted[key].value) != 1:
                raise table.error(key, "is one byte", f'for example {key} = "A4", or "0."')
        return Fields(wanted)
    if ways == ["regex"]:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                return Regex(re.compile(table.text("regex"), re.IGNORECASE))
        except (re.error, RecursionError, OverflowError, Warning) as error:
            raise table.error(
                "regex", f"is not one: {error}", "it sees the command as 00A40400…"
            ) from None
    pattern = table.pattern("command")
    if "mask" not in table.values:
        return Bytes(pattern)
    mask = table.pattern("mask")
    if len(mask.value) > len(pattern.value) or mask.more or mask.mask.count(0xFF) != len(mask.mask):
        raise table.error("mask", "is bytes, at most as many as command has", 'as "FF FF 00 00"')
    masked = Pattern.masked(pattern.value, mask.value)
    both = bytes(a & b for a, b in zip(masked.mask, pattern.mask, strict=True))
    return Bytes(Pattern(masked.value, both, pattern.more))
