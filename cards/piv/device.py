# SPDX-License-Identifier: Apache-2.0
"""What a YubiKey is around its PIV application: the button, the interface, the configuration.

Kept under names of their own in the memory, which a reset of the PIV application leaves alone.
Nobody can touch a virtual card, so a script says how touches happen.
"""

from typing import NamedTuple

from cards.platform import Area

PREFIX = "device."
ALWAYS, NEVER = "always", "never"
MAX_TOUCHES = 1_000_000
PIV = 0x0010  # the capability bit of the PIV application, the only one there is
LOCK_LENGTH = 16

_USB, _NFC = "device.usb", "device.nfc"
_TOUCH, _INTERFACE, _LOST = "device.touch", "device.interface", "device.attestation-lost"
_LOCK, _SETTINGS, _COMPLEXITY = "device.lock", "device.settings", "device.pin-complexity"

# Values that everybody tries first.
_TRIVIAL = frozenset(
    b"123456 123123 654321 123321 112233 121212 12345678 1234567 520520 123654 159753 "
    b"password qwerty abc123 iloveyou 1q2w3e4r".split()
)


class Settings(NamedTuple):
    """What WRITE CONFIG sets and only keys with more applications use.

    Attributes:
        eject_timeout: seconds until a touch ejects the card, 0 for never.
        challenge_timeout: seconds that a challenge of the OTP application waits for a touch.
        flags: 40 remote wake-up, 80 touch ejects the card.
        nfc_restricted: NFC is off until the key was powered by USB.
    """

    eject_timeout: int = 0
    challenge_timeout: int = 15
    flags: int = 0
    nfc_restricted: bool = False


class Device:
    """The device of one card, over the area of its PIV application."""

    def __init__(self, area: Area) -> None:
        self._area = area

    # ------------------------------------------------------------------ touch

    @property
    def touch_script(self) -> str:
        """How touches happen: ``always``, ``never``, or how many more are granted."""
        return (self._area.get(_TOUCH) or ALWAYS.encode()).decode()

    @touch_script.setter
    def touch_script(self, script: str) -> None:
        self._area.put(_TOUCH, read_script(script).encode())

    def touch(self) -> bool:
        """Ask for a touch and tell whether it comes. The waiting is left out.

        It is committed: somebody touched the card, whatever becomes of the command.
        """
        script = self.touch_script
        if script in (ALWAYS, NEVER):
            return script == ALWAYS
        left = int(script)
        if left:
            self.touch_script = str(left - 1)
            self._area.commit()
        return left > 0

    # ------------------------------------------------------------------ interface

    @property
    def contactless(self) -> bool:
        """Whether the card is read over NFC."""
        return self._area.get(_INTERFACE) == b"nfc"

    def make_contactless(self) -> None:
        """Make it a card that is read over NFC."""
        self._area.put(_INTERFACE, b"nfc")

    # ------------------------------------------------------------------ PIN complexity

    @property
    def pin_complexity(self) -> bool:
        """Whether a new PIN or PUK must not be a trivial one."""
        return self._area.get(_COMPLEXITY) is not None

    def demand_complexity(self) -> None:
        """Make it a card that refuses trivial PINs, as some are ordered."""
        self._area.put(_COMPLEXITY, b"")

    # ------------------------------------------------------------------ attestation

    @property
    def attestation_lost(self) -> bool:
        """Whether the attestation key that the card was born with was deleted."""
        return self._area.get(_LOST) is not None

    def lose_attestation(self) -> None:
        """Remember that the attestation key was deleted."""
        self._area.put(_LOST, b"")

    # ------------------------------------------------------------------ configuration

    @property
    def usb_enabled(self) -> int:
        """Capability bits of the applications that are on over USB."""
        return int.from_bytes(self._area.get(_USB) or PIV.to_bytes(2, "big"), "big")

    @usb_enabled.setter
    def usb_enabled(self, capabilities: int) -> None:
        self._area.put(_USB, (capabilities & PIV).to_bytes(2, "big"))

    @property
    def nfc_enabled(self) -> int:
        """Capability bits of the applications that are on over NFC."""
        return int.from_bytes(self._area.get(_NFC) or PIV.to_bytes(2, "big"), "big")

    @nfc_enabled.setter
    def nfc_enabled(self, capabilities: int) -> None:
        self._area.put(_NFC, (capabilities & PIV).to_bytes(2, "big"))

    @property
    def piv_enabled(self) -> bool:
        """Whether the PIV application can be selected over the present interface."""
        return bool((self.nfc_enabled if self.contactless else self.usb_enabled) & PIV)

    @property
    def settings(self) -> Settings:
        """The other settings."""
        raw = self._area.get(_SETTINGS)
        if raw is None:
            return Settings()
        return Settings(int.from_bytes(raw[:2], "big"), raw[2], raw[3], bool(raw[4]))

    @settings.setter
    def settings(self, new: Settings) -> None:
        rest = bytes((new.challenge_timeout, new.flags, new.nfc_restricted))
        self._area.put(_SETTINGS, new.eject_timeout.to_bytes(2, "big") + rest)

    @property
    def locked(self) -> bool:
        """Whether the configuration needs the lock code to be written."""
        return self._area.get(_LOCK) is not None

    def unlocks(self, code: bytes) -> bool:
        """Tell whether ``code`` is the lock code; where there is none, it is 16 zero bytes."""
        from hmac import compare_digest

        return compare_digest(self._area.get(_LOCK) or bytes(LOCK_LENGTH), code)

    def set_lock(self, code: bytes) -> None:
        """Set the lock code of 16 bytes; all zero takes it away."""
        if any(code):
            self._area.put(_LOCK, code)
        else:
            self._area.delete(_LOCK)


def is_trivial(value: bytes) -> bool:
    """Tell whether a PIN, padded with FF, is one byte over and over or known to everybody."""
    bare = value.rstrip(b"\xff")
    return len(set(bare)) == 1 or bare.lower() in _TRIVIAL


def read_script(text: str) -> str:
    """Return a touch script as it is kept; raises ValueError for one that is none."""
    if text in (ALWAYS, NEVER):
        return text
    if text.isascii() and text.isdigit() and len(text) < 8 and int(text) <= MAX_TOUCHES:
        return str(int(text))
    raise ValueError("touch is always, never or a number of touches")
