# SPDX-License-Identifier: Apache-2.0
"""Reads what a card did: a recording or trace as JSON lines, or plain text of commands and answers.

JSON lines are what ``vreader record -o FILE`` and ``--trace FILE.jsonl`` write; of their events
CardEvent and ApduEvent are read, others are passed over. In plain text, ``> …`` is a command, ``<
…`` its answer with the status word (several ``<`` lines are one answer; words behind the digits are
passed over), ``RESET`` or ``RESET 3B…`` a reset; empty lines and ``#`` are for people. ``**`` is a
byte that was masked.
"""

import contextlib
import json
import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from vreader.errors import UsageError
from vreader.iso7816.atr import MAX_ATR_LENGTH
from vreader.iso7816.pattern import Pattern
from vreader.readfile import read_text

FORMAT: Final = 1
"""The version of recordings that is written, and the only one that is read."""
HINT: Final = "a recording is made by 'vreader record -o FILE -- COMMAND'"
_PLAIN_HINT = "a line is '> command', '< answer', 'RESET' or '# remark'"
_BYTES = re.compile(r"(?:[0-9A-Fa-f]{2}|\*\*)*")
_RESETS = ("cold reset", "warm reset")
_NO_ANSWER = ("gone", "mute")


class Exchange(NamedTuple):
    """A command and what became of it.

    Attributes:
        line: where it is in the file.
        command: what was sent; masked bytes may be anything.
        answer: with its status word; None where it was masked or there was none.
        problem: ``gone``, ``mute`` or ``masked`` where there is no answer, else empty.
        expected: the answer, whose masked bytes may be anything; None where there was none.
    """

    line: int
    command: Pattern
    answer: bytes | None
    problem: str
    expected: Pattern | None = None


class Reset(NamedTuple):
    """A reset.

    Attributes:
        cold: by the card's power.
        atr: what the card answered; empty where it did not, or nobody wrote it down.
        problem: why there is none, ``mute`` for example; else empty.
    """

    cold: bool
    atr: bytes
    problem: str


class Session(NamedTuple):
    """What a card did after a reset.

    Attributes:
        resets: those before, without a command between them.
        exchanges: in their order.
    """

    resets: tuple[Reset, ...]
    exchanges: tuple[Exchange, ...]


def load(path: str, reader: str = "", hint: str = HINT) -> tuple[Session, ...]:
    """Read the file ``path``; see :func:`parse`."""
    return parse(read_text(path, "recording", hint), path, reader)


def parse(text: str, path: str = "recording", reader: str = "") -> tuple[Session, ...]:
    """Read a recording.

    Args:
        text: as JSON lines or plain text; the first letter tells them apart.
        path: the file's name, for errors.
        reader: the one to read of a recording of several.

    Raises:
        UsageError: it is neither, has no commands, or has several readers and none was named.
    """
    events: Iterable[Reset | Exchange]
    if is_json(text):
        events = _of_one_reader(text, path, reader)
    elif reader:
        raise UsageError(f"{path} names no readers", hint="name none")
    else:
        events = read_plain(text, path)
    sessions: list[Session] = []
    resets: list[Reset] = []
    exchanges: list[Exchange] = []
    for event in events:
        if isinstance(event, Exchange):
            exchanges.append(event)
            continue
        if exchanges:
            sessions.append(Session(tuple(resets), tuple(exchanges)))
            resets, exchanges = [], []
        resets.append(event)
    if exchanges:
        sessions.append(Session(tuple(resets), tuple(exchanges)))
    if not sessions:
        raise UsageError(f"{path} has no commands in it", hint=HINT)
    return tuple(sessions)


# ---------------------------------------------------------------------- JSON lines


def is_json(text: str) -> bool:
    """Tell whether a recording is one of JSON lines."""
    return text.lstrip()[:1] == "{"


def read_json(text: str, path: str) -> Iterator[tuple[int, dict[str, object]]]:
    """Yield the line number and the record of each event of JSON lines.

    Raises:
        UsageError: a line is no event, or the recording is of another version.
    """
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            hint = HINT if number < len(lines) else "if it was cut off, delete that line"
            raise UsageError(f"{path}, line {number}: not JSON: {error}", hint=hint) from None
        if not isinstance(record, dict):
            raise UsageError(f"{path}, line {number}: not an event", hint=HINT)
        if not isinstance(record.get("event"), str):
            raise _no_event(path, number, KeyError("event"))
        if record["event"] == "TraceOpened" and record.get("format", FORMAT) != FORMAT:
            raise UsageError(
                f"{path}, line {number}: a recording of format {record['format']},"
                f" and this is vreader for format {FORMAT}",
                hint="read it with the vreader that wrote it, or record it again",
            )
        yield number, record


