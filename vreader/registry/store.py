# SPDX-License-Identifier: Apache-2.0
"""Keys and values in a tree, looked up without regard to case, shown as they were first written."""

from collections.abc import Iterator, Sequence
from typing import Literal

from vreader.registry.names import (
    ALIASES,
    ROOTS,
    RegistryError,
    check_depth,
    check_value_name,
    fold,
    is_root,
    locate,
    split,
)
from vreader.registry.values import Value


class KeyNotFoundError(RegistryError):
    """There is no such key (ERROR_FILE_NOT_FOUND), or it has been deleted meanwhile."""


class ValueNotFoundError(RegistryError):
    """The key has no such value (ERROR_FILE_NOT_FOUND)."""


class KeyRefusedError(RegistryError):
    """The key cannot be deleted: a root, or it has subkeys (ERROR_ACCESS_DENIED)."""


class Key:
    """One key.

    Attributes:
        name: as it was first written; the long name of a root.
        parent: the key it is in; None for a root.
        depth: keys above it.
        deleted: it has been deleted; nothing can be written into it any more.
    """

    __slots__ = ("_keys", "_values", "deleted", "depth", "name", "parent")

    def __init__(self, name: str, parent: "Key | None" = None) -> None:
        self.name = name
        self.parent = parent
        self.depth: int = 0 if parent is None else parent.depth + 1
        self.deleted = False
        self._keys: dict[str, Key] = {}
        self._values: dict[str, tuple[str, Value]] = {}

    @property
    def path(self) -> str:
        r"""The whole path from the root's long name on."""
        names = []
        key: Key | None = self
        while key is not None:
            names.append(key.name)
            key = key.parent
        return "\\".join(reversed(names))

    # ------------------------------------------------------------------ keys

    def create(self, path: str) -> "Key":
        """Return the key at ``path`` below this one, made with all above it where missing.

        Raises:
            NameRefusedError: a name in ``path`` is none.
            KeyNotFoundError: this key has been deleted.
        """
        names = split(path)
        check_depth(self.depth + len(names))
        return self._create(names)

    def _create(self, names: Sequence[str]) -> "Key":
        self._check()
        key = self
        for name in names:
            folded = fold(name)
            below = key._keys.get(folded)
            if below is None:
                below = key._keys[folded] = Key(name, key)
            key = below
        return key

    def find(self, path: str) -> "Key | None":
        """Return the key at ``path`` below this one, or None."""
        return self._find(split(path))

    def _find(self, names: Sequence[str]) -> "Key | None":
        key = self
        for name in names:
            below = key._keys.get(fold(name))
            if below is None:
                return None
            key = below
        return key

    def open(self, path: str) -> "Key":
        """Return the key at ``path`` below this one; raises KeyNotFoundError."""
        key = self.find(path)
        if key is None:
            raise KeyNotFoundError(f"there is no key {self.path}\\{path}")
        return key

    def delete(self, path: str, *, tree: bool = False) -> None:
        """Delete the key at ``path`` below this one, with its values.

        Args:
            path: names the key.
            tree: also with all keys below it (RegDeleteTree).

        Raises:
            KeyNotFoundError: there is none.
            KeyRefusedError: it has subkeys and ``tree`` is false.
        """
        self.open(path).remove(tree=tree)

    def remove(self, *, tree: bool = False) -> None:
        """Delete this key; raises KeyRefusedError for a root, and as :meth:`delete` does."""
        self._check()
        if self.parent is None:
            raise KeyRefusedError(f"{self.path} is a root")
        if self._keys and not tree:
            raise KeyRefusedError(f"{self.path} has subkeys")
        del self.parent._keys[fold(self.name)]
        for gone in list(self.walk()):
            gone.deleted = True

    def subkeys(self, order: Literal["name", "created"] = "name") -> "list[Key]":
        """Return the keys directly below: by name, as Windows enumerates them, or by age."""
        keys = self._keys
        return [keys[name] for name in (sorted(keys) if order == "name" else keys)]

    def walk(self) -> "Iterator[Key]":
        """Yield this key and all below it, each before those below it, by name."""
        stack = [self]
        while stack:
            key = stack.pop()
            yield key
            stack += reversed(key.subkeys())

    def _copied(self) -> "Key":
        """Return a root like this one, with a copy of all below it."""
        top = Key(self.name)
        stack = [(self, top)]
        while stack:
            key, copied = stack.pop()
            copied._values = key._values.copy()  # values do not change
            for folded, below in key._keys.items():
                copied._keys[folded] = new = Key(below.name, copied)
                stack.append((below, new))
        return top

    # ------------------------------------------------------------------ values

    def set(self, name: str, value: Value) -> None:
        """Set a value; the empty name is the key's default value.

        One that is there keeps its place and the spelling of its name.
        """
        self._check()
        check_value_name(name)
        folded = fold(name)
        spelled, _ = self._values.get(folded, (name, value))
        self._values[folded] = (spelled, value)

    def find_value(self, name: str) -> Value | None:
        """Return a value, or None."""
        found = self._values.get(fold(name))
        return found[1] if found is not None else None

    def get(self, name: str) -> Value:
        """Return a value; raises ValueNotFoundError."""
        value = self.find_value(name)
        if value is None:
            raise ValueNotFoundError(f"{self.path} has no value {name or '(default)'}")
        return value

    def delete_value(self, name: str) -> None:
        """Delete a value; raises ValueNotFoundError."""
        self._check()
        if self._values.pop(fold(name), None) is None:
            raise ValueNotFoundError(f"{self.path} has no value {name or '(default)'}")

    def values(self) -> list[tuple[str, Value]]:
        """Return names and values in the order in which they were first set."""
        return list(self._values.values())

    def _check(self) -> None:
        if self.deleted:
            raise KeyNotFoundError(f"{self.path} has been deleted")

    def __repr__(self) -> str:
        return f"<Key {self.path}>"


