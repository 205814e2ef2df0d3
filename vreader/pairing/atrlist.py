# SPDX-License-Identifier: Apache-2.0
"""Lists of ATRs in text files.

A line has an ATR and may have a text behind it; ``#`` starts a comment line. An ATR is one word of
digits, or bytes of two digits with spaces between; a tab ends it in any case. A line that starts
with a space or a tab goes on with the text of the ATR above: so the list of pcsc-tools,
``smartcard_list.txt``, can be read. ATRs there that are regular expressions are left out.
"""

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from vreader.errors import UsageError
from vreader.iso7816.atr import MAX_ATR_LENGTH
from vreader.readfile import read_file
from vreader.registry.textfile import decode

MAX_FILE: Final = 1 << 24  # bytes
_LINE_END = re.compile(r"\r\n|\n|\r")
_BYTE = re.compile(r"[0-9A-Fa-f]{2}")
_WORD = re.compile(r"[0-9A-Fa-f]+")
_EXPRESSION = re.compile(r"[0-9A-Fa-f]*[.\[*][0-9A-Fa-f.\[\]*,-]*")
_TOKEN = re.compile(r"[^ \t]+")
_HINT: Final = "an ATR in hexadecimal, for example 3B80800101, then its text"


class ListedAtr(NamedTuple):
    """An ATR of a list.

    Attributes:
        atr: its bytes; not necessarily well-formed.
        text: what the list says of it; may be empty.
        line: where it stands.
    """

    atr: bytes
    text: str
    line: int


class AtrList(NamedTuple):
    """What is in a list.

    Attributes:
        atrs: in the order of the list.
        expressions: how many lines were left out, as their ATR is a regular expression.
    """

    atrs: tuple[ListedAtr, ...]
    expressions: int


def parse_atr(text: str) -> bytes:
    """Read an ATR, digits with or without spaces or colons; raises UsageError."""
    digits = re.sub(r"[ \t:]", "", text)
    if not _WORD.fullmatch(digits) or len(digits) % 2:
        raise UsageError(f"{text!r} is not a hexadecimal ATR", hint="write bytes as 3B80800101")
    if len(digits) > 2 * MAX_ATR_LENGTH:
        raise UsageError(
            f"an ATR has at most {MAX_ATR_LENGTH} bytes, not {len(digits) // 2}",
            hint="leave some out",
        )
    return bytes.fromhex(digits)


def read_atrs(path: str) -> AtrList:
    """Read a list from a file; raises UsageError."""
    return parse_atrs(read_file(path, MAX_FILE, "name a list of ATRs"), path)


def parse_atrs(data: bytes, source: str = "the list of ATRs") -> AtrList:
    """Read a list.

    Args:
        data: the file.
        source: what to call it in an error.

    Raises:
        UsageError: it is no such list; with line and column.
    """
    try:
        text = decode(data)
    except ValueError as error:
        raise UsageError(f"{source}, line 1: {error}", hint="write UTF-8 or UTF-16LE") from None
    found: list[ListedAtr] = []
    expressions = 0
    follows: ListedAtr | None = None  # the ATR above, until it has a text
    for number, line in enumerate(_LINE_END.split(text), 1):
        stripped = line.strip(" \t\0")
        if not stripped or stripped.startswith("#"):
            continue
        if line[0] in " \t":
            if follows is not None and not follows.text:
                found[-1] = follows = follows._replace(text=stripped)
            continue
        atr, rest = _split(line, number, source)
        if atr is None:
            expressions += 1
            follows = None
        else:
            follows = ListedAtr(atr, rest, number)
            found.append(follows)
    return AtrList(tuple(found), expressions)


def merged(listed: Iterable[ListedAtr]) -> list[ListedAtr]:
    """Return each ATR once, where it first stands, with all that is said of it."""
    first: dict[bytes, ListedAtr] = {}
    texts: dict[bytes, dict[str, None]] = {}
    for each in listed:
        first.setdefault(each.atr, each)
        if each.text:
            texts.setdefault(each.atr, {})[each.text] = None
    return [each._replace(text="; ".join(texts.get(atr, ()))) for atr, each in first.items()]


def _split(line: str, number: int, source: str) -> tuple[bytes | None, str]:
    """Return the ATR of a line, None for a regular expression, and the text behind it."""
    head, _, tail = line.partition("\t")
    tokens = list(_TOKEN.finditer(head))
    first = tokens[0]
    taken = 1
    if len(first[0]) <= 2:
        while taken < len(tokens) and (
            _BYTE.fullmatch(tokens[taken][0]) or _EXPRESSION.fullmatch(tokens[taken][0])
        ):
            taken += 1
    atr = tokens[:taken]
    end = atr[-1].end()
    rest = f"{head[end:]} {tail}".strip()
    for token in atr:
        if _EXPRESSION.fullmatch(token[0]):
            return None, rest
    for token in atr:
        if not _WORD.fullmatch(token[0]) or len(token[0]) % 2:
            column = token.start() + 1
            shown = token[0] if len(token[0]) <= 40 else f"{token[0][:40]}…"
            raise UsageError(
                f"{source}, line {number}, column {column}: {shown!r} is no hexadecimal ATR",
                hint=_HINT,
            )
    try:
        return parse_atr(head[:end]), rest
    except UsageError as error:
        raise UsageError(f"{source}, line {number}, column 1: {error}", hint=_HINT) from None
