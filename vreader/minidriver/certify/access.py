# SPDX-License-Identifier: Apache-2.0
"""Part F: who may do what with files, directories, containers and keys."""

from functools import partial

from vreader.minidriver.abi.codes import Calg, DirectoryAc, FileAc, KeySpec
from vreader.minidriver.abi.files import CARD_APPS, CARD_CF, CARD_ID, CONTAINER_MAP, MSCP
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.abi.structs import CARD_FILE_INFO
from vreader.minidriver.certify.bench import SIGNING, Bench
from vreader.minidriver.certify.check import NotApplicable, Part, page, refused
from vreader.minidriver.values import SigningInfo
from vreader.winscard.codes import SCARD

PART = Part("F", "Access conditions")

_DENIED = SCARD.W_SECURITY_VIOLATION
_SYSTEM = "WDK File System Requirements"
_WRITES = FileAc.EVERYONE_READ_USER_WRITE


def _made(bench: Bench, access: FileAc, name: str = "access") -> None:
    """Make a file as the user, and log out."""
    bench.writable()
    bench.user()
    bench.md.CardCreateFile(MSCP, name, 4, access)
    bench.logout()


@PART.check(page("CardReadFile"), "access.read-right access.user-read-write")
def read(bench: Bench) -> None:
    """A file for the user alone cannot be read without the PIN."""
    _made(bench, FileAc.USER_READ_WRITE)
    refused(lambda: bench.md.CardReadFile(MSCP, "access", 0), _DENIED)
    bench.user()
    bench.md.CardReadFile(MSCP, "access", 0)


@PART.check(page("CardGetFileInfo"), "access.info-right")
def info(bench: Bench) -> None:
    """The size of a file that cannot be read is not told."""
    _made(bench, FileAc.USER_READ_WRITE)
    refused(lambda: bench.md.CardGetFileInfo(MSCP, "access", CARD_FILE_INFO()), _DENIED)


@PART.check(page("CardWriteFile"), "access.write-right access.everyone-read-user-write")
def write(bench: Bench) -> None:
    """A file that the user writes cannot be written without the PIN."""
    _made(bench, _WRITES)
    bench.md.CardReadFile(MSCP, "access", 0)
    refused(lambda: bench.md.CardWriteFile(MSCP, "access", 0, b"a"), _DENIED)
    bench.user()
    bench.md.CardWriteFile(MSCP, "access", 0, b"a")


@PART.check(page("CardDeleteFile"), "access.delete-right access.delete-in-directory")
def delete(bench: Bench) -> None:
    """A file that the user writes cannot be deleted without the PIN."""
    _made(bench, _WRITES)
    refused(lambda: bench.md.CardDeleteFile(MSCP, "access", 0), _DENIED)


@PART.check(page("CardCreateFile"), "access.create-right access.user-directory")
def create(bench: Bench) -> None:
    """A file in a user's directory cannot be created without the PIN."""
    bench.writable()
    refused(lambda: bench.md.CardCreateFile(MSCP, "access", 0, _WRITES), _DENIED)


@PART.check(_SYSTEM, "access.user-write-execute")
def execute(bench: Bench) -> None:
    """A file to be executed can be read by nobody."""
    bench.writable()
    bench.user()
    bench.md.CardCreateFile(MSCP, "exec", 4, FileAc.USER_WRITE_EXECUTE)
    bench.md.CardWriteFile(MSCP, "exec", 0, b"code")
    refused(lambda: bench.md.CardReadFile(MSCP, "exec", 0), _DENIED)


@PART.check(_SYSTEM, "access.admin-read-write access.everyone-read-admin-write")
def admin_files(bench: Bench) -> None:
    """The user cannot write a file that only the administrator writes."""
    bench.writable()
    bench.user()
    refused(lambda: bench.md.CardWriteFile(None, CARD_ID, 0, bytes(16)), _DENIED)
    bench.md.CardReadFile(None, CARD_ID, 0)


