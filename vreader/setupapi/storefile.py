# SPDX-License-Identifier: Apache-2.0
r"""A driver store in a folder of the disk.

``FileRepository/<name>_<arch>_<hash>/<name>`` is a staged INF as it was given, ``INF/oemN.inf`` the
same under its published name, ``driver-store.json`` says what there is and who signed it. That file
is written last and in one go: what it does not name is not in the store, so that a process killed
at any moment leaves the store as it was or with the new package. Processes take turns.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from vreader.errors import UsageError, VreaderError
from vreader.publish import publish
from vreader.setupapi.inffile import read_inf_bytes
from vreader.setupapi.package import Package, Signature, make_package
from vreader.setupapi.store import DriverStore

INDEX: Final = "driver-store.json"
REPOSITORY: Final = "FileRepository"
PUBLISHED: Final = "INF"
_FORMAT: Final = 1
_MODE: Final = 0o666  # less the umask, as any program's file
_DAMAGED: Final = "restore it, or begin a new store in an empty folder"


def load_store(path: str | Path, inbox: Iterable[Package] = ()) -> DriverStore:
    """Return the store of a folder.

    Args:
        path: of the folder.
        inbox: packages that come with Windows.

    Raises:
        UsageError: there is no store, or it has been damaged; names the file.
    """
    folder = Path(path)
    _check_there(folder)
    with _turn(folder, "read", fcntl.LOCK_SH):
        return _load(folder, inbox)


def _load(folder: Path, inbox: Iterable[Package] = ()) -> DriverStore:
    index = folder / INDEX
    store = DriverStore(inbox)
    for row in _rows(index):
        try:
            store.put(_package(folder, row))
        except UsageError as error:
            raise UsageError(f"{index}: {error}", hint=_DAMAGED) from error
    return store


def stage_on_disk(path: str | Path, packages: Iterable[Package], arch: str) -> list[Package]:
    """Stage packages in the store of a folder, made where it is missing: all of them or none.

    Args:
        path: of the folder.
        packages: what to stage.
        arch: of the Windows; it is part of the name of a package's folder.

    Returns:
        The packages with their published names; the same name for one that is there already.

    Raises:
        UsageError: the folder holds other things, or the store is damaged.
        VreaderError: it cannot be written.
    """
    folder = Path(path)
    with _turn(folder, "write", create=True):
        _check_folder(folder)
        rows = _rows(folder / INDEX) if (folder / INDEX).exists() else []
        store = _load(folder) if rows else DriverStore()
        known = {row["published"] for row in rows}
        staged = [store.stage(package) for package in packages]
        added = {each.published: each for each in staged if each.published not in known}
        new = [_row(package, arch) for package in added.values()]
        try:
            for row, package in zip(new, added.values(), strict=True):
                _write(folder / REPOSITORY / row["folder"] / package.name, package.data)
                _write(folder / PUBLISHED / package.published, package.data)
            _write_index(folder, rows + new)
        except OSError:
            _clear(folder, new, rows)
            raise
        return staged


def remove_from_disk(path: str | Path, published: Iterable[str]) -> list[Package]:
    """Take packages out of the store of a folder, all of them or none.

    Args:
        path: of the folder.
        published: names of the packages, ``oem0.inf``.

    Raises:
        UsageError, VreaderError: as :func:`stage_on_disk` does; or there is no such package.
    """
    folder = Path(path)
    with _turn(folder, "write"):
        _check_there(folder)
        store = _load(folder)
        removed = [store.remove(name) for name in published]
        names = {package.published for package in removed}
        rows = _rows(folder / INDEX)
        kept = [row for row in rows if row["published"] not in names]
        _write_index(folder, kept)
        _clear(folder, [row for row in rows if row["published"] in names], kept)
        return removed


def _clear(folder: Path, gone: list[dict[str, str]], kept: list[dict[str, str]]) -> None:
    """Remove the files of packages that are not in the store; two may share a folder."""
    still = {row["folder"] for row in kept}
    for row in gone:
        (folder / PUBLISHED / row["published"]).unlink(missing_ok=True)
        if row["folder"] not in still:
            _remove_folder(folder / REPOSITORY / row["folder"], row["name"])


def _remove_folder(folder: Path, name: str) -> None:
    """Remove a package's folder; one in which somebody keeps other things stays."""
    (folder / name).unlink(missing_ok=True)
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


