# SPDX-License-Identifier: Apache-2.0
r"""The lint of one card below ``Calais\SmartCards``: ATR, mask, module, providers, PIN prompts."""

import re
from typing import Final

from vreader.registry import REG_BINARY, REG_SZ
from vreader.registry.names import fold
from vreader.setupapi.calais import BASE_CSP, BASE_KSP, CSP, KSP, MODULE, CardEntry
from vreader.setupapi.pattern import AtrPattern
from vreader.setupapi.rule import Report

_BINARY: Final = ("ATR", "ATRMask")
_PROVIDERS: Final = ((CSP, BASE_CSP), (KSP, BASE_KSP))
_PURPOSES: Final = range(7)  # SECRET_PURPOSE: AuthenticationPin 0 … UnblockOnlyPin 6
_FIRST_PROMPT: Final = 0x80000100
_NUMBER: Final = re.compile(r"[0-9A-F]{8}")
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*|(0x)?[0-9A-Fa-f]{1,8}")


def lint_card(entry: CardEntry, report: Report) -> None:
    """Look at one card in one view."""
    _types(entry, report)
    _atr(entry, report)
    _providers(entry, report)
    _prompts(entry, report)


def _types(entry: CardEntry, report: Report) -> None:
    for name, line in entry.values.items():
        if name in map(fold, _BINARY):
            wanted = REG_BINARY
        elif name in map(fold, (CSP, KSP)) or _NUMBER.fullmatch(name):
            wanted = REG_SZ
        else:
            continue
        if line.value is not None and line.value.type != wanted:
            report(320, line.line, f"{line.name} is {line.value.type_name}")


def _atr(entry: CardEntry, report: Report) -> None:
    for name, rule in (("ATR", 314), ("ATRMask", 315)):
        if fold(name) not in entry.values:
            report(rule, entry.line, entry.label)
    atr, mask = entry.data("ATR"), entry.data("ATRMask")
    if atr is None:
        return
    line = entry.values["ATR"].line
    if mask is not None and len(atr) != len(mask):
        report(311, line, f"{len(atr)} and {len(mask)} bytes")
        return
    wrong = [at for at, (a, m) in enumerate(zip(atr, mask or atr, strict=True)) if a & ~m]
    if wrong:
        at = wrong[0]
        report(310, line, f"byte {at} is {atr[at]:02x}, its mask {(mask or atr)[at]:02x}")
    pattern = entry.pattern
    if pattern is None:
        return
    if pattern.problem:
        report(312, line, pattern.problem)
    if pattern.tck_problem:
        report(313, line, pattern.tck_problem)
    if mask is not None and not _tells_cards_apart(pattern):
        report(342, entry.values["ATRMASK"].line, entry.label)


def _tells_cards_apart(pattern: AtrPattern) -> bool:
    """Say whether a mask keeps a bit of what is the card's own: mostly its historical bytes."""
    known = pattern.historical
    kept = known[1] if known is not None and known[0] else pattern.mask[2:]
    return any(kept) or all(byte == 0xFF for byte in pattern.mask)


def _providers(entry: CardEntry, report: Report) -> None:
    found = {name: entry.values[fold(name)] for name, _ in _PROVIDERS if fold(name) in entry.values}
    foreign = False
    for name, base in _PROVIDERS:
        text = entry.text(name)
        if text is not None and fold(text) != fold(base):
            foreign = True
            report(319, found[name].line, text)
    if not found:
        report(317, entry.line, entry.label)
    elif len(found) < len(_PROVIDERS) and not foreign:
        missing, who = (KSP, "CNG") if CSP in found else (CSP, "CAPI")
        report(
            318, entry.line, f"{entry.label} has no {missing}; {who} programs do not see the card"
        )
    if MODULE not in entry.values and not foreign:
        report(316, entry.line, entry.label)


def _prompts(entry: CardEntry, report: Report) -> None:
    for name, line in entry.values.items():
        if name == MODULE or not _NUMBER.fullmatch(name) or not name.startswith("8"):
            continue
        if int(name, 16) - _FIRST_PROMPT not in _PURPOSES:
            report(328, line.line, name)
        elif problem := _prompt_problem(entry.text(name)):
            report(329, line.line, problem)


def _prompt_problem(text: str | None) -> str:
    if text is None:
        return ""  # its type is wrong, which is said elsewhere
    if '"' in text:
        return "a quotation mark"
    seen: set[str] = set()
    for part in text.split(";"):
        language, comma, prompt = part.partition(",")
        if not comma or not prompt or not _LANGUAGE.fullmatch(language.strip()):
            return f"{part!r} is no LangID,text"
        if fold(language.strip()) in seen:
            return f"{language.strip()} twice; the first counts"
        seen.add(fold(language.strip()))
    return ""
