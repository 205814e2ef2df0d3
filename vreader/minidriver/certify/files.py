# SPDX-License-Identifier: Apache-2.0
"""Part E: the card's file system."""

from functools import partial

from vreader.minidriver.abi.codes import FileAc
from vreader.minidriver.abi.files import (
    CARD_APPS,
    CARD_APPS_RECORD,
    CARD_CF,
    CARD_ID,
    CARD_ID_SIZE,
    CONTAINER_MAP,
    EMPTY_CARD_CF,
    MSCP,
)
from vreader.minidriver.abi.returncodes import CardWin32
from vreader.minidriver.abi.structs import CARD_FILE_INFO, CARD_FREE_SPACE_INFO
from vreader.minidriver.certify.bench import Bench
from vreader.minidriver.certify.check import Part, page, refused, require
from vreader.winscard.codes import SCARD

PART = Part("E", "File system")

_INVALID = SCARD.E_INVALID_PARAMETER
_NO_FILE, _NO_DIRECTORY = SCARD.E_FILE_NOT_FOUND, SCARD.E_DIR_NOT_FOUND
_SYSTEM = "WDK File System Requirements"
WRITES = FileAc.EVERYONE_READ_USER_WRITE
LONG = "ninechars"


def writing(bench: Bench) -> None:
    """Log in as the user of a card that can be written."""
    bench.writable()
    bench.user()


@PART.check(_SYSTEM, "file.cardid file.read-root")
def cardid(bench: Bench) -> None:
    """The file cardid has 16 bytes that do not change."""
    first = bench.md.CardReadFile(None, CARD_ID, 0)
    require(len(first) == CARD_ID_SIZE, f"it has {len(first)} bytes")
    require(bench.acquire().CardReadFile("", CARD_ID, 0) == first, "it has changed")


@PART.check(_SYSTEM, "file.cardcf file.cardcf-layout")
def cardcf(bench: Bench) -> None:
    """The file cardcf has six bytes, and four more for each application."""
    size = len(bench.md.CardReadFile(None, CARD_CF, 0))
    more = size - len(EMPTY_CARD_CF)
    require(more >= 0 and more % 4 == 0, f"it has {size} bytes")


@PART.check(_SYSTEM, "file.cardapps")
def cardapps(bench: Bench) -> None:
    """The file cardapps has records of 8 bytes, the first for mscp."""
    raw = bench.md.CardReadFile(None, CARD_APPS, 0)
    require(raw[:CARD_APPS_RECORD] == b"mscp\0\0\0\0", f"it starts with {raw[:8].hex(' ')}")
    require(len(raw) % CARD_APPS_RECORD == 0, f"it has {len(raw)} bytes")


@PART.check(_SYSTEM, "file.mscp")
def mscp(bench: Bench) -> None:
    """The directory mscp has cmapfile in it."""
    bench.md.CardReadFile(MSCP, CONTAINER_MAP, 0)
    require(CONTAINER_MAP in bench.md.CardEnumFiles(MSCP, 0), "it is not in the list")


@PART.check(_SYSTEM, "file.case")
def case(bench: Bench) -> None:
    """Names differ not by case."""
    told = bench.md.CardReadFile(None, CARD_ID.upper(), 0)
    require(told == bench.md.CardReadFile(None, CARD_ID, 0), "another file was read")


@PART.check(page("CardEnumFiles"), "file.enum-root file.enum access.list read-only.CardEnumFiles")
def enum_root(bench: Bench) -> None:
    """The root lists cardid, cardcf and cardapps."""
    names = bench.md.CardEnumFiles(None, 0)
    missing = {CARD_ID, CARD_CF, CARD_APPS} - set(names)
    require(not missing, f"without {', '.join(sorted(missing))}")


PART.refusal(
    "enum-missing",
    "Listing a directory that is not there is SCARD_E_DIR_NOT_FOUND",
    page("CardEnumFiles"),
    "file.enum-missing",
    lambda b: b.md.CardEnumFiles("nowhere", 0),
    _NO_DIRECTORY,
)
PART.refusal(
    "read-missing",
    "Reading a file that is not there is SCARD_E_FILE_NOT_FOUND",
    page("CardReadFile"),
    "file.read-missing",
    lambda b: b.md.CardReadFile(None, "nothing", 0),
    _NO_FILE,
)
PART.refusal(
    "read-missing-directory",
    "Reading in a directory that is not there is SCARD_E_DIR_NOT_FOUND",
    page("CardReadFile"),
    "file.read-missing-directory",
    lambda b: b.md.CardReadFile("nowhere", "nothing", 0),
    _NO_DIRECTORY,
)


@PART.check(page("CardReadFile"), "file.read-empty-name")
def read_empty_name(bench: Bench) -> None:
    """An empty or NULL file name is refused."""
    for name in (None, ""):
        refused(partial(bench.md.CardReadFile, None, name, 0), _INVALID)


@PART.check(page("CardReadFile"), "file.read-long-name file.name-length")
def read_long_name(bench: Bench) -> None:
    """A name of more than 8 characters is refused."""
    refused(lambda: bench.md.CardReadFile(None, LONG, 0), _INVALID)
    refused(lambda: bench.md.CardReadFile(LONG, CARD_ID, 0), _INVALID)


@PART.check(page("CardCreateFile"), "file.name-characters file.levels")
def name_characters(bench: Bench) -> None:
    """A name with a character that Windows allows in no file name is refused."""
    writing(bench)
    for name in ("a*b", "a\\b"):
        refused(partial(bench.md.CardCreateFile, MSCP, name, 0, WRITES), _INVALID)


