# SPDX-License-Identifier: Apache-2.0
"""Part G, continued: changing PINs and unblocking them."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from vreader.minidriver.abi.pins import ADMIN_NAME, USER_NAME, ChangeFlag, Role, UnblockFlag
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.certify.bench import ADMIN_KEY_SIZE, Bench
from vreader.minidriver.certify.check import NotApplicable, page, refused, require
from vreader.minidriver.certify.csp import response
from vreader.minidriver.certify.pins import PART, block, is_blocked, pin_info, rewrite_cardid, wrong
from vreader.winscard.codes import SCARD

_WRONG = SCARD.W_WRONG_CHV
_INVALID, _DENIED = SCARD.E_INVALID_PARAMETER, SCARD.W_SECURITY_VIOLATION
_UNSUPPORTED = SCARD.E_UNSUPPORTED_FEATURE


@PART.check(page("CardChangeAuthenticator"), "pin.change pin.change-flags")
def change(bench: Bench) -> None:
    """After a change the new PIN is right and the old one wrong."""
    bench.need("CardChangeAuthenticator")
    old = bench.pin
    bench.md.CardChangeAuthenticator(USER_NAME, old, bench.new_pin, 0, UnblockFlag.PIN)
    refused(lambda: bench.md.CardAuthenticatePin(USER_NAME, old), _WRONG)
    bench.md.CardAuthenticatePin(USER_NAME, bench.new_pin)


@PART.check(page("CardChangeAuthenticator"), "pin.change-wrong")
def change_wrong(bench: Bench) -> None:
    """With a wrong current PIN nothing changes, and attempts go until the PIN is blocked."""
    bench.need("CardChangeAuthenticator")

    def present(pin: bytes) -> None:
        bench.md.CardChangeAuthenticator(USER_NAME, pin, bench.new_pin, 0, UnblockFlag.PIN)

    error = refused(lambda: present(wrong(bench.pin)), _WRONG)
    require(error.attempts is not None, "no attempts were written")
    bench.user()
    block(bench, present)
    is_blocked(lambda: present(bench.pin))


@PART.check(page("CardChangeAuthenticatorEx"), "pin.change-ex")
def change_ex(bench: Bench) -> None:
    """CardChangeAuthenticatorEx changes a PIN by itself, and by no other value."""
    bench.need("CardChangeAuthenticatorEx")

    def present(pin: bytes) -> None:
        change = (Role.USER, pin, Role.USER, bench.new_pin, 0)
        bench.md.CardChangeAuthenticatorEx(ChangeFlag.CHANGE_PIN, *change)

    error = refused(lambda: present(wrong(bench.pin)), _WRONG)
    require(error.attempts is not None, "no attempts were written")
    present(bench.pin)
    refused(lambda: bench.md.CardAuthenticatePin(USER_NAME, bench.pin), _WRONG)
    bench.md.CardAuthenticatePin(USER_NAME, bench.new_pin)


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
        bench.md.CardUnblockPin(USER_NAME, authentication, bench.new_pin, 0, flag)
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
    with _all_attempts(bench):
        block(bench)
        _unblock(bench)
    bench.md.CardAuthenticatePin(USER_NAME, bench.new_pin)


@contextmanager
def _all_attempts(bench: Bench) -> Iterator[None]:
    """Require that the new PIN has as many attempts as the old one had."""
    before = refused(lambda: bench.md.CardAuthenticatePin(USER_NAME, wrong(bench.pin)), _WRONG)
    yield
    after = refused(lambda: bench.md.CardAuthenticatePin(USER_NAME, wrong(bench.new_pin)), _WRONG)
    told = after.attempts
    require(told == before.attempts, f"{told} attempts are left, before {before.attempts}")


@PART.check(page("CardUnblockPin"), "pin.unblock-atomic")
def unblock_atomic(bench: Bench) -> None:
    """With a wrong response the PIN stays as it was, and blocked where it was."""
    bench.need("CardUnblockPin")

    def try_it() -> None:
        answer = wrong(_answer(bench))
        refused(lambda: bench.md.CardUnblockPin(USER_NAME, answer, bench.new_pin, 0, 1))

    try_it()
    bench.user()
    block(bench)
    try_it()
    for pin in (bench.pin, bench.new_pin):
        is_blocked(partial(bench.md.CardAuthenticatePin, USER_NAME, pin))


@PART.check(
    page("CardUnblockPin"),
    "pin.unblock-leaves-no-login",
    silent="An old page says that the user is authenticated; both states are accepted.",
)
def unblock_no_login(bench: Bench) -> None:
    """Unblocking does not leave the administrator authenticated."""
    bench.writable()
    _unblock(bench)
    refused(lambda: rewrite_cardid(bench), _DENIED)


@PART.check(page("CardUnblockPin"), "pin.unblock-user-only")
def unblock_user_only(bench: Bench) -> None:
    """Only the user can be unblocked."""
    bench.need("CardUnblockPin")
    answer = _answer(bench)
    call = partial(bench.md.CardUnblockPin, ADMIN_NAME, answer, bytes(24), 0, 1)
    refused(call, _INVALID, _UNSUPPORTED)


@PART.check(page("CardChangeAuthenticatorEx"), "pin.unblock-ex")
def unblock_ex(bench: Bench) -> None:
    """CardChangeAuthenticatorEx unblocks the user's PIN, with all its attempts."""
    bench.need("CardChangeAuthenticatorEx", "CardGetChallengeEx")
    key = bench.admin_key()
    with _all_attempts(bench):
        block(bench)
        answer = response(key, bench.md.CardGetChallengeEx(Role.ADMIN, 0))
        bench.md.CardChangeAuthenticatorEx(
            ChangeFlag.UNBLOCK, Role.ADMIN, answer, Role.USER, bench.new_pin, 0
        )
    bench.md.CardAuthenticatePin(USER_NAME, bench.new_pin)


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
