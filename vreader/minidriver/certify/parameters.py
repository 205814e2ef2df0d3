# SPDX-License-Identifier: Apache-2.0
"""Part C: parameters that are refused."""

from collections.abc import Callable
from functools import partial
from typing import Any

from vreader.minidriver.abi.codes import KeySpec
from vreader.minidriver.abi.files import CARD_CF, CARD_ID, CONTAINER_MAP, MSCP
from vreader.minidriver.abi.pins import USER_NAME, ChangeFlag, Role, SecretType, pins_of
from vreader.minidriver.abi.properties import CardProperty, ContainerProperty
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.abi.structs import CARD_FREE_SPACE_INFO, CARD_KEY_SIZES, PIN_INFO
from vreader.minidriver.certify.bench import ROOM, Bench
from vreader.minidriver.certify.check import NotApplicable, Part, page, refused, require
from vreader.minidriver.values import ContainerInfo
from vreader.winscard.codes import SCARD

PART = Part("C", "Parameters")

_INVALID = SCARD.E_INVALID_PARAMETER
_UNSUPPORTED = SCARD.E_UNSUPPORTED_FEATURE
_OVERVIEW = "WDK Smart Card Minidriver Overview"
_EX = "CardChangeAuthenticatorEx"
_ROOM = bytes(ROOM)


def refuse(
    name: str,
    function: str,
    rows: str,
    what: str,
    call: Callable[..., Any],
    *more: int,
    write: bool = False,
    given: Callable[[Bench], tuple[Any, ...]] = lambda _: (),
    silent: str = "",
) -> None:
    """Add a check of one bad parameter of a function.

    What ``given`` makes ``call`` is called with; that it cannot be made is no refusal.
    """

    def run(bench: Bench) -> None:
        bench.need(function)
        if write:
            bench.writable()
            bench.user()
        ready = given(bench)
        refused(lambda: call(bench, *ready), _INVALID, *more)

    PART.add(name, f"{function}: {what} is refused", page(function), rows, run, silent=silent)


def _no_pin(bench: Bench) -> int:
    """Return the number of a PIN that the card does not have."""
    raw = bench.maybe(CardProperty.LIST_PINS)
    there = set(pins_of(int.from_bytes(raw, "little")))
    return next((pin for pin in range(7, Role.ADMIN, -1) if pin not in there), 8)


def _typed(bench: Bench) -> tuple[()]:
    """Raise NotApplicable where the user's PIN is entered at the reader: somebody would have to."""
    info = PIN_INFO.decode(bench.maybe(CardProperty.PIN_INFO, Role.USER, PIN_INFO()))
    if info.PinType == SecretType.EXTERNAL:
        raise NotApplicable("the user's PIN is entered at the reader")
    return ()


_FLAGS = "a flag that is not documented"
refuse(
    "read-flags",
    "CardReadFile",
    "parameter.read-flags parameter.bad-flag",
    _FLAGS,
    lambda b: b.md.CardReadFile(None, CARD_ID, 1),
)
refuse(
    "write-flags",
    "CardWriteFile",
    "parameter.write-flags",
    _FLAGS,
    lambda b: b.md.CardWriteFile(None, CARD_CF, 1, bytes(6)),
    write=True,
)
refuse(
    "write-null",
    "CardWriteFile",
    "parameter.null-input",
    "NULL data",
    lambda b: b.md.CardWriteFile(None, CARD_CF, 0, None),
    write=True,
)
refuse(
    "enum-flags",
    "CardEnumFiles",
    "parameter.enum-flags",
    _FLAGS,
    lambda b: b.md.CardEnumFiles(None, 1),
)
refuse(
    "container-info-flags",
    "CardGetContainerInfo",
    "parameter.container-info-flags",
    _FLAGS,
    lambda b, key: b.md.CardGetContainerInfo(key.container, 1, ContainerInfo()),
    given=lambda b: (b.key(*KeySpec),),
)
refuse(
    "free-space-flags",
    "CardQueryFreeSpace",
    "parameter.free-space-flags",
    _FLAGS,
    lambda b: b.md.CardQueryFreeSpace(1, CARD_FREE_SPACE_INFO()),
)
refuse(
    "free-space-null",
    "CardQueryFreeSpace",
    "parameter.null-output",
    "no place for the result",
    lambda b: b.md.CardQueryFreeSpace(0, None),
)
refuse(
    "key-sizes-flags",
    "CardQueryKeySizes",
    "parameter.key-sizes-flags",
    _FLAGS,
    lambda b, spec: b.md.CardQueryKeySizes(spec, 1, CARD_KEY_SIZES()),
    given=lambda b: (b.spec(*KeySpec),),
)
refuse(
    "key-spec",
    "CardQueryKeySizes",
    "parameter.key-spec parameter.prefer-scard",
    "a key specification that is not defined",
    lambda b: b.md.CardQueryKeySizes(99, 0, CARD_KEY_SIZES()),
)
refuse(
    "user-name",
    "CardAuthenticatePin",
    "parameter.user-name",
    "a user other than user and admin",
    lambda b: b.md.CardAuthenticatePin("nobody", b.pin),
)
refuse(
    "deauthenticate-user",
    "CardDeauthenticate",
    "parameter.deauthenticate-user",
    "an unknown user",
    lambda b: b.md.CardDeauthenticate("nobody", 0),
)
refuse(
    "deauthenticate-flags",
    "CardDeauthenticate",
    "parameter.deauthenticate-flags",
    _FLAGS,
    lambda b: b.md.CardDeauthenticate(USER_NAME, 1),
)
refuse(
    "deauthenticate-ex-flags",
    "CardDeauthenticateEx",
    "pin.deauthenticate-ex-flags",
    _FLAGS,
    lambda b: b.md.CardDeauthenticateEx(2, 1),
)
refuse(
    "challenge-ex-flags",
    "CardGetChallengeEx",
    "challenge.ex-flags",
    _FLAGS,
    lambda b: b.md.CardGetChallengeEx(Role.ADMIN, 1),
)
refuse(
    "pin-range",
    "CardAuthenticateEx",
    "parameter.pin-range",
    "a PIN that the card does not have",
    lambda b, pin_id: b.md.CardAuthenticateEx(pin_id, 0, b.pin),
    given=lambda b: (_no_pin(b),),
)
refuse(
    "authenticate-flags",
    "CardAuthenticateEx",
    "parameter.authenticate-flags",
    _FLAGS,
    lambda b: b.md.CardAuthenticateEx(Role.USER, 0x8000, b.pin),
)
refuse(
    "null-pin",
    "CardAuthenticateEx",
    "parameter.null-pin",
    "a NULL PIN, where no PIN is entered at the reader,",
    lambda b: b.md.CardAuthenticateEx(Role.USER, 0, None),
    given=lambda b: _typed(b),
    silent="Assumed; no page says so.",
)


