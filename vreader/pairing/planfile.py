# SPDX-License-Identifier: Apache-2.0
"""A plan's file while it is read: values, where they stand, and the cards it names."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vreader.cardspec import CardSpec
from vreader.errors import UsageError
from vreader.pairing.atrlist import read_atrs
from vreader.recipe import only_keys, read_toml

_MOST_LETTERS = 120


class PlanFile:
    """A TOML file whose complaints say where in it something is wrong.

    Args:
        path: of the file.
        known: keys it may have.

    Attributes:
        path: as given.
        folder: the file's own; files it names are relative to that.
        told: what is in it.

    Raises:
        UsageError: it cannot be read, or is no TOML.
    """

    def __init__(self, path: str, known: Sequence[str]) -> None:
        self.path = path
        self.folder = Path(path).resolve().parent
        self.told = read_toml(path, "a plan is a TOML file: cards, os, bits, [packages], [policy]")
        if "," in str(self.folder) or not str(self.folder).isprintable():
            raise UsageError(
                f"{path}: its folder's name has a comma or a control character",
                hint="move it: a comma separates options",
            )
        only_keys(self.told, known, path, "")

    @contextmanager
    def at(self, where: str) -> Iterator[None]:
        """Say where in the plan a complaint comes from."""
        try:
            yield
        except UsageError as error:
            message = f"{self.path}: {where}: {error}"
            raise UsageError(message, hint=error.hint) from None

    def wrong(self, where: str, value: object, expected: str) -> UsageError:
        """Return the complaint about a value."""
        text = shorten(repr(value))
        return UsageError(f"{self.path}: {where} cannot be {text}", hint=f"write {expected}")

    def text(self, where: str, value: object, expected: str = "a text in quotes") -> str:
        """Return a text that can be shown in one line; raises UsageError."""
        if not isinstance(value, str) or not (value.isprintable() or not value):
            raise self.wrong(where, value, expected)
        return value

    def table(self, where: str, value: object) -> dict[str, object]:
        """Return a table; raises UsageError."""
        if not isinstance(value, dict):
            raise self.wrong(where, value, f"a table: [{where}]")
        return value

    def file(self, where: str, value: object) -> str:
        """Return the absolute path of a file or folder, and what stands behind its comma."""
        name, comma, more = self.text(where, value).partition(",")
        path = os.path.normpath(self.folder / name)
        if not name or not os.path.exists(path):  # noqa: PTH110 - Path trips over long names
            raise UsageError(
                f"{self.path}: {where}: there is no file {shorten(repr(name))}",
                hint="files are relative to the plan's own folder",
            )
        return f"{path}{comma}{more}"


def shorten(text: str) -> str:
    """Return the beginning of what is too long for a complaint, and anything else as it is."""
    return text if len(text) <= _MOST_LETTERS else f"{text[: _MOST_LETTERS - 1]}…"


def listed(value: object) -> list[Any]:
    """Return a list as it is, and anything else as the only element of one."""
    return value if isinstance(value, list) else [value]


def read_cards(file: PlanFile) -> dict[str, str]:
    """Return the SPECs of a plan's cards by what they are called; raises UsageError."""
    return _Cards(file).cards()


class _Cards:
    """The cards of a plan, one after the other."""

    def __init__(self, file: PlanFile) -> None:
        self._file = file
        self.found: dict[str, str] = {}

    def cards(self) -> dict[str, str]:
        """Return SPECs by what the cards are called."""
        # What follows a SPEC's head may be PINs and keys: complaints do not repeat it.
        for number, value in enumerate(listed(self._file.told.get("cards", [])), 1):
            where = f"cards, entry {number}"
            label = ""
            if isinstance(value, dict):
                only_keys(value, ("card", "label"), self._file.path, where)
                label = self._file.text(f"{where}, label", value.get("label", ""))
                value = value.get("card")
            if not isinstance(value, str):
                raise UsageError(
                    f"{self._file.path}: {where} is not the text that a card is",
                    hint='write "piv", or {card = "piv", label = "a PIV card"}',
                )
            self._add_card(where, value, label)
        lists = listed(self._file.told.get("atrs", []))
        for name in (self._file.file("atrs", value) for value in lists):
            self._add_atrs(name)
        if not self.found:
            raise UsageError(
                f"{self._file.path}: there is no card in it", hint='write cards = ["piv"]'
            )
        return self.found

    def _add_card(self, where: str, text: str, label: str) -> None:
        with self._file.at(where):
            spec = CardSpec.parse(text)
            if spec.form == "none":
                raise UsageError("an empty reader pairs with nothing", hint="name a card: piv")
            if spec.state is not None:
                raise UsageError(
                    "a card with a state file is in one reader at a time",
                    hint="leave state= out, or describe the card in a TOML file",
                )
            located = self._located(spec)
            _ = CardSpec.parse(located).kind  # unknown kinds are told now, not in every cell
            label = label or spec.label
            if label in self.found:
                raise UsageError(
                    f"two cards are called {label!r}",
                    hint=f'give one a name: {{card = "{label}", label = "another"}}',
                )
            self.found[label] = located

    def _located(self, spec: CardSpec) -> str:
        """Return a SPEC whose files are named by absolute paths."""
        head, *options = spec.text.split(",")
        if spec.form in ("toml", "file"):
            head = str(self._file.folder / head)
        for number, option in enumerate(options):
            key, _, value = option.partition("=")
            if spec.form == "kind" and key == "file":
                options[number] = f"file={self._file.folder / value}"
        return ",".join((head, *options))

    def _add_atrs(self, path: str) -> None:
        known = set(self.found.values())
        for listed_atr in read_atrs(path).atrs:
            digits = listed_atr.atr.hex().upper()
            spec = f"atr:{digits}"
            if spec not in known:
                known.add(spec)
                # Lists call many cards alike.
                label = " ".join(filter(str.isprintable, listed_atr.text.split())) or spec
                self.found[label if label not in self.found else f"{label} ({digits})"] = spec
