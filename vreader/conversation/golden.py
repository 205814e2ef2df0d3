# SPDX-License-Identifier: Apache-2.0
"""Compares a conversation with the one in a golden file, or writes that file.

A golden file is a recording in plain text (:mod:`vreader.conversation.plain`), kept with the tests
and reviewed with them. Its ``**`` may be any byte; a run of them stands for what is random, the
length of which may differ a little where it is long, as that of an ECDSA signature does.
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from itertools import zip_longest
from pathlib import Path
from typing import Final

from vreader.conversation.difference import ByteDiff, compare
from vreader.conversation.hearing import Said
from vreader.conversation.plain import Free, plain_text, settled
from vreader.conversation.playing import KEPT, Difference, Played
from vreader.conversation.randomness import Ranges
from vreader.conversation.report import text
from vreader.conversation.telling import Teller, holes
from vreader.errors import UsageError, VreaderError
from vreader.iso7816.pattern import Pattern
from vreader.reader.events import ApduEvent, CardEvent
from vreader.readfile import read_text
from vreader.recording import Reset, read_plain

DIRECTORY: Final = "tests/golden"
UPDATE: Final = "VREADER_UPDATE_GOLDEN"
_SUFFIX: Final = ".txt"
_OFF: Final = ("", "0", "no", "false", "off")
_HEAD: Final = """\
# What was said to the card: > commands, < answers; ** is a byte that may be anything.
# To write it anew: {update}=1, or pytest --vreader-update
"""
_HOW: Final = f"set {UPDATE}=1, run pytest --vreader-update, or give update=True"
# The DER form of two numbers is as long as they are: 1 byte less each in half of the cases, and 1
# less again in one of 256.
_LONG, _PLAY = 32, 8


def assert_golden(
    said: Sequence[Said],
    name: str,
    directory: str | os.PathLike[str] = DIRECTORY,
    *,
    masks: Sequence[str] = (),
    update: bool | None = None,
) -> None:
    """Compare with ``NAME.txt``.

    Args:
        said: the conversation with one card.
        name: of the file, without its end; may have directories before it.
        directory: where golden files are.
        masks: what else may differ: rules of :meth:`vreader.conversation.plain.Free.parse`.
        update: write the file instead, where it differs; None does as the environment says.

    Raises:
        AssertionError: they differ, or there is no file; it says where and what to do.
        UsageError: a rule, the name or the file makes no sense.
        VreaderError: the file cannot be written.
    """
    __tracebackhide__ = True  # for pytest: the test is what matters
    path = _path(name, directory)
    free = Free.parse(masks)
    now = settled(said, free)
    if update is None:
        update = os.environ.get(UPDATE, "").lower() not in _OFF
    if not path.exists():
        if not update:
            raise AssertionError(f"there is no golden file {path}; to make it: {_HOW}")
        _write(path, now)
        return
    try:
        told = _Golden(path, free)
    except UsageError as error:
        if not update:
            raise UsageError(str(error), hint=f"mend the file, or write it anew: {_HOW}") from None
        _write(path, now)
        return
    difference = told.difference(now)
    if difference is None:
        return
    if update:
        _write(path, now)
        return
    what = text(Played(difference.number, len(told.lines), 0, difference), str(path))
    raise AssertionError(f"the conversation is another one\n{what}\nto accept it: {_HOW}")


def _path(name: str, directory: str | os.PathLike[str]) -> Path:
    parts = Path(name).parts
    if not parts or Path(name).is_absolute() or ".." in parts or "\0" in name:
        raise UsageError(f"{name!r} is no name for a golden file", hint='for example "login"')
    return Path(directory, *parts[:-1], parts[-1] + _SUFFIX)


def _write(path: Path, said: Sequence[Said]) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(_HEAD.format(update=UPDATE) + plain_text(said), encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        with suppress(OSError):
            partial.unlink()
        raise VreaderError(
            f"cannot write the golden file {path}: {error.strerror or error}",
            hint="is the directory yours? directory= names another one",
        ) from None


class _Golden:
    """What a golden file has.

    Args:
        path: of the file.
        free: what may differ; the file's own masks are added.

    Attributes:
        said: the conversation, settled.
        lines: of its commands.

    Raises:
        UsageError: it makes no sense.
    """

    def __init__(self, path: Path, free: Free) -> None:
        teller = Teller("card", unmask=True)
        said: list[Said] = []
        self.lines: list[int] = []
        for one in read_plain(read_text(str(path), "golden file", "name another one"), str(path)):
            if isinstance(one, Reset):
                teller.reset()
                said.append(CardEvent("card", "cold reset", one.atr, one.problem))
            else:
                self.lines.append(one.line)
                problem = "" if one.expected else one.problem
                said.append(teller.tell(one.command, one.expected, problem=problem))
        self.said = settled(said, free)

    def difference(self, now: Sequence[Said]) -> Difference | None:
        """Return the first difference from what was said now, settled."""
        number = 1
        for at, (told, got) in enumerate(zip_longest(self.said, now, fillvalue=_NOTHING)):
            what, diff = _compare(told, got)
            if what:
                line = self.lines[number - 1] if number <= len(self.lines) else self._end
                before = tuple(now[max(0, at - KEPT) : at])
                return Difference(line, number, what, told, got, diff, before)
            number += isinstance(got, ApduEvent)
        return None

    @property
    def _end(self) -> int:
        return self.lines[-1] if self.lines else 1


_NOTHING: Final = CardEvent("card", "nothing more was said")
_Found = tuple[str, ByteDiff | None]


def _compare(told: Said, got: Said) -> _Found:
    """Return the difference in words and bytes; no words where there is none."""
    if told is _NOTHING:
        return "the golden file ends before it", None
    if got is _NOTHING:
        return "it was not sent", None
    if isinstance(told, CardEvent) and isinstance(got, CardEvent):
        if not told.atr:
            return "", None
        diff = compare(_pattern(told.atr, ()), got.atr, status=False)
        return (f"another ATR: {diff.what}" if diff else ""), diff
    if isinstance(told, CardEvent) or isinstance(got, CardEvent):
        return ("no reset" if isinstance(told, CardEvent) else "a reset") + " before it", None
    sent = _pattern(told.command, told.masked)
    what, diff = _bytes(sent, got.command, got.masked, status=False)
    if what:
        return f"another command: {what}", diff
    if not told.response or not got.response:
        if bool(told.response) == bool(got.response):
            return "", None
        return ("no answer" if told.response else "an answer, where there was none"), None
    answer = _pattern(told.response, told.masked_response)
    return _bytes(answer, got.response, got.masked_response, status=True)


def _pattern(data: bytes, masked: Ranges) -> Pattern:
    mask = bytearray(b"\xff" * len(data))
    for start, end in masked:
        mask[start:end] = bytes(end - start)
    return Pattern(data, bytes(mask))


def _bytes(told: Pattern, got: bytes, free: Ranges, *, status: bool) -> _Found:
    spans = holes(told)
    diff = compare(
        told, got, random_expected=spans, random_got=free, hidden=(spans, free), status=status
    )
    if diff is not None:
        return diff.what, diff
    for mine, theirs in zip(spans, free, strict=False) if len(spans) == len(free) else ():
        was, now = mine[1] - mine[0], theirs[1] - theirs[0]
        if abs(was - now) > (_PLAY if min(was, now) >= _LONG else 0):
            return f"{now} random bytes, not {was}", None
    return "", None
