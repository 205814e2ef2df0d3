# SPDX-License-Identifier: Apache-2.0
"""The lint of a minidriver's hardware ids: whether they are those of the cards it registers."""

import re
from collections.abc import Callable
from typing import Final

from vreader.cardids import GIDS_ID, PIV_ID, PREFIX
from vreader.registry.names import fold
from vreader.setupapi.minidriver import Install
from vreader.setupapi.rule import Report

_INBOX: Final = {fold(PIV_ID): "PIV", fold(GIDS_ID): "GIDS"}
_GUID: Final = re.compile(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}")
_HISTORICAL: Final = re.compile(r"([0-9A-F]{2}){1,15}")
_MAX_SHOWN: Final = 4

Step = Callable[[int, int], None]
"""Counts what is done: line, steps."""


def lint_ids(install: Install, report: Report, step: Step) -> None:
    """Look at the ids of the models that lead to an install, and whether each card has one."""
    good: set[bytes] = set()
    others = False  # ids that say nothing of the ATR, and wrong ones
    for model in install.models:
        if not any(model.ids):
            report(321, model.line, "none")
        for each in filter(None, model.ids):
            folded = fold(each)
            rest = folded.removeprefix(PREFIX)
            guid = _GUID.fullmatch(rest)
            if folded in _INBOX:
                report(323, model.line, f"{each}, {_INBOX[folded]}")
            elif rest == folded or not (guid or _HISTORICAL.fullmatch(rest)):
                report(321, model.line, each)
            elif not guid:
                historical = bytes.fromhex(rest)
                if historical in good or _registers(historical, install, step):
                    good.add(historical)
                    continue
                report(322, model.line, each + _registered(install))
            others = True
    if good and not others:
        _cards_without_id(install, good, report, step)


def _registers(historical: bytes, install: Install, step: Step) -> bool:
    """Say whether one of the cards of an install may have these historical bytes.

    Where there is none, or one that cannot be judged, it is taken as good.
    """
    judged = False
    for entry in install.cards.values():
        step(entry.line, 1)
        pattern = entry.pattern
        if pattern is None or pattern.takes_historical(historical):
            return True
        judged = True
    return not judged


def _registered(install: Install) -> str:
    """Return which ids the cards of an install have, as far as their masks keep them."""
    found: dict[str, None] = {}
    for entry in install.cards.values():
        pattern = entry.pattern
        known, mask = (pattern and pattern.historical) or (b"", b"")
        if known and all(byte == 0xFF for byte in mask):
            found[known.hex()] = None
        if len(found) == _MAX_SHOWN:
            break
    return f"; its cards have CID_{', CID_'.join(found)}" if found else ""


def _cards_without_id(install: Install, ids: set[bytes], report: Report, step: Step) -> None:
    for entry in install.cards.values():
        step(entry.line, len(ids))
        pattern = None if entry.wow64 else entry.pattern
        if pattern is not None and not any(map(pattern.takes_historical, ids)):
            report(343, entry.line, entry.name)
