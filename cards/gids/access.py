# SPDX-License-Identifier: Apache-2.0
"""Access rules in compact form (ISO/IEC 7816-4): who may do what to a file.

An access mode byte, then one security condition byte for each of its bits that is set, the highest
bit first; bit 80 is none of them, it only says that the others have the file's own meaning.
"""

from typing import Protocol

from cards.platform.applet import Refuse
from vreader.iso7816 import SW

ALWAYS, NEVER = 0x00, 0xFF
_ALL, _SECURE_MESSAGING, _ADMIN, _USER = 0x80, 0x40, 0x20, 0x10
_CONTACTLESS_ONLY = 0x02


class Authenticated(Protocol):
    """The part of a security status that conditions ask for."""

    user: bool
    admin: bool


def well_formed(rules: bytes) -> bool:
    """Tell whether there is one condition for each bit of the access mode byte."""
    return bool(rules) and (rules[0] & 0x7F).bit_count() == len(rules) - 1


def condition(rules: bytes, right: int) -> int:
    """Return the security condition byte of one access mode bit; NEVER when it has none."""
    mode = rules[0]
    if not mode & right:
        return NEVER
    return rules[1 + (mode & 0x7F & -(right << 1)).bit_count()]


def satisfied(condition: int, status: Authenticated) -> bool:
    """Tell whether a security condition is met, on a card with contacts.

    The upper half names what must be authenticated, any of it or (bit 80) all of it; the lower half
    is 0, or 1 for the contact and 2 for the contactless interface only.
    """
    if condition in (ALWAYS, NEVER):
        return condition == ALWAYS
    if condition & 0x0F == _CONTACTLESS_ONLY:
        return False
    wanted = [
        met
        for bit, met in (
            (_USER, status.user),
            (_ADMIN, status.admin),
            (_SECURE_MESSAGING, False),
        )
        if condition & bit
    ]
    if condition & _ALL or not wanted:
        return all(wanted)
    return any(wanted)


def demand(rules: bytes, right: int, status: Authenticated) -> None:
    """Raise Refuse(6982) unless ``rules`` give ``right`` to whoever is authenticated."""
    if not satisfied(condition(rules, right), status):
        raise Refuse(SW.SECURITY_STATUS_NOT_SATISFIED)
