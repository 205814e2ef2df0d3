# SPDX-License-Identifier: Apache-2.0
"""Part G: PINs, their counters, changing and unblocking them."""

from functools import partial

from vreader.minidriver.abi.codes import VALUE_UNKNOWN, KeySpec
from vreader.minidriver.abi.files import CARD_CF
from vreader.minidriver.abi.pins import (
    ADMIN_NAME,
    ALL_ROLES,
    USER_NAME,
    ChangeFlag,
    PinCache,
    Role,
    UnblockFlag,
    pins_of,
)
from vreader.minidriver.abi.properties import CardProperty
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.abi.structs import PIN_INFO
from vreader.minidriver.certify.bench import ADMIN_KEY_SIZE, Bench, Key
from vreader.minidriver.certify.check import Failed, NotApplicable, Part, page, refused, require
from vreader.minidriver.certify.csp import response
from vreader.minidriver.values import SigningInfo
from vreader.winscard.codes import SCARD

PART = Part("G", "PINs")

_PINS = "WDK Card PIN Operations"
_WRONG, _BLOCKED = SCARD.W_WRONG_CHV, SCARD.W_CHV_BLOCKED
_INVALID, _DENIED = SCARD.E_INVALID_PARAMETER, SCARD.W_SECURITY_VIOLATION
_UNSUPPORTED = SCARD.E_UNSUPPORTED_FEATURE
_NEW = b"654321"
_MANY = 20
_SIGNING = tuple(s for s in KeySpec if s.is_rsa or not s.is_exchange)


def wrong(pin: bytes) -> bytes:
    """Return another PIN of the same length."""
    return bytes(0x30 + (byte - 0x30 + 1) % 10 if 0x30 <= byte <= 0x39 else 0x39 for byte in pin)


def pin_info(bench: Bench, role: int) -> PIN_INFO:
    """Return PIN_INFO; raises NotApplicable where there is none."""
    return PIN_INFO.decode(bench.maybe(CardProperty.PIN_INFO, role, PIN_INFO()))


def block(bench: Bench) -> None:
    """Present wrong PINs until the user's is blocked."""
    bad = wrong(bench.pin)
    for _ in range(_MANY):
        if refused(lambda: bench.md.CardAuthenticatePin(USER_NAME, bad)).code == _BLOCKED:
            return
    raise Failed(f"after {_MANY} wrong PINs the PIN is not blocked")


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


@PART.check(page("CardAuthenticatePin"), "pin.verify")
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
    second = left()
    require(second == (first or 0) - 1, f"{first} attempts became {second}")
    bench.user()
    again = left()
    require(again == first, f"after the right PIN {again} are left, not {first}")


@PART.check(page("CardAuthenticatePin"), "pin.blocked")
def blocked(bench: Bench) -> None:
    """A blocked PIN is SCARD_W_CHV_BLOCKED with no attempts, also with the right value."""
    block(bench)
    for pin in (bench.pin, wrong(bench.pin)):
        error = refused(partial(bench.md.CardAuthenticatePin, USER_NAME, pin), _BLOCKED)
        require(error.attempts == 0, f"{error.attempts} attempts are left")


@PART.check(page("CardAuthenticateEx"), "pin.ex-wrong")
def ex_wrong(bench: Bench) -> None:
    """CardAuthenticateEx tells wrong PINs and blocked ones as CardAuthenticatePin does."""
    bench.need("CardAuthenticateEx")
    bad = wrong(bench.pin)
    error = refused(lambda: bench.md.CardAuthenticateEx(Role.USER, 0, bad), _WRONG)
    require(error.attempts is not None, "no attempts were written")
    block(bench)
    error = refused(lambda: bench.md.CardAuthenticateEx(Role.USER, 0, bench.pin), _BLOCKED)
    require(error.attempts == 0, f"{error.attempts} attempts are left")


@PART.check(page("CardAuthenticateEx"), "version.many-pins pin.ex-several")
def several(bench: Bench) -> None:
    """Authenticating the administrator leaves the user authenticated."""
    bench.writable()
    key = bench.key(*_SIGNING)
    bench.user()
    bench.admin()
    _uses(bench, key)


def _uses(bench: Bench, key: Key) -> None:
    """Do what the user alone can."""
    bench.md.CardSignData(SigningInfo(key.container, key.spec, bytes(20), 0x8004))


@PART.check(page("CardChangeAuthenticator"), "pin.change pin.change-flags")
def change(bench: Bench) -> None:
    """After a change the new PIN is right and the old one wrong."""
    bench.need("CardChangeAuthenticator")
    old = bench.pin
    bench.md.CardChangeAuthenticator(USER_NAME, old, _NEW, 0, UnblockFlag.PIN)
    refused(lambda: bench.md.CardAuthenticatePin(USER_NAME, old), _WRONG)
    bench.md.CardAuthenticatePin(USER_NAME, _NEW)


@PART.check(page("CardChangeAuthenticator"), "pin.change-wrong")
def change_wrong(bench: Bench) -> None:
    """With a wrong current PIN nothing changes, and an attempt is gone."""
    bench.need("CardChangeAuthenticator")
    bad = wrong(bench.pin)
    error = refused(
        lambda: bench.md.CardChangeAuthenticator(USER_NAME, bad, _NEW, 0, UnblockFlag.PIN),
        _WRONG,
    )
    require(error.attempts is not None, "no attempts were written")
    bench.user()


@PART.check(page("CardChangeAuthenticatorEx"), "pin.change-ex")
def change_ex(bench: Bench) -> None:
    """CardChangeAuthenticatorEx changes a PIN by itself."""
    bench.need("CardChangeAuthenticatorEx")
    by = (ChangeFlag.CHANGE_PIN, Role.USER, bench.pin, Role.USER, _NEW, 0)
    bench.md.CardChangeAuthenticatorEx(*by)
    bench.md.CardAuthenticatePin(USER_NAME, _NEW)


