# SPDX-License-Identifier: Apache-2.0
"""Which commands an entry of a conversation is for, and how near another command comes to it."""

import re
from collections.abc import Collection, Mapping
from typing import Protocol

from vreader.iso7816 import ApduError, CommandApdu
from vreader.iso7816.pattern import Pattern

ONE_BYTE = ("cla", "ins", "p1", "p2")
FIELDS = (*ONE_BYTE, "data", "le")


class Matcher(Protocol):
    """Tells commands apart."""

    @property
    def groups(self) -> Collection[str]:
        """The names it gives to parts of a command."""

    def match(self, command: bytes) -> Mapping[str, str] | None:
        """Return the named parts of a command in hex; None when it does not fit."""

    def nearness(self, command: bytes) -> float:
        """Return how near a command that does not fit comes, 0 to 5."""

    def difference(self, command: bytes) -> str:
        """Say why a command does not fit."""


class Bytes:
    """A command byte by byte."""

    groups: Collection[str] = ()

    def __init__(self, pattern: Pattern) -> None:
        self._pattern = pattern

    def match(self, command: bytes) -> Mapping[str, str] | None:
        """See :class:`Matcher`."""
        return {} if self._pattern.fits(command) else None

    def nearness(self, command: bytes) -> float:
        """See :class:`Matcher`."""
        return self._pattern.nearness(command)

    def difference(self, command: bytes) -> str:
        """See :class:`Matcher`."""
        return self._pattern.difference(command)


class Regex:
    """A command as upper-case hexadecimal, from its first digit to its last.

    Groups are parts of the answer: ``(?P<aid>…)`` is ``{aid}``, the first one also ``{1}``.
    """

    def __init__(self, regex: "re.Pattern[str]") -> None:
        self._regex = regex
        self.groups: Collection[str] = (*map(str, range(1, regex.groups + 1)), *regex.groupindex)

    def match(self, command: bytes) -> Mapping[str, str] | None:
        """See :class:`Matcher`."""
        found = self._regex.fullmatch(command.hex().upper())
        if found is None:
            return None
        parts = {str(n): text or "" for n, text in enumerate(found.groups(), 1)}
        return parts | {name: text or "" for name, text in found.groupdict().items()}

    def nearness(self, command: bytes) -> float:
        """See :class:`Matcher`; a header the pattern begins with is as near as it gets."""
        text, plain = command[:4].hex().upper(), self._regex.pattern.upper()
        same = 0
        while same < min(len(text), len(plain)) and text[same] == plain[same]:
            same += 1
        return same / 2

    def difference(self, command: bytes) -> str:
        """See :class:`Matcher`."""
        return "its regular expression does not fit"


class Fields:
    """A command by its fields; those that are not named may be anything."""

    groups: Collection[str] = ()

    def __init__(self, wanted: Mapping[str, Pattern]) -> None:
        self._wanted = wanted

    def match(self, command: bytes) -> Mapping[str, str] | None:
        """See :class:`Matcher`."""
        return None if self._unfit(command) else {}

    def nearness(self, command: bytes) -> float:
        """See :class:`Matcher`."""
        return 4.5 * (1 - len(self._unfit(command)) / len(self._wanted))

    def difference(self, command: bytes) -> str:
        """See :class:`Matcher`."""
        return ", ".join(f"{name} differs" for name in self._unfit(command))

    def _unfit(self, command: bytes) -> list[str]:
        values = fields_of(command)
        return [n for n, p in self._wanted.items() if n not in values or not p.fits(values[n])]


def fields_of(command: bytes) -> dict[str, bytes]:
    """Return the fields of a command, fewer where it is malformed.

    ``le`` is the Le field as it was sent, empty where there is none.
    """
    found = {name: command[n : n + 1] for n, name in enumerate(ONE_BYTE) if n < len(command)}
    try:
        apdu = CommandApdu.parse(command)
    except ApduError:
        return found
    width = 0
    if apdu.ne:
        width = 1 if not apdu.extended else 2 if apdu.data else 3
    return found | {"data": apdu.data, "le": command[len(command) - width :]}
