# SPDX-License-Identifier: Apache-2.0
"""Part N: cards that nobody can write."""

from collections.abc import Callable
from functools import partial
from typing import Any

from vreader.minidriver.abi.codes import KeySpec
from vreader.minidriver.abi.files import CARD_APPS, CARD_CF, CARD_ID, CONTAINER_MAP, MSCP
from vreader.minidriver.abi.functions import FUNCTIONS, ReadOnly
from vreader.minidriver.abi.pins import Role
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


@PART.check(_SOURCE, f"read-only.virtual-files {_rows(ReadOnly.WORKS)}")
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
    """There is a key under the user's PIN."""
    _only(bench)
    container = bench.key(*KeySpec).container
    name = ContainerProperty.PIN_IDENTIFIER
    raw = bench.md.CardGetContainerProperty(container, name, bytes(64), 0)
    require(raw == b"\1\0\0\0", f"its PIN is {raw!r}")


@PART.check(_SOURCE, "read-only.free-space")
def free_space(bench: Bench) -> None:
    """Free bytes and free containers are 0."""
    _only(bench)
    space = bench.md.CardQueryFreeSpace(0, CARD_FREE_SPACE_INFO())
    free = (space.dwBytesAvailable, space.dwKeyContainersAvailable)
    require(free == (0, 0), f"they are {free}")


@PART.check(_SOURCE, "read-only.enrollment")
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
    """What a read-only card need not do works, or is not supported."""
    _only(bench)
    if "CardGetChallenge" in bench.md.table():
        _works_or_unsupported(bench.md.CardGetChallenge)
    if "CardCreateContainerEx" in bench.md.table():
        bench.user()
        refused(
            lambda: bench.md.CardCreateContainerEx(5, 1, 1, 2048, None, Role.USER), _UNSUPPORTED
        )


def _works_or_unsupported(call: Callable[[], Any]) -> None:
    try:
        call()
    except MinidriverError as error:
        require(error.code == _UNSUPPORTED, f"it returned {error}")
