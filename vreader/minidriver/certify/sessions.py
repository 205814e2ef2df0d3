# SPDX-License-Identifier: Apache-2.0
"""Part H: session PINs, silent contexts, further PINs."""

from vreader.minidriver.abi.codes import KeySpec
from vreader.minidriver.abi.files import CARD_CF
from vreader.minidriver.abi.pins import (
    ALL_ROLES,
    AuthenticateFlag,
    ChangeFlag,
    Role,
    SecretType,
    pins_of,
)
from vreader.minidriver.abi.properties import CardProperty
from vreader.minidriver.certify.bench import Bench
from vreader.minidriver.certify.check import NotApplicable, Part, page, refused, require
from vreader.minidriver.certify.pins import log_out, pin_info
from vreader.minidriver.certify.pins import wrong as other
from vreader.minidriver.values import SigningInfo
from vreader.winscard.codes import SCARD

PART = Part("H", "Session PINs")

_GUIDELINES = "WDK Developer Guidelines (smart card minidrivers)"
_MAKE, _USE = AuthenticateFlag.GENERATE_SESSION_PIN, AuthenticateFlag.SESSION_PIN
_ECDSA = (KeySpec.ECDSA_P256, KeySpec.ECDSA_P384, KeySpec.ECDSA_P521)
_BAD = (SCARD.W_WRONG_CHV, SCARD.W_CHV_BLOCKED)
_MANY = 20


def _session(bench: Bench) -> bytes:
    """Make a session PIN; raises NotApplicable where the card has none."""
    bench.need("CardAuthenticateEx")
    strength = bench.maybe(CardProperty.PIN_STRENGTH_VERIFY, Role.USER)
    if not strength[0] & 2:
        raise NotApplicable("the card makes no session PINs")
    session = bench.md.CardAuthenticateEx(Role.USER, _MAKE, bench.pin)
    require(session, "no session PIN was returned")
    return session or b""


@PART.check(_GUIDELINES, "pin.session-generate")
def generate(bench: Bench) -> None:
    """Generating a session PIN does not unlock the card."""
    _session(bench)
    bench.writable()
    data = bench.md.CardReadFile(None, CARD_CF, 0)
    refused(lambda: bench.md.CardWriteFile(None, CARD_CF, 0, data), SCARD.W_SECURITY_VIOLATION)


@PART.check(_GUIDELINES, "pin.session-use pin.session-shared")
def use(bench: Bench) -> None:
    """A session PIN authenticates, in another context too."""
    session = _session(bench)
    md = bench.acquire()
    md.CardAuthenticateEx(Role.USER, _USE, session)
    if not bench.read_only:
        md.CardWriteFile(None, CARD_CF, 0, md.CardReadFile(None, CARD_CF, 0))


@PART.check(_GUIDELINES, "pin.session-generate pin.wrong")
def of_wrong_pin(bench: Bench) -> None:
    """A wrong PIN makes no session PIN."""
    _session(bench)
    bad = other(bench.pin)
    refused(lambda: bench.md.CardAuthenticateEx(Role.USER, _MAKE, bad), SCARD.W_WRONG_CHV)


@PART.check(_GUIDELINES, "pin.session-not-encoded")
def not_encoded(bench: Bench) -> None:
    """A session PIN is not the PIN, and another one each time."""
    first, second = _session(bench), _session(bench)
    require(bench.pin not in first, "the PIN is in it")
    require(first != second, "it is the same each time")


@PART.check(_GUIDELINES, "pin.session-wrong pin.session-used-up")
def wrong(bench: Bench) -> None:
    """Wrong session PINs use one up, and take no attempt of the PIN."""
    session = _session(bench)
    bad = bytes((session[0] ^ 1,)) + session[1:]
    for _ in range(_MANY):
        refused(lambda: bench.md.CardAuthenticateEx(Role.USER, _USE, bad), *_BAD)
    refused(lambda: bench.md.CardAuthenticateEx(Role.USER, _USE, session), *_BAD)
    bench.user()
    bench.md.CardAuthenticateEx(Role.USER, _USE, _session(bench))


@PART.check(_GUIDELINES, "pin.session-changed")
def changed(bench: Bench) -> None:
    """Changing the PIN makes its session PINs invalid."""
    bench.need("CardChangeAuthenticatorEx")
    session, pin = _session(bench), bench.pin
    bench.md.CardChangeAuthenticatorEx(
        ChangeFlag.CHANGE_PIN, Role.USER, pin, Role.USER, bench.new_pin, 0
    )
    refused(lambda: bench.md.CardAuthenticateEx(Role.USER, _USE, session), *_BAD)


@PART.check(_GUIDELINES, "pin.session-announced")
def announced(bench: Bench) -> None:
    """Without bit 2 of "PIN Strength Verify" no session PIN is made."""
    bench.need("CardAuthenticateEx")
    if bench.maybe(CardProperty.PIN_STRENGTH_VERIFY, Role.USER)[0] & 2:
        raise NotApplicable("the card makes session PINs")
    refused(lambda: bench.md.CardAuthenticateEx(Role.USER, _MAKE, bench.pin))


@PART.check(page("CardAuthenticateEx"), "pin.silent")
def silent(bench: Bench) -> None:
    """With a silent context a PIN that is given authenticates, and a wrong one does not."""
    bench.need("CardAuthenticateEx")
    flag, bad = AuthenticateFlag.SILENT_CONTEXT, other(bench.pin)
    refused(lambda: bench.md.CardAuthenticateEx(Role.USER, flag, bad), SCARD.W_WRONG_CHV)
    bench.md.CardAuthenticateEx(Role.USER, flag, bench.pin)


def _further(bench: Bench) -> int:
    """Return a PIN beyond the administrator's that the settings know."""
    pins = int.from_bytes(bench.maybe(CardProperty.LIST_PINS), "little")
    for pin in pins_of(pins):
        known = pin > Role.ADMIN and pin in bench.settings.pins
        if known and pin_info(bench, pin).PinType == SecretType.ALPHANUMERIC:
            return pin
    raise NotApplicable("the card has no further PIN that the settings know")


@PART.check("WDK Card PIN Operations", "pin.file-roles")
def further(bench: Bench) -> None:
    """A further PIN gives no right to files."""
    bench.writable()
    pin = _further(bench)
    bench.md.CardAuthenticateEx(pin, 0, bench.secret(pin))
    data = bench.md.CardReadFile(None, CARD_CF, 0)
    refused(lambda: bench.md.CardWriteFile(None, CARD_CF, 0, data), SCARD.W_SECURITY_VIOLATION)


@PART.check("WDK Card PIN Operations", "pin.container-pin")
def container_pin(bench: Bench) -> None:
    """A container under a further PIN needs that PIN and not the user's."""
    bench.writable()
    bench.need("CardCreateContainerEx")
    pin, spec = _further(bench), bench.spec(*_ECDSA)
    container = bench.free_container()
    bench.user()
    bench.md.CardAuthenticateEx(pin, 0, bench.secret(pin))
    bench.md.CardCreateContainerEx(container, 1, spec, 0, None, pin)
    log_out(bench, ALL_ROLES)
    bench.user()
    info = SigningInfo(container, spec, bytes(32))
    refused(lambda: bench.md.CardSignData(info), SCARD.W_SECURITY_VIOLATION)
    bench.md.CardAuthenticateEx(pin, 0, bench.secret(pin))
    bench.md.CardSignData(info)
