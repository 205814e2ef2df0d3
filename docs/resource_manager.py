# SPDX-License-Identifier: Apache-2.0
"""Tables about the resource manager's profiles: options, checks of each call, tables of errors."""

from collections.abc import Iterator
from enum import Flag
from typing import NamedTuple

from driver import meanings

from vreader.wdm import NTSTATUS, RtlNtStatusToDosError
from vreader.winscard.codes import SCARD, Win32
from vreader.winscard.profile import PROFILES, Operation, RmProfile
from vreader.winscard.status_change import StatusRules

TABLES = ("name", "checks", "errors", "status")  # each has a table of its own
# How a call is said in words where its row is not called as the function is.
CALLS = {
    "dispose": "SCardDisconnect, RESET, UNPOWER or EJECT",
    "disconnect": "SCardDisconnect, LEAVE",
    "begin": "SCardBeginTransaction",
    "end": "SCardEndTransaction",
    "attribute": "SCardGetAttrib, SCardSetAttrib",
}


def options() -> Iterator[str]:
    """Yield the options: what each profile says, and what it means."""
    yield from _options(RmProfile, {p.name: p for p in PROFILES.values()}, TABLES)


def status() -> Iterator[str]:
    """Yield the options of SCardGetStatusChange."""
    yield from _options(StatusRules, {p.name: p.status for p in PROFILES.values()}, ())


def _options(
    kind: type[NamedTuple], profiles: dict[str, NamedTuple], skip: tuple[str, ...]
) -> Iterator[str]:
    told = meanings(kind)
    yield f"| option | {' | '.join(profiles)} | meaning |\n|---|{'---|' * len(profiles)}---|\n"
    for option in kind._fields:
        if option not in skip:
            cells = [_value(getattr(profile, option)) for profile in profiles.values()]
            cells = _italic_where_different(cells)
            yield f"| `{option}` | {' | '.join(cells)} | {told[option]} |\n"


def _italic_where_different(cells: list[str]) -> list[str]:
    return [cell if cell == cells[0] else f"*{cell}*" for cell in cells]


def _value(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    if isinstance(value, Flag):
        return ", ".join(flag.name or "" for flag in value) or "none"
    if isinstance(value, dict):
        return (
            ", ".join(f"{call}: {code.name}" for call, code in value.items())
            or SCARD.E_NO_SMARTCARD.name
        )
    if callable(value):
        words = value("Vendor", "Type", 0) if "base" not in value.__name__ else None
        return f"`{words}`" if words else "strips it"
    return getattr(value, "name", f"{value:g}" if isinstance(value, float) else str(value))


def checks() -> Iterator[str]:
    """Yield what each call looks at, in its order."""
    names = list(PROFILES)
    yield f"| call | {' | '.join(names)} |\n|---|{'---|' * len(names)}\n"
    for call in PROFILES["pcsclite"].checks:
        cells = [
            ", ".join(check.name for check in profile.checks[call]) or "nothing"
            for profile in PROFILES.values()
        ]
        title = CALLS.get(call, f"SCard{call.capitalize()}")
        yield f"| {title} | {' | '.join(_italic_where_different(cells))} |\n"


def errors(name: str) -> Iterator[str]:
    """Yield one profile's tables of errors; statuses that are one to it share a row."""
    table = PROFILES[name].errors
    rows: dict[tuple[str, ...], list[NTSTATUS]] = {}
    for code in NTSTATUS:
        win32 = RtlNtStatusToDosError(code)
        if code not in (NTSTATUS.SUCCESS, NTSTATUS.PENDING) and win32 in set(Win32):
            cells = tuple(_code(table[operation][win32], win32) for operation in Operation)
            rows.setdefault(cells, []).append(code)
    titles = [operation.value for operation in Operation]
    yield f"| status of the driver | {' | '.join(titles)} |\n|---|{'---|' * len(titles)}\n"
    for cells, codes in rows.items():
        named = ", ".join(f"{code.name} ({RtlNtStatusToDosError(code)})" for code in codes)
        yield f"| {named} | {' | '.join(cells)} |\n"


def _code(code: SCARD | Win32, win32: int) -> str:
    return "itself" if code == win32 else code.name
