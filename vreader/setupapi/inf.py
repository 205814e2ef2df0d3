# SPDX-License-Identifier: Apache-2.0
"""An INF file: its sections, and the texts that stand for its tokens in a language.

Names of sections, keys and tokens do not depend on case. ``%token%`` stands for a text of the one
[Strings] section that is chosen for the language, ``%%`` for a percent sign, in quoted texts too.
Source: WDK "INF Strings Section".
"""

from collections.abc import Iterator, Mapping
from typing import Final

from vreader.registry.names import fold
from vreader.registry.textfile import decode
from vreader.setupapi.syntax import MAX_FIELD, Entry, InfError, Section, read_sections

US_ENGLISH: Final = 0x0409
MAX_ENTRY: Final = 1 << 20  # characters of all values of an entry; a limit of this lab


class Inf:
    """A parsed INF file.

    Attributes:
        source: what to call it in errors.
        sections: by folded name (:func:`vreader.registry.names.fold`).
        language: the LANGID whose texts stand for tokens.
        strings: those texts, by folded token.
    """

    def __init__(self, source: str, sections: dict[str, Section], language: int) -> None:
        self.source = source
        self.sections = sections
        self.language = language
        chosen = strings_section(sections, language)
        self.strings = {} if chosen is None else _strings(chosen)

    def find(self, name: str) -> Section | None:
        """Return a section, whatever the case of its name and the blanks around it, or None."""
        return self.sections.get(fold(name.strip()))

    def directives(self, section: str, key: str) -> Iterator[Entry]:
        """Yield the entries of a key in a section; nothing where there is none of this name."""
        found = self.find(section)
        return iter(()) if found is None else found.directives(key)

    def expand(self, text: str, dirids: Mapping[int, str] | None = None) -> str:
        """Replace the tokens of a text; one that stands for nothing stays as it is.

        Args:
            text: from an entry.
            dirids: directories by number, for ``%12%`` and the like.
        """
        if "%" not in text:
            return text
        # Signs pair from the left: what is at odd places stands between two of them.
        parts = text.split("%")
        for place in range(1, len(parts) - 1, 2):
            token = parts[place]
            found = self.strings.get(fold(token)) if token else "%"
            if found is None and dirids is not None and token.isascii() and token.isdigit():
                found = dirids.get(int(token[:9]))
            parts[place] = f"%{token}%" if found is None else found
        if len(parts) % 2 == 0:
            parts[-1] = f"%{parts[-1]}"
        return "".join(parts)

    def fields(self, entry: Entry, dirids: Mapping[int, str] | None = None) -> list[str]:
        """Return the values of an entry with tokens replaced.

        Raises:
            InfError: one becomes too long.
        """
        fields, length = [], 0
        for value in entry.values:
            fields.append(self._field(entry, value, dirids))
            length += len(fields[-1])
            if length > MAX_ENTRY:
                raise self.error(entry.line, f"its values have more than {MAX_ENTRY} characters")
        return fields

    def key(self, entry: Entry) -> str:
        """Return the key of an entry, empty for none, as :meth:`fields` does its values."""
        return self._field(entry, entry.key or "")

    def _field(self, entry: Entry, text: str, dirids: Mapping[int, str] | None = None) -> str:
        text = self.expand(text, dirids)
        if len(text) > MAX_FIELD:
            raise self.error(entry.line, f"a value has more than {MAX_FIELD} characters")
        return text

    def value(self, section: str, key: str) -> str | None:
        """Return the first value of the first entry of ``key``; None where there is none."""
        for entry in self.directives(section, key):
            return self.expand(entry.values[0])
        return None

    def error(self, line: int, problem: str, hint: str = "") -> InfError:
        """Return an error about this file."""
        return InfError(self.source, line, problem, hint)


def tokens(text: str) -> Iterator[str]:
    """Yield the tokens a text of an entry names, without their percent signs."""
    for token in text.split("%")[1:-1:2]:
        if token:
            yield token


def strings_section(sections: Mapping[str, Section], language: int) -> Section | None:
    """Choose the one [Strings…] section for a language.

    That of the very language, else its neutral one, else one of the same primary language (the
    lower ten bits), else the undecorated one.
    """
    by_language: dict[int, Section] = {}
    for name, section in sections.items():
        start, _, number = name.partition(".")
        if start == "STRINGS" and number:
            try:
                by_language.setdefault(int(number, 16), section)
            except ValueError:
                pass  # no language, and so chosen for none
    primary = language & 0x3FF
    if by_language:
        for wanted in (language, primary):
            if wanted in by_language:
                return by_language[wanted]
        for found, section in by_language.items():
            if found & 0x3FF == primary:
                return section
    return sections.get("STRINGS")


def _strings(section: Section) -> dict[str, str]:
    strings: dict[str, str] = {}
    for entry in section.entries:
        if entry.key is not None:  # of two for one token the first counts, as for any entry
            strings.setdefault(fold(entry.key.replace("%%", "%")), entry.values[0])
    return strings


# ---------------------------------------------------------------------- reading


def read_inf(data: bytes, source: str = "the INF file", language: int = US_ENGLISH) -> Inf:
    """Read an INF file: UTF-16LE or UTF-8 with a mark, else UTF-8 where it can be, or ANSI.

    Args:
        data: the file.
        source: what to call it in errors.
        language: the LANGID whose texts stand for tokens.

    Raises:
        InfError: it cannot be read; with line and column.
    """
    try:
        text = decode(data)
    except ValueError as error:
        raise InfError(source, 1, str(error), "save it as UTF-16LE, UTF-8 or ANSI") from None
    return parse_inf(text, source, language)


def parse_inf(text: str, source: str = "the INF file", language: int = US_ENGLISH) -> Inf:
    """Read the text of an INF file; raises InfError."""
    return Inf(source, read_sections(text, source), language)