@PART.check(page("CardChangeAuthenticatorEx"), "pin.change-permission")
def change_permission(bench: Bench) -> None:
    """A PIN that is not permitted cannot change another."""
    bench.need("CardChangeAuthenticatorEx")
    mask = pin_info(bench, Role.ADMIN).dwChangePermission
    if mask & 2:
        raise NotApplicable("the user may change the administrator's PIN")
    target = bytes(24)
    refused(
        lambda: bench.md.CardChangeAuthenticatorEx(
            ChangeFlag.CHANGE_PIN, Role.USER, bench.pin, Role.ADMIN, target, 0
        ),
        _INVALID,
        _DENIED,
        _UNSUPPORTED,
    )


def _answer(bench: Bench) -> bytes:
    key = bench.admin_key()
    return response(key, bench.md.CardGetChallenge())


def _unblock(bench: Bench) -> None:
    """Unblock by the administrator's response, or by a PUK where the settings have one."""
    bench.need("CardUnblockPin")
    flag, authentication = UnblockFlag.PIN, bench.secret(Role.ADMIN)
    if len(authentication) == ADMIN_KEY_SIZE:
        flag, authentication = UnblockFlag.CHALLENGE_RESPONSE, _answer(bench)
    try:
        bench.md.CardUnblockPin(USER_NAME, authentication, _NEW, 0, flag)
    except MinidriverError as error:
        if error.code == _UNSUPPORTED:
            raise NotApplicable("the card is not unblocked by what the settings have") from None
        raise


@PART.check(
    page("CardUnblockPin"),
    "pin.unblock pin.unblock-flags",
    silent="The page knows unblocking by a response alone, the header by a PIN too.",
)
def unblock(bench: Bench) -> None:
    """The administrator unblocks the user's PIN, with all its attempts."""
    bench.need("CardUnblockPin")
    bench.secret(Role.ADMIN)
    block(bench)
    _unblock(bench)
    bench.md.CardAuthenticatePin(USER_NAME, _NEW)


@PART.check(page("CardUnblockPin"), "pin.unblock-atomic")
def unblock_atomic(bench: Bench) -> None:
    """With a wrong response the PIN stays as it was."""
    bench.need("CardUnblockPin")
    answer = wrong(_answer(bench))
    refused(lambda: bench.md.CardUnblockPin(USER_NAME, answer, _NEW, 0, 1))
    bench.user()


@PART.check(
    page("CardUnblockPin"),
    "pin.unblock-leaves-no-login",
    silent="An old page says that the user is authenticated; both states are accepted.",
)
def unblock_no_login(bench: Bench) -> None:
    """Unblocking does not leave the administrator authenticated."""
    bench.writable()
    _unblock(bench)
    refused(lambda: bench.md.CardWriteFile(None, "cardid", 0, bytes(16)), _DENIED)


@PART.check(page("CardUnblockPin"), "pin.unblock-user-only")
def unblock_user_only(bench: Bench) -> None:
    """Only the user can be unblocked."""
    bench.need("CardUnblockPin")
    answer = _answer(bench)
    call = partial(bench.md.CardUnblockPin, ADMIN_NAME, answer, bytes(24), 0, 1)
    refused(call, _INVALID, _UNSUPPORTED)


@PART.check(page("CardChangeAuthenticatorEx"), "pin.unblock-ex")
def unblock_ex(bench: Bench) -> None:
    """CardChangeAuthenticatorEx unblocks the user's PIN by the administrator."""
    bench.need("CardChangeAuthenticatorEx", "CardGetChallengeEx")
    key = bench.admin_key()
    block(bench)
    answer = response(key, bench.md.CardGetChallengeEx(Role.ADMIN, 0))
    bench.md.CardChangeAuthenticatorEx(ChangeFlag.UNBLOCK, Role.ADMIN, answer, Role.USER, _NEW, 0)
    bench.md.CardAuthenticatePin(USER_NAME, _NEW)


@PART.check(page("CardChangeAuthenticatorEx"), "pin.unblock-permission")
def unblock_permission(bench: Bench) -> None:
    """The user cannot unblock the administrator's PIN."""
    bench.need("CardChangeAuthenticatorEx")
    refused(
        lambda: bench.md.CardChangeAuthenticatorEx(
            ChangeFlag.UNBLOCK, Role.USER, bench.pin, Role.ADMIN, bytes(24), 0
        ),
        _INVALID,
        _DENIED,
        _UNSUPPORTED,
    )


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
    """Logging out of the administrator leaves the user logged in."""
    bench.need("CardDeauthenticateEx")
    bench.writable()
    bench.admin_key()
    key = bench.key(*_SIGNING)
    bench.user()
    _log_out(bench, 4)
    _uses(bench, key)


def _log_out(bench: Bench, pins: int) -> None:
    try:
        bench.md.CardDeauthenticateEx(pins, 0)
    except MinidriverError as error:
        if error.code == _UNSUPPORTED:
            raise NotApplicable("the minidriver cannot log out") from None
        raise


@PART.check(page("CardDeauthenticateEx"), "pin.deauthenticate-ex-everyone")
def deauthenticate_all(bench: Bench) -> None:
    """Logging out of FF logs everybody out."""
    bench.need("CardDeauthenticateEx")
    key = bench.key(*_SIGNING)
    bench.user()
    _log_out(bench, ALL_ROLES)
    refused(lambda: _uses(bench, key), _DENIED)
