# SPDX-License-Identifier: Apache-2.0
"""Part N: cards that nobody can write."""

from collections.abc import Callable
from functools import partial
from typing import Any

from vreader.minidriver.abi.codes import KeySpec
from vreader.minidriver.abi.files import CARD_APPS, CARD_CF, CARD_ID, CONTAINER_MAP, MSCP
from vreader.minidriver.abi.functions import FUNCTIONS, ReadOnly
from vreader.minidriver.abi.pins import USER_NAME, Role
from vreader.minidriver.abi.properties import CardProperty, ContainerProperty
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.abi.structs import CARD_CAPABILITIES, CARD_FILE_INFO, CARD_FREE_SPACE_INFO
from vreader.minidriver.certify.bench import Bench
from vreader.minidriver.certify.check import NotApplicable, Part, refused, require
from vreader.minidriver.interface import Minidriver
from vreader.winscard.codes import SCARD

PART = Part("N", "Read-only cards")

_SOURCE = "WDK Developer Guidelines (smart card minidrivers)"
_UNSUPPORTED = SCARD.E_UNSUPPORTED_FEATURE
_REFUSES: dict[str, Callable[[Minidriver], Any]] = {
    "CardDeleteContainer": lambda md: md.CardDeleteContainer(0, 0),
    "CardCreateContainer": lambda md: md.CardCreateContainer(0, 1, 1, 2048, None),
    "CardCreateDirectory": lambda md: md.CardCreateDirectory("new", 1),
    "CardDeleteDirectory": lambda md: md.CardDeleteDirectory(MSCP),
    "CardCreateFile": lambda md: md.CardCreateFile(MSCP, "new", 0, 1),
    "CardWriteFile": lambda md: md.CardWriteFile(None, CARD_CF, 0, bytes(6)),
    "CardDeleteFile": lambda md: md.CardDeleteFile(None, CARD_CF, 0),
    "CardSetContainerProperty": lambda md: md.CardSetContainerProperty(
        0, ContainerProperty.PIN_IDENTIFIER, int(Role.USER).to_bytes(4, "little"), 0
    ),
}
# With NULL for what is needed: nothing happens to the card, whatever a function does.
_OPTIONAL: dict[str, Callable[[Minidriver], Any]] = {
    "CardAuthenticateChallenge": lambda md: md.CardAuthenticateChallenge(None),
    "CardUnblockPin": lambda md: md.CardUnblockPin(USER_NAME, None, None, 0, 1),
    "CardChangeAuthenticator": lambda md: md.CardChangeAuthenticator(USER_NAME, None, None, 0, 2),
    "CardGetChallengeEx": lambda md: md.CardGetChallengeEx(Role.EVERYONE, 0),
    "CardChangeAuthenticatorEx": lambda md: md.CardChangeAuthenticatorEx(
        2, Role.EVERYONE, None, Role.EVERYONE, None, 0
    ),
    "MDImportSessionKey": lambda md: md.MDImportSessionKey(None, None, None),
    "MDEncryptData": lambda md: md.MDEncryptData(0, None, None, 0),
    "CardImportSessionKey": lambda md: md.CardImportSessionKey(0, None, None, None, None, 0),
    "CardGetSharedKeyHandle": lambda md: md.CardGetSharedKeyHandle(None),
    "CardGetAlgorithmProperty": lambda md: md.CardGetAlgorithmProperty(None, None, None, 0),
    "CardGetKeyProperty": lambda md: md.CardGetKeyProperty(0, None, None, 0),
    "CardSetKeyProperty": lambda md: md.CardSetKeyProperty(0, None, None, 0),
    "CardDestroyKey": lambda md: md.CardDestroyKey(0),
    "CardProcessEncryptedData": lambda md: md.CardProcessEncryptedData(0, None, None, 0, 0),
}


def _only(bench: Bench) -> None:
    if not bench.read_only:
        raise NotApplicable("the card can be written")


