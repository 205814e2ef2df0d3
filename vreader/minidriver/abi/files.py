# SPDX-License-Identifier: Apache-2.0
"""The card's file system as Windows sees it: names, and who may do what with a file.

From "File System Requirements" and "Card Requirements" of the WDK. There are two levels,
names have at most 8 ANSI characters, and case does not count.
"""

from typing import NamedTuple

from vreader.minidriver.abi.codes import DirectoryAc, FileAc, KeySpec
from vreader.minidriver.abi.pins import Role

MAX_NAME = 8
NOT_IN_A_NAME = frozenset('<>:"/\\|?*') | {chr(code) for code in range(32)}
"""What Windows allows in no file name."""

CARD_ID, CARD_CF, CARD_APPS = "cardid", "cardcf", "cardapps"
MSCP, INTERMEDIATE_CERTIFICATES = "mscp", "mscerts"
CONTAINER_MAP, ROOTS = "cmapfile", "msroots"

CARD_ID_SIZE = 16
CARD_APPS_RECORD = 8
EMPTY_CARD_CF = bytes(6)
EMPTY_CARD_APPS = b"mscp\0\0\0\0"


class Rights(NamedTuple):
    """Which roles may read, write and execute a file. Deleting a file needs the right to write."""

    read: frozenset[Role]
    write: frozenset[Role]
    execute: frozenset[Role] = frozenset()


_ALL = frozenset(Role)
_USER = frozenset({Role.USER})
_ADMIN = frozenset({Role.ADMIN})
_USER_OR_ADMIN = _USER | _ADMIN

# For files the administrator has all rights of the user, except to execute.
RIGHTS = {
    FileAc.EVERYONE_READ_USER_WRITE: Rights(_ALL, _USER_OR_ADMIN),
    FileAc.USER_WRITE_EXECUTE: Rights(frozenset(), _USER_OR_ADMIN, _USER),
    FileAc.EVERYONE_READ_ADMIN_WRITE: Rights(_ALL, _ADMIN),
    FileAc.USER_READ_WRITE: Rights(_USER_OR_ADMIN, _USER_OR_ADMIN),
    FileAc.ADMIN_READ_WRITE: Rights(_ADMIN, _ADMIN),
}

# Everyone may list a directory. The second condition is optional.
MAY_CREATE_AND_DELETE = {
    DirectoryAc.USER_CREATE_DELETE: _USER_OR_ADMIN,
    DirectoryAc.ADMIN_CREATE_DELETE: _ADMIN,
}

FIXED_FILES = {
    ("", CARD_ID): FileAc.EVERYONE_READ_ADMIN_WRITE,
    ("", CARD_CF): FileAc.EVERYONE_READ_USER_WRITE,
    ("", CARD_APPS): FileAc.EVERYONE_READ_ADMIN_WRITE,
    (MSCP, CONTAINER_MAP): FileAc.EVERYONE_READ_USER_WRITE,
}
"""(directory, name) → access, in the order in which they are created; mscp comes before its file.

The pages disagree on cardapps: the text lets the user write, the table does not; here it is the
table."""


def certificate_file(index: int, spec: KeySpec) -> str:
    """Return the name of a container's certificate in ``mscp``: kxcNN or kscNN."""
    return f"k{'x' if spec.is_exchange else 's'}c{index:02d}"
