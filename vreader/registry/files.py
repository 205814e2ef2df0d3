# SPDX-License-Identifier: Apache-2.0
"""Registry files from the disk: ``.reg`` files and hives, told apart by what is in them."""

import os
import stat
from collections.abc import Sequence
from typing import Final

from vreader.errors import UsageError, VreaderError
from vreader.registry.hive import import_hive, root_of
from vreader.registry.regf import is_hive
from vreader.registry.regfile import RegFileError, import_reg, parse_reg
from vreader.registry.store import Registry

_MODE: Final = 0o666  # less the umask, as any program's file
MAX_FILE: Final = 1 << 30  # bytes; hives of a real machine have some 100 MiB


def load_registry(path: str, *, root: str = "", only: Sequence[str] = ()) -> Registry:
    """Return what a file holds, as :func:`import_file` reads it."""
    registry = Registry()
    import_file(registry, path, root=root, only=only)
    return registry


def import_file(registry: Registry, path: str, *, root: str = "", only: Sequence[str] = ()) -> int:
    r"""Read a ``.reg`` file or a hive into ``registry``.

    Args:
        registry: is left alone where the file is bad.
        path: of the file.
        root: the key that a hive's root becomes, ``HKLM\SOFTWARE``; empty asks the hive, then the
            file's name. A ``.reg`` file says it itself.
        only: the keys to read of a hive, with all below them, which is far faster than the whole
            of a machine's; a ``.reg`` file is read whole.

    Returns:
        How many changes or keys there were.

    Raises:
        RegFileError, HiveError: the file is bad; with its place.
        UsageError: it cannot be read, or nothing says where the hive belongs.
    """
    return import_data(registry, read_file(path), path, root=root, only=only)


def import_data(
    registry: Registry, data: bytes, source: str, *, root: str = "", only: Sequence[str] = ()
) -> int:
    """Do what :func:`import_file` does with a file that is in memory.

    Args:
        registry: as there.
        data: the file.
        source: its name, for errors and for what it says of a hive.
        root: as there.
        only: as there.
    """
    if not is_hive(data):
        return import_reg(registry, data, source)
    root = root or root_of(data, source)
    if not root:
        raise UsageError(
            f"nothing says which key {source} is of", hint=r"name it: --root HKLM\SOFTWARE"
        )
    return import_hive(registry, data, root, source, only)


def merged(
    into: str, paths: Sequence[str], *, root: str = "", only: Sequence[str] = ()
) -> Registry:
    """Return what a ``.reg`` file holds when others have been read into it, in their order.

    Args:
        into: a ``.reg`` file, changed by nobody here; one that is missing is empty.
        paths: files as for :func:`import_file`; what they delete is deleted.
        root: as there.
        only: as there.

    Raises:
        UsageError: as there; ``into`` is a hive, or deletes something, which a file that only says
            what is there would lose.
    """
    registry = Registry()
    if os.path.lexists(into):
        data = read_file(into)
        if is_hive(data):
            raise UsageError(f"{into} is a hive, which is only read", hint="name a .reg file")
        for change in parse_reg(data, into):
            if change.deletes:
                raise RegFileError(
                    into, change.line, "a deletion, which would be lost here",
                    "start with another file, and let it be one of those to import",
                )  # fmt: skip
        import_reg(registry, data, into)
    for path in paths:
        import_file(registry, path, root=root, only=only)
    return registry


def read_file(path: str) -> bytes:
    """Return a file's bytes; raises UsageError."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - pathlib is slow to import
            data = file.read(MAX_FILE + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(
            f"cannot read {path}: {reason}", hint="name a .reg file or a hive"
        ) from None
    if len(data) > MAX_FILE:
        raise UsageError(
            f"{path} is longer than {MAX_FILE >> 20} MiB", hint="export only the keys in question"
        )
    return data


def write_file(path: str, data: bytes, *, replace: bool = True) -> None:
    """Write a file, whole or not at all; raises VreaderError.

    Args:
        path: its name; what is no file, a pipe for example, is written to.
        data: what is to be in it.
        replace: it may exist; UsageError where it does and may not.
    """
    from vreader.cardfile import publish

    try:
        there = os.path.exists(path)  # noqa: PTH110 - pathlib is slow to import
        if there and not os.path.isfile(path):  # noqa: PTH113
            with open(path, "wb") as file:  # noqa: PTH123
                file.write(data)
        else:
            # Whoever could not read the file before cannot read the new one.
            mode = stat.S_IMODE(os.stat(path).st_mode) if there else _MODE  # noqa: PTH116
            publish(data, path, replace=replace, mode=mode)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise VreaderError(
            f"cannot write {path}: {reason}", hint="choose another folder or name"
        ) from error
