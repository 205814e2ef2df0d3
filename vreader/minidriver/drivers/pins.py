# SPDX-License-Identifier: Apache-2.0
"""The functions for PINs, which come to the same few things whatever the card is."""

from abc import abstractmethod
from dataclasses import replace

from vreader.minidriver.abi.pins import (
    ADMIN_NAME,
    AuthenticateFlag,
    ChangeFlag,
    Role,
    SecretType,
    UnblockFlag,
    pins_of,
)
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.abi.structs import PIN_INFO
from vreader.minidriver.rules.base import require
from vreader.minidriver.rules.checked import Checked
from vreader.winscard.codes import SCARD

_SAME_LIMIT = 0xFFFFFFFF


class PinFunctions(Checked):
    """What CardAuthenticatePin and its relatives come to; a subclass talks to the card."""

    @property
    @abstractmethod
    def _pins(self) -> dict[int, PIN_INFO]:
        """The PINs of the card by their numbers."""

    @abstractmethod
    def _verify(self, pin_id: int, pin: bytes) -> None:
        """Verify one of the card's PINs."""

    @abstractmethod
    def _verify_at_reader(self, pin_id: int) -> None:
        """Verify one of the card's PINs that a person enters at the reader."""

    @abstractmethod
    def _entered_at_reader(self, pin_id: int) -> bool:
        """Tell whether a person enters a PIN at the reader."""

    @abstractmethod
    def _change(self, pin_id: int, current: bytes, new: bytes) -> None:
        """Change a PIN or the admin key, whose present value is proved first."""

    @abstractmethod
    def _unblock(self, authentication: bytes, new: bytes, *, response: bool) -> None:
        """Set the user's PIN by a PUK, or by the response to a challenge."""

    @abstractmethod
    def _change_at_reader(self, pin_id: int) -> None:
        """Change a PIN; a person enters the present one and the new one at the reader."""

    @abstractmethod
    def _unblock_at_reader(self, authentication: bytes | None) -> None:
        """Set the user's PIN, which a person enters at the reader.

        Args:
            authentication: the administrator's; None for a PUK that is entered there as well.
        """

    @abstractmethod
    def _log_out(self, pins: frozenset[int]) -> None:
        """End the authentication of some PINs; SCARD_E_UNSUPPORTED_FEATURE if the card cannot."""

    @abstractmethod
    def _authenticated(self) -> frozenset[int]:
        """Return the PINs that are authenticated."""

    @abstractmethod
    def _attempts(self, pin_id: int) -> int:
        """Return the attempts left for a PIN; VALUE_UNKNOWN where the card does not tell."""

    # ------------------------------------------------------------------ calls

    def _pin_info(self, pin_id: int) -> PIN_INFO:
        found = self._pins.get(pin_id)
        if found is None:
            raise MinidriverError(SCARD.E_INVALID_PARAMETER)
        if self._entered_at_reader(pin_id):
            return replace(found, PinType=SecretType.EXTERNAL)
        return found

    def CardAuthenticatePin(self, user: str | None, pin: bytes | None) -> None:
        """See Minidriver."""
        self._verify(role_of(user), pin or b"")

    def CardChangeAuthenticator(
        self,
        user: str | None,
        current: bytes | None,
        new: bytes | None,
        retry_count: int,
        flags: int,
    ) -> None:
        """See Minidriver; the limit of tries stays as it is."""
        require(not retry_count)
        self._demand_kind(role_of(user), flags)
        self._change(role_of(user), current or b"", new or b"")

    def _demand_kind(self, role: Role, flags: int) -> None:
        """Challenge and response is for the PINs of that type, and for them alone."""
        kind = self._pin_info(role).PinType
        wanted = (
            UnblockFlag.CHALLENGE_RESPONSE
            if kind == SecretType.CHALLENGE_RESPONSE
            else UnblockFlag.PIN
        )
        require(flags == wanted)

    def CardUnblockPin(
        self,
        user: str | None,
        authentication: bytes | None,
        new_pin: bytes | None,
        retry_count: int,
        flags: int,
    ) -> None:
        """See Minidriver; the limit of tries stays as it is."""
        require(retry_count in (0, _SAME_LIMIT))
        response = flags == UnblockFlag.CHALLENGE_RESPONSE
        self._unblock(authentication or b"", new_pin or b"", response=response)

    def CardDeauthenticate(self, user: str | None, flags: int) -> None:
        """See Minidriver."""
        self._log_out(frozenset({int(role_of(user))}))

    def CardAuthenticateEx(self, pin_id: int, flags: int, pin: bytes | None) -> None:
        """See Minidriver. Neither card makes session PINs: SCARD_E_UNSUPPORTED_FEATURE.

        "PIN Strength Verify" says so, and published minidrivers answer the two flags alike.
        """
        info = self._pin_info(pin_id)
        if flags & ~AuthenticateFlag.SILENT_CONTEXT:
            raise MinidriverError(SCARD.E_UNSUPPORTED_FEATURE)
        if pin is None and info.PinType == SecretType.EXTERNAL:
            self._verify_at_reader(pin_id)
            return
        if not pin:
            raise MinidriverError(SCARD.E_INVALID_PARAMETER)
        self._verify(pin_id, pin)

    def CardChangeAuthenticatorEx(
        self,
        flags: int,
        authenticating_pin: int,
        authentication: bytes | None,
        target_pin: int,
        target: bytes | None,
        retry_count: int,
    ) -> None:
        """See Minidriver. A PIN is changed by itself; the administrator unblocks the user.

        An external PIN is NULL: the new one is entered at the reader, and so is the present one, or
        the PUK where that is NULL too (assumed; the page tells of CardAuthenticateEx alone).
        """
        info = self._pin_info(target_pin)
        by = self._pin_info(authenticating_pin)
        response = by.PinType == SecretType.CHALLENGE_RESPONSE
        unblock = bool(flags & ChangeFlag.UNBLOCK)
        typed = target is None and info.PinType == SecretType.EXTERNAL
        if typed:
            require(authentication is None or (unblock and authentication))
            require(authentication or not response)
        else:
            require(authentication and target)
        permission = info.dwUnblockPermission if unblock else info.dwChangePermission
        if authenticating_pin not in pins_of(permission):
            raise MinidriverError(SCARD.W_SECURITY_VIOLATION)
        if typed and unblock:
            self._unblock_at_reader(authentication)
        elif typed:
            self._change_at_reader(target_pin)
        elif unblock:
            self._unblock(authentication or b"", target or b"", response=response)
        else:
            self._change(target_pin, authentication or b"", target or b"")

    def CardDeauthenticateEx(self, pins: int, flags: int) -> None:
        """See Minidriver."""
        self._log_out(frozenset(pins_of(pins)) - {Role.EVERYONE})


def role_of(user: str | None) -> Role:
    """Return the role behind a name that the rules have seen."""
    return Role.ADMIN if user == ADMIN_NAME else Role.USER


def answers_challenges(info: PIN_INFO) -> bool:
    """Tell whether a PIN is a key that answers challenges."""
    return info.PinType == SecretType.CHALLENGE_RESPONSE
