# SPDX-License-Identifier: Apache-2.0
"""The matrix as one HTML page that needs nothing else, for browsers and for mail.

The matrix itself is HTML. What stands behind its cells is data in the page, each step and each
driver once, and is shown by the page's own script. A content security policy lets nothing run but
that script, and nothing be fetched at all.
"""

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from vreader import __version__
from vreader.pairing.lab import lab
from vreader.pairing.plan import Column
from vreader.pairing.report.matrix import Matrix, cell_id
from vreader.pairing.result import ERROR, NONE, Pairing

_HERE: Final = Path(__file__).parent
_NOT_LOADED: Final = " (not loaded)"
# Far apart for most eyes, and again and again in between.
_HUES: Final = (210, 35, 145, 280, 60, 330, 180, 100, 250, 20)
_GOLDEN_ANGLE: Final = 137
_COMPACT_FROM: Final = 17  # columns that are too many for words


def page(pairings: Sequence[Pairing], title: str) -> str:
    """Return a page of some answers; raises UsageError where jinja2 is not installed."""
    return matrix_page(Matrix.of_pairings(title, pairings))


def matrix_page(matrix: Matrix) -> str:
    """Return the page of a matrix; raises UsageError where jinja2 is not installed."""
    jinja2 = lab("jinja2")
    markup = lab("markupsafe").Markup
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    # Facts are shown in their order.
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":")}
    kinds = _kinds([outcome for outcome, _ in matrix.outcomes])
    style = (_HERE / "page.css").read_text("utf-8") + _colours(kinds)
    script = (_HERE / "page.js").read_text("utf-8")
    text: str = environment.get_template("page.html.j2").render(
        matrix=matrix,
        version=__version__,
        heads=_heads(matrix),
        kinds=kinds,
        cell_id=cell_id,
        compact=len(matrix.columns) >= _COMPACT_FROM,
        data=_data(matrix),
        style=markup(style),
        script=markup(script),
        style_hash=_hash(style),
        script_hash=_hash(script),
        column_name=lambda column: _column_name(matrix, column),
    )
    # A registry can hold half a character, a page cannot.
    return text.encode("utf-8", "replace").decode()


def _column_name(matrix: Matrix, column: Column) -> str:
    return ", ".join(str(getattr(column, axis)) for axis, _ in matrix.axes)


def _heads(matrix: Matrix) -> list[tuple[str, list[tuple[str, int, int]]]]:
    """Return a line for each axis: its title, and texts with their first column and the next."""
    lines = []
    for depth, (_axis, title) in enumerate(matrix.axes):
        # What stands below two different words is not joined.
        names = [axis for axis, _ in matrix.axes[: depth + 1]]
        start, runs = 0, []
        for words, run in groupby(matrix.columns, _values_of(names)):
            end = start + len(list(run))
            runs.append((words[-1], start, end))
            start = end
        lines.append((title, runs))
    return lines


def _values_of(names: Sequence[str]) -> Callable[[Column], list[str]]:
    return lambda column: [str(getattr(column, name)) for name in names]


# ---------------------------------------------------------------------- colours


class Kind:
    """How an outcome is shown.

    Attributes:
        key: one or two letters, for cells without words.
        css: its class.
        hue: of its colour; None is grey.
        striped: the module is named but not loaded, or there is no answer.
    """

    def __init__(self, number: int, key: str, hue: int | None, *, striped: bool) -> None:
        self.key = key
        self.css = f"k{number}"
        self.hue = hue
        self.striped = striped


def _kinds(outcomes: Sequence[str]) -> dict[str, Kind]:
    """Return how each outcome is shown; a module that is not loaded looks like itself, striped."""
    hues: dict[str, int] = {}
    kinds: dict[str, Kind] = {}
    for number, outcome in enumerate(outcomes):
        module = outcome.removesuffix(_NOT_LOADED)
        hue: int | None = None
        key = {NONE: "-", ERROR: "!"}.get(outcome, "")
        if outcome == ERROR:
            hue = 0
        elif outcome != NONE:
            place = hues.setdefault(module, len(hues))
            hue = _HUES[place % len(_HUES)] + _GOLDEN_ANGLE * (place // len(_HUES))
            key = _letters(place) + ("?" if module != outcome else "")
        striped = outcome == ERROR or module != outcome
        kinds[outcome] = Kind(number, key, hue, striped=striped)
    return kinds


def _letters(place: int) -> str:
    return (_letters(place // 26 - 1) if place >= 26 else "") + chr(ord("A") + place % 26)


def _colours(kinds: Mapping[str, Kind]) -> str:
    rules = []
    for kind in kinds.values():
        if kind.hue is None:
            rules.append(f".{kind.css} {{ --s: 0%; --h: 0; }}")
        else:
            rules.append(f".{kind.css} {{ --h: {kind.hue % 360}; }}")
        if kind.striped:
            rules.append(f".{kind.css} {{ background-image: var(--stripes); }}")
    return "\n".join(("", *rules, ""))


def _hash(text: str) -> str:
    """Return what a content security policy calls an element's text."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


# ---------------------------------------------------------------------- data


class _Pool:
    """Things that are the same in many cells, once each."""

    def __init__(self) -> None:
        self.items: list[Any] = []
        self._places: dict[str, int] = {}

    def place(self, item: Any) -> int:  # noqa: ANN401 - plain data
        key = repr(item)
        if key not in self._places:
            self._places[key] = len(self.items)
            self.items.append(item)
        return self._places[key]


def _data(matrix: Matrix) -> dict[str, Any]:
    """Return what the script shows: steps and drivers, and for each cell which of them."""
    steps, drivers = _Pool(), _Pool()
    columns = {column: number for number, column in enumerate(matrix.columns)}
    cells = {}
    for (card, column), record in matrix.records.items():
        told = {name: value for name, value in record.items() if value not in ("", None, [])}
        told["card"] = card
        told["column"] = columns[column]
        told["steps"] = [steps.place(step) for step in record["steps"]]
        told["candidates"] = [drivers.place(driver) for driver in record["candidates"]]
        if record["driver"] is not None:
            told["driver"] = drivers.place(record["driver"])
        cells[cell_id(card, column)] = told
    return {
        "cells": cells,
        "machines": [column._asdict() for column in matrix.columns],
        "steps": steps.items,
        "drivers": drivers.items,
    }