class Registry:
    """A registry, empty but for its roots."""

    def __init__(self) -> None:
        self._roots = {name: Key(name) for name in ROOTS if name not in ALIASES}

    def root(self, name: str) -> Key:
        """Return the key of a root, by its long or short name; raises NameRefusedError."""
        return self.create(name)

    def create(self, path: str) -> Key:
        """Return the key at ``path``, made where missing; raises NameRefusedError."""
        tree, names = locate(path)
        return self._roots[tree]._create(names)

    def find(self, path: str) -> Key | None:
        """Return the key at ``path``, or None; a root is there ever. Raises NameRefusedError."""
        if is_root(path):
            return self.create(path)
        tree, names = locate(path)
        return self._roots[tree]._find(names)

    def open(self, path: str) -> Key:
        """Return the key at ``path``; raises KeyNotFoundError."""
        key = self.find(path)
        if key is None:
            raise KeyNotFoundError(f"there is no key {path}")
        return key

    def delete(self, path: str, *, tree: bool = False) -> None:
        """Delete the key at ``path``; raises KeyNotFoundError, KeyRefusedError."""
        key = self.open(path)
        if is_root(path):
            raise KeyRefusedError(f"{path} is a root")
        key.remove(tree=tree)

    def copy(self) -> "Registry":
        """Return a registry of its own with the same keys and values, orders included."""
        copied = Registry.__new__(Registry)
        copied._roots = {name: root._copied() for name, root in self._roots.items()}
        return copied

    def merge(self, other: "Registry") -> None:
        """Set all keys and values of another registry in this one; others stay."""
        stack = [(root, self.create(root.name)) for root in other.roots()]
        while stack:
            key, target = stack.pop()
            for name, value in key.values():
                target.set(name, value)
            stack += [(below, target._create((below.name,))) for below in key.subkeys("created")]

    def roots(self) -> list[Key]:
        """Return the trees there are, aliases left out."""
        return list(self._roots.values())