def _rows(kind: ReadOnly) -> str:
    return " ".join(f"read-only.{f.name}" for f in FUNCTIONS if f.read_only is kind)


@PART.check(_SOURCE, f"read-only.property {_rows(ReadOnly.REFUSES)}")
def refuses(bench: Bench) -> None:
    """Functions that write exist and return SCARD_E_UNSUPPORTED_FEATURE."""
    _only(bench)
    bench.user()
    for name, call in _REFUSES.items():
        require(name in bench.md.table(), f"{name} is NULL")
        refused(partial(call, bench.md), _UNSUPPORTED)


@PART.check(
    _SOURCE,
    "read-only.virtual-files read-only.CardReadFile read-only.CardGetFileInfo "
    "read-only.CardQueryCapabilities",
)
def virtual_files(bench: Bench) -> None:
    """Its four files can be read, listed and looked at."""
    _only(bench)
    for directory, name in (
        (None, CARD_ID),
        (None, CARD_CF),
        (None, CARD_APPS),
        (MSCP, CONTAINER_MAP),
    ):
        size = len(bench.md.CardReadFile(directory, name, 0))
        told = bench.md.CardGetFileInfo(directory, name, CARD_FILE_INFO())
        require(told.cbFileSize == size, f"{name} has {size} bytes, not {told.cbFileSize}")
    bench.md.CardQueryCapabilities(CARD_CAPABILITIES())


@PART.check(_SOURCE, "read-only.key")
def key(bench: Bench) -> None:
    """Where there are keys, one is under the user's PIN."""
    _only(bench)
    pins = {bench.pin_of(key.container) for key in bench.keys(*KeySpec)}
    if not pins:
        raise NotApplicable("there is no key on the card")
    require(Role.USER in pins, f"their PINs are {sorted(pins)}")


@PART.check(_SOURCE, "read-only.free-space read-only.CardQueryFreeSpace")
def free_space(bench: Bench) -> None:
    """Free bytes and free containers are 0."""
    _only(bench)
    space = bench.md.CardQueryFreeSpace(0, CARD_FREE_SPACE_INFO())
    free = (space.dwBytesAvailable, space.dwKeyContainersAvailable)
    require(free == (0, 0), f"they are {free}")


@PART.check(_SOURCE, "read-only.enrollment read-only.CardGetProperty")
def enrollment(bench: Bench) -> None:
    """The property "Supports Windows x.509 Enrollment" is FALSE."""
    _only(bench)
    require(not any(bench.get(CardProperty.X509_ENROLLMENT)), "it is TRUE")


@PART.check(_SOURCE, "read-only.settable")
def settable(bench: Bench) -> None:
    """Only "Parent Window" and "PIN Context String" can be set."""
    _only(bench)
    for name in (CardProperty.GUID, CardProperty.CACHE_MODE, CardProperty.READ_ONLY):
        codes = (_UNSUPPORTED, SCARD.W_SECURITY_VIOLATION)
        refused(partial(bench.md.CardSetProperty, name, bytes(4), 0), *codes)


@PART.check(_SOURCE, _rows(ReadOnly.MAY_REFUSE))
def optional(bench: Bench) -> None:
    """What a read-only card need not do is refused as unsupported, or looks at its parameters."""
    _only(bench)
    bench.user()
    for name, call in _OPTIONAL.items():
        if name in bench.md.table():
            refused(partial(call, bench.md), _UNSUPPORTED, SCARD.E_INVALID_PARAMETER)
    if "CardGetChallenge" in bench.md.table():
        _works_or_unsupported(bench.md.CardGetChallenge)
    if "CardCreateContainerEx" in bench.md.table():
        refused(
            lambda: bench.md.CardCreateContainerEx(5, 1, 1, 2048, None, Role.USER), _UNSUPPORTED
        )


def _works_or_unsupported(call: Callable[[], Any]) -> None:
    try:
        call()
    except MinidriverError as error:
        require(error.code == _UNSUPPORTED, f"it returned {error}")
