# SPDX-License-Identifier: Apache-2.0
"""The matrix in a terminal: cards down, machines across, in each cell the minidriver in a word."""

import json
from typing import Any, Final

from vreader.pairing.lab import lab
from vreader.pairing.plan import Column
from vreader.pairing.report.matrix import Matrix, cell_id
from vreader.pairing.result import ERROR, NONE

NOT_ASKED: Final = "-"
_GAP: Final = "  "
_BETWEEN: Final = 3  # letters between rich's columns


def table(matrix: Matrix) -> str:
    """Return the matrix as plain text: as wide as it is, for files and pipes."""
    lines = [_heading(matrix), ""]
    rows = [*_heads(matrix, matrix.columns), *_rows(matrix, matrix.columns)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        lines.append(_GAP.join(cells).rstrip())
    return "\n".join((*lines, "", summary(matrix)))


def rich_table(matrix: Matrix, width: int | None = None) -> str:
    """Return the matrix for a terminal: in colours, in as many tables as its width needs.

    Args:
        matrix: what to show.
        width: of the terminal, in letters; None asks it.

    Raises:
        UsageError: rich is not installed.
    """
    text, tables = lab("rich.text").Text, lab("rich.table")
    # What is read from files is text, never markup.
    console = lab("rich.console").Console(
        width=width, force_terminal=True, markup=False, highlight=False
    )
    with console.capture() as captured:
        console.print(_heading(matrix), style="bold")
        for columns in _blocks(matrix, console.width):
            shown = tables.Table(box=lab("rich.box").SIMPLE_HEAD, pad_edge=False)
            head = list(zip(*_heads(matrix, columns), strict=True))
            for number, words in enumerate(head):
                shown.add_column(text("\n".join(words)), overflow="fold", no_wrap=number > 0)
            for card, *outcomes in _rows(matrix, columns):
                cells = (text(each, style=_style(each)) for each in outcomes)
                shown.add_row(text(card, style="bold"), *cells)
            console.print(shown)
        console.print(summary(matrix))
    return str(captured.get()).rstrip("\n")


def summary(matrix: Matrix) -> str:
    """Return one line: how many cells have which outcome."""
    counts = ", ".join(f"{_printable(name)} {count}" for name, count in matrix.outcomes)
    size = len(matrix.records)
    return f"{size} cell{'s' if size != 1 else ''}: {counts or 'none was asked'}"


def as_json(matrix: Matrix, **more: object) -> str:
    """Return an object with ``name``, whatever is given, and the list ``cells``."""
    cells = [
        {"id": cell_id(card, column), "card": card, **column._asdict(), "pairing": record}
        for (card, column), record in matrix.records.items()
    ]
    return json.dumps({"name": matrix.title, **more, "cells": cells}, indent=2)


def _heading(matrix: Matrix) -> str:
    return ", ".join((matrix.title, *(f"{title} {value}" for title, value in matrix.common)))


def _heads(matrix: Matrix, columns: list[Column]) -> list[list[str]]:
    """Return the lines above the columns: one for each axis that tells them apart."""
    return [
        [title, *(_printable(str(getattr(column, axis))) for column in columns)]
        for axis, title in matrix.axes
    ]


def _rows(matrix: Matrix, columns: list[Column]) -> list[list[str]]:
    rows = []
    for card in matrix.cards:
        records: list[Any] = [matrix.records.get((card, column)) for column in columns]
        words = (NOT_ASKED if each is None else _printable(each["outcome"]) for each in records)
        rows.append([_printable(card), *words])
    return rows


def _blocks(matrix: Matrix, width: int) -> list[list[Column]]:
    """Return the columns in groups that fit, one at least in each."""
    first = max(len(row[0]) for row in _rows(matrix, []) + _heads(matrix, []))
    first = min(first, width // 2)
    blocks: list[list[Column]] = []
    left = 0
    for column in matrix.columns:
        rows = (*_heads(matrix, [column]), *_rows(matrix, [column]))
        needed = max(len(row[1]) for row in rows) + _BETWEEN
        if not blocks or needed > left:
            blocks.append([])
            left = width - first - _BETWEEN
        blocks[-1].append(column)
        left -= needed
    return blocks


def _style(outcome: str) -> str:
    if outcome in (NONE, NOT_ASKED):
        return "dim"
    if outcome == ERROR:
        return "bold red"
    return "yellow" if outcome.endswith(")") else "green"


def _printable(text: str) -> str:
    """Return text without what would move a terminal's cursor or cannot be written."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)
