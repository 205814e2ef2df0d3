# SPDX-License-Identifier: Apache-2.0
"""The card kind ``piv``: how the tool makes, reopens, provisions and explains PIV cards.

Imported with every start of the tool, so everything heavy is imported where it is needed.
"""

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from vreader.card import Card, Description, Store, check_options
from vreader.errors import UsageError, VreaderError

if TYPE_CHECKING:
    from cards.platform import AppletCard, Nvm

NAME = "piv"
PROFILES = {
    "5.4.3": "YubiKey 5 command set, firmware 5.4.3",
    "neutral": "NIST SP 800-73 alone, no vendor commands",
}
OPTIONS = ("pin", "puk", "mgmkey", "serial", "guid")
MAX_SERIAL = 0x7FFFFFFF


class PivKind:
    """PIV cards; a :class:`vreader.card.CardKind`."""

    name = NAME
    summary = "PIV card (NIST SP 800-73), by default with the commands of a YubiKey"
    reader_name: str | None = None
    aids: Sequence[bytes] = (
        bytes.fromhex("A000000308000010000100"),
        bytes.fromhex("A000000527471117"),
    )

    def profiles(self) -> Mapping[str, str]:
        """Profile name → one line about it; the first is the default."""
        return PROFILES

    def create(
        self, profile: str, options: Mapping[str, str], store: Store, seed: bytes | None
    ) -> Card:
        """Make a new card, or open the one that is already in the store's file.

        Options describe a card that is made: ``pin`` and ``puk`` (6 to 8 characters), ``mgmkey``
        (24 bytes in hex), ``serial`` (1 to 2147483647), ``guid`` (16 bytes in hex). A card that
        exists keeps what it is; only a different profile is refused.

        Raises:
            UsageError: an unknown profile, option or value, or the file's card has another profile.
            VreaderError: the file cannot be used.
        """
        check_options(options, OPTIONS, NAME)
        profile = profile or next(iter(PROFILES))
        if profile not in PROFILES:
            raise UsageError(
                f"card kind {NAME} has no profile {profile!r}",
                hint="profiles of this kind: " + ", ".join(PROFILES),
            )
        secrets = _secrets(options)
        serial, guid = _identity(options, seed)
        from cards.platform import open_nvm

        nvm = open_nvm(store, NAME)
        if not nvm.empty:
            return _existing(nvm, store, profile)
        from cards.piv.build import build, initialise

        try:
            initialise(nvm, profile, serial=serial, guid=guid, **secrets)
            return build(nvm)
        except BaseException:
            nvm.close()
            raise

    def open(self, store: Store) -> Card:
        """Reopen the card in ``store``."""
        if store.path is None or not os.path.exists(store.path):  # noqa: PTH110 - pathlib loads slowly
            raise UsageError(
                f"there is no card in {store.path or 'memory'}",
                hint="name the state file of an existing card, or make a new one",
            )
        from cards.platform import open_nvm

        nvm = open_nvm(store, NAME)
        if nvm.empty:
            nvm.close()
            raise UsageError(
                f"{store.path} holds no card yet", hint=f"use --card {NAME},state={store.path}"
            )
        return _existing(nvm, store, None)

    def provision(self, card: Card, options: Mapping[str, Sequence[str]]) -> None:
        """Generate keys and write self-signed certificates; see :mod:`cards.piv.provision`."""
        from cards.piv.provision import provision

        provision(card, options)

    def describe(self, c_apdu: bytes, aid: bytes) -> Description:
        """Explain a C-APDU; see :mod:`cards.piv.describe`."""
        from cards.piv.describe import describe

        return describe(c_apdu, aid)


def _existing(nvm: "Nvm", store: Store, profile: str | None) -> "AppletCard":
    from cards.piv.build import build, profile_of

    try:
        found = profile_of(nvm)
        if found not in PROFILES:
            raise VreaderError(
                f"{store.path} holds a {NAME} card of the unknown profile {found!r}",
                hint="it was made by a newer vreader; upgrade, or use another state file",
            )
        if profile not in (None, found):
            raise UsageError(
                f"{store.path} holds a {NAME} card of profile {found}, not {profile}",
                hint=f"use --card {NAME}:{found},state={store.path}",
            )
        return build(nvm)
    except BaseException:
        nvm.close()
        raise


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
