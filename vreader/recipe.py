# SPDX-License-Identifier: Apache-2.0
"""What a card is made as: its profile, as a value and as a TOML file."""

import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from vreader.errors import UsageError, near
from vreader.kinds import find_keeping_kind

_TABLES = ("options", "provision")
_KEYS = ("kind", "profile", "seed", *_TABLES)
FOLDER = "folder"


class Recipe(NamedTuple):
    """What a card is made as.

    Attributes:
        kind: name of the card kind.
        profile: one of its profiles; empty for the default.
        options: options of ``create``.
        provision: options of ``provision``; the card is always provisioned.
        seed: makes identifiers repeatable, or None.
    """

    kind: str
    profile: str = ""
    options: Mapping[str, str] = {}
    provision: Mapping[str, Sequence[str]] = {}
    seed: bytes | None = None

    def __repr__(self) -> str:
        return f"Recipe({self.kind!r}, {self.profile!r}, …)"

    @classmethod
    def parse(cls, text: str) -> "Recipe":
        """Read ``KIND[:PROFILE]`` or the name of a TOML file; raises UsageError."""
        if text.endswith(".toml"):
            return cls.load(text)
        kind, colon, profile = text.partition(":")
        if not kind or (colon and not profile):
            raise UsageError(
                f"{text!r} is no card to make", hint="write kind, kind:profile or file.toml"
            )
        return cls(kind, profile)

    @classmethod
    def load(cls, path: str) -> "Recipe":
        """Read a TOML file; the files that it names are relative to its own folder.

        Raises:
            UsageError: it cannot be read, is no TOML, or says what nobody knows.
        """
        told = read_toml(path, "a card's profile is a TOML file")
        only_keys(told, _KEYS, path, "")
        kind = told.get("kind")
        if not isinstance(kind, str):
            raise UsageError(f"{path}: kind is missing", hint='for example kind = "piv"')
        tables = {name: _table(told, name, path) for name in _TABLES}
        found = find_keeping_kind(kind)
        only_keys(tables["options"], found.options(), path, "options")
        only_keys(tables["provision"], found.provisioning(), path, "provision")
        options = {key: _text(value, path, key) for key, value in tables["options"].items()}
        provision = {
            key: [_text(one, path, key) for one in (value if isinstance(value, list) else [value])]
            for key, value in tables["provision"].items()
        }
        if FOLDER in found.provisioning():
            here = os.path.dirname(path)  # noqa: PTH120 - pathlib is slow to import
            given = provision.get(FOLDER, [""])
            provision[FOLDER] = [os.path.join(here, folder) for folder in given]  # noqa: PTH118
        seed = parse_seed(_text(told["seed"], path, "seed"), path) if "seed" in told else None
        profile = _text(told.get("profile", ""), path, "profile")
        return cls(kind, profile, options, provision, seed)

    def with_options(
        self,
        options: Mapping[str, str],
        provision: Mapping[str, Sequence[str]] | None = None,
        seed: bytes | None = None,
    ) -> "Recipe":
        """Return the same with options in place of those of the same name."""
        return self._replace(
            options={**self.options, **options},
            provision={**self.provision, **(provision or {})},
            seed=self.seed if seed is None else seed,
        )


def parse_seed(text: str, where: str) -> bytes:
    """Read a seed; raises UsageError, which names ``where`` it stands."""
    try:
        if seed := bytes.fromhex(text):
            return seed
    except ValueError:
        pass
    raise UsageError(f"{where}: seed is not in hex", hint="for example 01")


def read_toml(path: str, hint: str) -> dict[str, object]:
    """Read a TOML file; raises UsageError with tomllib's line and column, and ``hint``."""
    import tomllib

    try:
        with open(path, "rb") as file:  # noqa: PTH123 - pathlib is slow to import
            # Editors of Windows begin with a mark.
            return tomllib.loads(file.read().decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        lines = error.object[: error.start].split(b"\n")
        place = f"line {len(lines)}, column {len(lines[-1]) + 1}"
        raise UsageError(f"{path}: it is not in UTF-8 (at {place})", hint=hint) from error
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise UsageError(f"{path}: {' '.join(reason.split())}", hint=hint) from error


def only_keys(
    table: Mapping[str, object], known: Sequence[str] | Mapping[str, str], path: str, where: str
) -> None:
    """Refuse keys of a TOML table ``where`` that are not ``known``; raises UsageError."""
    for key in table:
        if key not in known:
            raise UsageError(
                f"{path}: unknown key {key!r}" + (f" in [{where}]" if where else ""),
                hint=near(key, known) or "known: " + (", ".join(known) or "none"),
            )


def _table(told: Mapping[str, object], name: str, path: str) -> dict[str, object]:
    table = told.get(name, {})
    if not isinstance(table, dict):
        raise UsageError(f"{path}: {name} is not a table", hint=f"write [{name}]")
    return table


def _text(value: object, path: str, key: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise UsageError(f"{path}: {key} is not a text", hint=f'write {key} = "…"')
    return str(value)
