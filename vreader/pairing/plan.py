# SPDX-License-Identifier: Apache-2.0
"""A sweep's plan: which cards are asked about on which machines, as a TOML file.

A plan is a grid: every card, on every Windows, for programs of 32 and of 64 bits, with each set of
packages and each policy. What cannot be, a 64-bit program on a 32-bit Windows, is left out and
counted.
"""

from collections.abc import Callable, Mapping, Sized
from itertools import product
from math import prod
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from vreader.errors import UsageError, near
from vreader.pairing.asking import PATIENCE_S
from vreader.pairing.planfile import PlanFile, listed, read_cards, shorten
from vreader.pairing.policy import Policy
from vreader.pairing.question import Question
from vreader.pairing.windows import Windows
from vreader.recipe import only_keys

T = TypeVar("T")

MAX_CELLS: Final = 1_000_000
MAX_JOBS: Final = 1024
MAX_PATIENCE_S: Final = 86_400
SETS: Final = ("store", "installed", "updates", "registry")
AXES: Final = ("card", "packages", "policy", "os", "bits")
_KEYS = ("name", "cards", "atrs", "os", "bits", "packages", "policy", "exclude", "options")
_OPTIONS = ("jobs", "backend", "patience")


class Column(NamedTuple):
    """The machine and program a card is asked about: what stands above a report's columns.

    Attributes:
        packages, policy: names in the plan; empty where there is no plan.
        os: the Windows, ``10.0-amd64``.
        bits: of the program, 32 or 64.
    """

    packages: str
    policy: str
    os: str
    bits: int


class Cell(NamedTuple):
    """One question of a plan.

    Attributes:
        card: what the card is called; no other card of the plan is called so.
        column: where it is asked about.
        question: the question itself; its paths are absolute.
    """

    card: str
    column: Column
    question: Question


class Plan(NamedTuple):
    """A plan that was read.

    Attributes:
        name: the title of its reports.
        cells: the questions, card by card.
        skipped: how many were left out because they cannot be.
        excluded: how many the plan itself leaves out.
        jobs: how many processes to use; 0 is as many as pay.
        backend: joblib's, or empty.
        patience_s: how long a card's own code may take, in seconds; 0 is for ever.
    """

    name: str
    cells: list[Cell]
    skipped: int = 0
    excluded: int = 0
    jobs: int = 0
    backend: str = ""
    patience_s: int = PATIENCE_S

    @classmethod
    def load(cls, path: str) -> "Plan":
        """Read a plan; files it names are relative to its own folder.

        Raises:
            UsageError: it cannot be read, is no TOML, or says what nobody knows; the text has the
                file, and line and column or the key.
        """
        return _Grid(path).plan()


