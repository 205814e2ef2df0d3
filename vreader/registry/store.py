# SPDX-License-Identifier: Apache-2.0
r"""Keys and values in a tree, looked up without regard to case, shown as they were first written.

Paths start with a root, long or short: ``HKLM\Software``, ``HKEY_LOCAL_MACHINE\Software``. As on
Windows HKEY_CLASSES_ROOT is ``HKLM\Software\Classes`` and HKEY_CURRENT_CONFIG a key below
``HKLM\System``; HKEY_CURRENT_USER is a tree of its own here, for there is one user. Limits are
those of Win32 "Registry element size limits".
"""

from collections.abc import Iterator, Sequence
from typing import Final, Literal

from vreader.registry.values import Value

ROOTS: Final = {
    "HKEY_LOCAL_MACHINE": "HKLM",
    "HKEY_USERS": "HKU",
    "HKEY_CURRENT_USER": "HKCU",
    "HKEY_CLASSES_ROOT": "HKCR",
    "HKEY_CURRENT_CONFIG": "HKCC",
}
LONG_NAMES: Final = {short: long for long, short in ROOTS.items()} | {long: long for long in ROOTS}
_ALIASES: Final = {
    "HKEY_CLASSES_ROOT": ("HKEY_LOCAL_MACHINE", ("SOFTWARE", "Classes")),
    "HKEY_CURRENT_CONFIG": (
        "HKEY_LOCAL_MACHINE",
        ("SYSTEM", "CurrentControlSet", "Hardware Profiles", "Current"),
    ),
}
MAX_KEY_NAME: Final = 255
MAX_VALUE_NAME: Final = 16383
MAX_DEPTH: Final = 512


class RegistryError(ValueError):
    """What was asked of the registry cannot be."""


class KeyNotFoundError(RegistryError):
    """There is no such key (ERROR_FILE_NOT_FOUND), or it has been deleted meanwhile."""


class ValueNotFoundError(RegistryError):
    """The key has no such value (ERROR_FILE_NOT_FOUND)."""


class NameRefusedError(RegistryError):
    """A name is empty, too long, or holds what it must not; an unknown root."""


class KeyRefusedError(RegistryError):
    """The key cannot be deleted: a root, or it has subkeys (ERROR_ACCESS_DENIED)."""


def fold(name: str) -> str:
    """Return what names are compared by: upper case, letter by letter.

    No letter becomes two (ß stays), and none outside ASCII becomes one inside, as in the kernel's
    table.
    """
    if name.isascii():
        return name.upper()
    return "".join(map(_fold_letter, name))


def _fold_letter(letter: str) -> str:
    upper = letter.upper()
    if len(upper) != 1 or (upper.isascii() and not letter.isascii()):
        return letter
    return upper


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
        self._roots = {name: Key(name) for name in ROOTS if name not in _ALIASES}

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

    def roots(self) -> list[Key]:
        """Return the trees there are, aliases left out."""
        return list(self._roots.values())


def is_root(path: str) -> bool:
    """Say whether a path names a root and nothing below it."""
    return not path.partition("\\")[2]


def locate(path: str) -> tuple[str, list[str]]:
    """Return the tree a path is in, by its long name, and the names from there on.

    Raises:
        NameRefusedError: its root is none, a name on the way is none, or it is too deep.
    """
    root, _, rest = path.partition("\\")
    long = LONG_NAMES.get(root.upper())
    if long is None:
        raise NameRefusedError(f"{shortened(root)} is no root: {', '.join(ROOTS.values())}")
    tree, names = _ALIASES.get(long, (long, ()))
    found = [*names, *(split(rest) if rest else ())]
    check_depth(len(found))
    return tree, found


def shortened(name: str) -> str:
    """Return a name for an error, quoted, cut where it is long."""
    return repr(name if len(name) <= 40 else f"{name[:40]}…")


def split(path: str) -> list[str]:
    r"""Cut a path into names; one ``\`` at its end does not matter. Raises NameRefusedError."""
    names = path.removesuffix("\\").split("\\")
    for name in names:
        if not name or len(name) > MAX_KEY_NAME or "\0" in name:
            raise NameRefusedError(
                f"a key's name has 1 to {MAX_KEY_NAME} characters: {shortened(name)}"
            )
    return names


def check_depth(depth: int) -> None:
    """Refuse a key too far below its root; raises NameRefusedError."""
    if depth > MAX_DEPTH:
        raise NameRefusedError(f"a key lies at most {MAX_DEPTH} keys below its root")


def check_value_name(name: str) -> None:
    """Refuse a name no value can have; raises NameRefusedError."""
    if len(name) > MAX_VALUE_NAME or "\0" in name:
        raise NameRefusedError(
            f"a value's name has at most {MAX_VALUE_NAME} characters, none a NUL"
        )
