# SPDX-License-Identifier: Apache-2.0
"""The constants of PIV: algorithms, key references, policies, data objects.

Data and look-ups only, for the applet and for ``describe`` alike; imports no cryptography. Sources:
NIST SP 800-73-5 part 1 tables 2, 4b, 5 and appendix A; SP 800-78-5 table 9; the identifiers of
Yubico's PIV extensions.
"""

from enum import IntEnum
from typing import NamedTuple

PIV_AID = bytes.fromhex("A000000308000010000100")
PIV_RID = PIV_AID[:5]
MANAGEMENT_AID = bytes.fromhex("A000000527471117")


class Algorithm(IntEnum):
    """Algorithm identifiers (SP 800-78-5 table 9; 05, 16, E0 and E1 as Yubico uses them)."""

    TDES = 0x03
    RSA3072 = 0x05
    RSA1024 = 0x06
    RSA2048 = 0x07
    AES128 = 0x08
    AES192 = 0x0A
    AES256 = 0x0C
    P256 = 0x11
    P384 = 0x14
    RSA4096 = 0x16
    ED25519 = 0xE0
    X25519 = 0xE1


KNOWN_ALGORITHMS: dict[int, Algorithm] = {int(one): one for one in Algorithm}

ALGORITHM_NAMES: dict[int, str] = {
    0x00: "3DES",
    Algorithm.TDES: "3DES",
    Algorithm.RSA3072: "RSA-3072",
    Algorithm.RSA1024: "RSA-1024",
    Algorithm.RSA2048: "RSA-2048",
    Algorithm.AES128: "AES-128",
    Algorithm.AES192: "AES-192",
    Algorithm.AES256: "AES-256",
    Algorithm.P256: "P-256",
    Algorithm.P384: "P-384",
    Algorithm.RSA4096: "RSA-4096",
    Algorithm.ED25519: "Ed25519",
    Algorithm.X25519: "X25519",
}

RSA_BITS = {
    Algorithm.RSA1024: 1024,
    Algorithm.RSA2048: 2048,
    Algorithm.RSA3072: 3072,
    Algorithm.RSA4096: 4096,
}
EC_BITS = {Algorithm.P256: 256, Algorithm.P384: 384}
# Key length and block length in bytes.
SYMMETRIC = {
    Algorithm.TDES: (24, 8),
    Algorithm.AES128: (16, 16),
    Algorithm.AES192: (24, 16),
    Algorithm.AES256: (32, 16),
}

AUTHENTICATION, MANAGEMENT, SIGNATURE = 0x9A, 0x9B, 0x9C
KEY_MANAGEMENT, CARD_AUTHENTICATION, ATTESTATION = 0x9D, 0x9E, 0xF9
RETIRED = tuple(range(0x82, 0x96))
# Slots whose key a client may use; the attestation key only ever signs attestations.
USER_SLOTS = (AUTHENTICATION, SIGNATURE, KEY_MANAGEMENT, CARD_AUTHENTICATION, *RETIRED)
DECIPHER_SLOTS = (KEY_MANAGEMENT, *RETIRED)


class PinPolicy(IntEnum):
    """When a key asks for the PIN (tag AA)."""

    DEFAULT = 0
    NEVER = 1
    ONCE = 2
    ALWAYS = 3


class TouchPolicy(IntEnum):
    """When a key asks for a touch (tag AB)."""

    DEFAULT = 0
    NEVER = 1
    ALWAYS = 2
    CACHED = 3


class Policies(NamedTuple):
    """What a key asks for before it is used."""

    pin: PinPolicy
    touch: TouchPolicy


DEFAULT_POLICIES = Policies(PinPolicy.DEFAULT, TouchPolicy.DEFAULT)


def default_pin_policy(slot: int) -> PinPolicy:
    """Return the policy of SP 800-73-5 part 1 table 5 for the key in ``slot``."""
    match slot:
        case 0x9C:
            return PinPolicy.ALWAYS
        case 0x9E:
            return PinPolicy.NEVER
        case _:
            return PinPolicy.ONCE


class Read(IntEnum):
    """Who may read a data object over the contact interface."""

    ALWAYS = 0
    PIN = 1


class DataObject(NamedTuple):
    """A data object of the card's data model.

    Attributes:
        name: short, for people.
        read: who may read it over the contact interface (part 1 table 2).
        contactless: everybody may read it over the contactless interface, too; the others need a
            virtual contact interface there.
        capacity: the bytes that a card of the standard has room for at least, where that is more
            than a YubiKey has (part 1 appendix A).
        standard: defined by SP 800-73-5; the others are Yubico's.
    """

    name: str
    read: Read = Read.ALWAYS
    contactless: bool = False
    capacity: int = 0
    standard: bool = True


DISCOVERY, BIT_GROUP = 0x7E, 0x7F61
# Objects that the standard moves in their own tag, not in 53 (part 2 §3.1.2, §3.3.1).
OWN_TAGS = (DISCOVERY, BIT_GROUP)
CHUID, CCC, PRINTED, PAIRING_CODE = 0x5FC102, 0x5FC107, 0x5FC109, 0x5FC123
KEY_HISTORY, ATTESTATION_CERTIFICATE = 0x5FC10C, 0x5FFF01

OBJECTS: dict[int, DataObject] = {
    DISCOVERY: DataObject("Discovery", contactless=True),
    BIT_GROUP: DataObject("BIT group template", contactless=True),
    0x5FC101: DataObject("certificate 9E", contactless=True),
    CHUID: DataObject("CHUID", contactless=True),
    0x5FC103: DataObject("fingerprints", Read.PIN, capacity=4006),
    0x5FC105: DataObject("certificate 9A"),
    0x5FC106: DataObject("security object"),
    CCC: DataObject("CCC"),
    0x5FC108: DataObject("facial image", Read.PIN, capacity=12710),
    PRINTED: DataObject("printed information", Read.PIN),
    0x5FC10A: DataObject("certificate 9C"),
    0x5FC10B: DataObject("certificate 9D"),
    KEY_HISTORY: DataObject("key history"),
    **{0x5FC10D + i: DataObject(f"certificate {slot:02X}") for i, slot in enumerate(RETIRED)},
    0x5FC121: DataObject("iris images", Read.PIN, capacity=7106),
    0x5FC122: DataObject("secure messaging certificate signer", contactless=True),
    PAIRING_CODE: DataObject("pairing code", Read.PIN),
    0x5FFF00: DataObject("Yubico admin data", standard=False),
    ATTESTATION_CERTIFICATE: DataObject("certificate F9", standard=False),
    0x5FFF10: DataObject("Yubico MSCMAP", standard=False),
    **{0x5FFF10 + i: DataObject(f"Yubico MSROOTS{i}", standard=False) for i in range(1, 6)},
}


def certificate_tag(slot: int) -> int:
    """Return the data object that holds the certificate of ``slot``."""
    return {
        AUTHENTICATION: 0x5FC105,
        SIGNATURE: 0x5FC10A,
        KEY_MANAGEMENT: 0x5FC10B,
        CARD_AUTHENTICATION: 0x5FC101,
        ATTESTATION: ATTESTATION_CERTIFICATE,
    }.get(slot) or 0x5FC10D + RETIRED.index(slot)
