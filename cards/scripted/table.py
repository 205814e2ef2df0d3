# SPDX-License-Identifier: Apache-2.0
"""One table of a conversation's file: its values with their types checked, or where it went wrong.

What the keys mean is the affair of :mod:`cards.scripted.script`.
"""

import re
from collections.abc import Collection, Mapping

from vreader.errors import UsageError
from vreader.iso7816.pattern import Pattern

MAX_ANSWER = 65538  # bytes
HINT = "write file=TALK.toml; how-to guide 'Scripted, replayed and relayed cards' shows one"
PLACEHOLDER = re.compile(r"\{(\w+)\}")
_NO_DIGIT = re.compile(r"[^0-9A-Fa-f]")


class Table:
    """A table of the file, the text it was written as, and the line where that begins."""

    def __init__(
        self, values: Mapping[str, object], path: str, text: str, line: int, number: int = 0
    ) -> None:
        self.values, self.path, self.number = values, path, number
        self._text, self._line = text, line
        name = values.get("name")
        if not number:
            self.label = ""
        elif isinstance(name, str) and name:
            self.label = f"exchange {number} ({name!r})"
        else:
            self.label = f"exchange {number}"
        if number and line:
            self.label += f", line {line}"

    def error(self, key: str, problem: str, hint: str = "") -> UsageError:
        """Return what to raise about ``key``."""
        match = re.search(rf"^[ \t]*['\"]?{re.escape(key)}['\"]?[ \t]*=", self._text, re.MULTILINE)
        where = self.path
        if match:
            where += f", line {self._line + self._text.count(chr(10), 0, match.end())}"
        if self.number:
            where += f": exchange {self.number}"
        shown = key if key.isprintable() else repr(key)
        return UsageError(f"{where}: {shown} {problem}", hint=hint or HINT)

    def know(self, keys: Collection[str]) -> None:
        """Raise for a key that is not one of ``keys``."""
        for key in self.values:
            if key not in keys:
                raise self.error(key, "is not known here", "keys: " + ", ".join(keys))

    def text(self, key: str) -> str:
        """Return a text, empty where there is none."""
        value = self.values.get(key, "")
        if not isinstance(value, str):
            what = type(value).__name__  # its digits may be a PIN
            raise self.error(key, f"is a text, not {what}", f'write {key} = "…"')
        return value

    def choice(self, key: str, known: Collection[str]) -> str:
        """Return one of ``known``, the first where nothing is said."""
        if key not in self.values:
            return next(iter(known))
        if (value := self.text(key)) not in known:
            raise self.error(key, f"is not {value!r}", "one of: " + ", ".join(known))
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a text or a list of texts."""
        value = self.values.get(key, [])
        if isinstance(value, str):
            return (value,)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.error(key, "is a text or a list of texts", f'write {key} = "…"')
        return tuple(value)

    def answers(self, key: str, default: str, names: Collection[str]) -> tuple[str, ...]:
        """Return one or more templates of answers: ``mute``, ``gone``, or hex with ``{name}``."""
        found = []
        for text in self.texts(key) if key in self.values else (default,):
            text = text.strip()
            if text not in ("mute", "gone"):
                text = "".join(text.split()).replace(":", "")
                for name in PLACEHOLDER.findall(text):
                    if name not in names:
                        raise self.error(
                            key, f"has {{{name}}}, which nothing fills in",
                            "known here: " + (", ".join(f"{{{n}}}" for n in names) or "none"),
                        )  # fmt: skip
                for part in PLACEHOLDER.split(text)[::2]:
                    wrong = _NO_DIGIT.search(part)
                    if wrong or len(part) % 2:
                        what = repr(wrong[0]) if wrong else "half a byte too much or too little"
                        raise self.error(
                            key, f"is not hexadecimal: {what}", 'for example "90 00", or "mute"'
                        )
                if len(text) // 2 > MAX_ANSWER:
                    raise self.error(key, f"has more than {MAX_ANSWER} bytes", "shorten it")
            found.append(text)
        if not found:
            raise self.error(key, "is an empty list", "leave it out")
        return tuple(found)

    def pattern(self, key: str) -> Pattern:
        """Return a pattern."""
        try:
            return Pattern.parse(self.text(key))
        except ValueError as error:
            raise self.error(
                key, f"is not a pattern: {error}", 'for example "00 A4 04 00 .. A0*"'
            ) from None
