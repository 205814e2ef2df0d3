# SPDX-License-Identifier: Apache-2.0
"""Part E, continued: directories."""

from functools import partial

from vreader.minidriver.abi.codes import DirectoryAc
from vreader.minidriver.abi.files import CARD_APPS
from vreader.minidriver.abi.returncodes import CardWin32
from vreader.minidriver.certify.bench import Bench
from vreader.minidriver.certify.check import page, refused, require
from vreader.minidriver.certify.files import LONG, PART, WRITES, writing
from vreader.winscard.codes import SCARD

_INVALID = SCARD.E_INVALID_PARAMETER
_NO_FILE, _NO_DIRECTORY = SCARD.E_FILE_NOT_FOUND, SCARD.E_DIR_NOT_FOUND
_USER_DIRECTORY = DirectoryAc.USER_CREATE_DELETE


@PART.check(page("CardCreateDirectory"), "file.directory-create")
def directory_create(bench: Bench) -> None:
    """A created directory takes files; creating it again is ERROR_FILE_EXISTS."""
    writing(bench)
    bench.md.CardCreateDirectory("mydir", _USER_DIRECTORY)
    bench.md.CardCreateFile("mydir", "a", 0, WRITES)
    require(bench.md.CardEnumFiles("mydir", 0) == ["a"], "the file is not in the list")
    refused(lambda: bench.md.CardCreateDirectory("mydir", _USER_DIRECTORY), CardWin32.FILE_EXISTS)


@PART.check(page("CardEnumFiles"), "file.enum-empty")
def enum_empty(bench: Bench) -> None:
    """Listing an empty directory is SCARD_E_FILE_NOT_FOUND."""
    writing(bench)
    bench.md.CardCreateDirectory("empty", _USER_DIRECTORY)
    refused(lambda: bench.md.CardEnumFiles("empty", 0), _NO_FILE)


@PART.check(page("CardCreateDirectory"), "file.directory-over-file")
def directory_over_file(bench: Bench) -> None:
    """A directory with the name of a file is ERROR_FILE_EXISTS."""
    writing(bench)
    refused(lambda: bench.md.CardCreateDirectory(CARD_APPS, _USER_DIRECTORY), CardWin32.FILE_EXISTS)


@PART.check(page("CardCreateDirectory"), "file.directory-name")
def directory_name(bench: Bench) -> None:
    """A directory without a name, or with a long one, is refused."""
    writing(bench)
    for name in (None, "", LONG):
        refused(partial(bench.md.CardCreateDirectory, name, _USER_DIRECTORY), _INVALID)


@PART.check(page("CardDeleteDirectory"), "file.directory-delete")
def directory_delete(bench: Bench) -> None:
    """An empty directory can be deleted and is gone then."""
    writing(bench)
    bench.md.CardCreateDirectory("brief", _USER_DIRECTORY)
    bench.md.CardDeleteDirectory("brief")
    refused(lambda: bench.md.CardEnumFiles("brief", 0), _NO_DIRECTORY, _NO_FILE)
    bench.md.CardCreateDirectory("brief", _USER_DIRECTORY)


@PART.check(page("CardDeleteDirectory"), "file.directory-delete-missing file.directory-delete-name")
def directory_delete_missing(bench: Bench) -> None:
    """Deleting a directory that is not there is SCARD_E_DIR_NOT_FOUND."""
    writing(bench)
    refused(lambda: bench.md.CardDeleteDirectory("nowhere"), _NO_DIRECTORY)
    refused(lambda: bench.md.CardDeleteDirectory(None), _INVALID)


@PART.check(page("CardDeleteDirectory"), "file.directory-delete-full")
def directory_full(bench: Bench) -> None:
    """A directory with files in it is ERROR_DIR_NOT_EMPTY."""
    writing(bench)
    bench.md.CardCreateDirectory("full", _USER_DIRECTORY)
    bench.md.CardCreateFile("full", "a", 0, WRITES)
    refused(lambda: bench.md.CardDeleteDirectory("full"), CardWin32.DIR_NOT_EMPTY)
