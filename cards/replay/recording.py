# SPDX-License-Identifier: Apache-2.0
"""Reads what a card did: a trace as JSON lines, or plain text of commands and answers.

JSON lines are what ``--trace FILE.jsonl`` writes; of its events CardEvent and ApduEvent are read,
others are passed over. In plain text, ``> …`` is a command, ``< …`` its answer with the status word
(several ``<`` lines are one answer; words behind the digits are passed over), ``RESET`` or ``RESET
3B…`` a reset; empty lines and ``#`` are for people. ``**`` is a byte that was masked.
"""

import contextlib
import json
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from cards.pattern import Pattern
from cards.standin import read_text
from vreader.errors import UsageError
from vreader.iso7816.atr import MAX_ATR_LENGTH

_HINT = "write file=TRACE.jsonl, made by 'vreader run --trace TRACE.jsonl'"
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
    """

    line: int
    command: Pattern
    answer: bytes | None
    problem: str


class Session(NamedTuple):
    """What a card did after a reset.

    Attributes:
        resets: (is cold, ATR, problem) of the resets before, without a command between them.
        exchanges: in their order.
    """

    resets: tuple[tuple[bool, bytes, str], ...]
    exchanges: tuple[Exchange, ...]


_Event = tuple[bool, bytes, str] | Exchange


def load(path: str, reader: str = "") -> tuple[Session, ...]:
    """Read the file ``path``; see :func:`parse`."""
    return parse(read_text(path, "trace", _HINT), path, reader)


def parse(text: str, path: str = "trace", reader: str = "") -> tuple[Session, ...]:
    """Read a recording.

    Args:
        text: as JSON lines or plain text; the first letter tells them apart.
        path: the file's name, for errors.
        reader: the one to read of a trace of several.

    Raises:
        UsageError: it is neither, has no commands, or has several readers and none was named.
    """
    events: Iterable[_Event]
    if text.lstrip()[:1] == "{":
        events = _json_events(text, path, reader)
    elif reader:
        raise UsageError(f"{path} names no readers", hint="leave reader= out")
    else:
        events = _plain_events(text, path)
    sessions: list[Session] = []
    resets: list[tuple[bool, bytes, str]] = []
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
        raise UsageError(f"{path} has no commands in it", hint=_HINT)
    return tuple(sessions)


# ---------------------------------------------------------------------- JSON lines


def _json_events(text: str, path: str, reader: str) -> list[_Event]:
    found: dict[str, list[_Event]] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UsageError(f"{path}, line {number}: not JSON: {error}", hint=_HINT) from None
        if not isinstance(record, dict):
            raise UsageError(f"{path}, line {number}: not an event", hint=_HINT)
        try:
            event = _json_event(record, number)
        except (KeyError, TypeError, ValueError) as error:
            what = f"{type(error).__name__}: {error}"
            raise UsageError(
                f"{path}, line {number}: not an event of a trace: {what}", hint=_HINT
            ) from None
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
            hint="name one of them as reader=: " + ", ".join(map(repr, used)),
        )
    return found.get(reader or "".join(used), [])


def _json_event(record: dict[str, object], number: int) -> _Event | None:
    """Return what is of interest; raises KeyError, TypeError or ValueError for nonsense."""
    kind, problem = record["event"], record.get("problem", "")
    if not isinstance(problem, str):
        raise TypeError("problem is not a text")
    if kind == "CardEvent" and record["change"] in _RESETS:
        cold = record["change"] == "cold reset"
        return cold, _atr(_text(record["atr"])), problem
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
    if "*" in response:
        return Exchange(number, pattern, None, "masked")
    if response:
        return Exchange(number, pattern, bytes.fromhex(response), "")
    return Exchange(number, pattern, None, problem if problem in _NO_ANSWER else "mute")


# ---------------------------------------------------------------------- plain text


def _plain_events(text: str, path: str) -> Iterator[_Event]:
    command, start, answer = "", 0, ""
    answered = False
    for number, line in enumerate([*text.splitlines(), "RESET"], 1):
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
                yield True, _atr(line.strip().removeprefix("RESET")), ""
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
