# SPDX-License-Identifier: Apache-2.0
"""What a PIV card knows: its memory as typed values, and the security status of a session.

The memory is the truth: nothing read from it is kept, so an undone command leaves no trace. No
command and no status word is interpreted here.
"""

import os
import time
from collections.abc import Callable
from typing import NamedTuple

from cards.piv.containers import ccc, chuid
from cards.piv.device import PREFIX, Device
from cards.piv.discovery import APPLICATION_PIN_ALONE, PinUsagePolicy
from cards.piv.keys import KeyRecord, decode_record
from cards.piv.profile import Profile
from cards.piv.tables import (
    ATTESTATION,
    ATTESTATION_CERTIFICATE,
    CCC,
    CHUID,
    DISCOVERY,
    OBJECTS,
    PAIRING_CODE,
    Algorithm,
    TouchPolicy,
)
from cards.platform import Area, CardStatus, Pin
from vreader.iso7816 import Tlv, TlvError

DEFAULT_PIN = b"123456\xff\xff"
DEFAULT_PUK = b"12345678"
DEFAULT_MANAGEMENT_KEY = bytes(range(1, 9)) * 3
DEFAULT_TRIES = 3
MAX_OBJECT = 3063
MAX_ALL_OBJECTS = 51200
# A card of the standard has room for all of part 1 appendix A, 76 KiB.
MAX_ALL_STANDARD_OBJECTS = 98304

GLOBAL_AREA = "global"  # a global PIN is the card's, not this application's
_GLOBAL_PIN = "global PIN"
_PAIRING_TAG, _PAIRING_LENGTH = 0x99, 8

TOUCH_CACHE = 15.0  # seconds


class ManagementKey(NamedTuple):
    """The card management key."""

    algorithm: Algorithm
    touch_policy: TouchPolicy
    key: bytes

    def __repr__(self) -> str:
        return "ManagementKey(…)"


class Security:
    """The volatile security status, gone at reset, power off and deselection.

    Attributes:
        pin: the PIN is verified.
        pin_fresh: it, or the global PIN, was verified for the next use of a key with policy ALWAYS.
        pairing: the pairing code is verified.
        admin: the management key is authenticated.
        witness, challenge: what the card sent and waits to see answered; used once.
        touched_at: when a key that remembers touches was touched last, in seconds of the clock.
    """

    pin: bool = False
    pin_fresh: bool = False
    pairing: bool = False
    admin: bool = False
    witness: bytes | None = None
    challenge: bytes | None = None
    touched_at: float | None = None

    def drop_pin(self) -> None:
        """End the verified state of the PIN."""
        self.pin = self.pin_fresh = False


