# SPDX-License-Identifier: Apache-2.0
"""The person at a pinpad: what is asked, and what a finger does about it.

A *finger* is any callable that takes a :class:`Prompt` and returns an entry. It runs without the
host's lock, on the thread of whoever asked for the PIN, and may take its time. :class:`PinQueue` is
the finger of a script. An entry is secret: nothing here shows one in a text.
"""

from collections import deque
from collections.abc import Iterable
from enum import Enum
from typing import NamedTuple, Protocol

from vreader.errors import UsageError
from vreader.reader.pinstruct import Asked

_HINT = "an entry is digits, cancel or timeout; several are divided by commas"


class Key(Enum):
    """An entry that is no PIN: the cancel key, or waiting until the pinpad gives up."""

    CANCEL = "cancel"
    TIME_OUT = "timeout"


class Typed:
    """Digits, and whether the validation key follows them."""

    __slots__ = ("digits", "validated")

    def __init__(self, digits: str, *, validated: bool = True) -> None:
        if not (digits.isascii() and digits.isdigit()) and digits:
            raise UsageError("a keypad has digits alone", hint=_HINT)
        self.digits = digits
        self.validated = validated


Entry = str | Typed | Key | None


class Prompt(NamedTuple):
    """What the pinpad asks for.

    Attributes:
        asked: which PIN.
        min_digits, max_digits: how long it may be.
        message: index of the message on the display (0 "enter PIN", 1 "enter new PIN", 2 "confirm
            new PIN"); None for a blank display.
        language: a Windows language identifier; 0 is the reader's own language.
    """

    asked: Asked
    min_digits: int
    max_digits: int
    message: int | None
    language: int


class Finger(Protocol):
    """What stands for the person."""

    def __call__(self, prompt: Prompt, /) -> Entry:
        """Answer a prompt.

        Returns:
            digits, after which the validation key is pressed; a Typed; a Key; or None: nothing is
            pressed yet, and ``HostReader.press`` or the time-out follows.
        """


class PinQueue:
    """A finger that types one entry after the other, and the last one ever again.

    Args:
        entries: at least one.

    Raises:
        UsageError: none, or one that a keypad cannot type; the text does not show it.
    """

    def __init__(self, entries: Iterable[str | Typed | Key]) -> None:
        self._entries = deque(as_typed(entry) for entry in entries)
        if not self._entries:
            raise UsageError("a pinpad needs an entry to type", hint=_HINT)

    def __call__(self, prompt: Prompt, /) -> Entry:
        """Type the next entry, whatever is asked."""
        return self._entries.popleft() if len(self._entries) > 1 else self._entries[0]


def as_typed(entry: str | Typed | Key) -> Typed | Key:
    """Return an entry in full: digits alone are followed by the validation key.

    Raises:
        UsageError: no keypad can type it; the text does not show it.
    """
    if isinstance(entry, str):
        return Typed(entry)
    if isinstance(entry, Typed | Key):
        return entry
    raise UsageError(f"no keypad can type a {type(entry).__name__}", hint=_HINT)


def parse_entries(texts: Iterable[str]) -> list[Typed | Key]:
    """Read entries as people write them: ``123456``, ``cancel``, ``timeout``, commas between.

    Raises:
        UsageError: one is empty or no entry; the text does not show it.
    """
    words = {key.value: key for key in Key}
    entries: list[Typed | Key] = []
    for text in texts:
        for part in text.split(","):
            word = part.strip()
            if not word:
                raise UsageError("an entry of the pinpad is empty", hint=_HINT)
            entries.append(words.get(word) or Typed(word))
    return entries
