# SPDX-License-Identifier: Apache-2.0
"""Cards in files: made, told about, exported, imported, reset.

What a card is made as is its *profile*, a :class:`vreader.recipe.Recipe`; what it has become is its
*image*, the file. A new file appears only when the card in it is ready.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

from vreader.card import Card, FileStore, KeepingKind, MemoryStore, Store
from vreader.errors import UsageError, VreaderError
from vreader.kinds import find_keeping_kind, keeping_kinds
from vreader.publish import new_file
from vreader.recipe import Recipe

MAX_IMAGE = 1 << 24  # bytes of an exported image; a full card has a tenth of it
# What a kind may raise over a memory that was changed from outside.
_DAMAGE = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, AssertionError)


def make(recipe: Recipe, store: Store) -> Card:
    """Make the card with its keys, or open it where the store's file holds one.

    Raises:
        VreaderError: it cannot be made, or the file holds another kind or profile, or is in use.
    """
    kind = find_keeping_kind(recipe.kind)
    profile = recipe.profile or next(iter(kind.profiles()))
    if store.path is not None:
        if not _there(store.path):
            write(recipe, store.path, replace=os.path.exists(store.path))  # noqa: PTH110
        # Only a different profile is refused; the options described how it was made.
        return kind.create(profile, {}, store, None)
    card = kind.create(profile, recipe.options, store, recipe.seed)
    kind.provision(card, recipe.provision)
    kind.born(card)
    return card


def write(recipe: Recipe, path: str, *, replace: bool = False) -> None:
    """Make the card in a new file, readable by its owner alone.

    Args:
        recipe: what it is made as.
        path: the file; it appears when the card is ready, or not at all.
        replace: the file may exist, if it is a card that nobody uses, or empty.

    Raises:
        VreaderError: the card cannot be made, the file exists, or cannot be written.
    """
    kind = find_keeping_kind(recipe.kind)
    with _new_file(path, replace=replace) as aside:
        card = make(recipe, MemoryStore())
        close(kind.load(kind.export(card), FileStore(aside)))


def kind_of(path: str) -> KeepingKind:
    """Return the kind of the card in a file, which may be in use; raises VreaderError."""
    if not path:
        raise UsageError("the card's file has no name", hint="name a file, for example my.card")
    if not os.path.exists(path):  # noqa: PTH110 - pathlib is slow to import
        raise UsageError(
            f"there is no card in {path}", hint=f"make one: vreader card new {path} --profile piv"
        )
    if not os.path.isfile(path):  # noqa: PTH113 - a pipe would keep its reader waiting
        raise _no_card(path)
    if not os.access(path, os.R_OK):
        raise UsageError(f"you may not read {path}", hint="ask its owner, or use a card of yours")
    for kind in keeping_kinds():
        if kind.holds(path):
            return kind
    raise _no_card(path)


def _no_card(path: str) -> UsageError:
    return UsageError(
        f"{path} is not a card file", hint="name a file made by vreader card new or state=FILE"
    )


@contextmanager
def opened(path: str) -> Iterator[tuple[KeepingKind, Card]]:
    """Open the card in a file with its kind, and close it at the end.

    Raises:
        VreaderError: there is none, or a running world has it; the error says which process.
    """
    kind = kind_of(path)
    card = kind.open(FileStore(path))
    try:
        yield kind, card
    finally:
        close(card)


def info(path: str) -> dict[str, str]:
    """Return what can be told about the card in a file, label to value; no secrets."""
    with opened(path) as (kind, card):
        try:
            return {"kind": kind.name, **dict(kind.outline(card)), **dict(kind.facts(card))}
        except _DAMAGE as error:
            raise VreaderError(
                f"the card in {path} cannot be read: {type(error).__name__}",
                hint="the file was changed from outside; use a copy, or make a new card",
            ) from error


def export(path: str) -> bytes:
    """Return the image of the card in a file as JSON, secrets included."""
    with opened(path) as (kind, card):
        return kind.export(card)


def load(image: bytes, path: str, *, replace: bool = False) -> None:
    """Make the file of a card from an exported image; raises VreaderError.

    Args:
        image: what :func:`export` returned.
        path: the new file.
        replace: the file may exist, if it is a card that nobody uses.
    """
    if len(image) > MAX_IMAGE:
        raise VreaderError(
            f"an image of a card has at most {MAX_IMAGE >> 20} MiB",
            hint="make one with vreader card export",
        )
    with _new_file(path, replace=replace) as aside:
        for kind in keeping_kinds():
            if kind.reads(image):
                close(kind.load(image, FileStore(aside)))
                return
        itself = image.startswith(b"SQLite format 3\0")
        raise VreaderError(
            "this is no image of a card of an installed kind",
            hint="it is a card itself: copy the file, or make an image with vreader card export"
            if itself
            else "make one with vreader card export",
        )


def reset(path: str) -> None:
    """Make the card in a file again what it was when it was made; raises VreaderError."""
    with opened(path) as (kind, card):
        kind.restore(card)


def close(card: Card) -> None:
    """Let go of the card's file, where it has one."""
    closer: Callable[[], None] | None = getattr(card, "close", None)
    if closer is not None:
        closer()


def _there(path: str) -> bool:
    return os.path.exists(path) and os.path.getsize(path) > 0  # noqa: PTH110, PTH202


@contextmanager
def _new_file(path: str, *, replace: bool) -> Iterator[str]:
    """Give the name of a file aside that becomes ``path`` when all went well."""
    if not path or os.path.isdir(path):  # noqa: PTH112 - pathlib is slow to import
        raise UsageError(f"{path!r} cannot be a card's file", hint="write for example my.card")
    place = os.path.realpath(path)
    if replace and os.path.lexists(place) and not os.path.isfile(place):  # noqa: PTH113
        raise _no_card(path)  # a device or a pipe
    try:
        # Only a card is replaced, and only one that nobody uses, from now on either.
        used = opened(path) if replace and _there(place) else nullcontext()
        with used, new_file(path, replace=replace) as aside:
            try:
                yield aside
            except VreaderError as error:
                # What went wrong with the file aside went wrong with the one that was meant.
                error.rename(aside, path)
                raise
    except OSError as error:
        raise VreaderError(
            f"cannot write {path}: {error.strerror}", hint="choose another folder or name"
        ) from error
