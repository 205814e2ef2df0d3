# SPDX-License-Identifier: Apache-2.0
"""PINs and roles: identifiers, sets of them, kinds, purposes, flags.

From "Card PIN Operations" of the WDK unless a docstring says otherwise. A PIN has a number
from 0 to 7; a set of PINs has the bit ``1 << number`` for each. (The page prints the set of the
administrator in binary, 00000100; it is 4.)
"""

from collections.abc import Iterable
from enum import IntEnum, IntFlag

MAX_PINS = 8
ALL_ROLES = 0xFF
"""PIN_SET_ALL_ROLES."""

# Before version 6 a role is told by its name.
EVERYONE_NAME, USER_NAME, ADMIN_NAME = "anonymous", "user", "admin"


class Role(IntEnum):
    """ROLE_*: the PINs every card has; 3 to 7 are further ones, for containers only."""

    EVERYONE = 0
    USER = 1
    ADMIN = 2


def pin_set(pins: Iterable[int]) -> int:
    """Return the PIN_SET of some PINs; raises ValueError for a number beyond 7."""
    found = 0
    for pin in pins:
        if not 0 <= pin < MAX_PINS:
            raise ValueError(f"a PIN has a number from 0 to {MAX_PINS - 1}, not {pin}")
        found |= 1 << pin
    return found


def pins_of(members: int) -> tuple[int, ...]:
    """Return the PINs of a PIN_SET in order."""
    return tuple(pin for pin in range(MAX_PINS) if members >> pin & 1)


class SecretType(IntEnum):
    """SECRET_TYPE: what a person or a program has to present."""

    ALPHANUMERIC = 0
    EXTERNAL = 1
    CHALLENGE_RESPONSE = 2
    EMPTY = 3


class SecretPurpose(IntEnum):
    """SECRET_PURPOSE: what a PIN is for; chooses the text of the prompt."""

    AUTHENTICATION = 0
    DIGITAL_SIGNATURE = 1
    ENCRYPTION = 2
    NON_REPUDIATION = 3
    ADMINISTRATOR = 4
    PRIMARY_CARD = 5
    UNBLOCK_ONLY = 6


class PinCache(IntEnum):
    """PIN_CACHE_POLICY_TYPE: how long a host may keep a PIN."""

    NORMAL = 0
    TIMED = 1
    NONE = 2
    ALWAYS_PROMPT = 3


class PinInfoFlag(IntFlag):
    """dwFlags of PIN_INFO."""

    REQUIRE_SECURE_ENTRY = 1


class PinStrength(IntFlag):
    """CARD_PIN_STRENGTH_*: the values of "PIN Strength …" ("CardGetProperty")."""

    PLAINTEXT = 1
    SESSION_PIN = 2


class AuthenticateFlag(IntFlag):
    """dwFlags of CardAuthenticateEx."""

    SILENT_CONTEXT = 0x40
    GENERATE_SESSION_PIN = 0x10000000
    SESSION_PIN = 0x20000000


class ChangeFlag(IntFlag):
    """dwFlags of CardChangeAuthenticatorEx: one of the two, perhaps with SILENT_CONTEXT."""

    UNBLOCK = 1
    CHANGE_PIN = 2
    SILENT_CONTEXT = 0x40


class UnblockFlag(IntFlag):
    """CARD_AUTHENTICATE_PIN_*: dwFlags of CardUnblockPin and CardChangeAuthenticator."""

    CHALLENGE_RESPONSE = 1
    PIN = 2
