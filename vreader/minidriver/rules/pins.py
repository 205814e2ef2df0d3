# SPDX-License-Identifier: Apache-2.0
"""The rules of the functions for PINs."""

from vreader.minidriver.abi.pins import (
    ADMIN_NAME,
    MAX_PINS,
    USER_NAME,
    AuthenticateFlag,
    ChangeFlag,
    UnblockFlag,
)
from vreader.minidriver.rules.base import require, secret_pin

_ONE_FLAG = (UnblockFlag.CHALLENGE_RESPONSE, UnblockFlag.PIN)


def authenticate_pin(_version: int, user: str | None, pin: bytes | None) -> None:
    """The user or the administrator, and a PIN."""
    require(user in (USER_NAME, ADMIN_NAME) and pin)


def authenticate_challenge(_version: int, response: bytes | None) -> None:
    """A response is there."""
    require(response)


def unblock_pin(
    _version: int,
    user: str | None,
    authentication: bytes | None,
    new_pin: bytes | None,
    _retry_count: int,
    flags: int,
) -> None:
    """The administrator cannot be unblocked; one of the two flags."""
    require(user == USER_NAME and authentication and new_pin)
    require(flags in _ONE_FLAG)


def change_authenticator(
    _version: int,
    user: str | None,
    current: bytes | None,
    new: bytes | None,
    _retry_count: int,
    flags: int,
) -> None:
    """The user or the administrator, both secrets, one of the two flags."""
    require(user in (USER_NAME, ADMIN_NAME) and current and new)
    require(flags in _ONE_FLAG)


def deauthenticate(_version: int, user: str | None, flags: int) -> None:
    """The user or the administrator; flags are zero."""
    require(user in (USER_NAME, ADMIN_NAME) and not flags)


def get_challenge_ex(_version: int, pin_id: int, flags: int) -> None:
    """A PIN from 1 to 7; flags are zero."""
    secret_pin(pin_id)
    require(not flags)


def authenticate_ex(_version: int, pin_id: int, flags: int, _pin_data: bytes | None) -> None:
    """A PIN from 1 to 7, known flags; a session PIN is made or used, not both (assumed)."""
    secret_pin(pin_id)
    both = AuthenticateFlag.GENERATE_SESSION_PIN | AuthenticateFlag.SESSION_PIN
    require(not flags & ~(both | AuthenticateFlag.SILENT_CONTEXT) and flags & both != both)


def change_authenticator_ex(
    _version: int,
    flags: int,
    authenticating: int,
    _authentication: bytes | None,
    target: int,
    _target_data: bytes | None,
    retry_count: int,
) -> None:
    """Change or unblock, PINs from 1 to 7, another PIN for unblocking, no retry count (assumed)."""
    action = flags & ~ChangeFlag.SILENT_CONTEXT
    require(action in (ChangeFlag.UNBLOCK, ChangeFlag.CHANGE_PIN))
    secret_pin(authenticating)
    secret_pin(target)
    require(action != ChangeFlag.UNBLOCK or authenticating != target)
    require(not retry_count)


def deauthenticate_ex(_version: int, pins: int, flags: int) -> None:
    """A set of PINs from 0 to 7, of which 0 means nothing; flags are zero."""
    require(pins < 1 << MAX_PINS and not flags)
