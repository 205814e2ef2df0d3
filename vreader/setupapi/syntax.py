# SPDX-License-Identifier: Apache-2.0
r"""The syntax of INF files: text in, sections of entries with their lines out.

An entry is ``key = value, value…`` or ``value, value…``; sections of the same name are one. A value
loses its outer blanks and its quotation marks, ``""`` in a quoted text is one mark. ``;`` starts a
comment, ``\`` at the end of a line goes on with the next; neither does so inside quotes, and no
comment starts inside a ``%token%``. A quoted text ends on its line. Source: WDK "General Syntax
Rules for INF Files".
"""

from collections.abc import Iterator
from typing import Final

from vreader.errors import UsageError
from vreader.registry.names import fold

MAX_FIELD: Final = 4095  # characters; Windows counts a NUL too
MAX_SECTION_NAME: Final = 255

_SPECIAL = frozenset('"%;\\')
_STOP = _SPECIAL | {",", "="}


class InfError(UsageError):
    """An INF file cannot be read, or not be installed.

    Attributes:
        line: where, 1 being the first; 0 where it is about the whole file.
        column: where in the line, 1 being the first; 0 where it is about the whole line.
        problem: what is wrong, without the place.
    """

    def __init__(
        self, source: str, line: int, problem: str, hint: str = "", column: int = 0
    ) -> None:
        where = source
        if line:
            where += f", line {line}"
        if column:
            where += f", column {column}"
        super().__init__(f"{where}: {problem}", hint=hint)
        self.line = line
        self.column = column
        self.problem = problem


class Entry:
    """One entry of a section, as it is written.

    Attributes:
        line: where it begins.
        key: what stands before ``=``, or None.
        values: what the commas divide; tokens are not replaced yet.
    """

    __slots__ = ("key", "line", "values")

    def __init__(self, line: int, key: str | None, values: list[str]) -> None:
        self.line = line
        self.key = key
        self.values = values

    def __repr__(self) -> str:
        key = "" if self.key is None else f"{self.key} = "
        return f"<{self.line}: {key}{', '.join(self.values)}>"


class Section:
    """A section: all parts of an INF under one name.

    Attributes:
        name: as it is first written.
        line: of its first header.
        entries: of all its parts, in order.
    """

    __slots__ = ("entries", "line", "name")

    def __init__(self, name: str, line: int) -> None:
        self.name = name
        self.line = line
        self.entries: list[Entry] = []

    def directives(self, key: str) -> Iterator[Entry]:
        """Yield the entries of a key, whatever its case."""
        key = fold(key)
        for entry in self.entries:
            if entry.key is not None and fold(entry.key) == key:
                yield entry


def read_sections(text: str, source: str) -> dict[str, Section]:
    """Read the text of an INF file; return its sections by folded name, blanks around it cut.

    Raises:
        InfError: it cannot be read.
    """
    return _Reader(text, source).read()


