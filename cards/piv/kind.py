# SPDX-License-Identifier: Apache-2.0
"""The card kinds ``piv`` and ``yubikey``: how the tool makes, provisions and explains PIV cards.

Imported with every start of the tool, so everything heavy is imported where it is needed.
"""

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from cards.platform import provisioning
from cards.platform.kind import AppletKind
from cards.platform.options import choice_option, hex_option
from vreader.card import Card, Description
from vreader.errors import UsageError

if TYPE_CHECKING:
    from cards.piv.tables import Algorithm
    from cards.platform import AppletCard, Nvm

NAME = "piv"
MAX_SERIAL = 0x7FFFFFFF
# Name → algorithm identifier and bytes of the key (SP 800-78-5 table 9).
_MANAGEMENT_KEYS = {"3des": (0x03, 24), "aes128": (8, 16), "aes192": (0x0A, 24), "aes256": (12, 32)}


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
        "5.7.1": "YubiKey 5 command set, firmware 5.7.1: AES management key, more algorithms",
        "neutral": "NIST SP 800-73 alone, no vendor commands",
    }
    OPTIONS: Mapping[str, str] = {
        "pin": "PIN, 6 to 8 characters [123456]",
        "puk": "PUK, 6 to 8 characters [12345678]",
        "mgmkey": "management key in hex, as long as its algorithm wants [01 to 08 over and over]",
        "mgmalg": "3des, aes128, aes192 or aes256 [that of the profile]",
        "global-pin": "PIN of the whole card, 6 to 8 digits; neutral cards alone [none]",
        "pin-preference": "which PIN is asked for first: application or global [application]",
        "pairing-code": "eight digits; neutral cards alone [none]",
        "serial": "serial number, 1 to 2147483647 [random]",
        "guid": "16 bytes in hex, the GUID of the CHUID [random]",
        "touch": "how a YubiKey is touched: always, never, or how many touches it gets [always]",
        "pin-complexity": "yes: firmware 5.7 refuses trivial new PINs and PUKs [no]",
        "interface": "contact, or nfc for a card in a contactless reader [contact]",
    }
    PROVISIONING: Mapping[str, str] = {
        "slot": "SLOT:ALGORITHM, a new key with a certificate; repeatable [9a:p256]",
        "pfx": "[SLOT:]FILE, key and certificate of a PFX file; repeatable, the slot is [9a]",
        "import-key": "[SLOT:]FILE, a private key, PEM or DER; repeatable, the slot is [9a]",
        "import-cert": "[SLOT:]FILE, the certificate of an imported key [one is made]",
        **provisioning.OPTIONS,
    }

    def initialise(
        self, nvm: "Nvm", profile: str, options: Mapping[str, str], seed: bytes | None
    ) -> None:
        """Write a new card into an empty memory."""
        given = "mgmalg" in options
        algorithm = choice_option(options, "mgmalg", tuple(_MANAGEMENT_KEYS)) if given else ""
        secrets = _secrets(options, profile, algorithm)
        shared = _standard_secrets(options, profile)
        serial, guid = _identity(options, seed)
        contactless = choice_option(options, "interface", ("contact", "nfc")) == "nfc"
        complexity = choice_option(options, "pin-complexity", ("no", "yes")) == "yes"
        if complexity and profile != "5.7.1":
            raise UsageError(
                f"a card of profile {profile} cannot judge PINs", hint="use profile 5.7.1"
            )
        if "touch" in options and profile == "neutral":
            raise UsageError("a neutral card cannot be touched", hint="leave out touch")
        from cards.piv.build import initialise

        touch = _touch(options)
        initialise(
            nvm,
            profile,
            serial=serial,
            guid=guid,
            touch=touch,
            contactless=contactless,
            pin_complexity=complexity,
            algorithm=_management_algorithm(algorithm),
            preference=choice_option(options, "pin-preference", ("application", "global")),
            **secrets,
            **shared,
        )

    def build(self, nvm: "Nvm", profile: str) -> "AppletCard":
        """Return the card over an initialised memory; see :mod:`cards.piv.build`."""
        from cards.piv.build import build

        return build(self, nvm, profile)

    def facts(self, card: Card) -> Sequence[tuple[str, str]]:
        """Return serial number, GUID, tries left, keys and certificates."""
        from cards.piv.facts import facts

        return facts(card)

    def provision(self, card: Card, options: Mapping[str, Sequence[str]]) -> None:
        """Give the card keys and certificates; see :mod:`cards.piv.provision`."""
        from cards.piv.provision import provision

        provision(card, options, self.PROVISIONING)

    def describe(self, c_apdu: bytes, aid: bytes) -> Description:
        """Explain a C-APDU; see :mod:`cards.piv.describe`."""
        from cards.piv.describe import describe

        return describe(c_apdu, aid)


