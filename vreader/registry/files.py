# SPDX-License-Identifier: Apache-2.0
"""Registry files from the disk: ``.reg`` files and hives, told apart by what is in them."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from vreader import readfile
from vreader.errors import UsageError, VreaderError
from vreader.publish import turn, write_file
from vreader.registry.hive import import_hive, root_of
from vreader.registry.regexport import export_reg
from vreader.registry.regf import is_hive
from vreader.registry.regfile import RegFileError, apply, import_reg, parse_reg
from vreader.registry.store import Registry

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
    try:
        if not is_hive(data):
            return import_reg(registry, data, source)
        root = root or root_of(data, source)
        if not root:
            raise UsageError(
                f"nothing says which key {source} is of", hint=r"name it: --root HKLM\SOFTWARE"
            )
        return import_hive(registry, data, root, source, only)
    except MemoryError:
        raise VreaderError(
            f"there is not enough memory for {source}", hint="export only the keys in question"
        ) from None


@contextmanager
def changing(path: str) -> Iterator[Registry]:
    """Give what a ``.reg`` file holds; when all went well it is written again, whole.

    Processes that change files of one folder take turns.

    Args:
        path: of the file; a missing one is as an empty one, in which there is nothing.

    Raises:
        RegFileError: it deletes something, which a file that only says what is there would lose.
        UsageError: it is a hive, or cannot be read, or nothing can be written for what it holds.
        VreaderError: it cannot be written.
    """
    with turn(path):
        registry = Registry()
        there = os.path.exists(path)  # noqa: PTH110 - pathlib is slow to import
        if there and (data := read_file(path)):
            if is_hive(data):
                raise UsageError(f"{path} is a hive, which is only read", hint="name a .reg file")
            changes = parse_reg(data, path)
            for change in changes:
                if change.deletes:
                    raise RegFileError(
                        path, change.line, "a deletion, which would be lost here",
                        "start with another file, and let it be one of those to import",
                    )  # fmt: skip
            apply(registry, changes)
        yield registry
        write_file(path, export_reg(registry))


def read_file(path: str) -> bytes:
    """Return the bytes of a registry file; raises UsageError."""
    return readfile.read_file(
        path, MAX_FILE, "name a .reg file or a hive", too_long="export only the keys in question"
    )