@PART.check(page("CardGetFileInfo"), "file.info")
def info(bench: Bench) -> None:
    """Size and access condition of a file are told."""
    told = bench.md.CardGetFileInfo(None, CARD_ID, CARD_FILE_INFO())
    require(told.cbFileSize == CARD_ID_SIZE, f"cardid has {told.cbFileSize} bytes")
    access = told.AccessCondition
    require(access == FileAc.EVERYONE_READ_ADMIN_WRITE, f"its access condition is {access}")


PART.refusal(
    "info-missing",
    "The size of a file that is not there is SCARD_E_FILE_NOT_FOUND",
    page("CardGetFileInfo"),
    "file.info-missing",
    lambda b: b.md.CardGetFileInfo(MSCP, "nothing", CARD_FILE_INFO()),
    _NO_FILE,
)


@PART.check(page("CardWriteFile"), "file.write-missing file.write-missing-directory")
def write_missing(bench: Bench) -> None:
    """Writing creates nothing: a file that is not there is SCARD_E_FILE_NOT_FOUND."""
    writing(bench)
    refused(lambda: bench.md.CardWriteFile(MSCP, "nothing", 0, b"a"), _NO_FILE)
    refused(lambda: bench.md.CardWriteFile("nowhere", "a", 0, b"a"), _NO_DIRECTORY)


@PART.check(page("CardWriteFile"), "file.write-read file.grows file.read-whole")
def write_read(bench: Bench) -> None:
    """What was written is read, also when it is longer or shorter than before."""
    writing(bench)
    bench.md.CardCreateFile(MSCP, "sizes", 4, WRITES)
    for size in (3, 600, 4, 0):
        data = bytes(n * 7 & 0xFF for n in range(size))
        bench.md.CardWriteFile(MSCP, "sizes", 0, data)
        got = bench.md.CardReadFile(MSCP, "sizes", 0)
        require(got == data, f"of {size} bytes {len(got)} came back, or others")


@PART.check(page("CardCreateFile"), "file.create-read")
def create(bench: Bench) -> None:
    """A created file can be read at once and is in the list of its directory."""
    writing(bench)
    bench.md.CardCreateFile(MSCP, "New", 8, WRITES)
    size = len(bench.md.CardReadFile(MSCP, "new", 0))
    require(size in (0, 8), f"it has {size} bytes")
    names = bench.md.CardEnumFiles(MSCP, 0)
    require("new" in names, f"the list is {names}")


@PART.check(
    page("CardCreateFile"),
    "file.create-existing",
    silent="Old pages print 128 or 0x80 for ERROR_FILE_EXISTS; winerror.h says 80.",
)
def create_existing(bench: Bench) -> None:
    """Creating a file that is there is ERROR_FILE_EXISTS."""
    writing(bench)
    bench.md.CardCreateFile(MSCP, "twice", 0, WRITES)
    refused(lambda: bench.md.CardCreateFile(MSCP, "twice", 0, WRITES), CardWin32.FILE_EXISTS)


@PART.check(page("CardCreateFile"), "file.create-missing-directory")
def create_missing_directory(bench: Bench) -> None:
    """Creating a file creates no directory."""
    writing(bench)
    refused(lambda: bench.md.CardCreateFile("nowhere", "a", 0, WRITES), _NO_DIRECTORY)


@PART.check(page("CardCreateFile"), "file.create-name file.create-long-name")
def create_name(bench: Bench) -> None:
    """Creating a file without a name, or with a long one, is refused."""
    writing(bench)
    for name in (None, "", LONG):
        refused(partial(bench.md.CardCreateFile, MSCP, name, 0, WRITES), _INVALID)


@PART.check(page("CardCreateFile"), "file.create-access access.no-everyone-write")
def create_access(bench: Bench) -> None:
    """An access condition that is not documented is refused."""
    writing(bench)
    for access in (FileAc.INVALID, 7):
        refused(partial(bench.md.CardCreateFile, MSCP, "odd", 0, access), _INVALID)


@PART.check(page("CardDeleteFile"), "file.delete")
def delete(bench: Bench) -> None:
    """A deleted file is gone."""
    writing(bench)
    bench.md.CardCreateFile(MSCP, "gone", 0, WRITES)
    bench.md.CardDeleteFile(MSCP, "gone", 0)
    refused(lambda: bench.md.CardReadFile(MSCP, "gone", 0), _NO_FILE)
    require("gone" not in bench.md.CardEnumFiles(MSCP, 0), "it is in the list")


@PART.check(page("CardDeleteFile"), "file.delete-missing file.delete-long-name")
def delete_missing(bench: Bench) -> None:
    """Deleting what is not there, or has an impossible name, is refused."""
    writing(bench)
    refused(lambda: bench.md.CardDeleteFile(MSCP, "nothing", 0), _NO_FILE)
    refused(lambda: bench.md.CardDeleteFile("nowhere", "a", 0), _NO_DIRECTORY)
    refused(lambda: bench.md.CardDeleteFile(MSCP, LONG, 0), _INVALID)


@PART.check(page("CardQueryFreeSpace"), "file.free-space")
def free_space(bench: Bench) -> None:
    """Free containers never exceed the greatest number."""
    space = bench.md.CardQueryFreeSpace(0, CARD_FREE_SPACE_INFO())
    free, most = space.dwKeyContainersAvailable, space.dwMaxKeyContainers
    unknown = 0xFFFFFFFF
    require(unknown in (free, most) or free <= most, f"{free} of {most} are free")
