# SPDX-License-Identifier: Apache-2.0
"""Reads ``docs/reference/minidriver-inventory.toml``: the rules that minidrivers are held to."""

import tomllib
from pathlib import Path
from typing import NamedTuple

TESTS = Path(__file__).parents[1]
FILE = TESTS.parent / "docs" / "reference" / "minidriver-inventory.toml"


class Row(NamedTuple):
    """One rule; the file's own head says what each member is."""

    id: str
    kind: str
    subject: str
    rule: str
    source: str
    silent: str = ""
    check: str | None = None
    test: tuple[str, ...] = ()
    not_checked: str = ""


def rows():
    """Return all rows in order; a member that is not known is a TypeError."""
    return [Row(**row) for row in tomllib.loads(FILE.read_text(encoding="utf-8"))["row"]]