class _Reader:
    def __init__(self, text: str, source: str) -> None:
        text = text.partition("\x1a")[0]  # Ctrl-Z, the end of a text file since CP/M
        self._lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        self._source = source
        self._at = 0  # lines read
        if "\0" in text:
            before = text[: text.index("\0")].replace("\r\n", "\n").replace("\r", "\n")
            self._at = before.count("\n") + 1
            column = len(before) - before.rfind("\n")
            raise self._error("a NUL", "save it as UTF-16LE with a mark, or as text", column)

    def _error(self, problem: str, hint: str, column: int) -> InfError:
        return InfError(self._source, self._at, problem, hint, column)

    def read(self) -> dict[str, Section]:
        sections: dict[str, Section] = {}
        section: Section | None = None
        while self._at < len(self._lines):
            line = self._lines[self._at]
            self._at += 1
            bare = line.lstrip()
            if not bare or bare.startswith(";"):
                continue
            if bare.startswith("["):
                name = self._section_name(bare, len(line) - len(bare))
                folded = fold(name.strip())
                section = sections.get(folded)
                if section is None:
                    section = sections[folded] = Section(name, self._at)
            elif section is None:
                raise self._error(
                    "an entry before the first section", "[Version] comes first",
                    len(line) - len(bare) + 1,
                )  # fmt: skip
            else:
                entry = self._entry(line)
                if entry is not None:
                    section.entries.append(entry)
        return sections

    def _section_name(self, line: str, indent: int) -> str:
        end = line.find("]")
        if end < 0:
            raise self._error("a section's name does not end with ]", "[Version]", indent + 1)
        rest = line[end + 1 :].strip()
        if rest and not rest.startswith(";"):
            raise self._error(
                "more after a section's name", "entries start on the next line", indent + end + 2
            )
        name = line[1:end].strip()
        if name.startswith('"') and name.endswith('"') and len(name) > 1:
            name = name[1:-1]
        if not 0 < len(name) <= MAX_SECTION_NAME:
            raise self._error(
                f"a section's name has 1 to {MAX_SECTION_NAME} characters", "", indent + 2
            )
        return name

    def _entry(self, line: str) -> Entry | None:
        """Read the entry that starts with ``line``; None where a comment was all of it."""
        started = self._at
        if _SPECIAL.isdisjoint(line):
            return self._plain_entry(line)
        key: str | None = None
        values: list[str] = []
        field = _Field()
        at = 0
        while True:
            start = at
            while at < len(line) and line[at] not in _STOP:
                at += 1
            field.add(line[start:at])
            if at == len(line):
                break
            mark = line[at]
            at += 1
            if mark == '"':
                at = self._quoted(line, at, field)
            elif mark == ",":
                values.append(self._ended(field, at))
                field = _Field()
            elif mark == "=":
                if key is None and not values:
                    key = self._ended(field, at)
                    field = _Field()
                else:
                    field.add(mark)
            elif mark == ";":
                break
            elif mark == "%":
                end = _end_of_token(line, at)
                field.add(line[at - 1 : end])
                at = end
            else:
                start, at = at - 1, _skip(line, "\\", at)
                after = _skip(line, " \t", at)
                if after < len(line) and line[after] != ";":
                    field.add(line[start:at])
                elif self._at == len(self._lines):
                    break
                else:
                    line, at = self._lines[self._at].lstrip(), 0
                    self._at += 1
            if field.long:
                raise self._too_long(at)
        values.append(self._ended(field, at))
        if key is None and values == [""] and not field.quoted:
            return None
        return Entry(started, key, values)

    def _plain_entry(self, line: str) -> Entry:
        key: str | None
        key, equals, rest = line.partition("=")
        if not equals or "," in key:
            key, rest = None, line
        else:
            key = key.strip()
        values = [value.strip() for value in rest.split(",")]
        if len(line) > MAX_FIELD and any(len(value) > MAX_FIELD for value in (key or "", *values)):
            raise self._too_long(1)
        return Entry(self._at, key, values)

    def _quoted(self, line: str, at: int, field: "_Field") -> int:
        """Read what follows a quotation mark into ``field``; return where it ends."""
        started = at
        while True:
            end = line.find('"', at)
            if end < 0:
                raise self._error('a text without its closing "', 'close it with "', started)
            field.add(line[at:end], quoted=True)
            at = end + 1
            if not line.startswith('"', at):
                return at
            field.add('"', quoted=True)
            at += 1
            if field.long:
                raise self._too_long(started)

    def _ended(self, field: "_Field", at: int) -> str:
        text = field.text()
        if len(text) > MAX_FIELD:
            raise self._too_long(at)
        return text

    def _too_long(self, at: int) -> InfError:
        return self._error(f"a value has more than {MAX_FIELD} characters", "shorten it", at)


class _Field:
    """One value in the making: blanks around it go, those in quotes stay."""

    __slots__ = ("_end", "_text", "quoted")

    def __init__(self) -> None:
        self._text = ""
        self._end = 0  # of what is quoted so far
        self.quoted = False

    def add(self, text: str, *, quoted: bool = False) -> None:
        if not self._text and not self.quoted and not quoted:
            text = text.lstrip()
        self._text += text
        if quoted:
            self.quoted = True
            self._end = len(self._text)

    @property
    def long(self) -> bool:
        """It is longer than any value, blanks after it counted."""
        return len(self._text) > 2 * MAX_FIELD

    def text(self) -> str:
        return self._text[: self._end] + self._text[self._end :].rstrip()


def _end_of_token(line: str, at: int) -> int:
    """Return where ``%token%`` or ``%%`` ends that begins before ``at``; ``at`` for neither."""
    end = line.find("%", at) + 1
    return at if not end or any(mark in line[at:end] for mark in '",=') else end


def _skip(line: str, letters: str, at: int) -> int:
    """Return where a run of ``letters`` ends that is at ``at``."""
    while at < len(line) and line[at] in letters:
        at += 1
    return at
