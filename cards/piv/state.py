# SPDX-License-Identifier: Apache-2.0
"""What a PIV card knows: its memory as typed values, and the security status of a session.

The memory is the truth: nothing read from it is kept, so an undone command leaves no trace. No
command and no status word is interpreted here.
"""

import os
from collections.abc import Callable
from typing import NamedTuple

from cards.piv.keys import KeyRecord, decode_record
from cards.piv.profile import Profile
from cards.piv.tables import (
    ATTESTATION,
    ATTESTATION_CERTIFICATE,
    CCC,
    CHUID,
    Algorithm,
    TouchPolicy,
)
from cards.platform import Area, Pin
from vreader.iso7816 import Tlv

DEFAULT_PIN = b"123456\xff\xff"
DEFAULT_PUK = b"12345678"
DEFAULT_MANAGEMENT_KEY = bytes(range(1, 9)) * 3
DEFAULT_TRIES = 3
MAX_OBJECT = 3063
MAX_ALL_OBJECTS = 51200

# FASC-N of a card that no agency issued: agency code 9999 (SP 800-73-5 part 1 §3.1).
_FASCN = bytes.fromhex("D4E739DA739CED39CE739D836858210842108421C84210C3EB")


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
        pin_fresh: it was verified for the next use of a key with policy ALWAYS.
        admin: the management key is authenticated.
        witness, challenge: what the card sent and waits to see answered; used once.
    """

    pin: bool = False
    pin_fresh: bool = False
    admin: bool = False
    witness: bytes | None = None
    challenge: bytes | None = None

    def drop_pin(self) -> None:
        """End the verified state of the PIN."""
        self.pin = self.pin_fresh = False


class PivState:
    """The state of one PIV application.

    Args:
        area: its part of the non-volatile memory.
        profile: what the card was made as.
        random: source of witnesses and challenges, ``os.urandom`` except in tests.
    """

    def __init__(
        self, area: Area, profile: Profile, random: Callable[[int], bytes] = os.urandom
    ) -> None:
        self.area = area
        self.profile = profile
        self.random = random
        self.pin = Pin(area, "pin")
        self.puk = Pin(area, "puk")
        self.security = Security()

    def initialise(self, *, serial: int, guid: bytes, pin: bytes, puk: bytes, key: bytes) -> None:
        """Make a new card: identity, PIN and PUK (8 bytes, padded), management key, CHUID, CCC."""
        self.area.put("serial", serial.to_bytes(4, "big"))
        self._create_secrets(pin, puk, key)
        self.put_object(CHUID, _chuid(guid))
        self.put_object(CCC, _ccc(guid[:14]))

    def wipe(self) -> None:
        """Make the card as good as new: everything goes but serial number and attestation."""
        kept = ("serial", f"key.{ATTESTATION:02X}", f"object.{ATTESTATION_CERTIFICATE:06X}")
        for key in self.area.names():
            if key not in kept:
                self.area.delete(key)
        self._create_secrets(DEFAULT_PIN, DEFAULT_PUK, DEFAULT_MANAGEMENT_KEY)

    def _create_secrets(self, pin: bytes, puk: bytes, key: bytes) -> None:
        self.pin.create(pin, DEFAULT_TRIES)
        self.puk.create(puk, DEFAULT_TRIES)
        algorithm = self.profile.management_algorithms[0]
        self.set_management_key(ManagementKey(algorithm, TouchPolicy.NEVER, key))

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
        return size <= MAX_OBJECT and others + size <= MAX_ALL_OBJECTS

    def key(self, slot: int) -> KeyRecord | None:
        """Return the key in a slot, or None."""
        raw = self.area.get(f"key.{slot:02X}")
        return None if raw is None else decode_record(raw)

    def put_key(self, slot: int, record: KeyRecord) -> None:
        """Put a key into a slot, in place of another."""
        self.area.put(f"key.{slot:02X}", record.to_bytes())

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
        return key.algorithm is Algorithm.TDES and key.key == DEFAULT_MANAGEMENT_KEY


def _chuid(guid: bytes) -> bytes:
    """Card Holder Unique Identifier (SP 800-73-5 part 1 §3.1), 59 bytes."""
    return b"".join(
        bytes(Tlv(tag, value))
        for tag, value in (
            (0x30, _FASCN),
            (0x34, guid),
            (0x35, b"20300101"),
            (0x3E, b""),
            (0xFE, b""),
        )
    )


def _ccc(identifier: bytes) -> bytes:
    """Card Capability Container (SP 800-73-5 part 1 §3.1), 51 bytes; it names no card URL."""
    return b"".join(
        bytes(Tlv(tag, value))
        for tag, value in (
            (0xF0, bytes.fromhex("A000000116FF02") + identifier),
            (0xF1, b"\x21"),
            (0xF2, b"\x21"),
            (0xF3, b""),
            (0xF4, b"\0"),
            (0xF5, b"\x10"),
            *((tag, b"") for tag in (0xF6, 0xF7, 0xFA, 0xFB, 0xFC, 0xFD, 0xFE)),
        )
    )
