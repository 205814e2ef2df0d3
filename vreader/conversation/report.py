# SPDX-License-Identifier: Apache-2.0
"""Tells what came of playing a recording: text for people, a record for programs."""

from collections.abc import Iterator, Sequence
from typing import Final

from vreader.conversation.difference import compare
from vreader.conversation.playing import Difference, Played
from vreader.conversation.telling import Teller
from vreader.events import Event
from vreader.reader.events import ApduEvent, CardEvent
from vreader.recording import Exchange
from vreader.trace.notation import hex_pairs, one_line
from vreader.trace.text import explain

_INDENT: Final = "    "
_BYTES: Final = 64  # of an answer that is not in the byte diff


def text(played: Played, source: str) -> str:
    """Return what is said of ``played`` to a person, several lines.

    Args:
        played: what came of it.
        source: the recording's name.
    """
    return "\n".join(one_line(line) for line in _lines(played, source))


def left_text(due: Exchange | None, events: Sequence[ApduEvent], source: str) -> str:
    """Return what is said to a person of a program that left the record.

    Args:
        due: what was due; None for nothing.
        events: the last exchanges; the last of all is the one that was not due.
        source: the recording's name.
    """
    return "\n".join(one_line(line) for line in _left(due, events, source))


def ended_text(due: Exchange, source: str) -> str:
    """Return what is said to a person of a program that ended, and ``due`` was recorded next."""
    head = f"{source}, line {due.line}: the program ended before this command"
    return "\n".join(map(one_line, (head, next(_told(Teller().tell(due.command, None))))))


def _left(due: Exchange | None, events: Sequence[ApduEvent], source: str) -> Iterator[str]:
    *before, got = events
    where = f", line {due.line}" if due else ""
    yield f"{source}{where}: here the program left the record"
    if before:
        yield "before:"
        for event in before:
            yield from _told(event)
    expected = None if due is None else Teller().tell(due.command, None)
    yield "expected: nothing more" if expected is None else "expected:"
    if expected is not None:
        yield next(_told(expected))
    yield "got:"
    yield next(_told(got))
    if due is None or expected is None:
        return
    hidden = expected.masked, got.masked
    if diff := compare(due.command, got.command, hidden=hidden, status=False):
        yield "bytes:"
        yield from (_INDENT + row for row in diff.rows)


def record(played: Played) -> dict[str, object]:
    """Return ``played`` as JSON has it; bytes are hexadecimal, masked ones ``**``."""
    difference = played.difference
    return {
        "same": difference is None,
        "sent": played.sent,
        "total": played.total,
        "passed_over": played.passed_over,
        "difference": None if difference is None else _record(difference),
    }


def _lines(played: Played, source: str) -> Iterator[str]:
    difference = played.difference
    over = ""
    if played.passed_over:
        over = f"; passed over {_count(played.passed_over)} during which the card was pulled"
    if difference is None:
        yield f"{source}: {_count(played.sent)}, no difference{over}"
        return
    events = difference.expected, difference.got
    when = "" if any(isinstance(e, ApduEvent) for e in events) else "reset before "
    yield (
        f"{source}, line {difference.line}: {when}command {difference.number} of {played.total}: "
        f"{difference.what}"
    )
    if difference.before:
        yield "before:"
        for event in difference.before:
            yield from _told(event)
    expected, got = list(_told(difference.expected)), list(_told(difference.got))
    if isinstance(difference.got, ApduEvent) and expected[0] == got[0]:
        yield "command:"
        yield got.pop(0)
        del expected[0]
    yield "expected:"
    yield from expected
    yield "got:"
    yield from got
    if difference.diff is not None:
        yield "bytes:"
        yield from (_INDENT + row for row in difference.diff.rows)
    if difference.note:
        yield f"note: {difference.note}"
    if over:
        yield over.removeprefix("; ")


def _count(number: int) -> str:
    return "1 command" if number == 1 else f"{number} commands"


def _told(event: Event) -> Iterator[str]:
    yield from (_INDENT + line.text.rstrip() for line in explain(event, _BYTES).lines)


def _record(difference: Difference) -> dict[str, object]:
    diff = difference.diff
    return {
        "line": difference.line,
        "number": difference.number,
        "what": difference.what,
        "expected": _event(difference.expected),
        "got": _event(difference.got),
        "byte": None if diff is None else diff.at,
        "differing": None if diff is None else diff.differing,
        "rows": [] if diff is None else list(diff.rows),
        "before": [_event(event) for event in difference.before],
        "note": difference.note,
    }


def _event(event: ApduEvent | CardEvent) -> dict[str, str]:
    if isinstance(event, CardEvent):
        return {"change": event.change, "atr": event.atr.hex().upper(), "problem": event.problem}
    return {
        "command": "".join(hex_pairs(event.command, event.masked)),
        "response": "".join(hex_pairs(event.response, event.masked_response)),
        "text": event.text,
        "problem": event.problem,
    }
