# SPDX-License-Identifier: Apache-2.0
"""Finds card kinds: our own by a table, everybody's through the entry-point group vreader.cards.

Scanning entry points costs more than starting a reader, so our own kinds are looked up first in a
table that says what our packaging metadata says; a test holds the two together.
"""

from collections.abc import Iterator
from functools import cache
from importlib import import_module

from vreader.card import CardKind, Description, KeepingKind
from vreader.errors import UsageError, VreaderError, near

ENTRY_POINT_GROUP = "vreader.cards"

OWN_KINDS: dict[str, str] = {
    "blank": "cards.blank:KIND",
    "gids": "cards.gids:KIND",
    "piv": "cards.piv:KIND",
    "relay": "cards.relay:KIND",
    "replay": "cards.replay:KIND",
    "scripted": "cards.scripted:KIND",
    "tpmvsc": "cards.gids:TPMVSC",
    "vpicc": "cards.vpicc:KIND",
    "yubikey": "cards.piv:YUBIKEY",
}

_UNKNOWN = Description("")


def find_kind(name: str) -> CardKind:
    """Return the card kind ``name``.

    Raises:
        UsageError: nothing of that name is installed.
        VreaderError: its plug-in cannot be loaded.
    """
    if (target := OWN_KINDS.get(name) or _foreign().get(name)) is None:
        known = kind_names()
        meant = near(name.lower(), known, 0.6)
        kinds = f"installed kinds: {', '.join(known)}; or use file.py:Class, atr:3B…, none"
        raise UsageError(f"unknown card kind {name!r}", hint=f"{meant} {kinds}" if meant else kinds)
    return _load(name, target)


def kind_names() -> list[str]:
    """Return the names of all installed kinds."""
    return sorted({*OWN_KINDS, *_foreign()})


def find_keeping_kind(name: str) -> KeepingKind:
    """Return a card kind whose cards live in files; raises UsageError for others."""
    kind = find_kind(name)
    if not isinstance(kind, KeepingKind):
        raise UsageError(
            f"cards of kind {name} are not kept in files",
            hint="kinds that are: " + ", ".join(one.name for one in keeping_kinds()),
        )
    return kind


def keeping_kinds() -> Iterator[KeepingKind]:
    """Yield the installed kinds whose cards live in files, our own first: they are found sooner."""
    for name in _names():
        try:
            kind = find_kind(name)
        except VreaderError:
            continue  # a broken plug-in keeps nobody from using the others
        if isinstance(kind, KeepingKind):
            yield kind


def _names() -> Iterator[str]:
    yield from OWN_KINDS
    yield from (name for name in sorted(_foreign()) if name not in OWN_KINDS)


def describe(c_apdu: bytes, aid: bytes) -> Description:
    """Explain a C-APDU with the kind that knows ``aid``, or any that knows the command.

    Looked up over all kinds, so that commands to foreign and replayed cards are explained, and
    their secrets masked, too. Never raises.
    """
    kinds = _by_aid()
    for known, kind in kinds:
        if aid and (aid.startswith(known) or known.startswith(aid)):
            return kind.describe(c_apdu, aid)
    for _, kind in kinds:
        told = kind.describe(c_apdu, aid)
        if told.text:
            return told
    return _UNKNOWN


@cache
def _foreign() -> dict[str, str]:
    from importlib.metadata import entry_points

    return {point.name: point.value for point in entry_points(group=ENTRY_POINT_GROUP)}


@cache
def _by_aid() -> list[tuple[bytes, CardKind]]:
    found: list[tuple[bytes, CardKind]] = []
    for name in kind_names():
        try:
            kind = find_kind(name)
        except VreaderError:
            continue  # a broken plug-in explains nothing; using it says why
        found += [(aid, kind) for aid in kind.aids]
    return found


@cache
def _load(name: str, target: str) -> CardKind:
    module, _, attribute = target.partition(":")
    try:
        kind: CardKind = getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise VreaderError(
            f"card kind {name!r} cannot be loaded: {error}",
            hint=f"reinstall the package that provides {target}",
        ) from error
    return kind
