# SPDX-License-Identifier: Apache-2.0
"""The mutants: one changed line each, and the one check that sees it.

``mutants.toml`` has them: the check, the module, the line (with lines before it where it stands
there more than once), what it becomes, and the kind of card that shows it.
"""

import tomllib
from pathlib import Path
from typing import NamedTuple

from loader import load

from vreader.minidriver.abi.pins import Role
from vreader.minidriver.certify import Settings, Subject

FILE = Path(__file__).parent / "mutants.toml"
SETTINGS = Settings(pins={Role.USER: b"123456", Role.ADMIN: bytes(range(24)), 3: b"3333"})
CARDS = {
    "": {},
    "read-only": {"read_only": True},
    "plain": {"session": False, "injection": False},
    "no curves": {"curves": False},
}


class Mutant(NamedTuple):
    """One mutant."""

    check: str
    module: str
    old: str
    new: str
    card: str = ""


def mutants():
    """Return all mutants."""
    found = tomllib.loads(FILE.read_text(encoding="utf-8"))["mutant"]
    return [Mutant(**one) for one in found]


def subject(card="", module="", old="", new=""):
    """Return the minidriver of this folder, changed, with a kind of card."""
    made, card_class = load(module, old, new)
    options = CARDS[card]
    made.injection = options.get("injection", True)
    return Subject(module or "memory", made, lambda: card_class(**options))