class _Grid:
    """The grid of one plan's file."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._file = PlanFile(path, _KEYS)

    def plan(self) -> Plan:
        cards = read_cards(self._file)
        systems = self._axis("os", ["10.0-amd64"], self._windows)
        bits = self._axis("bits", [0], self._bits)
        packages = self._named("packages", "inbox only", self._packages)
        policies = self._named("policy", "default", self._policy)
        axes: tuple[Sized, ...] = (cards, systems, bits, packages, policies)
        size = prod(map(len, axes))
        if size > MAX_CELLS:
            raise UsageError(
                f"{self._path}: these are {size:,} cells",
                hint=f"at most {MAX_CELLS:,}: make several plans of it",
            )
        columns: dict[Column, Question] = {}
        skipped = 0
        for (set_name, paths), (policy_name, policy), (system, windows), (_, width) in product(
            packages.items(), policies.items(), systems.items(), bits.items()
        ):
            if width > windows.bits:
                skipped += 1
                continue
            column = Column(set_name, policy_name, system, width or windows.bits)
            columns[column] = Question("", **paths, os=system, bits=column.bits, policy=policy)
        leaves_out = self._excludes(
            {"card": [*cards], "packages": [*packages], "policy": [*policies], "os": [*systems]}
        )
        cells = [
            Cell(card, column, question._replace(card=spec))
            for card, spec in cards.items()
            for column, question in columns.items()
            if not leaves_out(card, column)
        ]
        if not cells:
            raise UsageError(f"{self._path}: it leaves nothing to ask", hint="see bits and exclude")
        options = self._file.table("options", self._file.told.get("options", {}))
        only_keys(options, _OPTIONS, self._path, "options")
        jobs = self._number(
            options, "jobs", 0, MAX_JOBS, "a number of processes; 0 is as many as pay"
        )
        patience_s = self._number(
            options, "patience", PATIENCE_S, MAX_PATIENCE_S, "seconds; 0 is for ever"
        )
        name = self._file.told.get("name", Path(self._path).stem)
        return Plan(
            self._file.text("name", name),
            cells,
            skipped * len(cards),
            len(cards) * len(columns) - len(cells),
            jobs,
            self._file.text("options.backend", options.get("backend", "")),
            patience_s,
        )

    def _number(
        self, options: Mapping[str, object], key: str, default: int, most: int, expected: str
    ) -> int:
        value = options.get(key, default)
        if type(value) is not int or not 0 <= value <= most:
            raise self._file.wrong(f"options.{key}", value, f"{expected}, at most {most}")
        return value

    # ------------------------------------------------------------------ axes

    def _axis(
        self, key: str, default: list[object], read: Callable[[str, object], T]
    ) -> dict[Any, T]:
        found: dict[Any, T] = {}
        for value in listed(self._file.told.get(key, default)):
            read_value = read(key, value)
            if value in found:
                raise UsageError(f"{self._path}: {key} has {value!r} twice", hint="leave one out")
            found[value] = read_value
        if not found:
            raise UsageError(f"{self._path}: {key} is empty", hint=f"leave {key} out, or fill it")
        return found

    def _windows(self, key: str, value: object) -> Windows:
        text = self._file.text(key, value, '"10.0-amd64"')
        with self._file.at(key):
            return Windows.parse(text)

    def _bits(self, key: str, value: object) -> int:
        if type(value) is not int or value not in (0, 32, 64):
            raise self._file.wrong(key, value, "32, 64, or 0 for the system's own")
        return value

    def _named(self, key: str, default: str, read: Callable[[str, object], T]) -> dict[str, T]:
        table = self._file.table(key, self._file.told.get(key, {default: {}}))
        if not table:
            raise UsageError(f"{self._path}: [{key}] is empty", hint=f"leave [{key}] out")
        return {
            self._file.text(f"a name in [{key}]", name): read(f"{key}.{name}", value)
            for name, value in table.items()
        }

    def _packages(self, where: str, value: object) -> dict[str, tuple[str, ...]]:
        if isinstance(value, str | list):
            value = {"store": value}
        table = self._file.table(where, value)
        only_keys(table, SETS, self._path, where)
        return {
            key: tuple(self._file.file(f"{where}.{key}", one) for one in listed(files))
            for key, files in table.items()
        }

    def _policy(self, where: str, value: object) -> Policy:
        options = {
            name: "/".join(self._file.text(f"{where}.{name}", one) for one in listed(choice))
            for name, choice in self._file.table(where, value).items()
        }
        with self._file.at(where):
            return Policy().with_options(options)

    def _excludes(self, axes: Mapping[str, list[Any]]) -> Callable[[str, Column], bool]:
        rules = []
        axes = {**axes, "bits": [32, 64]}
        for number, rule in enumerate(listed(self._file.told.get("exclude", [])), 1):
            where = f"exclude, entry {number}"
            table = self._file.table(where, rule)
            only_keys(table, AXES, self._path, where)
            if not table:
                raise UsageError(f"{self._path}: {where} excludes all", hint="name a card, an os …")
            parsed = {axis: listed(values) for axis, values in table.items()}
            for axis, value in ((name, each) for name in parsed for each in parsed[name]):
                if value not in axes[axis]:
                    # A whole SPEC may be PINs and keys.
                    named = str(value).partition(",")[0] if axis == "card" else value
                    raise UsageError(
                        f"{self._path}: {where}: there is no {axis} {shorten(repr(named))}",
                        hint=near(str(named), map(str, axes[axis]))
                        or "there are: " + ", ".join(map(str, axes[axis][:20])),
                    )
            rules.append(parsed)

        def leaves_out(card: str, column: Column) -> bool:
            own = {"card": card, **column._asdict()}
            return any(all(own[axis] in rule[axis] for axis in rule) for rule in rules)

        return leaves_out
