# SPDX-License-Identifier: Apache-2.0
"""Files that say which ATRs a family of cards has.

In TOML they are a table: ``[families]``, then ``name = ["3B…", "3B…"]``. A text file is a list of
ATRs (:mod:`vreader.pairing.atrlist`), the text behind each being the name of its family.
"""

import re

from vreader.errors import UsageError, near
from vreader.pairing.atrlist import MAX_FILE, parse_atr, parse_atrs
from vreader.readfile import read_file

_TABLE = "families"
# A key, at the beginning of a line, in brackets or braces; and a text in quotes.
_KEY = r"""(?m)(?:^|[\[{{,.])[ \t]*["']?({})["']?[ \t]*[\].=]"""
_TEXT = r"""["']({})["']"""
_HINT = 'write [families], then name = ["3B…", "3B…"]'
_PLACE = re.compile(r"(.*) \((at line \d+, column \d+|at end of document)\)", re.DOTALL)


def read_families(path: str) -> dict[str, list[bytes]]:
    """Read a file: TOML where its name ends in ``.toml``, else a list of ATRs; raises UsageError.

    Returns:
        The ATRs of each family, none twice.
    """
    data = read_file(path, MAX_FILE, _HINT)
    if path.endswith(".toml"):
        return parse_families(data, path)
    families: dict[str, list[bytes]] = {}
    for listed in parse_atrs(data, path).atrs:
        if not listed.text:
            raise UsageError(
                f"{path}, line {listed.line}: no family's name stands behind the ATR",
                hint="3B80800101 NAME, or a TOML file with [families]",
            )
        families.setdefault(listed.text, []).append(listed.atr)
    return _checked(families, path)


def parse_families(data: bytes, source: str = "the families") -> dict[str, list[bytes]]:
    """Read TOML; raises UsageError that names file, line and column and what was expected."""
    import tomllib

    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        raise UsageError(
            f"{source}, line {line}, column {column}: it is not UTF-8", hint=_HINT
        ) from None
    try:
        told = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(_placed(source, text, str(error)), hint=_HINT) from None
    for key in told:
        if key != _TABLE:
            raise UsageError(
                f"{source}{_where(text, _KEY, key)}: unknown key {key!r}",
                hint=near(key, [_TABLE]) or _HINT,
            )
    table = told.get(_TABLE)
    if not isinstance(table, dict):
        raise UsageError(f"{source}: there is no table [families]", hint=_HINT)
    families: dict[str, list[bytes]] = {}
    for name, atrs in table.items():
        if not isinstance(atrs, list):
            raise UsageError(
                f"{source}{_where(text, _KEY, name)}: {name} is no list of ATRs",
                hint=f'write {name} = ["3B…", "3B…"]',
            )
        families[name] = [_atr(each, name, source, text) for each in atrs]
    return _checked(families, source)


def _placed(source: str, text: str, message: str) -> str:
    """Put the place that tomllib tells behind the file's name."""
    match = _PLACE.fullmatch(message)
    if match is None:
        return f"{source}: {' '.join(message.split())}"
    where = match[2].removeprefix("at ")
    if where == "end of document":
        where = f"line {text.count(chr(10)) + 1}, column {len(text) - text.rfind(chr(10))}"
    return f"{source}, {where}: {' '.join(match[1].split())}"


def _atr(value: object, name: str, source: str, text: str) -> bytes:
    if not isinstance(value, str):
        raise UsageError(
            f"{source}{_where(text, _KEY, name)}: {name} holds {value!r}, not a text",
            hint='an ATR is a text in hexadecimal, "3B80800101"',
        )
    try:
        return parse_atr(value)
    except UsageError as error:
        where = _where(text, _TEXT, value) or _where(text, _KEY, name)
        raise UsageError(f"{source}{where}: {name}: {error}", hint=error.hint) from None


def _where(text: str, form: str, word: str) -> str:
    """Return where a word first stands in a form, as it was read; nothing if it does not."""
    match = re.search(form.format(re.escape(word)), text)
    if match is None:
        return ""
    at = match.start(1)
    return f", line {text.count(chr(10), 0, at) + 1}, column {at - text.rfind(chr(10), 0, at)}"


def _checked(families: dict[str, list[bytes]], source: str) -> dict[str, list[bytes]]:
    for name, atrs in families.items():
        if not atrs:
            raise UsageError(f"{source}: the family {name} has no ATR", hint=_HINT)
    if not families:
        raise UsageError(f"{source}: it names no family", hint=_HINT)
    return {name: list(dict.fromkeys(atrs)) for name, atrs in families.items()}
