# SPDX-License-Identifier: Apache-2.0
"""The card that follows a conversation, and says what was wrong with a command that is not in it.

It reports to the log ``vreader``: each command that fits no entry, with the entry that came nearest
and what differs; and, when the card is closed, the entries with a number of ``times`` that were
used less.
"""

import threading
from collections.abc import Callable, Mapping

from cards.scripted.matcher import fields_of
from cards.scripted.script import FOREVER, START, Entry, Script
from cards.scripted.table import MAX_ANSWER, PLACEHOLDER
from cards.standin import Complaints
from vreader.card import CardGone, CardMute
from vreader.iso7816.pattern import shown

_NONE_FITS = 5.0  # above any nearness: what fits but is not due


class ScriptedCard:
    """A card of a :class:`cards.scripted.script.Script`.

    A reset returns to the state ``start``. What was used up and the place in a strict order stay:
    the conversation goes on over resets.

    Args:
        script: what to say.
        wait: waits for some seconds; :meth:`interrupt` and :meth:`close` end the default one early.
    """

    def __init__(self, script: Script, wait: Callable[[float], object] | None = None) -> None:
        self._script = script
        self._closed = False
        self._hurry = threading.Event()
        self._wait = wait or self._hurry.wait
        self._complaints = Complaints(script.path)
        self._used = [0] * len(script.entries)
        self._resets = {True: 0, False: 0}
        self._position = 0
        self._state = START

    def power_on(self) -> bytes:
        """Return the next ``atr``."""
        self._hurry.clear()
        if self._closed:  # maybe just now, by another thread
            self._hurry.set()
        return self._reset(cold=True)

    def reset(self) -> bytes:
        """Return the next ``warm-atr``."""
        return self._reset(cold=False)

    def power_off(self) -> None:
        """Return to the first state."""
        self._state = START

    def transmit(self, c_apdu: bytes) -> bytes:
        """Return the answer of the entry that fits."""
        found = self._find(c_apdu)
        if found is None:
            self._complaints.say(self._explain(c_apdu))
            return self._script.otherwise
        number, parts = found
        entry = self._script.entries[number]
        answer = _nth(entry.answers, self._used[number])
        self._used[number] += 1
        self._state = entry.goto or self._state
        if entry.delay and not self._hurry.is_set():
            self._wait(entry.delay)
        fields = {name: value.hex() for name, value in fields_of(c_apdu).items()}
        return self._said(answer, {**fields, **parts}, entry.label)

    def interrupt(self) -> None:
        """End a delay: the card has lost its power. The next cold reset allows delays again."""
        self._hurry.set()

    def close(self) -> None:
        """End a delay; report what was to be used and was not. May be called twice."""
        if self._closed:
            return
        self._closed = True
        self._hurry.set()
        for entry, used in zip(self._script.entries, self._used, strict=True):
            if used < entry.times:
                much = "never used" if not used else f"used {used} of {entry.times} times"
                self._complaints.say(f"{entry.label} was {much}")

    def _reset(self, *, cold: bool) -> bytes:
        self._state = START
        script = self._script
        answer = _nth(script.atr if cold else script.warm_atr, self._resets[cold])
        self._resets[cold] += 1
        return self._said(answer, {}, "atr")

    def _said(self, template: str, parts: Mapping[str, str], label: str) -> bytes:
        if template == "mute":
            raise CardMute
        if template == "gone":
            raise CardGone
        pieces = PLACEHOLDER.split(template)
        pieces[1::2] = [parts.get(name, "") for name in pieces[1::2]]
        if sum(map(len, pieces)) > 2 * MAX_ANSWER:
            problem = f"the answer would have more than {MAX_ANSWER} bytes"
        else:
            try:
                return bytes.fromhex("".join(pieces))
            except ValueError:  # a group that caught half a byte
                problem = "the parts put together are not whole bytes"
        self._complaints.say(f"{label}: {problem}")
        return self._script.otherwise

    def _find(self, command: bytes) -> tuple[int, Mapping[str, str]] | None:
        """Return the entry that answers and the parts of the command it has named."""
        entries = self._script.entries
        for number in range(self._position, len(entries)):
            entry = entries[number]
            parts = None if self._why_not(number) else entry.matcher.match(command)
            if parts is not None:
                if self._script.strict:
                    self._position = number
                return number, parts
            if self._script.strict and not self._passable(number):
                break
        return None

    def _passable(self, number: int) -> bool:
        """Whether a strict conversation may go on behind an entry."""
        times = self._script.entries[number].times
        return times == FOREVER or self._used[number] >= times

    def _why_not(self, number: int) -> str:
        """Say why an entry cannot be used now, whatever the command; nothing when it can."""
        entry, used = self._script.entries[number], self._used[number]
        if entry.times != FOREVER and used >= entry.times:
            return f"it was used {used} of {entry.times} times"
        if entry.states and self._state not in entry.states:
            wanted = " or ".join(map(repr, entry.states))
            return f"it is for the state {wanted}, this is {self._state!r}"
        return ""

    def _explain(self, command: bytes) -> str:
        head = f"no exchange fits {shown(command)}"
        entries = self._script.entries
        if not entries:
            return f"{head}: there are none"
        if self._script.strict:
            due = self._position
            while due < len(entries) - 1 and self._used_up(due):
                due += 1
            return f"{head}: due is {entries[due].label}: {self._reason(due, command)}"
        nearest = max(range(len(entries)), key=lambda number: self._nearness(number, command))
        return f"{head}: nearest is {entries[nearest].label}: {self._reason(nearest, command)}"

    def _used_up(self, number: int) -> bool:
        times = self._script.entries[number].times
        return times != FOREVER and self._used[number] >= times

    def _nearness(self, number: int, command: bytes) -> float:
        matcher = self._script.entries[number].matcher
        return _NONE_FITS if matcher.match(command) is not None else matcher.nearness(command)

    def _reason(self, number: int, command: bytes) -> str:
        entry: Entry = self._script.entries[number]
        return entry.matcher.difference(command) if entry.matcher.match(command) is None else (
            self._why_not(number)
        )  # fmt: skip


def _nth(answers: tuple[str, ...], number: int) -> str:
    """Return the answer for this time; the last one stays."""
    return answers[min(number, len(answers) - 1)]
