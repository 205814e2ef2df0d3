# SPDX-License-Identifier: Apache-2.0
r"""Writes the INF of a card's minidriver: a package that is right from its first line.

What it says of the card follows from the card's ATR alone: the hardware id that Windows gives it,
and the entry below ``Calais\SmartCards`` by which it is found. Sources: WDK "Smart Card Plug and
Play", "Minidriver Registration".
"""

import re
from collections.abc import Sequence
from typing import Final

from vreader.cardids import GIDS_ID, PIV_ID, PREFIX, device_id
from vreader.errors import UsageError
from vreader.iso7816.atr import Atr, AtrError
from vreader.registry.names import fold
from vreader.setupapi.calais import BASE_CSP, BASE_KSP, CSP, INBOX_MODULE, KSP
from vreader.setupapi.lint_version import is_driver_version
from vreader.setupapi.skeletonwriter import SkeletonWriter

SKELETON_ARCHITECTURES: Final = ("x86", "amd64", "arm64")
DEFAULT_DRIVER_VER: Final = "01/01/2026,1.0.0.0"

_FILE: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*\.dll", re.IGNORECASE)
_GUID: Final = re.compile(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}")
_DRIVER_VER: Final = re.compile(r"[0-9]{2}/[0-9]{2}/[0-9]{4},[0-9]+(\.[0-9]+){3}")
_MAX_TEXT: Final = 200


def skeleton(
    atr: bytes,
    *,
    name: str,
    vendor: str,
    module: str,
    mask: bytes | None = None,
    module_wow64: str | None = None,
    csp: bool = True,
    ksp: bool = True,
    guid: str | None = None,
    architectures: Sequence[str] = ("x86", "amd64"),
    driver_ver: str = DEFAULT_DRIVER_VER,
) -> str:
    r"""Return the text of an INF for one card; the same arguments give the same text.

    Args:
        atr: the card's, as it sends it.
        name: of the card: its key in the registry and its device.
        vendor: who makes the package.
        module: file name of the card module; ``msclmd.dll`` is that of Windows, for cards with PIV
            or GIDS under a name of their own, and nothing is copied.
        mask: of the ATR's length, which bits of it count; all by default.
        module_wow64: file name of the 32-bit module; the same name by default.
        csp: the module works in the Base CSP, for CAPI programs.
        ksp: the module works in the key storage provider, for CNG programs.
        guid: the first of the card's object 7F68, where it has one; it is the hardware id then,
            else the historical bytes are.
        architectures: some of SKELETON_ARCHITECTURES.
        driver_ver: date and version, ``mm/dd/yyyy,w.x.y.z``.

    Raises:
        UsageError: there is no such package: a bad ATR, mask, name or GUID; a card that has neither
            historical bytes nor a GUID has no hardware id.
    """
    for what, text in (("name", name), ("vendor", vendor)):
        _check_text(what, text)
    for file in (module, module_wow64):
        if file is not None and not _FILE.fullmatch(file):
            raise UsageError(
                f"{file!r} is no card module",
                hint="a file name of letters, digits, _, - and . in ASCII: fabrikamcm.dll",
            )
    modules = {fold(module), fold(module_wow64 or module)}
    if INBOX_MODULE in modules and len(modules) > 1:
        raise UsageError(
            f"{INBOX_MODULE.lower()} is the module of Windows, which has it for both bitnesses",
            hint="--module msclmd.dll without --module-wow64, or two files of your own",
        )
    if not (csp or ksp):
        raise UsageError(
            "a card that neither the CSP nor the KSP uses is of no use",
            hint="leave out --csp no or --ksp no",
        )
    _check_driver_ver(driver_ver)
    card = _parsed(atr)
    mask = b"\xff" * len(atr) if mask is None else mask
    if len(mask) != len(atr):
        raise UsageError(
            f"the mask has {len(mask)} bytes, the ATR {len(atr)}", hint="one mask byte for each"
        )
    package = SkeletonWriter(name, vendor, driver_ver)
    package.id = _card_id(card, guid)
    package.atr = bytes(a & m for a, m in zip(atr, mask, strict=True))
    package.mask = mask
    package.architectures = _ordered(architectures)
    providers = ((CSP, BASE_CSP, csp), (KSP, BASE_KSP, ksp))
    package.providers = [(key, text) for key, text, wanted in providers if wanted]
    package.choose_files(module, module_wow64 or module)
    return "\n".join(package.lines())


def file_bytes(text: str) -> bytes:
    """Return a skeleton as Windows' tools like it: lines end with CR LF, UTF-16LE if need be."""
    text = text.replace("\n", "\r\n")
    return text.encode("ascii") if text.isascii() else b"\xff\xfe" + text.encode("utf-16-le")


def _check_text(what: str, text: str) -> None:
    bad = not text.strip() or len(text) > _MAX_TEXT or not text.isprintable()
    if bad or any(letter in text for letter in '"%\\'):
        raise UsageError(
            f"{text[:40]!r} cannot be the {what}",
            hint=f'up to {_MAX_TEXT} letters, none of them ", % or \\',
        )


def _check_driver_ver(text: str) -> None:
    if not (_DRIVER_VER.fullmatch(text) and is_driver_version(text.split(","))):
        raise UsageError(
            f"{text!r} is no DriverVer",
            hint=f"mm/dd/yyyy and four numbers below 65535: {DEFAULT_DRIVER_VER}",
        )


def _parsed(atr: bytes) -> Atr:
    try:
        return Atr.parse(atr)
    except AtrError as error:
        raise UsageError(
            f"{atr.hex().upper()} is not a valid ATR: {error}",
            hint="copy it from the card, or give the card itself with --card",
        ) from None


def _card_id(card: Atr, guid: str | None) -> str:
    if guid is None:
        if not card.historical:
            raise UsageError(
                "the ATR has no historical bytes, and so the card has no hardware id",
                hint="a card with an object 7F68 is known by its first GUID: --guid",
            )
        return device_id(card.historical)
    number = guid.strip("{}").upper()
    if not _GUID.fullmatch(number):
        raise UsageError(f"{guid!r} is no GUID", hint="01234567-89AB-CDEF-0123-456789ABCDEF")
    if PREFIX + number.lower() in (PIV_ID, GIDS_ID):
        raise UsageError(
            f"{guid} is the id of all PIV or GIDS cards",
            hint="a package for one vendor's cards has their historical bytes as its id",
        )
    return PREFIX + number


def _ordered(architectures: Sequence[str]) -> list[str]:
    for arch in architectures:
        if arch not in SKELETON_ARCHITECTURES:
            raise UsageError(
                f"{arch!r} is no architecture of Windows with cards",
                hint="some of " + ",".join(SKELETON_ARCHITECTURES),
            )
    found = [arch for arch in SKELETON_ARCHITECTURES if arch in architectures]
    if not found:
        raise UsageError("a package is for an architecture", hint="--arch amd64,x86")
    return found