class YubiKeyKind(PivKind):
    """The same cards in the reader that a YubiKey is itself, for tools that look at its name."""

    name = "yubikey"
    summary = "YubiKey 5 with PIV and management applications, as its own tools expect it"
    reader_name = "Yubico YubiKey CCID 00 00"
    PROFILES: Mapping[str, str] = {
        name: text for name, text in PivKind.PROFILES.items() if name != "neutral"
    }


def _touch(options: Mapping[str, str]) -> str:
    from cards.piv.device import ALWAYS, read_script

    try:
        return read_script(options.get("touch", ALWAYS))
    except ValueError as error:
        raise UsageError(str(error), hint="for example touch=never or touch=3") from error


def _management_algorithm(name: str) -> "Algorithm | None":
    from cards.piv.tables import Algorithm

    return Algorithm(_MANAGEMENT_KEYS[name][0]) if name else None


def _standard_secrets(options: Mapping[str, str], profile: str) -> dict[str, bytes]:
    """Return global PIN and pairing code, which a YubiKey has not; judge the form of the PIN."""
    if profile != "neutral":
        for name in ("global-pin", "pin-preference", "pairing-code"):
            if name in options:
                raise UsageError(f"a YubiKey has no {name}", hint="use profile neutral")
        return {}
    if "pin-preference" in options and "global-pin" not in options:
        raise UsageError("there is one PIN to prefer only", hint="add global-pin=")
    found = {}
    for name, shortest in (("pin", 6), ("global-pin", 6), ("pairing-code", 8)):
        value = options.get(name, "123456" if name == "pin" else None)
        if value is None:
            continue
        if not (value.isascii() and value.isdigit() and shortest <= len(value) <= 8):
            some = "6 to 8" if shortest < 8 else "8"
            raise UsageError(
                f"the {name} of a neutral card has {some} digits",
                hint=f"for example {name}={'12345678'[:shortest]}",
            )
        if name != "pin":
            found[name.replace("-", "_")] = value.encode().ljust(8, b"\xff")
    return found


def _secrets(options: Mapping[str, str], profile: str, algorithm: str) -> dict[str, bytes]:
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
            if name == "puk" and profile == "5.7.1" and not value.isascii():
                raise UsageError(
                    "the puk of a card of firmware 5.7 has ASCII characters alone",
                    hint="for example puk=12345678",
                )
            found[name] = value.ljust(8, b"\xff")
    length = _MANAGEMENT_KEYS[algorithm][1] if algorithm else 24
    if "mgmkey" not in options:
        found["key"] = (bytes(range(1, 9)) * 4)[:length]
    else:
        key = hex_option(options, "mgmkey", length)
        from cards.piv.profile import PROFILES
        from cards.piv.tables import Algorithm
        from cards.platform.crypto import is_weak_des

        its = _management_algorithm(algorithm) or PROFILES[profile].management_algorithms[0]
        if its is Algorithm.TDES and is_weak_des(key):
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
    return serial, hex_option(options, "guid", 16) if "guid" in options else raw[4:20]


KIND = PivKind()
YUBIKEY = YubiKeyKind()