@PART.check(_SYSTEM, "access.admin-super-user access.cardid")
def admin_rights(bench: Bench) -> None:
    """The administrator writes what the user writes, and cardid."""
    _made(bench, _WRITES)
    bench.admin()
    bench.md.CardWriteFile(MSCP, "access", 0, b"admin")
    bench.md.CardWriteFile(None, CARD_ID, 0, bytes(range(16)))


@PART.check(_SYSTEM, "access.cardcf access.cmapfile access.cardapps")
def host_files(bench: Bench) -> None:
    """The user writes cardcf and cmapfile, nobody without a PIN does."""
    bench.writable()
    apps = bench.md.CardReadFile(None, CARD_APPS, 0)
    refused(lambda: bench.md.CardWriteFile(None, CARD_APPS, 0, apps), _DENIED)
    for directory, name in ((None, CARD_CF), (MSCP, CONTAINER_MAP)):
        data = bench.md.CardReadFile(directory, name, 0)
        refused(partial(bench.md.CardWriteFile, directory, name, 0, data), _DENIED)
        bench.user()
        bench.md.CardWriteFile(directory, name, 0, data)
        bench.logout()


@PART.check(page("CardCreateDirectory"), "access.create-directory-right")
def directory_create(bench: Bench) -> None:
    """A directory cannot be created without authentication."""
    bench.writable()
    refused(lambda: bench.md.CardCreateDirectory("mine", DirectoryAc.USER_CREATE_DELETE), _DENIED)


@PART.check(page("CardDeleteDirectory"), "access.delete-directory-right")
def directory_delete(bench: Bench) -> None:
    """A directory cannot be deleted without authentication."""
    bench.writable()
    bench.user()
    bench.md.CardCreateDirectory("mine", DirectoryAc.USER_CREATE_DELETE)
    bench.logout()
    refused(lambda: bench.md.CardDeleteDirectory("mine"), _DENIED)


@PART.check(
    page("CardCreateDirectory"),
    "access.admin-directory",
    silent="The page calls the administrator's directories optional.",
)
def admin_directory(bench: Bench) -> None:
    """The user creates no file in the administrator's directory."""
    bench.writable()
    bench.admin()
    try:
        bench.md.CardCreateDirectory("admins", DirectoryAc.ADMIN_CREATE_DELETE)
    except MinidriverError:
        raise NotApplicable("the card has no directories of the administrator's") from None
    bench.logout()
    bench.user()
    refused(lambda: bench.md.CardCreateFile("admins", "a", 0, _WRITES), _DENIED)


@PART.check(page("CardDeauthenticate"), "access.dropped pin.deauthenticate")
def dropped(bench: Bench) -> None:
    """Rights end with the authentication that gave them."""
    bench.writable()
    data = bench.md.CardReadFile(None, CARD_CF, 0)
    bench.user()
    bench.md.CardWriteFile(None, CARD_CF, 0, data)
    bench.logout()
    refused(lambda: bench.md.CardWriteFile(None, CARD_CF, 0, data), _DENIED)


@PART.check(page("CardCreateContainer"), "access.container")
def container(bench: Bench) -> None:
    """A container cannot be created without the user's PIN."""
    bench.writable()
    free, spec = bench.free_container(), bench.spec(*KeySpec)
    refused(lambda: bench.generate(free, spec), _DENIED)


@PART.check(page("CardDeleteContainer"), "access.container-delete")
def container_delete(bench: Bench) -> None:
    """A container cannot be deleted without the user's PIN."""
    bench.writable()
    key = bench.key(*KeySpec)
    _out(bench)
    refused(lambda: bench.md.CardDeleteContainer(key.container, 0), _DENIED)


@PART.check(page("CardSignData"), "access.private-key")
def private_key(bench: Bench) -> None:
    """A private key cannot be used without its PIN."""
    key = bench.key(*SIGNING, guarded=True)
    _out(bench)
    info = SigningInfo(key.container, key.spec, bytes(range(20)), Calg.SHA1)
    refused(lambda: bench.md.CardSignData(info), _DENIED)


def _out(bench: Bench) -> None:
    """Be sure that nobody is authenticated; a key may have been made."""
    if not bench.read_only:
        bench.logout()