class PivState:
    """The state of one PIV application.

    Args:
        area: its part of the non-volatile memory.
        profile: what the card was made as.
        random: source of witnesses and challenges, ``os.urandom`` except in tests.
        clock: returns seconds that only ever grow, for the touches that are remembered.
        shared: the card's part of the memory with the global PIN; None when it has no such part.
        card: the security status that all applications share, the global PIN's among it.
    """

    def __init__(
        self,
        area: Area,
        profile: Profile,
        random: Callable[[int], bytes] = os.urandom,
        clock: Callable[[], float] = time.monotonic,
        *,
        shared: Area | None = None,
        card: CardStatus | None = None,
    ) -> None:
        self.area = area
        self.profile = profile
        self.random = random
        self.clock = clock
        self.device = Device(area)
        self.pin = Pin(area, "pin")
        self.puk = Pin(area, "puk")
        self.security = Security()
        self._shared = shared
        self._card = card or CardStatus()

    def initialise(
        self,
        *,
        serial: int,
        guid: bytes,
        pin: bytes,
        puk: bytes,
        key: bytes,
        algorithm: Algorithm | None = None,
    ) -> None:
        """Make a new card: identity, PIN and PUK (8 bytes, padded), management key, CHUID, CCC.

        The management key is for ``algorithm``, or the default one of the profile.
        """
        self.area.put("serial", serial.to_bytes(4, "big"))
        self._create_secrets(pin, puk, key, algorithm)
        self.put_object(CHUID, chuid(guid))
        self.put_object(CCC, ccc(guid[:14]))

    def wipe(self) -> None:
        """Make the card as good as new: all goes but serial number, attestation and device."""
        kept = ("serial", f"key.{ATTESTATION:02X}", f"object.{ATTESTATION_CERTIFICATE:06X}")
        for key in self.area.names():
            if key not in kept and not key.startswith(PREFIX):
                self.area.delete(key)
        self._create_secrets(DEFAULT_PIN, DEFAULT_PUK, DEFAULT_MANAGEMENT_KEY)

    def _create_secrets(
        self, pin: bytes, puk: bytes, key: bytes, algorithm: Algorithm | None = None
    ) -> None:
        self.pin.create(pin, DEFAULT_TRIES)
        self.puk.create(puk, DEFAULT_TRIES)
        algorithm = algorithm or self.profile.management_algorithms[0]
        self.set_management_key(ManagementKey(algorithm, TouchPolicy.NEVER, key))

    # ------------------------------------------------------------------ PINs

    @property
    def pin_policy(self) -> PinUsagePolicy:
        """What the discovery object says; a card without one of its own has the PIN alone."""
        raw = self.object(DISCOVERY)
        return APPLICATION_PIN_ALONE if raw is None else PinUsagePolicy(*raw[-2:])

    @property
    def global_pin(self) -> Pin | None:
        """The global PIN, whatever the discovery object says; None when the card has none."""
        if self._shared is None or not self._shared.names("pin."):
            return None
        return Pin(self._shared, "pin")

    def create_global_pin(self, pin: bytes, preference: str) -> None:
        """Give a new card a global PIN (8 bytes, padded) and the discovery object that says so."""
        assert self._shared is not None, "a memory of the card's own"
        Pin(self._shared, "pin").create(pin, DEFAULT_TRIES)
        self.put_object(DISCOVERY, PinUsagePolicy.with_global_pin(preference).content)

    @property
    def global_pin_verified(self) -> bool:
        """Whether the global PIN is verified, by this application or another."""
        return _GLOBAL_PIN in self._card.verified

    @global_pin_verified.setter
    def global_pin_verified(self, verified: bool) -> None:
        (self._card.verified.add if verified else self._card.verified.discard)(_GLOBAL_PIN)

    @property
    def user_verified(self) -> bool:
        """Whether the cardholder is: by the PIN, or by the global PIN where it counts."""
        return self.security.pin or (self.global_pin_verified and self.pin_policy.global_pin)

    def continue_authentication(self) -> None:
        """Forget witness and challenge if another logical channel authenticated since."""
        if self._card.authentication is not self.security:
            self.security.witness = self.security.challenge = None
            self._card.authentication = self.security

    @property
    def pairing_code(self) -> bytes | None:
        """The eight digits of the pairing code container (part 1 §5.1.3); None without them."""
        try:
            found = Tlv.parse_all(self.object(PAIRING_CODE) or b"")
        except TlvError:
            return None
        codes = [tlv.value for tlv in found if tlv.tag == _PAIRING_TAG]
        right = len(codes) == 1 and len(codes[0]) == _PAIRING_LENGTH and codes[0].isdigit()
        return codes[0] if right else None

    def set_pairing_code(self, code: bytes) -> None:
        """Put a pairing code of eight digits into its container."""
        self.put_object(PAIRING_CODE, bytes(Tlv(_PAIRING_TAG, code)) + bytes(Tlv(0xFE)))

    @property
    def contactless_rules(self) -> bool:
        """Whether the rules of a contactless interface hold; a YubiKey has none over NFC."""
        return not self.profile.yubico and self.device.contactless

    # ------------------------------------------------------------------ objects and keys

    @property
    def serial(self) -> int:
        """The serial number, below 2**31: some clients print it signed."""
        return int.from_bytes(self.area.get("serial") or b"", "big")

    def object(self, tag: int) -> bytes | None:
        """Return the content of a data object (the value of 53), or None."""
        return self.area.get(f"object.{tag:06X}")

    def put_object(self, tag: int, value: bytes) -> None:
        """Set the content of a data object; an empty one deletes it."""
        if value:
            self.area.put(f"object.{tag:06X}", value)
        else:
            self.area.delete(f"object.{tag:06X}")

    def room_for(self, tag: int, size: int) -> bool:
        """Tell whether an object of ``size`` bytes fits in place of the present one."""
        keys = self.area.names("object.")
        others = sum(len(self.area.get(k) or b"") for k in keys if k != f"object.{tag:06X}")
        if self.profile.yubico:
            return size <= MAX_OBJECT and others + size <= MAX_ALL_OBJECTS
        known = OBJECTS.get(tag)
        limit = max(MAX_OBJECT, known.capacity if known else 0)
        return size <= limit and others + size <= MAX_ALL_STANDARD_OBJECTS

    def key(self, slot: int) -> KeyRecord | None:
        """Return the key in a slot, or None."""
        raw = self.area.get(f"key.{slot:02X}")
        return None if raw is None else decode_record(raw)

    def put_key(self, slot: int, record: KeyRecord) -> None:
        """Put a key into a slot, in place of another."""
        self.area.put(f"key.{slot:02X}", record.to_bytes())

    def delete_key(self, slot: int) -> None:
        """Empty a slot."""
        self.area.delete(f"key.{slot:02X}")

    @property
    def management_key(self) -> ManagementKey:
        """The card management key."""
        raw = self.area.get("management")
        assert raw is not None, "the card was not initialised"
        return ManagementKey(Algorithm(raw[0]), TouchPolicy(raw[1]), raw[2:])

    def set_management_key(self, key: ManagementKey) -> None:
        """Replace the card management key."""
        self.area.put("management", bytes((key.algorithm, key.touch_policy)) + key.key)

    @property
    def management_key_is_default(self) -> bool:
        """Whether it is the one printed in every manual."""
        key = self.management_key
        born_with = self.profile.management_algorithms[0]
        return key.algorithm is born_with and key.key == DEFAULT_MANAGEMENT_KEY

    def touched(self, policy: TouchPolicy) -> bool:
        """Tell whether the card is touched when a key of ``policy`` asks for it, as it must."""
        if policy not in (TouchPolicy.ALWAYS, TouchPolicy.CACHED):
            return True
        cached, now = policy is TouchPolicy.CACHED, self.clock()
        before = self.security.touched_at
        if cached and before is not None and now - before < TOUCH_CACHE:
            return True
        granted = self.device.touch()
        if granted and cached:
            self.security.touched_at = now
        return granted
