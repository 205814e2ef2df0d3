# SPDX-License-Identifier: Apache-2.0
"""PINs as a host presents them: kept or asked for, typed here or at the reader.

An authentication lasts for a transaction, so a PIN that is kept is presented again in the next one.
What may be kept is the PIN's own policy (WDK "Card PIN Operations"): normal and timed ones are,
"none" never, and "always prompt" is asked for before each call. An empty PIN is neither asked for
nor presented. Where the card makes session PINs, those are kept in place of the PIN.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Final

from vreader.minidriver.abi.ctype import LayoutError
from vreader.minidriver.abi.pins import (
    AuthenticateFlag,
    PinCache,
    PinInfoFlag,
    PinStrength,
    Role,
    SecretPurpose,
    SecretType,
    pins_of,
)
from vreader.minidriver.abi.properties import CardProperty, ContainerProperty
from vreader.minidriver.abi.returncodes import NTE, MinidriverError
from vreader.minidriver.abi.structs import PIN_INFO
from vreader.minidriver.host.datacache import DataCache, Kind
from vreader.minidriver.host.files import Files
from vreader.minidriver.host.process import HostProcess
from vreader.minidriver.host.session import ROLE_NAMES, Session
from vreader.winscard.codes import SCARD

Respond = Callable[[bytes], bytes]
"""Answers a challenge: with the admin key, 3DES in CBC mode."""

MAX_TRIES: Final = 16  # of one prompt: no card has so many, and a minidriver may miscount
_ABSENT: Final = frozenset({SCARD.E_UNSUPPORTED_FEATURE, SCARD.E_INVALID_PARAMETER})
_HWND_BYTES: Final = 8
_DWORD: Final = 4


class PresentedPins:
    """The PINs of one card. Every function wants to be called in a transaction.

    Args:
        session, files, cache, process: of the card.
        ask: asks a person for a PIN: its number, its PIN_INFO, the attempts left.

    Attributes:
        silent: nobody may be asked (CRYPT_SILENT). At a pinpad the minidriver is told so, and
            decides itself (assumed).
        window: HWND that a pinpad's dialogue belongs to.
        text: the application's string that a pinpad's dialogue shows.
    """

    def __init__(
        self,
        session: Session,
        files: Files,
        cache: DataCache,
        process: HostProcess,
        ask: Callable[[int, PIN_INFO, int | None], bytes],
    ) -> None:
        self.silent = False
        self.window = 0
        self.text = ""
        self._session = session
        self._files = files
        self._cache = cache
        self._process = process
        self._ask = ask

    # ------------------------------------------------------------------ what PINs there are

    def listed(self) -> tuple[int, ...]:
        """Return the numbers of the card's PINs, without that of everyone."""
        with suppress(MinidriverError):
            raw = self._property(CardProperty.LIST_PINS, bytes(_DWORD), 0)
            members = int.from_bytes(raw[:_DWORD], "little")
            return tuple(pin for pin in pins_of(members) if pin != Role.EVERYONE)
        return (Role.USER, Role.ADMIN)

    def info(self, pin_id: int) -> PIN_INFO:
        """Return PIN_INFO; before version 6 that of a PIN everybody has."""
        if not self._session.has("CardGetProperty"):
            return _OLD.get(pin_id, PIN_INFO())
        self._files.counters()
        key = f"pin{pin_id}"
        raw = self._cache.find(Kind.PINS, key)
        if raw is None:
            raw = bytes(self._property(CardProperty.PIN_INFO, PIN_INFO().encode(), pin_id))
            self._cache.add(Kind.PINS, key, raw)
        try:
            return PIN_INFO.decode(raw)
        except LayoutError:
            raise MinidriverError(SCARD.E_COMM_DATA_LOST) from None

    def of_container(self, container: int) -> int:
        """Return the PIN that guards a container; the user's where the card does not say."""
        if not self._session.has("CardGetContainerProperty"):
            return Role.USER
        name = ContainerProperty.PIN_IDENTIFIER
        raw = self._kept(
            Kind.CONTAINERS,
            f"pinof{container}",
            lambda: self._session.call(
                "CardGetContainerProperty", container, name, bytes(_DWORD), 0
            ),
            Role.USER.to_bytes(_DWORD, "little"),
        )
        return int.from_bytes(raw[:_DWORD], "little")

    def _kept(self, kind: Kind, key: str, read: Callable[[], bytes], default: bytes) -> bytes:
        """Return a property from the cache or the card; the default where there is none."""
        self._files.counters()
        raw = self._cache.find(kind, key)
        if raw is None:
            try:
                raw = bytes(read())
            except MinidriverError as error:
                if error.code not in _ABSENT:
                    raise
                raw = default
            self._cache.add(kind, key, raw)
        return raw

    def authenticated(self) -> tuple[int, ...]:
        """Return the PINs that the card takes for authenticated; what the host knows if it asks."""
        with suppress(MinidriverError):
            raw = self._property(CardProperty.AUTHENTICATED_STATE, bytes(_DWORD), 0)
            return pins_of(int.from_bytes(raw[:_DWORD], "little"))
        return tuple(sorted(self._session.authenticated))

    def _property(self, name: str, buffer: bytes, flags: int) -> bytes:
        found: bytes = self._session.call("CardGetProperty", name, buffer, flags)
        return found

    # ------------------------------------------------------------------ presenting

    def require(self, pin_id: int, *, always: bool = False) -> None:
        """See to it that a PIN is authenticated.

        Args:
            pin_id: which; ROLE_EVERYONE needs nothing.
            always: ask even if it is kept, but for a silent context.

        Raises:
            MinidriverError: SCARD_W_CHV_BLOCKED, SCARD_W_CANCELLED_BY_USER; NTE_SILENT_CONTEXT
                where somebody would have to be asked.
        """
        if pin_id == Role.EVERYONE:
            return
        info = self.info(pin_id)
        if info.PinType == SecretType.EMPTY:
            return
        each_time = info.PinCachePolicy.PinCachePolicyType == PinCache.ALWAYS_PROMPT
        attempts = None
        if not each_time and not (always and not self.silent):
            if pin_id in self._session.authenticated:
                return
            kept = self._process.kept_pin(self._cache.card, pin_id)
            if kept is not None:
                try:
                    self._present(pin_id, kept.value, session=kept.session)
                    return
                except MinidriverError as error:
                    if error.code is not SCARD.W_WRONG_CHV:
                        raise
                    self._process.forget_pin(self._cache.card, pin_id)
                    attempts = error.attempts
        self._from_person(pin_id, info, attempts)

    def _from_person(self, pin_id: int, info: PIN_INFO, attempts: int | None) -> None:
        external = is_external(info)
        if info.PinType == SecretType.CHALLENGE_RESPONSE:
            raise MinidriverError(SCARD.W_CARD_NOT_AUTHENTICATED)  # see respond
        if self.silent and not external:
            raise MinidriverError(NTE.SILENT_CONTEXT)
        for _ in range(MAX_TRIES):
            pin = None
            if external:
                self._announce()
            else:
                with self._session.let_go():
                    pin = self._ask(pin_id, info, attempts)
            try:
                self.verify(pin_id, pin, info)
                return
            except MinidriverError as error:
                if error.code is not SCARD.W_WRONG_CHV or self.silent:
                    raise
                if error.attempts == 0:
                    raise MinidriverError(SCARD.W_CHV_BLOCKED, attempts=0) from error
                attempts = error.attempts
        raise MinidriverError(SCARD.W_WRONG_CHV, attempts=attempts)

    def _announce(self) -> None:
        """Say for whom a pinpad asks, as far as the minidriver wants to know."""
        for name, value in (
            (CardProperty.PARENT_WINDOW, self.window.to_bytes(_HWND_BYTES, "little")),
            (CardProperty.PIN_CONTEXT_STRING, f"{self.text}\0".encode("utf-16-le")),
        ):
            try:
                self._session.call("CardSetProperty", name, value, 0)
            except MinidriverError as error:
                if error.code not in _ABSENT:
                    raise

    def verify(self, pin_id: int, pin: bytes | None, info: PIN_INFO | None = None) -> None:
        """Present a PIN, None for one that is typed at the reader, and keep it if that is allowed.

        Raises:
            MinidriverError: SCARD_W_WRONG_CHV, SCARD_W_CHV_BLOCKED with the attempts left.
        """
        info = info or self.info(pin_id)
        policy = info.PinCachePolicy
        keeps = policy.PinCachePolicyType in (PinCache.NORMAL, PinCache.TIMED)
        token = pin
        session = keeps and self._makes_session_pins(pin_id)
        if session:
            flags = AuthenticateFlag.GENERATE_SESSION_PIN | self._silence()
            token = self._session.call("CardAuthenticateEx", pin_id, flags, pin)
            if token is None:
                raise MinidriverError(SCARD.E_UNEXPECTED)
        self._present(pin_id, token, session=session)
        if token is not None:
            self._process.keep_pin(self._cache.card, pin_id, token, policy, session=session)

    def set_pin(self, pin_id: int, pin: bytes) -> None:
        """Take a PIN from the application, as CryptSetProvParam and NCryptSetProperty do.

        One that is always asked for is not even looked at.
        """
        info = self.info(pin_id)
        if info.PinCachePolicy.PinCachePolicyType != PinCache.ALWAYS_PROMPT:
            self.verify(pin_id, pin, info)

    def _present(self, pin_id: int, pin: bytes | None, *, session: bool) -> None:
        if self._session.has("CardAuthenticateEx"):
            flags = AuthenticateFlag.SESSION_PIN if session else self._silence()
            self._session.call("CardAuthenticateEx", pin_id, flags, pin)
        else:
            self._session.call("CardAuthenticatePin", ROLE_NAMES.get(pin_id), pin)
        self._session.authenticated.add(pin_id)

    def _silence(self) -> int:
        return AuthenticateFlag.SILENT_CONTEXT if self.silent else 0

    def _makes_session_pins(self, pin_id: int) -> bool:
        if not self._session.has("CardAuthenticateEx"):
            return False
        raw = self._kept(
            Kind.PINS,
            f"strength{pin_id}",
            lambda: self._property(CardProperty.PIN_STRENGTH_VERIFY, bytes(_DWORD), pin_id),
            bytes(_DWORD),
        )
        return bool(int.from_bytes(raw[:_DWORD], "little") & PinStrength.SESSION_PIN)


def is_external(info: PIN_INFO) -> bool:
    """Whether a PIN is entered at the reader and nowhere else."""
    secure = bool(info.dwFlags & PinInfoFlag.REQUIRE_SECURE_ENTRY)
    return info.PinType == SecretType.EXTERNAL or secure


_OLD: Final[dict[int, PIN_INFO]] = {
    Role.USER: PIN_INFO(
        PinPurpose=SecretPurpose.PRIMARY_CARD, dwChangePermission=2, dwUnblockPermission=4
    ),
    Role.ADMIN: PIN_INFO(
        PinType=SecretType.CHALLENGE_RESPONSE,
        PinPurpose=SecretPurpose.ADMINISTRATOR,
        dwChangePermission=4,
    ),
}
