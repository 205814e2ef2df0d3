# SPDX-License-Identifier: Apache-2.0
"""The matrix of a report: a row for each card, a column for each machine and program."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from vreader.pairing.plan import Column
from vreader.pairing.result import Pairing
from vreader.pairing.sweep import Answered

Record = Mapping[str, Any]

AXES: Final = (("packages", "packages"), ("policy", "policy"), ("os", "Windows"), ("bits", "bits"))


class Matrix(NamedTuple):
    """Answers by card and column.

    Attributes:
        title: of the report.
        cards: what the rows are called.
        columns: in order.
        records: the answers, :meth:`vreader.pairing.result.Pairing.record`; a cell that was not
            asked has none.
    """

    title: str
    cards: list[str]
    columns: list[Column]
    records: dict[tuple[str, Column], Record]

    @classmethod
    def of_sweep(cls, title: str, answers: Iterable[Answered]) -> "Matrix":
        """Make one of a sweep's answers."""
        records: dict[tuple[str, Column], Record] = {
            (each.cell.card, each.cell.column): each.record for each in answers
        }
        return cls._of(title, records)

    @classmethod
    def of_pairings(cls, title: str, pairings: Sequence[Pairing]) -> "Matrix":
        """Make one of any answers; those about one card on one machine are told by a number."""
        records: dict[tuple[str, Column], Record] = {}
        for pairing in pairings:
            column = Column("", "", pairing.os, pairing.bits)
            number = 1
            while (pairing.card, column) in records:
                number += 1
                column = column._replace(packages=str(number))
            records[pairing.card, column] = pairing.record()
        return cls._of(title, records)

    @classmethod
    def _of(cls, title: str, records: dict[tuple[str, Column], Record]) -> "Matrix":
        cards = list(dict.fromkeys(card for card, _ in records))
        columns = list(dict.fromkeys(column for _, column in records))
        return cls(title, cards, columns, records)

    @property
    def outcomes(self) -> list[tuple[str, int]]:
        """Return the outcomes and how many cells have each, the most frequent first."""
        counts = Counter(str(record["outcome"]) for record in self.records.values())
        return sorted(counts.items(), key=lambda item: (-item[1], item[0]))

    @property
    def axes(self) -> list[tuple[str, str]]:
        """Return attributes and titles of what tells the columns apart."""
        told = [
            (axis, title)
            for axis, title in AXES
            if len({getattr(column, axis) for column in self.columns}) > 1
        ]
        return told or [("os", "Windows")]

    @property
    def common(self) -> list[tuple[str, str]]:
        """Return titles and values of what all columns share, where there is something to say."""
        told = {axis for axis, _ in self.axes}
        return [
            (title, str(getattr(self.columns[0], axis)))
            for axis, title in AXES
            if axis not in told and self.columns and getattr(self.columns[0], axis)
        ]


def cell_id(card: str, column: Column) -> str:
    """Return what a cell is called in links: it stays the same as long as its names do."""
    words = "\0".join((card, *map(str, column)))
    return "c" + hashlib.sha256(words.encode("utf-8", "surrogatepass")).hexdigest()[:10]
