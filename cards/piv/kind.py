# SPDX-License-Identifier: Apache-2.0
"""The card kind ``piv``: how the tool makes, reopens, provisions and explains PIV cards.

Imported with every start of the tool, so everything heavy is imported where it is needed.
"""

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from cards.platform.kind import AppletKind
from vreader.card import Card, Description
from vreader.errors import UsageError

if TYPE_CHECKING:
    from cards.platform import AppletCard, Nvm

NAME = "piv"
MAX_SERIAL = 0x7FFFFFFF


class PivKind(AppletKind):
    """PIV cards; a :class:`vreader.card.KeepingKind`."""

    name = NAME
    summary = "PIV card (NIST SP 800-73), by default with the commands of a YubiKey"
    aids: Sequence[bytes] = (
        bytes.fromhex("A000000308000010000100"),
        bytes.fromhex("A000000527471117"),
    )
    PROFILES: Mapping[str, str] = {
        "5.4.3": "YubiKey 5 command set, firmware 5.4.3",
        "neutral": "NIST SP 800-73 alone, no vendor commands",
    }
    OPTIONS: Mapping[str, str] = {
        "pin": "PIN, 6 to 8 characters [123456]",
        "puk": "PUK, 6 to 8 characters [12345678]",
        "mgmkey": "management key, 24 bytes in hex [0102030405060708 three times]",
        "serial": "serial number, 1 to 2147483647 [random]",
        "guid": "16 bytes in hex, the GUID of the CHUID [random]",
    }
    PROVISIONING: Mapping[str, str] = {
        "slot": "SLOT:ALGORITHM, generate a key and a certificate there; repeatable [9a:p256]",
        "subject": "distinguished name in the certificates [CN=vreader]",
    }

    def initialise(
        self, nvm: "Nvm", profile: str, options: Mapping[str, str], seed: bytes | None
    ) -> None:
        """Write a new card into an empty memory."""
        secrets = _secrets(options)
        serial, guid = _identity(options, seed)
        from cards.piv.build import initialise

        initialise(nvm, profile, serial=serial, guid=guid, **secrets)

    def build(self, nvm: "Nvm", profile: str) -> "AppletCard":
        """Return the card over an initialised memory; see :mod:`cards.piv.build`."""
        from cards.piv.build import build

        return build(self, nvm, profile)

    def facts(self, card: Card) -> Sequence[tuple[str, str]]:
        """Return serial number, GUID, tries left, keys and certificates."""
        from cards.piv.facts import facts

        return facts(card)

    def provision(self, card: Card, options: Mapping[str, Sequence[str]]) -> None:
        """Generate keys and write self-signed certificates; see :mod:`cards.piv.provision`."""
        from cards.piv.provision import provision

        provision(card, options)

    def describe(self, c_apdu: bytes, aid: bytes) -> Description:
        """Explain a C-APDU; see :mod:`cards.piv.describe`."""
        from cards.piv.describe import describe

        return describe(c_apdu, aid)


def _secrets(options: Mapping[str, str]) -> dict[str, bytes]:
    """Return the given PIN, PUK and management key; what is not given is left out."""
    found = {}
    for name in ("pin", "puk"):
        if name in options:
            value = options[name].encode()
            if not 6 <= len(value) <= 8:
                raise UsageError(
                    f"the {name} of a {NAME} card has 6 to 8 characters, not {len(value)}",
                    hint=f"for example {name}=123456",
                )
            found[name] = value.ljust(8, b"\xff")
    if "mgmkey" in options:
        key = _hex(options, "mgmkey", 24)
        from cards.platform.crypto import is_weak_des

        if is_weak_des(key):
            raise UsageError("the mgmkey is a weak DES key", hint="use another one")
        found["key"] = key
    return found


def _identity(options: Mapping[str, str], seed: bytes | None) -> tuple[int, bytes]:
    """Return serial number and GUID: as given, derived from the seed, or random."""
    if seed is None:
        raw = os.urandom(20)
    else:
        from hashlib import sha256

        raw = sha256(b"vreader piv identity" + seed).digest()
    serial = int.from_bytes(raw[:4], "big") % MAX_SERIAL + 1
    if "serial" in options:
        text = options["serial"]
        serial = int(text) if text.isascii() and text.isdigit() and len(text) < 11 else 0
        if not 1 <= serial <= MAX_SERIAL:
            raise UsageError(f"serial={text} is not a serial number", hint=f"use 1 to {MAX_SERIAL}")
    return serial, _hex(options, "guid", 16) if "guid" in options else raw[4:20]


def _hex(options: Mapping[str, str], name: str, length: int) -> bytes:
    try:
        value = bytes.fromhex(options[name])
    except ValueError:
        value = b""
    if len(value) != length:
        raise UsageError(
            f"{name} must be {length} bytes in hex", hint=f"write {2 * length} hex digits"
        )
    return value


KIND = PivKind()