def _change(bench: Bench, flags: int, by: int, target: int, count: int = 0) -> None:
    pin = bench.pin
    bench.md.CardChangeAuthenticatorEx(flags, by, pin, target, pin, count)


_U, _A = Role.USER, Role.ADMIN


@PART.check(page(_EX), "parameter.change-flags")
def change_flags(bench: Bench) -> None:
    """CardChangeAuthenticatorEx: neither or both of unblock and change is refused."""
    bench.need(_EX)
    bench.pin  # noqa: B018 - raises where it is not known
    for flags in (0, ChangeFlag.UNBLOCK | ChangeFlag.CHANGE_PIN):
        refused(partial(_change, bench, flags, _U, _U), _INVALID)


refuse(
    "unblock-same",
    _EX,
    "parameter.unblock-same pin.self-unblock-ignored",
    "unblocking a PIN by itself",
    lambda b: _change(b, ChangeFlag.UNBLOCK, _U, _U),
)
refuse(
    "change-pin-range",
    _EX,
    "parameter.change-pin-range",
    "a PIN that the card does not have",
    lambda b, pin_id: _change(b, ChangeFlag.CHANGE_PIN, pin_id, _U),
    given=lambda b: (_no_pin(b),),
    silent="That everyone (0) is refused too is not asked for.",
)
refuse(
    "property-flags",
    "CardGetProperty",
    "parameter.property-flags",
    "a flag where the property defines none",
    lambda b: b.get(CardProperty.READ_ONLY, 1),
)
refuse(
    "pin-property-range",
    "CardGetProperty",
    "parameter.pin-property-range",
    "the strength of a PIN that is not there",
    lambda b, pin_id: b.get(CardProperty.PIN_STRENGTH_VERIFY, pin_id),
    _UNSUPPORTED,
    given=lambda b: (_no_pin(b),),
)
refuse(
    "container-property-flags",
    "CardGetContainerProperty",
    "parameter.container-property-flags",
    _FLAGS,
    lambda b, key: b.md.CardGetContainerProperty(
        key.container, ContainerProperty.PIN_IDENTIFIER, _ROOM, 1
    ),
    given=lambda b: (b.key(*KeySpec),),
)
refuse(
    "delete-flags",
    "CardDeleteFile",
    "parameter.delete-flags",
    _FLAGS,
    lambda b: b.md.CardDeleteFile(MSCP, CONTAINER_MAP, 1),
    write=True,
)


@PART.check(
    page(_EX),
    "parameter.retry-count parameter.retry-count-zero parameter.retry-count-unblock",
    silent="A card that sets the limit is accepted too.",
)
def retry_count(bench: Bench) -> None:
    """A limit of tries that cannot be set is refused, and nothing changes."""
    bench.need(_EX)
    try:
        bench.md.CardChangeAuthenticatorEx(2, _U, bench.pin, _U, bench.pin, 5)
    except MinidriverError as error:
        require(error.code in (_INVALID, _UNSUPPORTED), f"it returned {error}")
    bench.user()
