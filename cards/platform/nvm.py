# SPDX-License-Identifier: Apache-2.0
"""The non-volatile memory of a card: bytes under (area, key), changed in transactions.

Writes are seen at once by whoever reads, and reach the store at ``commit``: the card commits once
per command, before the answer leaves. The memory of a card is small, so all of it is held in a
dict; only changes go to the store. :mod:`cards.platform.statefile` knows how a file looks.
"""

from collections.abc import Mapping
from typing import Protocol

from vreader.card import Store
from vreader.errors import VreaderError

Key = tuple[str, str]


class NvmError(VreaderError):
    """The store did not take a change; the card answers 6581, a person is told."""

    def __init__(self, message: str) -> None:
        super().__init__(
            f"cannot write the card: {message}",
            hint="is there room on the disk, and may you write the file?",
        )


class PowerLost(Exception):  # noqa: N818 - an event of the physical world, not an error
    """The card has lost its power, where :meth:`Nvm.tear` said it would."""


class Backend(Protocol):
    """Where committed changes go."""

    def load(self) -> dict[Key, bytes]:
        """Return everything that was committed."""

    def write(self, changes: Mapping[Key, bytes | None]) -> None:
        """Store ``changes`` (None deletes) all together or not at all; raises NvmError."""

    def close(self) -> None:
        """Let go of the store; may be called twice."""


class MemoryBackend:
    """A store that forgets: the dict of the Nvm is all there is."""

    def load(self) -> dict[Key, bytes]:
        """Return nothing."""
        return {}

    def write(self, changes: Mapping[Key, bytes | None]) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


class Nvm:
    """Non-volatile memory with one open transaction at any time."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._committed = backend.load()
        self._changes: dict[Key, bytes | None] = {}
        self._tear: str = ""  # where the next commit loses its power: before, after

    @property
    def empty(self) -> bool:
        """Whether nothing was ever committed: a card is yet to be made in it."""
        return not self._committed

    def area(self, name: str) -> "Area":
        """Return the part of the memory that belongs to one application."""
        return Area(self, name)

    def get(self, key: Key) -> bytes | None:
        """Return the value, changes of the open transaction included; None when there is none."""
        if key in self._changes:
            return self._changes[key]
        return self._committed.get(key)

    def put(self, key: Key, value: bytes | None) -> None:
        """Change a value in the open transaction; None deletes it."""
        self._changes[key] = value

    def all_keys(self) -> set[Key]:
        """Return the keys that have a value, changes of the open transaction included."""
        if not self._changes:
            return set(self._committed)
        return {k for k in (*self._committed, *self._changes) if self.get(k) is not None}

    def content(self) -> dict[Key, bytes]:
        """Return everything, changes of the open transaction included."""
        told = ((key, self.get(key)) for key in self.all_keys())
        return {key: value for key, value in told if value is not None}

    def replace(self, content: Mapping[Key, bytes]) -> None:
        """Make ``content`` all there is, in the open transaction."""
        for key in self.all_keys() - content.keys():
            self.put(key, None)
        for key, value in content.items():
            self.put(key, value)

    def commit(self) -> None:
        """Make the changes last; afterwards they survive the death of this process.

        Raises:
            NvmError: the store failed; the changes are still open, roll them back.
            PowerLost: :meth:`tear` has asked for it.
        """
        if not self._changes:
            return
        if self._tear == "before":
            raise PowerLost
        self._backend.write(self._changes)
        for key, value in self._changes.items():
            if value is None:
                self._committed.pop(key, None)
            else:
                self._committed[key] = value
        self._changes = {}
        if self._tear:
            raise PowerLost

    def tear(self, where: str) -> None:
        """Have the next commit lose its power ``before`` or ``after`` it; empty for no more."""
        self._tear = where

    def rollback(self) -> None:
        """Forget the changes since the last commit."""
        if self._changes:
            self._changes = {}

    def close(self) -> None:
        """Forget open changes and let go of the store."""
        self.rollback()
        self._backend.close()


class Area:
    """One application's part of the memory: keys are plain strings, values bytes."""

    __slots__ = ("_name", "_nvm")

    def __init__(self, nvm: Nvm, name: str) -> None:
        self._nvm = nvm
        self._name = name

    def get(self, key: str) -> bytes | None:
        """Return a value or None."""
        return self._nvm.get((self._name, key))

    def put(self, key: str, value: bytes) -> None:
        """Set a value in the open transaction."""
        self._nvm.put((self._name, key), value)

    def delete(self, key: str) -> None:
        """Remove a value, if there is one, in the open transaction."""
        self._nvm.put((self._name, key), None)

    def names(self, prefix: str = "") -> list[str]:
        """Return the keys that start with ``prefix``, sorted."""
        return sorted(
            k for area, k in self._nvm.all_keys() if area == self._name and k.startswith(prefix)
        )

    def commit(self) -> None:
        """Commit the whole open transaction now, in the middle of a command."""
        self._nvm.commit()


def open_nvm(store: Store, kind: str) -> Nvm:
    """Open the memory of a card of ``kind``; a new or empty file gives an empty memory.

    Raises:
        VreaderError: the file is in use, of a newer version, not ours, or holds another kind.
    """
    if store.path is None:
        return Nvm(MemoryBackend())
    from cards.platform.statefile import StateFile

    nvm = Nvm(StateFile(store.path))
    found = (nvm.get(("card", "kind")) or b"").decode()
    if not nvm.empty and found != kind:
        nvm.close()
        raise VreaderError(
            f"{store.path} holds a card of kind {found or 'unknown'}, not {kind}",
            hint=f"use --card {found},state={store.path}" if found else "choose another file",
        )
    return nvm
