# SPDX-License-Identifier: Apache-2.0
"""The functions of a minidriver DLL that are about PINs."""

from vreader.minidriver.abi.pins import AuthenticateFlag
from vreader.minidriver.dll.calling import Calling
from vreader.minidriver.dll.frame import Frame


class DllPins(Calling):
    """Calls them in the other process."""

    def CardAuthenticatePin(self, user: str | None, pin: bytes | None) -> None:
        """See Minidriver."""
        frame = Frame()
        frame.text(user)
        frame.data(pin)
        self._call("CardAuthenticatePin", frame, attempts=frame.dword())

    def CardGetChallenge(self) -> bytes:
        """See Minidriver."""
        frame = Frame()
        frame.memory()
        return self._call("CardGetChallenge", frame).read() or b""

    def CardAuthenticateChallenge(self, response: bytes | None) -> None:
        """See Minidriver."""
        frame = Frame()
        frame.data(response)
        self._call("CardAuthenticateChallenge", frame, attempts=frame.dword())

    def CardUnblockPin(
        self,
        user: str | None,
        authentication: bytes | None,
        new_pin: bytes | None,
        retry_count: int,
        flags: int,
    ) -> None:
        """See Minidriver."""
        frame = Frame()
        frame.text(user)
        frame.data(authentication)
        frame.data(new_pin)
        frame.number(retry_count, flags)
        self._call("CardUnblockPin", frame)

    def CardChangeAuthenticator(
        self,
        user: str | None,
        current: bytes | None,
        new: bytes | None,
        retry_count: int,
        flags: int,
    ) -> None:
        """See Minidriver."""
        frame = Frame()
        frame.text(user)
        frame.data(current)
        frame.data(new)
        frame.number(retry_count, flags)
        self._call("CardChangeAuthenticator", frame, attempts=frame.dword())

    def CardDeauthenticate(self, user: str | None, flags: int) -> None:
        """See Minidriver."""
        frame = Frame()
        frame.text(user)
        frame.number(flags)
        self._call("CardDeauthenticate", frame)

    def CardGetChallengeEx(self, pin_id: int, flags: int) -> bytes:
        """See Minidriver."""
        frame = Frame()
        frame.number(pin_id)
        frame.memory()
        frame.number(flags)
        return self._call("CardGetChallengeEx", frame).read() or b""

    def CardAuthenticateEx(self, pin_id: int, flags: int, pin: bytes | None) -> bytes | None:
        """See Minidriver. Without the flag for a session PIN there is no place for one."""
        frame = Frame()
        frame.number(pin_id, flags)
        frame.data(pin)
        asked = bool(flags & AuthenticateFlag.GENERATE_SESSION_PIN)
        if asked:
            frame.memory()
        else:
            frame.number(0, 0)
        result = self._call("CardAuthenticateEx", frame, attempts=frame.dword())
        return result.read() if asked else None

    def CardChangeAuthenticatorEx(
        self,
        flags: int,
        authenticating_pin: int,
        authentication: bytes | None,
        target_pin: int,
        target: bytes | None,
        retry_count: int,
    ) -> None:
        """See Minidriver."""
        frame = Frame()
        frame.number(flags, authenticating_pin)
        frame.data(authentication)
        frame.number(target_pin)
        frame.data(target)
        frame.number(retry_count)
        self._call("CardChangeAuthenticatorEx", frame, attempts=frame.dword())

    def CardDeauthenticateEx(self, pins: int, flags: int) -> None:
        """See Minidriver."""
        frame = Frame()
        frame.number(pins, flags)
        self._call("CardDeauthenticateEx", frame)
