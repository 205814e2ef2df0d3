# SPDX-License-Identifier: Apache-2.0
"""Reads a trace, a recording or a text of APDUs back into the events it was written from.

What commands mean is found anew where the file does not say it, and what is secret is masked even
where whoever wrote the file did not know.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from vreader.conversation.telling import Teller
from vreader.errors import UsageError
from vreader.events import Event
from vreader.reader.events import ApduEvent, CardEvent
from vreader.recording import HINT, Exchange, Reset, is_json, read_event, read_json, read_plain

Find = Callable[[str], type[Event] | None]
"""Returns the class of events of a name."""

_PLAIN_READER: Final = "card"
_KINDS: Final[Mapping[str, tuple[type, ...]]] = {
    "str": (str,), "int": (int,), "float": (int, float), "bool": (bool,), "bytes": (str,),
    "tuple": (list,), "Mapping": (dict,), "dict": (dict,),
}  # fmt: skip


def read_events(
    text: str, path: str, find: Find, *, unmask: bool = False
) -> Iterator[tuple[float | None, Event]]:
    """Yield the events of a file, with the seconds at which they happened.

    Args:
        text: JSON lines of a trace or recording, or plain text of commands and answers.
        path: the file's name, for errors.
        find: knows events by name; those of other names are shown by their fields.
        unmask: show secrets that the file has.

    Raises:
        UsageError: a line is nonsense.
    """
    return (_from_json if is_json(text) else _from_plain)(text, path, find, unmask)


def _from_plain(
    text: str, path: str, find: Find, unmask: bool
) -> Iterator[tuple[float | None, Event]]:
    teller = Teller(_PLAIN_READER, unmask=unmask)
    for event in read_plain(text, path):
        if isinstance(event, Reset):
            teller.reset()
            yield None, CardEvent(_PLAIN_READER, "cold reset", event.atr)
        else:
            yield None, _told(teller, event, {})


def _from_json(
    text: str, path: str, find: Find, unmask: bool
) -> Iterator[tuple[float | None, Event]]:
    tellers: dict[str, Teller] = {}
    for number, record in read_json(text, path):
        seconds = _number(record.get("t"))
        reader = str(record.get("reader", ""))
        teller = tellers.setdefault(reader, Teller(reader, unmask=unmask))
        said = read_event(record, number, path)
        if isinstance(said, Exchange):
            yield seconds, _told(teller, said, record)
            continue
        if isinstance(said, Reset):
            teller.reset()
        try:
            yield seconds, _event(record, find)
        except (KeyError, TypeError, ValueError) as error:
            what = f"{type(error).__name__}: {error}"
            raise UsageError(
                f"{path}, line {number}: not an event of a trace: {what}", hint=HINT
            ) from None


def _told(teller: Teller, exchange: Exchange, record: Mapping[str, object]) -> ApduEvent:
    seconds, text = _number(record.get("seconds")), record.get("text")
    problem = record.get("problem", exchange.problem)
    return teller.tell(
        exchange.command,
        exchange.expected,
        seconds=-1.0 if seconds is None else seconds,
        problem=problem if isinstance(problem, str) and problem != "masked" else "",
        text=text if isinstance(text, str) else "",
    )


def _number(value: object) -> float | None:
    try:
        return float(value) if isinstance(value, int | float) else None
    except OverflowError:  # of an integer; JSON has them of any length
        return None


def _event(record: dict[str, object], find: Find) -> Event:
    """Return an event of its own class; raises KeyError, TypeError or ValueError for nonsense."""
    name = str(record["event"])
    if (known := find(name)) is None:
        return _unknown(name, record)
    values: dict[str, Any] = {}
    for field in known.fields:
        if field not in record:
            if not hasattr(known, field):
                raise KeyError(field)
            continue
        values[field] = _value(record[field], _annotation(known, field), field)
    return known(**values)


def _annotation(known: type[Event], field: str) -> str:
    for one in known.__mro__:
        if field in (found := vars(one).get("__annotations__", {})):
            kind = found[field]
            return kind if isinstance(kind, str) else getattr(kind, "__name__", str(kind))
    return ""


def _value(value: object, kind: str, field: str) -> object:
    """Return a field's value as the event has it."""
    wanted = _KINDS.get(kind.partition("[")[0])
    if wanted and (not isinstance(value, wanted) or (isinstance(value, bool) and kind != "bool")):
        raise TypeError(f"{field} is {type(value).__name__}")
    if kind == "bytes":
        assert isinstance(value, str)
        return bytes.fromhex(value.replace("**", "00"))
    return _hashable(value)


def _unknown(name: str, record: Mapping[str, object]) -> Event:
    fields = tuple(
        field for field in record if field not in ("t", "event", "fields") and field.isidentifier()
    )
    if not name.isidentifier():
        raise ValueError(f"{name!r} is no name of an event")
    for field in ("reader", "device"):
        if not isinstance(record.get(field, ""), str):
            raise TypeError(f"{field} is no text")
    return _class(name, fields)(**{field: _hashable(record[field]) for field in fields})


@lru_cache
def _class(name: str, fields: tuple[str, ...]) -> type[Event]:
    space = {"__module__": "", "__annotations__": dict.fromkeys(fields, object)}  # none of ours
    return type(name, (Event,), space)


def _hashable(value: object) -> object:
    return tuple(map(_hashable, value)) if isinstance(value, list) else value
