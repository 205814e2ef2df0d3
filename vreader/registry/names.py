# SPDX-License-Identifier: Apache-2.0
r"""Paths and names of keys and values: how they are compared, cut, and what they may be.

Paths start with a root, long or short: ``HKLM\Software``, ``HKEY_LOCAL_MACHINE\Software``. As on
Windows HKEY_CLASSES_ROOT is ``HKLM\Software\Classes`` and HKEY_CURRENT_CONFIG a key below
``HKLM\System``; HKEY_CURRENT_USER is a tree of its own here, for there is one user. Limits are
those of Win32 "Registry element size limits".
"""

from typing import Final

ROOTS: Final = {
    "HKEY_LOCAL_MACHINE": "HKLM",
    "HKEY_USERS": "HKU",
    "HKEY_CURRENT_USER": "HKCU",
    "HKEY_CLASSES_ROOT": "HKCR",
    "HKEY_CURRENT_CONFIG": "HKCC",
}
LONG_NAMES: Final = {short: long for long, short in ROOTS.items()} | {long: long for long in ROOTS}
ALIASES: Final = {
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


class NameRefusedError(RegistryError):
    """A name is empty, too long, or holds what it must not; an unknown root."""


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


def is_root(path: str) -> bool:
    """Say whether a path names a root and nothing below it."""
    return not path.partition("\\")[2]


def locate(path: str) -> tuple[str, list[str]]:
    """Return the tree a path is in, by its long name, and the names from there on.

    Raises:
        NameRefusedError: its root is none, a name on the way is none, or it is too deep.
    """
    tree, names = resolve(path)
    check_depth(len(names))
    return tree, names


def resolve(path: str) -> tuple[str, list[str]]:
    """Return what :func:`locate` does, at any depth; raises NameRefusedError."""
    root, _, rest = path.partition("\\")
    long = LONG_NAMES.get(root.upper())
    if long is None:
        raise NameRefusedError(f"{shortened(root)} is no root: {', '.join(ROOTS.values())}")
    tree, names = ALIASES.get(long, (long, ()))
    return tree, [*names, *(split(rest) if rest else ())]


def shortened(name: str) -> str:
    """Return a name for an error, quoted, cut where it is long."""
    return repr(name if len(name) <= 40 else f"{name[:40]}…")


def split(path: str) -> list[str]:
    r"""Cut a path into names; one ``\`` at its end does not matter. Raises NameRefusedError."""
    names = path.removesuffix("\\").split("\\")
    for name in names:
        if not is_key_name(name):
            raise NameRefusedError(
                f"a key's name has 1 to {MAX_KEY_NAME} characters: {shortened(name)}"
            )
    return names


def is_key_name(name: str) -> bool:
    """Say whether a key can be called so."""
    return 0 < len(name) <= MAX_KEY_NAME and "\\" not in name and "\0" not in name


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
