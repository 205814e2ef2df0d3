# SPDX-License-Identifier: Apache-2.0
"""Versions, CardAcquireContext, and the words that the other rules are made of."""

from vreader.minidriver.abi.carddata import MINIMUM_VERSION
from vreader.minidriver.abi.codes import NO_CARD_MODE, KeySpec
from vreader.minidriver.abi.files import MAX_NAME, NOT_IN_A_NAME
from vreader.minidriver.abi.pins import MAX_PINS
from vreader.minidriver.abi.returncodes import CardWin32, MinidriverError
from vreader.minidriver.callbacks import MEMORY_CALLBACKS, CardData
from vreader.winscard.codes import SCARD

MIN_ATR, MAX_ATR = 2, 34


def negotiate(requested: int, supported: int, minimum: int = MINIMUM_VERSION) -> int:
    """Return the version of a context; ERROR_REVISION_MISMATCH below the minidriver's minimum."""
    if requested < minimum:
        raise MinidriverError(CardWin32.REVISION_MISMATCH)
    return min(requested, supported)


def struct_version(given: int, *known: int) -> int:
    """Return the version of a structure, 0 being 1; ERROR_REVISION_MISMATCH for an unknown one."""
    version = given or 1
    if version not in known:
        raise MinidriverError(CardWin32.REVISION_MISMATCH)
    return version


def require(condition: object) -> None:
    """Raise SCARD_E_INVALID_PARAMETER unless the condition holds."""
    if not condition:
        raise MinidriverError(SCARD.E_INVALID_PARAMETER)


def acquire(data: CardData | None, flags: int) -> CardData:
    """Check what CardAcquireContext is given, in OpenSC's order (assumed), but for the version.

    Returns:
        The data, which is not None.
    """
    require(data is not None and not flags & ~NO_CARD_MODE)
    assert data is not None
    if not flags & NO_CARD_MODE:
        if not (data.context and data.card):
            raise MinidriverError(SCARD.E_INVALID_HANDLE)
        require(data.atr is not None and data.card_name is not None)
        assert data.atr is not None
        require(MIN_ATR <= len(data.atr) <= MAX_ATR)
        if data.atr[0] in (0x00, 0xFF):
            raise MinidriverError(SCARD.E_UNKNOWN_CARD)
    require(data.callbacks >= MEMORY_CALLBACKS)
    return data


def good_name(name: str | None) -> None:
    """One to eight ANSI characters (Windows' code page 1252) that a file name may have."""
    require(name and len(name) <= MAX_NAME and not NOT_IN_A_NAME & set(name))
    assert name
    try:
        name.encode("cp1252")
    except UnicodeEncodeError:
        require(False)


def file_name(directory: str | None, name: str | None, flags: int = 0) -> None:
    """A good name, in the root or in a directory with a good name; flags are zero."""
    if directory:  # NULL and the empty name are the root
        good_name(directory)
    good_name(name)
    require(not flags)


def pin_number(pin_id: int) -> None:
    """A PIN has a number from 0 to 7."""
    require(0 <= pin_id < MAX_PINS)


def secret_pin(pin_id: int) -> None:
    """User, administrator, or a further PIN; everyone (0) has nothing to present."""
    require(0 < pin_id < MAX_PINS)


def key_spec(spec: int) -> None:
    """One of the AT_* numbers."""
    require(spec in KeySpec._value2member_map_)