def read_event(record: dict[str, object], number: int, path: str) -> Reset | Exchange | None:
    """Return what a record says of the conversation, None for anything else.

    Raises:
        UsageError: it is nonsense.
    """
    try:
        return _event(record, number)
    except (KeyError, TypeError, ValueError) as error:
        raise _no_event(path, number, error) from None


def _no_event(path: str, number: int, error: Exception) -> UsageError:
    what = f"{type(error).__name__}: {error}"
    return UsageError(f"{path}, line {number}: not an event of a trace: {what}", hint=HINT)


def _of_one_reader(text: str, path: str, reader: str) -> list[Reset | Exchange]:
    found: dict[str, list[Reset | Exchange]] = {}
    for number, record in read_json(text, path):
        event = read_event(record, number, path)
        if event is not None:
            found.setdefault(str(record.get("reader")), []).append(event)
    if reader and reader not in found:
        raise UsageError(
            f"{path} has no reader {reader!r}",
            hint="readers: " + (", ".join(map(repr, found)) or "none"),
        )
    used = [name for name, events in found.items() if any(isinstance(e, Exchange) for e in events)]
    if not reader and len(used) > 1:
        raise UsageError(
            f"{path} has several readers",
            hint="name one of them, as --only or reader=: " + ", ".join(map(repr, used)),
        )
    return found.get(reader or "".join(used), [])


def _event(record: dict[str, object], number: int) -> Reset | Exchange | None:
    """Return what is of interest; raises KeyError, TypeError or ValueError for nonsense."""
    kind, problem = record["event"], record.get("problem", "")
    if not isinstance(problem, str):
        raise TypeError("problem is not a text")
    if kind == "CardEvent" and record["change"] in _RESETS:
        cold = record["change"] == "cold reset"
        return Reset(cold, _atr(_text(record["atr"])), problem)
    if kind == "ApduEvent":
        return _exchange(number, _text(record["command"]), _text(record["response"]), problem)
    return None


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"bytes are hexadecimal text, not {type(value).__name__}")
    return value


def _atr(text: str) -> bytes:
    with contextlib.suppress(ValueError):
        if len(atr := bytes.fromhex(text)) <= MAX_ATR_LENGTH:
            return atr
    raise ValueError(f"RESET is followed by an ATR of at most {MAX_ATR_LENGTH} bytes")


def _exchange(number: int, command: str, response: str, problem: str) -> Exchange:
    for text in (command, response):
        if not _BYTES.fullmatch(text):
            raise ValueError("not bytes in hexadecimal")
    pattern = Pattern.parse(command.replace("**", ".."))
    if len(pattern.value) < 2:
        raise ValueError("a command has two bytes at least")
    if not response:
        return Exchange(number, pattern, None, problem if problem in _NO_ANSWER else "mute")
    expected = Pattern.parse(response.replace("**", ".."))
    if "*" in response:
        return Exchange(number, pattern, None, "masked", expected)
    return Exchange(number, pattern, expected.value, "", expected)


# ---------------------------------------------------------------------- plain text


def read_plain(text: str, path: str) -> Iterator[Reset | Exchange]:
    """Yield what a plain text says; raises UsageError for a line that says nothing."""
    command, start, answer = "", 0, ""
    answered = False
    lines = text.splitlines()
    for number, line in enumerate([*lines, "RESET"], 1):
        sign, rest = line.strip()[:1], line.strip()[1:]
        if sign in ("", "#"):
            continue
        try:
            if sign == "<" and start:
                answer += _digits(rest)
                answered = True
                continue
            if start:
                if not answered:
                    raise ValueError(f"the command in line {start} has no answer")
                yield _exchange(start, command, answer, "")
                start = 0
            if sign == ">":
                command, start, answer, answered = _digits(rest), number, "", False
            elif line.strip().startswith("RESET"):
                if number <= len(lines):  # the last one only ends the last command
                    yield Reset(True, _atr(line.strip().removeprefix("RESET")), "")
            else:
                raise ValueError("an answer without a command" if sign == "<" else "what is it?")
        except ValueError as error:
            raise UsageError(f"{path}, line {number}: {error}", hint=_PLAIN_HINT) from None


def _digits(text: str) -> str:
    """Return the bytes at the beginning of a line; the words behind them are for people."""
    found = ""
    for word in text.replace(":", " ").split():
        if not _BYTES.fullmatch(word):
            if not found:
                # The header of a command tells where it is; what follows may be a PIN.
                shown = word if len(word) <= 8 else f"{word[:8]}…"
                raise ValueError(f"{shown!r} is not bytes in hexadecimal")
            break
        found += word
    return found
