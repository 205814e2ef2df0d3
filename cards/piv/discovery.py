# SPDX-License-Identifier: Apache-2.0
"""The discovery object: which application it is and which PINs open it.

Its form and the values of the PIN usage policy are those of SP 800-73-5 part 1 §3.3.2. Clients read
it before every operation, so the policy is looked at in place.
"""

from typing import NamedTuple

from cards.piv.tables import DISCOVERY, PIV_AID
from vreader.iso7816 import Tlv

_APPLICATION_PIN, _GLOBAL_PIN, _BIOMETRIC = 0x40, 0x20, 0x10
_VIRTUAL_CONTACT, _NO_PAIRING_CODE, _RESERVED = 0x08, 0x04, 0x83
_HEAD = bytes(Tlv(0x4F, PIV_AID)) + b"\x5f\x2f\x02"
PREFERENCES = {"application": 0x10, "global": 0x20}


class PinUsagePolicy(NamedTuple):
    """The two bytes of tag 5F2F (part 1 table 1).

    Attributes:
        first: which of PIN, global PIN, biometric comparison and virtual contact interface exist.
        second: which PIN people are asked for first, 10 or 20; 00 without a global PIN. A hint
            for clients: the card takes either.
    """

    first: int = _APPLICATION_PIN
    second: int = 0

    @classmethod
    def read(cls, value: bytes) -> "PinUsagePolicy | None":
        """Read the content of a discovery object; None when it is not well-formed."""
        if len(value) != len(_HEAD) + 2 or not value.startswith(_HEAD):
            return None
        policy = cls(*value[-2:])
        return policy if policy._allowed else None

    @classmethod
    def with_global_pin(cls, preference: str) -> "PinUsagePolicy":
        """Return the policy of a card with both PINs; ``preference`` is a key of PREFERENCES."""
        return cls(_APPLICATION_PIN | _GLOBAL_PIN, PREFERENCES[preference])

    @property
    def global_pin(self) -> bool:
        """Whether the global PIN opens what the PIN opens."""
        return bool(self.first & _GLOBAL_PIN)

    @property
    def biometric(self) -> bool:
        """Whether an on-card biometric comparison does."""
        return bool(self.first & _BIOMETRIC)

    @property
    def _allowed(self) -> bool:
        """Whether the table has such a value."""
        pairing = self.first & (_VIRTUAL_CONTACT | _NO_PAIRING_CODE) != _NO_PAIRING_CODE
        bits = self.first & (_RESERVED | _APPLICATION_PIN) == _APPLICATION_PIN
        known = PREFERENCES.values() if self.global_pin else (0,)
        return pairing and bits and self.second in known

    @property
    def content(self) -> bytes:
        """The content of the discovery object with this policy."""
        return _HEAD + bytes(self)


APPLICATION_PIN_ALONE = PinUsagePolicy()
DEFAULT_DISCOVERY = bytes(Tlv(DISCOVERY, APPLICATION_PIN_ALONE.content))
