# SPDX-License-Identifier: Apache-2.0
"""Part G: PINs, what verifies them, their counters, logging out.

Changing and unblocking them is in :mod:`vreader.minidriver.certify.changing`.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from vreader.minidriver.abi.codes import VALUE_UNKNOWN
from vreader.minidriver.abi.files import CARD_CF, CARD_ID
from vreader.minidriver.abi.pins import (
    ADMIN_NAME,
    ALL_ROLES,
    USER_NAME,
    PinCache,
    Role,
    pins_of,
)
from vreader.minidriver.abi.properties import CardProperty
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.abi.structs import PIN_INFO
from vreader.minidriver.certify.bench import SIGNING, Bench, Key
from vreader.minidriver.certify.check import Failed, NotApplicable, Part, page, refused, require
from vreader.minidriver.certify.signing import job
from vreader.winscard.codes import SCARD

PART = Part("G", "PINs")

_PINS = "WDK Card PIN Operations"
_WRONG, _BLOCKED = SCARD.W_WRONG_CHV, SCARD.W_CHV_BLOCKED
_DENIED = SCARD.W_SECURITY_VIOLATION
_UNSUPPORTED = SCARD.E_UNSUPPORTED_FEATURE
_MANY = 20


def wrong(pin: bytes) -> bytes:
    """Return another PIN of the same length."""
    return bytes(0x30 + (byte - 0x30 + 1) % 10 if 0x30 <= byte <= 0x39 else 0x39 for byte in pin)


def pin_info(bench: Bench, role: int) -> PIN_INFO:
    """Return PIN_INFO; raises NotApplicable where there is none."""
    return PIN_INFO.decode(bench.maybe(CardProperty.PIN_INFO, role, PIN_INFO()))


def block(bench: Bench, present: Callable[[bytes], Any] | None = None) -> None:
    """Present wrong PINs until the user's is blocked; by CardAuthenticatePin unless told."""
    by = present or partial(bench.md.CardAuthenticatePin, USER_NAME)
    bad = wrong(bench.pin)
    for _ in range(_MANY):
        if refused(lambda: by(bad), _WRONG, _BLOCKED).code == _BLOCKED:
            return
    raise Failed(f"after {_MANY} wrong PINs the PIN is not blocked")


def is_blocked(call: Callable[[], Any]) -> None:
    """Require SCARD_W_CHV_BLOCKED with no attempts."""
    error = refused(call, _BLOCKED)
    require(error.attempts == 0, f"{error.attempts} attempts are left")


@PART.check(_PINS, "pin.list-has-roles pin.roles pin.set-bits")
def roles(bench: Bench) -> None:
    """The PIN list has user and administrator, as bits 2 and 4; a read-only card's the user."""
    pins = int.from_bytes(bench.get(CardProperty.LIST_PINS), "little")
    due = 2 if bench.read_only else 6
    require(pins & due == due and pins < 1 << 8, f"it is {pins:#x}")


@PART.check(_PINS, "pin.admin-unblocks-user")
def unblock_mask(bench: Bench) -> None:
    """The administrator may unblock the user's PIN."""
    bench.writable()
    mask = pin_info(bench, Role.USER).dwUnblockPermission
    require(mask & 4, f"the unblock permission of the user's PIN is {mask:#x}")


@PART.check(_PINS, "pin.admin-not-unblocked pin.everyone-no-permission")
def admin_mask(bench: Bench) -> None:
    """Nobody but itself is in the unblock permission of the administrator's PIN."""
    bench.writable()
    mask = pin_info(bench, Role.ADMIN).dwUnblockPermission
    require(not mask & ~4, f"the unblock permission of the administrator is {mask:#x}")


@PART.check(_PINS, "pin.cache-policies")
def cache_policy(bench: Bench) -> None:
    """The cache policy is a known one, and a time has seconds."""
    pins = int.from_bytes(bench.maybe(CardProperty.LIST_PINS), "little")
    for role in pins_of(pins):
        policy = pin_info(bench, role).PinCachePolicy
        kind = policy.PinCachePolicyType
        require(kind in tuple(PinCache), f"the policy of PIN {role} is {kind}")
        require(kind != PinCache.TIMED or policy.dwPinCachePolicyInfo, "no seconds")


@PART.check(page("CardAuthenticatePin"), "pin.verify read-only.CardAuthenticatePin")
def verify(bench: Bench) -> None:
    """The right PIN authenticates, for the oldest host too."""
    md = bench.acquire(version=bench.settings.minimum_version)
    md.CardAuthenticatePin(USER_NAME, bench.pin)
    if not bench.read_only:
        md.CardWriteFile(None, CARD_CF, 0, md.CardReadFile(None, CARD_CF, 0))


@PART.check(page("CardAuthenticatePin"), "pin.wrong pin.attempts-unknown")
def wrong_pin(bench: Bench) -> None:
    """A wrong PIN is SCARD_W_WRONG_CHV with the attempts left, or unknown."""
    bad = wrong(bench.pin)
    error = refused(lambda: bench.md.CardAuthenticatePin(USER_NAME, bad), _WRONG)
    left = error.attempts
    require(left is not None and (left == VALUE_UNKNOWN or 0 < left < 256), f"{left} are left")


