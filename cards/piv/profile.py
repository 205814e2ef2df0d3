# SPDX-License-Identifier: Apache-2.0
"""What a PIV card is made as: ATR, command set and algorithms of each profile.

What a card has become (keys, objects, PINs) is in its memory, never here.
"""

from typing import NamedTuple

from cards.piv.tables import PIV_AID, PIV_RID, Algorithm
from vreader.iso7816 import Tlv

_STANDARD_KEYS = (Algorithm.RSA1024, Algorithm.RSA2048, Algorithm.P256, Algorithm.P384)
# RSA-1024 and 3DES are of older editions; SP 800-78-5 has them no more.
_KEYS_OF_THE_STANDARD = (*_STANDARD_KEYS, Algorithm.RSA3072)
_STANDARD_MANAGEMENT = (Algorithm.TDES, Algorithm.AES128, Algorithm.AES192, Algorithm.AES256)
_KEYS_OF_5_7 = (Algorithm.RSA3072, Algorithm.RSA4096, Algorithm.ED25519, Algorithm.X25519)


class Profile(NamedTuple):
    """A profile.

    Attributes:
        name: the word users type after ``piv:``.
        atr: the answer to reset.
        contactless_atr: what a contactless reader makes up for the card (PC/SC part 3 §3.1.3.2.3).
        application: the response data of SELECT (SP 800-73-5 part 2 table 3).
        version: the firmware version that Yubico's GET VERSION answers; None means that the card
            has no command of Yubico's at all.
        key_algorithms: what keys can be generated and imported.
        management_algorithms: what the management key may be; the first is the default.
        channels: logical channels; a YubiKey has the basic one alone.
    """

    name: str
    atr: bytes
    contactless_atr: bytes
    application: bytes
    version: tuple[int, int, int] | None
    key_algorithms: tuple[Algorithm, ...] = _STANDARD_KEYS
    management_algorithms: tuple[Algorithm, ...] = (Algorithm.TDES,)
    channels: int = 1

    @property
    def yubico(self) -> bool:
        """Whether the card has Yubico's commands, policies and objects."""
        return self.version is not None


def _standard_application() -> bytes:
    """Return the full application property template, for cards whose makers are not known."""
    algorithms = (*_STANDARD_MANAGEMENT, *_KEYS_OF_THE_STANDARD)
    return bytes(
        Tlv.of(
            0x61,
            Tlv(0x4F, PIV_AID),
            Tlv.of(0x79, Tlv(0x4F, PIV_RID)),
            Tlv(0x50, b"vreader PIV"),
            Tlv(0x5F50, b"https://csrc.nist.gov/projects/piv"),
            *(Tlv.of(0xAC, Tlv(0x80, bytes((a,))), Tlv(0x06, b"\0")) for a in algorithms),
        )
    )


def _yubikey(*version: int) -> Profile:
    """Return the profile of a YubiKey, which follows from its firmware.

    What came when is told by Yubico's release notes and by what its own tools ask for.
    """
    major, minor, patch = version
    keys: tuple[Algorithm, ...] = _STANDARD_KEYS
    management: tuple[Algorithm, ...] = (Algorithm.TDES,)
    if version >= (5, 4, 2):
        management += (Algorithm.AES128, Algorithm.AES192, Algorithm.AES256)
    if version >= (5, 7, 0):
        keys += _KEYS_OF_5_7
        management = (Algorithm.AES192, Algorithm.TDES, Algorithm.AES128, Algorithm.AES256)
    return Profile(
        name=f"{major}.{minor}.{patch}",
        atr=bytes.fromhex("3BFD1300008131FE158073C021C057597562694B657940"),
        contactless_atr=bytes.fromhex("3B8D80018073C021C057597562694B6579F9"),
        # The card returns the last six bytes of its AID here, and so do YubiKeys.
        application=bytes(Tlv.of(0x61, Tlv(0x4F, PIV_AID[5:]), Tlv.of(0x79, Tlv(0x4F, PIV_RID)))),
        version=(major, minor, patch),
        key_algorithms=keys,
        management_algorithms=management,
    )


# Only versions that exist; another one is one more line. 4.2.0 to 4.3.4 cannot generate RSA keys.
YUBIKEYS = (_yubikey(5, 4, 3), _yubikey(5, 7, 1))
NEUTRAL = Profile(
    name="neutral",
    atr=bytes.fromhex("3B80800101"),
    contactless_atr=bytes.fromhex("3B80800101"),
    application=_standard_application(),
    version=None,
    key_algorithms=_KEYS_OF_THE_STANDARD,
    management_algorithms=_STANDARD_MANAGEMENT,
    channels=20,
)
PROFILES = {profile.name: profile for profile in (*YUBIKEYS, NEUTRAL)}
