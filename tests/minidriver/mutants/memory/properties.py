# SPDX-License-Identifier: Apache-2.0
"""Properties, and what the card can do."""

from memory.base import Base, invalid
from vreader.minidriver.abi.codes import CacheMode, KeyImport, KeySpec
from vreader.minidriver.abi.pins import (
    PinStrength,
    Role,
    SecretPurpose,
    SecretType,
    pin_set,
)
from vreader.minidriver.abi.properties import CardProperty, ContainerProperty
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.abi.structs import (
    CARD_CAPABILITIES,
    CARD_FREE_SPACE_INFO,
    CARD_KEY_SIZES,
    PIN_CACHE_POLICY,
    PIN_INFO,
)
from vreader.minidriver.values import ContainerInfo
from vreader.winscard.codes import SCARD, Win32

MAX_CONTAINERS = 10
NOT_READABLE = {CardProperty.ENUM_ALGORITHMS, CardProperty.PADDING_SCHEMES}
NOT_READABLE |= {CardProperty.CHAINING_MODES}
SETTABLE = {CardProperty.PARENT_WINDOW, CardProperty.PIN_CONTEXT_STRING}


def number(value):
    """Return a DWORD."""
    return int(value).to_bytes(4, "little")


def fit(value, buffer):
    """Return a value that fits the host's buffer."""
    if len(buffer or b"") < len(value):
        raise MinidriverError(Win32.INSUFFICIENT_BUFFER, length=len(value))
    return value


class Properties(Base):
    """The functions for properties."""

    def CardQueryCapabilities(self, info):
        card = self.open()
        return CARD_CAPABILITIES(1, True, not card.read_only)

    def CardQueryFreeSpace(self, flags, info):
        card = self.open()
        if card.read_only:
            return CARD_FREE_SPACE_INFO(1, 0, 0, MAX_CONTAINERS)
        return CARD_FREE_SPACE_INFO(1, 65536, MAX_CONTAINERS - len(card.containers), MAX_CONTAINERS)

    def CardQueryKeySizes(self, key_spec, flags, info):
        card = self.open()
        spec = KeySpec(key_spec)
        if spec.is_rsa:
            return CARD_KEY_SIZES(1, 1024, 1024, 2048, 512)
        if not card.curves:
            raise MinidriverError(SCARD.E_UNSUPPORTED_FEATURE)
        return CARD_KEY_SIZES(1, spec.bits, spec.bits, spec.bits, 1)

    def _pin_info(self, card, role):
        invalid(role not in card.pins)
        if role == Role.ADMIN:
            kind, purpose = SecretType.CHALLENGE_RESPONSE, SecretPurpose.ADMINISTRATOR
            masks = (pin_set([Role.ADMIN]), 0)
        else:
            kind, purpose = SecretType.ALPHANUMERIC, SecretPurpose.PRIMARY_CARD
            masks = (pin_set([role]), pin_set([Role.ADMIN]))
        policy = PIN_CACHE_POLICY(6, 1, 60) if role == 3 else PIN_CACHE_POLICY(6, 0, 0)
        return PIN_INFO(6, kind, purpose, *masks, policy, 0).encode()

    def _strength(self, card, role):
        invalid(role not in card.pins)
        return number(PinStrength.PLAINTEXT | (PinStrength.SESSION_PIN if card.session else 0))

    def CardGetProperty(self, name, buffer, flags):
        card = self.open()
        invalid(name in NOT_READABLE)
        P = CardProperty  # noqa: N806
        simple = {
            P.FREE_SPACE: lambda: self.CardQueryFreeSpace(0, CARD_FREE_SPACE_INFO()).encode(),
            P.CAPABILITIES: lambda: self.CardQueryCapabilities(CARD_CAPABILITIES()).encode(),
            P.KEY_SIZES: lambda: self.CardQueryKeySizes(flags, 0, CARD_KEY_SIZES()).encode(),
            P.READ_ONLY: lambda: number(card.read_only),
            P.CACHE_MODE: lambda: number(CacheMode.NO_CACHE),
            P.X509_ENROLLMENT: lambda: number(not card.read_only),
            P.GUID: lambda: card.files["", "cardid"][0],
            P.SERIAL_NO: lambda: card.number.to_bytes(8, "big"),
            P.PIN_INFO: lambda: self._pin_info(card, flags),
            P.LIST_PINS: lambda: number(pin_set(card.pins)),
            P.AUTHENTICATED_STATE: lambda: number(pin_set(card.authenticated)),
            P.PIN_STRENGTH_VERIFY: lambda: self._strength(card, flags),
            P.PIN_STRENGTH_CHANGE: lambda: number(PinStrength.PLAINTEXT),
            P.PIN_STRENGTH_UNBLOCK: lambda: number(PinStrength.PLAINTEXT),
            P.KEY_IMPORT_SUPPORT: lambda: number(KeyImport.RSA_KEYEST if card.injection else 0),
        }
        return fit(simple[name](), buffer)

    def CardSetProperty(self, name, data, flags):
        if name not in SETTABLE:
            raise MinidriverError(SCARD.E_UNSUPPORTED_FEATURE)

    def CardGetContainerProperty(self, container, name, buffer, flags):
        if name == ContainerProperty.INFO:
            return self.CardGetContainerInfo(container, 0, ContainerInfo())
        found = self.container(self.open(), container)
        invalid(name == ContainerProperty.ASSOCIATED_ECDH_KEY)
        return fit(number(found.pin), buffer)

    def CardSetContainerProperty(self, container, name, data, flags):
        card = self.writable()
        found = self.container(card, container)
        invalid(name != ContainerProperty.PIN_IDENTIFIER)
        found.pin = int.from_bytes(data, "little")