@PART.check(page("CardAuthenticatePin"), "pin.counter")
def counter(bench: Bench) -> None:
    """A wrong PIN takes an attempt, and the right one restores them."""
    bad = wrong(bench.pin)

    def left() -> int | None:
        return refused(lambda: bench.md.CardAuthenticatePin(USER_NAME, bad)).attempts

    first = left()
    if first == VALUE_UNKNOWN:
        raise NotApplicable("the card does not tell its attempts")
    if first is not None and first > 1:
        second = left()
        require(second == first - 1, f"{first} attempts became {second}")
    bench.user()
    again = left()
    require(again == first, f"after the right PIN {again} are left, not {first}")


@PART.check(page("CardAuthenticatePin"), "pin.blocked")
def blocked(bench: Bench) -> None:
    """A blocked PIN is SCARD_W_CHV_BLOCKED with no attempts, also with the right value."""
    block(bench)
    for pin in (bench.pin, wrong(bench.pin)):
        is_blocked(partial(bench.md.CardAuthenticatePin, USER_NAME, pin))


def _nobody(bench: Bench, *pins: bytes) -> None:
    """Require that some PINs are refused and that none of them lets a key be used."""
    key = bench.key(*SIGNING, guarded=True)
    bench.logout()
    for pin in pins:
        refused(partial(bench.md.CardAuthenticatePin, USER_NAME, pin))
        refused(lambda: uses(bench, key), _DENIED)


@PART.check(page("CardAuthenticatePin"), "pin.wrong pin.state-per-card")
def wrong_no_login(bench: Bench) -> None:
    """A wrong PIN authenticates nobody."""
    _nobody(bench, wrong(bench.pin))


@PART.check(
    page("CardAuthenticatePin"),
    "pin.wrong pin.verify",
    silent="Any code is accepted: the length of a PIN may be what is refused.",
)
def whole_pin(bench: Bench) -> None:
    """A part of the PIN, or more than it, authenticates nobody."""
    _nobody(bench, bench.pin[:-1], bench.pin + b"0")


@PART.check(page("CardAuthenticateEx"), "pin.ex-wrong")
def ex_wrong(bench: Bench) -> None:
    """CardAuthenticateEx tells wrong PINs and blocked ones as CardAuthenticatePin does."""
    bench.need("CardAuthenticateEx")
    bad = wrong(bench.pin)
    present = partial(bench.md.CardAuthenticateEx, Role.USER, 0)
    error = refused(lambda: present(bad), _WRONG)
    require(error.attempts is not None, "no attempts were written")
    block(bench, present)
    is_blocked(lambda: present(bench.pin))
    is_blocked(lambda: bench.md.CardAuthenticatePin(USER_NAME, bench.pin))


@PART.check(page("CardAuthenticateEx"), "version.many-pins pin.ex-several")
def several(bench: Bench) -> None:
    """User and administrator are authenticated at once, in either order."""
    bench.writable()
    key = bench.key(*SIGNING, guarded=True)
    bench.user()
    bench.admin()
    uses(bench, key)
    bench.user()
    rewrite_cardid(bench)


def uses(bench: Bench, key: Key) -> None:
    """Do what the user alone can."""
    bench.md.CardSignData(job(bench, key))


def rewrite_cardid(bench: Bench) -> None:
    """Do what the administrator alone can."""
    bench.md.CardWriteFile(None, CARD_ID, 0, bench.md.CardReadFile(None, CARD_ID, 0))


@PART.check(
    page("CardDeauthenticate"),
    "pin.deauthenticate-null pin.deauthenticate-unsupported",
    silent="That SCARD_E_UNSUPPORTED_FEATURE has the host reset the card is assumed.",
)
def deauthenticate(bench: Bench) -> None:
    """Logging out works when nobody is logged in, or is not supported."""
    md = bench.acquire(version=bench.settings.minimum_version)
    if "CardDeauthenticate" not in md.table():
        raise NotApplicable("CardDeauthenticate is NULL")
    for user in (USER_NAME, ADMIN_NAME):
        try:
            md.CardDeauthenticate(user, 0)
        except MinidriverError as error:
            require(error.code == _UNSUPPORTED, f"it returned {error}")


@PART.check(page("CardDeauthenticateEx"), "pin.deauthenticate-ex")
def deauthenticate_ex(bench: Bench) -> None:
    """Logging out of the administrator leaves the user logged in, and nobody else."""
    bench.need("CardDeauthenticateEx")
    bench.writable()
    key = bench.key(*SIGNING, guarded=True)
    bench.user()
    bench.admin()
    log_out(bench, 4)
    uses(bench, key)
    refused(lambda: rewrite_cardid(bench), _DENIED)


def log_out(bench: Bench, pins: int) -> None:
    """Log out of a set of PINs; raises NotApplicable where the minidriver cannot."""
    bench.need("CardDeauthenticateEx")
    try:
        bench.md.CardDeauthenticateEx(pins, 0)
    except MinidriverError as error:
        if error.code == _UNSUPPORTED:
            raise NotApplicable("the minidriver cannot log out") from None
        raise


@PART.check(
    page("CardDeauthenticateEx"), "pin.deauthenticate-ex-everyone read-only.CardDeauthenticateEx"
)
def deauthenticate_all(bench: Bench) -> None:
    """Logging out of FF logs everybody out."""
    bench.need("CardDeauthenticateEx")
    key = bench.key(*SIGNING, guarded=True)
    bench.user()
    log_out(bench, ALL_ROLES)
    refused(lambda: uses(bench, key), _DENIED)
