# SPDX-License-Identifier: Apache-2.0
"""Hive files a user may be given: refused with their own error, or read to the end."""

import struct
import sys
from functools import cache
from pathlib import Path

from files import comes_back
from mutate import WORDS, Mutator
from surfaces import Surface

sys.path.append(str(Path(__file__).parents[1]))  # the soak test is a program, too

from hives import base_block, hive

from vreader.registry import Registry, Value
from vreader.registry.hive import import_hive
from vreader.registry.regf import HiveError

ROOT = r"HKLM\SOFTWARE"
FORMS = ({"leaf": "lf"}, {"leaf": "lh", "per_leaf": 2}, {"leaf": "li", "minor": 3})


@cache
def good(form: int) -> bytes:
    """Return a small hive with everything in it."""
    registry = Registry()
    for card in ("A", "b", "Карта"):
        key = registry.create(rf"{ROOT}\Calais\SmartCards\{card}")
        key.set("ATR", Value.binary(bytes.fromhex("3B0451FF0800")))
        key.set("", Value.sz("a text"))
        key.set("n", Value.dword(1))
    long = 0 if form else 16_400  # slow to write as a .reg file
    registry.create(rf"{ROOT}\Long").set("long", Value.binary(bytes(long)))
    return hive(registry.open(ROOT), **FORMS[form])


class Hive(Surface):
    """Hives: what is read can be written as a ``.reg`` file and read again."""

    name = "hive"

    def open(self) -> None:
        """Nothing to set up: each file is read on its own."""

    def case(self, mutator: Mutator) -> tuple[bytes, int]:
        chance = mutator.chance
        data = bytearray(good(chance.randrange(len(FORMS))))
        used = len(data.rstrip(b"\0")) // 4
        for _ in range(chance.randint(1, 6)):
            # Mostly where something is, mostly by what stands elsewhere: an offset, a length.
            at = 4 * chance.choice((chance.randrange(128), chance.randrange(1024, used)))
            word = chance.choice((*WORDS, 0, 0, 0, 0))
            if not word:
                word = struct.unpack_from("<I", data, 4 * chance.randrange(1024, used))[0]
            struct.pack_into("<I", data, at, word)
        case = bytes(data)
        if chance.random() < 0.3:
            case = mutator.mutate(case, [case])
        if len(case) >= 512 and chance.random() < 0.95:
            case = base_block(bytearray(case))
        return case, 1

    def play(self, case: bytes) -> str | None:
        registry = Registry()
        try:
            import_hive(registry, case, ROOT)
        except HiveError as error:
            found = [each for root in registry.roots() for each in root.subkeys()]
            return f"refused and half read: {error}" if found else None
        return comes_back(registry)

    def innocent(self) -> None:
        registry = Registry()
        assert import_hive(registry, good(0), ROOT) == 7
        assert registry.find(rf"{ROOT}\Calais\SmartCards\Карта") is not None