# ---------------------------------------------------------------------- the index


def _row(package: Package, arch: str) -> dict[str, str]:
    return {
        "published": package.published,
        "name": package.name,
        "folder": package.folder(arch),
        "signature": package.signature.value,
        "stated": "yes" if package.stated else "no",
        "sha256": hashlib.sha256(package.data).hexdigest(),
    }


_COLUMNS: Final = frozenset({"published", "name", "folder", "signature", "stated", "sha256"})


def _rows(index: Path) -> list[dict[str, str]]:
    """Read the index; raises UsageError."""
    try:
        told = json.loads(read_inf_bytes(str(index)))
        rows = told["packages"]
        if told["format"] != _FORMAT or not isinstance(rows, list) or not all(map(_is_row, rows)):
            raise ValueError("it has another format")
    except json.JSONDecodeError as error:
        raise UsageError(
            f"{index}, line {error.lineno}, column {error.colno}: {error.msg}", hint=_DAMAGED
        ) from None
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise UsageError(f"{index} is no index of a driver store: {error}", hint=_DAMAGED) from None
    return rows


def _is_row(row: object) -> bool:
    return (
        isinstance(row, dict)
        and row.keys() >= _COLUMNS
        and all(isinstance(value, str) for value in row.values())
        and row["signature"] in {each.value for each in Signature}
        and all(_is_name(row[column]) for column in ("published", "name", "folder"))
    )


def _is_name(text: str) -> bool:
    """Say whether a text names a file of a folder, and none outside of it."""
    return text not in ("", ".", "..") and not set(text) & set("/\\\0")


def _package(folder: Path, row: dict[str, str]) -> Package:
    path = folder / REPOSITORY / row["folder"] / row["name"]
    data = read_inf_bytes(str(path))
    if hashlib.sha256(data).hexdigest() != row["sha256"]:
        raise UsageError(f"{path} is not what was staged")
    package = make_package(data, row["name"], Signature(row["signature"]))
    return package._replace(published=row["published"], stated=row["stated"] == "yes")


# ---------------------------------------------------------------------- writing


@contextmanager
def _turn(
    folder: Path, verb: str, lock: int = fcntl.LOCK_EX, *, create: bool = False
) -> Iterator[None]:
    """Keep other processes from changing the store meanwhile; errors name the folder."""
    try:
        if create:
            folder.mkdir(parents=True, exist_ok=True)
        held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(held, lock)
            yield
        finally:
            os.close(held)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise VreaderError(
            f"cannot {verb} the driver store {folder}: {reason}", hint="name another folder"
        ) from error


def _check_there(folder: Path) -> None:
    if not (folder / INDEX).is_file():
        raise UsageError(
            f"there is no driver store in {folder}", hint="make one: vreader inf stage FILE --store"
        )


def _check_folder(folder: Path) -> None:
    ours = (INDEX, REPOSITORY, PUBLISHED)
    others = [entry.name for entry in folder.iterdir() if not entry.name.startswith(ours)]
    if others and not (folder / INDEX).exists():
        raise UsageError(
            f"{folder} is no driver store: it has {min(others)!r}", hint="name an empty folder"
        )


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    publish(data, str(path), replace=True, mode=_MODE)


def _write_index(folder: Path, rows: list[dict[str, str]]) -> None:
    told = {"format": _FORMAT, "packages": rows}
    publish(
        (json.dumps(told, indent=2) + "\n").encode(), str(folder / INDEX), replace=True, mode=_MODE
    )
