# SPDX-License-Identifier: Apache-2.0
"""PINs changed and unblocked, and the administrator's challenge (WDK "Card PIN Operations").

Who changes a PIN raises the counter of PINs in ``cardcf``, where the card lets the user do that.
"""

from collections.abc import Callable
from contextlib import suppress

from vreader.minidriver.abi.pins import ChangeFlag, Role, SecretType, UnblockFlag, pins_of
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.host.datacache import Kind
from vreader.minidriver.host.presenting import PresentedPins, is_external
from vreader.minidriver.host.session import ROLE_NAMES
from vreader.winscard.codes import SCARD

Respond = Callable[[bytes], bytes]
"""Answers a challenge: with the admin key, 3DES in CBC mode."""


class Pins(PresentedPins):
    """The PINs of one card. Every function wants to be called in a transaction."""

    # ------------------------------------------------------------------ the administrator

    def respond(self, respond: Respond, pin_id: int = Role.ADMIN) -> None:
        """Authenticate by challenge and response."""
        response = self.response(respond, pin_id)
        if self._session.has("CardAuthenticateEx"):
            self._session.call("CardAuthenticateEx", pin_id, 0, response)
        else:
            self._session.call("CardAuthenticateChallenge", response)
        self._session.authenticated.add(pin_id)

    def response(self, respond: Respond, pin_id: int = Role.ADMIN) -> bytes:
        """Get a challenge and return the response to it."""
        if self._session.has("CardGetChallengeEx"):
            challenge = self._session.call("CardGetChallengeEx", pin_id, 0)
        else:
            challenge = self._session.call("CardGetChallenge")
        return bytes(respond(bytes(challenge)))

    # ------------------------------------------------------------------ changing

    def change(self, pin_id: int, current: bytes | None, new: bytes | None) -> None:
        """Change a PIN; everybody else's kept one is wrong from now on.

        None for both is for a PIN that is typed at the reader; the minidriver is told for whom.
        """
        call = self._session.call
        external = is_external(self.info(pin_id))
        if (current is None) is not external or (new is None) is not external:
            raise MinidriverError(SCARD.E_INVALID_PARAMETER)
        if external:
            self._announce()
        if self._session.has("CardChangeAuthenticatorEx"):
            flags = ChangeFlag.CHANGE_PIN | self._silence()
            call("CardChangeAuthenticatorEx", flags, pin_id, current, pin_id, new, 0)
        else:
            name = ROLE_NAMES.get(pin_id)
            call("CardChangeAuthenticator", name, current, new, 0, UnblockFlag.PIN)
        self._changed(pin_id, new)

    def unblock(
        self,
        pin_id: int,
        new: bytes | None,
        authentication: bytes | Respond | None,
        by: int | None = None,
    ) -> None:
        """Set a new PIN with a PUK, or with the answer to a challenge.

        Args:
            pin_id: the PIN that is blocked.
            new: what it shall be; None where it is typed at the reader, which is for such PINs
                alone.
            authentication: the PUK, or what answers a challenge of the card; None where the PUK is
                typed at the reader, too.
            by: the PIN that unblocks; by default the first of that kind that PIN_INFO allows.
        """
        typed = new is None or authentication is None
        if typed:
            if not is_external(self.info(pin_id)):
                raise MinidriverError(SCARD.E_INVALID_PARAMETER)
            self._announce()
        answered = callable(authentication)
        by = self.unblocker(pin_id, answers=answered) if by is None else by
        data = self.response(authentication, by) if callable(authentication) else authentication
        call = self._session.call
        if self._session.has("CardChangeAuthenticatorEx"):
            flags = ChangeFlag.UNBLOCK | self._silence()
            call("CardChangeAuthenticatorEx", flags, by, data, pin_id, new, 0)
        else:
            how = UnblockFlag.CHALLENGE_RESPONSE if answered else UnblockFlag.PIN
            call("CardUnblockPin", ROLE_NAMES.get(pin_id), data, new, 0, how)
        self._changed(pin_id, new)

    def unblocker(self, pin_id: int, *, answers: bool) -> int:
        """Return the PIN that may unblock another one, by a challenge or not; never itself."""
        others = [pin for pin in pins_of(self.info(pin_id).dwUnblockPermission) if pin != pin_id]
        for other in others:
            if (self.info(other).PinType == SecretType.CHALLENGE_RESPONSE) is answers:
                return other
        return others[0] if others else Role.ADMIN

    def changed(self, pin_id: int) -> None:
        """Forget a PIN that is another one now, and raise the counter where the card allows it."""
        self._forget(pin_id)
        with suppress(MinidriverError):
            self._files.raise_counters(Kind.PINS)

    def _forget(self, pin_id: int) -> None:
        self._process.forget_pin(self._cache.card, pin_id)
        self._session.authenticated.discard(pin_id)

    def _changed(self, pin_id: int, new: bytes | None) -> None:
        """Raise the counter of PINs, which the user may; forget and keep anew."""
        info = self.info(pin_id)
        if new is None or is_external(info) or info.PinType != SecretType.ALPHANUMERIC:
            self.changed(pin_id)
            return
        self._forget(pin_id)
        with suppress(MinidriverError):  # the PIN has changed, come what may
            self.verify(pin_id, new, info)
            self._files.raise_counters(Kind.PINS)
