# SPDX-License-Identifier: Apache-2.0
"""The card kinds ``gids`` and ``tpmvsc``: how the tool makes, reopens and explains such cards.

Imported with every start of the tool, so everything heavy is imported where it is needed.
"""

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from cards.gids.profile import BLANK, DEFAULT_ADMIN_KEY, GIDS, READY, TPM, Variant
from cards.platform import provisioning
from cards.platform.kind import AppletKind
from cards.platform.options import hex_option
from vreader.card import Card, Description
from vreader.errors import UsageError

if TYPE_CHECKING:
    from cards.platform import AppletCard, Nvm

_AID = bytes.fromhex("A00000039742544659")


class GidsKind(AppletKind):
    """GIDS cards; a :class:`vreader.card.KeepingKind`."""

    name = "gids"
    summary = "GIDS card, as Windows' own minidriver and OpenSC read and write it"
    aids: Sequence[bytes] = (_AID,)
    variant: Variant = GIDS
    PROFILES: Mapping[str, str] = {
        READY: "ready for use: Microsoft's card file system, PIN, admin key, card identifier",
        BLANK: "nothing on it, as a factory makes it; gids-tool --initialize makes it ready",
    }
    OPTIONS: Mapping[str, str] = {
        "pin": "PIN, 4 to 16 characters [123456]",
        "puk": "PUK, 4 to 16 characters [none: the admin key unblocks]",
        "adminkey": "admin key, 24 bytes in hex [0102030405060708 three times]",
        "cardid": "card identifier, 16 bytes in hex; tools show it as serial number [random]",
        "tries": "wrong PINs until the card is blocked, 1 to 15 [3]",
    }
    PROVISIONING: Mapping[str, str] = {
        "slot": "[kx:|sign:]ALGORITHM, a new key with a certificate; repeatable [kx:rsa2048]",
        "import-key": "[kx:|sign:]FILE, a key made elsewhere; repeatable",
        "import-cert": "FILE, the certificate of an imported key; repeatable",
        "pfx": "[kx:|sign:]FILE, key and certificate of a PFX (PKCS #12) file; repeatable",
        **provisioning.OPTIONS,
    }

    def initialise(
        self, nvm: "Nvm", profile: str, options: Mapping[str, str], seed: bytes | None
    ) -> None:
        """Write a new card into an empty memory."""
        if profile == BLANK:
            for name in ("pin", "puk", "adminkey", "cardid"):
                if name in options:
                    raise UsageError(
                        f"a blank card has no {name} yet", hint=f"use --card {self.name}:{READY}"
                    )
        pin = self._secret(options, "pin") or self.variant.pin
        puk, tries = self._secret(options, "puk"), self._tries(options)
        key = hex_option(options, "adminkey", 24) if "adminkey" in options else DEFAULT_ADMIN_KEY
        card_id = hex_option(options, "cardid", 16) if "cardid" in options else _card_id(seed)
        from cards.gids.build import initialise

        initialise(
            nvm, self.variant, profile,
            pin=pin, puk=puk, admin_key=key, card_id=card_id, tries=tries,
        )  # fmt: skip

    def build(self, nvm: "Nvm", profile: str) -> "AppletCard":
        """Return the card over an initialised memory; see :mod:`cards.gids.build`."""
        from cards.gids.build import build

        return build(self, nvm, self.variant)

    def facts(self, card: Card) -> Sequence[tuple[str, str]]:
        """Return life cycle, identifier, tries left, containers and certificates."""
        from cards.gids.facts import facts

        return facts(card)

    def provision(self, card: Card, options: Mapping[str, Sequence[str]]) -> None:
        """Give the card keys and certificates; see :mod:`cards.gids.provision`."""
        from cards.gids.provision import provision

        provisioning.check(options, self.provisioning(), self.name)
        provision(card, options)

    def describe(self, c_apdu: bytes, aid: bytes) -> Description:
        """Explain a C-APDU; see :mod:`cards.gids.describe`."""
        from cards.gids.describe import describe

        return describe(c_apdu, aid)

    def _secret(self, options: Mapping[str, str], name: str) -> bytes | None:
        if name not in options:
            return None
        value = options[name].encode()
        least, most = self.variant.pin_sizes
        if not least <= len(value) <= most:
            raise UsageError(
                f"the {name} of a {self.name} card has {least} to {most} characters, "
                f"not {len(value)}",
                hint=f"for example {name}=12345678",
            )
        return value

    def _tries(self, options: Mapping[str, str]) -> int:
        text = options.get("tries", str(self.variant.tries))
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 3 else 0
        if not 1 <= number <= 15:
            raise UsageError("tries is not a number of tries", hint="use 1 to 15")
        return number


class TpmVscKind(GidsKind):
    """TPM virtual smart cards of Windows: GIDS cards that are always ready made."""

    name = "tpmvsc"
    summary = "TPM virtual smart card of Windows, a GIDS card with the names Windows gives it"
    # Without its number: Windows' profile makes it "Microsoft Virtual Smart Card 0", then 1.
    reader_name = "Microsoft Virtual Smart Card 00 00"
    variant: Variant = TPM
    PROFILES: Mapping[str, str] = {READY: "as Tpmvscmgr creates one with its default values"}
    OPTIONS: Mapping[str, str] = {
        **GidsKind.OPTIONS,
        "pin": "PIN, 8 to 127 characters [12345678]",
        "puk": "PUK, 8 to 127 characters [none: the admin key unblocks]",
        "tries": "wrong PINs until the card is blocked, 1 to 15 [5]",
    }


def _card_id(seed: bytes | None) -> bytes:
    """Return a card identifier: derived from the seed, or random."""
    if seed is None:
        return os.urandom(16)
    from hashlib import sha256

    return sha256(b"vreader gids identity" + seed).digest()[:16]


KIND = GidsKind()
TPMVSC = TpmVscKind()
