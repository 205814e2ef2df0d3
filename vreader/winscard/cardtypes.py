# SPDX-License-Identifier: Apache-2.0
r"""The database of card types: ``Calais\SmartCards`` of the registry, as one program sees it.

Each key there is a card type, its name that of the card. ``ATR`` and ``ATRMask`` say which cards it
is for, the other values who serves them (WDK "Minidriver Registration"). A card's ATR under the
mask must be the stored one (SDK "SCardIntroduceCardType"). What an installer or a person has left
there is read as it is: an entry that cannot be used matches nothing and says why.

No page says how the two values with GUIDs are stored. Here they are REG_BINARY, 16 bytes a GUID as
Windows has it in memory.
"""

from collections.abc import Iterable, Sequence
from typing import Final, Literal, NamedTuple
from uuid import UUID

from vreader.iso7816.atrmask import masked_equal, under
from vreader.registry import (
    REG_BINARY,
    REG_EXPAND_SZ,
    REG_SZ,
    Key,
    Value,
)
from vreader.registry.names import is_key_name
from vreader.registry.view import View
from vreader.winscard.codes import SCARD, ScardError, Win32

CALAIS: Final = r"HKLM\SOFTWARE\Microsoft\Cryptography\Calais"
SMART_CARDS: Final = rf"{CALAIS}\SmartCards"
MAX_ATR_SIZE: Final = 36  # what SCARD_ATRMASK has room for (MS-RDPESC LocateCards_ATRMask)

PRIMARY: Final = 1
CSP: Final = 2
KSP: Final = 3
CARD_MODULE: Final = 0x80000001
PROMPTS: Final = 0x80000100  # and the purpose of the secret, 0 … 6 (WDK "Card PIN Operations")
_PURPOSES: Final = range(7)
_TEXTS: Final = {
    CSP: "Crypto Provider",
    KSP: "Smart Card Key Storage Provider",
    CARD_MODULE: f"{CARD_MODULE:08X}",
}
_PRIMARY, _INTERFACES = "Primary Provider", "Supported Interfaces"
_GUID_SIZE = 16

Order = Literal["name", "created"]
"""How entries are walked: by name, as the registry enumerates keys, or as they were made."""


class CardType(NamedTuple):
    """One entry.

    Attributes:
        name: of its key, and of the card.
        atr: the stored ATR, already masked; empty where there is none that can be read.
        mask: bits that count, as long as ``atr``; empty where there is none: all of them do.
        csp: cryptographic service provider; this and the next two are empty where not set.
        ksp: key storage provider.
        module: card module, a file name or a path.
        primary_provider: its primary service provider.
        interfaces: that it supports.
        prompts: texts that ask for a PIN, (purpose of the secret, ``en-US,text;de-DE,text``) each.
        problem: why it matches no card whatever, or empty.
    """

    name: str
    atr: bytes = b""
    mask: bytes = b""
    csp: str = ""
    ksp: str = ""
    module: str = ""
    primary_provider: UUID | None = None
    interfaces: tuple[UUID, ...] = ()
    prompts: tuple[tuple[int, str], ...] = ()
    problem: str = ""

    def matches(self, atr: bytes) -> bool:
        """Whether a card with this ATR is of this type."""
        return not self.problem and masked_equal(atr, self.atr, self.mask)

    def supports(self, interfaces: Iterable[UUID]) -> bool:
        """Whether it has all of these interfaces."""
        return set(interfaces) <= set(self.interfaces)


class CardTypes:
    """The card types that a program sees.

    Every function that changes them may raise ScardError: INVALID_VALUE for what cannot be a name.
    """

    __slots__ = ("_view",)

    def __init__(self, view: View) -> None:
        self._view = view

    # ------------------------------------------------------------------ looking

    def list(self, order: Order = "name") -> list[CardType]:
        """Return all of them, sorted by name, or in the order in which their keys were made."""
        key = self._view.find(SMART_CARDS)
        return [_read(below) for below in key.subkeys(order)] if key is not None else []

    def find(self, name: str) -> CardType | None:
        """Return one by its name, upper and lower case being the same; None where there is none."""
        key = self._key(name)
        return _read(key) if key is not None else None

    def first(self, atr: bytes, order: Order = "name") -> CardType | None:
        """Return the type a card is paired with: the first that matches (WDK "Pairing Process")."""
        return next((entry for entry in self.list(order) if entry.matches(atr)), None)

    def provider(self, name: str, provider: int) -> str:
        """Return a provider's name; PRIMARY's is a GUID in braces.

        Raises:
            ScardError: ERROR_FILE_NOT_FOUND for a card type there is none of, or a value it has
                not; INVALID_PARAMETER for a number that is no provider's.
        """
        if provider != PRIMARY and provider not in _TEXTS:
            raise ScardError(SCARD.E_INVALID_PARAMETER)
        entry = self.find(name)
        if entry is None:
            raise ScardError(Win32.FILE_NOT_FOUND)
        if provider == PRIMARY:
            guid = entry.primary_provider
            text = guid_text(guid) if guid is not None else ""
        else:
            text = {CSP: entry.csp, KSP: entry.ksp, CARD_MODULE: entry.module}[provider]
        if not text:
            raise ScardError(Win32.FILE_NOT_FOUND)
        return text

    # ------------------------------------------------------------------ changing

    def introduce(
        self,
        name: str,
        atr: bytes,
        mask: bytes = b"",
        *,
        primary_provider: UUID | None = None,
        interfaces: Sequence[UUID] = (),
    ) -> None:
        """SCardIntroduceCardType: add a card type; nothing is changed where it fails.

        Args:
            name: of the card; ERROR_ALREADY_EXISTS where it is taken.
            atr: as a card's is under the mask; one that is not will never match, and is taken.
            mask: as long as the ATR, or empty.
            primary_provider: its primary service provider, if any.
            interfaces: that it supports.

        Raises:
            ScardError: INVALID_ATR for one of 0 bytes or more than 36, INVALID_PARAMETER for a mask
                of another length.
        """
        if not is_key_name(name):
            raise ScardError(SCARD.E_INVALID_VALUE)
        if not 0 < len(atr) <= MAX_ATR_SIZE:
            raise ScardError(SCARD.E_INVALID_ATR)
        if mask and len(mask) != len(atr):
            raise ScardError(SCARD.E_INVALID_PARAMETER)
        if self._key(name) is not None:
            raise ScardError(Win32.ALREADY_EXISTS)
        key = self._view.create(f"{SMART_CARDS}\\{name}")
        key.set("ATR", Value.binary(atr))
        if mask:
            key.set("ATRMask", Value.binary(mask))
        if primary_provider is not None:
            key.set(_PRIMARY, Value.binary(primary_provider.bytes_le))
        if interfaces:
            key.set(_INTERFACES, Value.binary(b"".join(guid.bytes_le for guid in interfaces)))

    def set_provider(self, name: str, provider: int, text: str) -> None:
        """SCardSetCardTypeProviderName: name a provider, in place of the one before.

        Raises:
            ScardError: ERROR_FILE_NOT_FOUND for a card type there is none of; INVALID_PARAMETER for
                a number that is no provider's; INVALID_VALUE for an empty text, or with PRIMARY one
                that is no GUID.
        """
        if provider != PRIMARY and provider not in _TEXTS:
            raise ScardError(SCARD.E_INVALID_PARAMETER)
        if not text or "\0" in text:
            raise ScardError(SCARD.E_INVALID_VALUE)
        key = self._key(name)
        if key is None:
            raise ScardError(Win32.FILE_NOT_FOUND)
        if provider == PRIMARY:
            key.set(_PRIMARY, Value.binary(_guid(text).bytes_le))
        else:
            key.set(_TEXTS[provider], Value.sz(text))

    def forget(self, name: str) -> None:
        """SCardForgetCardType: remove a card type; UNKNOWN_CARD where there is none."""
        key = self._key(name)
        if key is None:
            raise ScardError(SCARD.E_UNKNOWN_CARD)
        key.remove(tree=True)

    def _key(self, name: str) -> Key | None:
        return self._view.find(f"{SMART_CARDS}\\{name}") if is_key_name(name) else None


def guid_text(guid: UUID) -> str:
    """Return a GUID as Windows prints it: upper case, in braces."""
    return f"{{{guid!s}}}".upper()


def _guid(text: str) -> UUID:
    """Return a GUID that is written in groups, with both braces or none."""
    try:
        guid = UUID(text)
    except ValueError:
        guid = None
    if guid is None or text.lower() not in (f"{guid}", f"{{{guid}}}"):
        raise ScardError(SCARD.E_INVALID_VALUE)
    return guid


# ------------------------------------------------------------------ reading


def _read(key: Key) -> CardType:
    atr, bad_atr = _bytes(key, "ATR")
    mask, bad_mask = _bytes(key, "ATRMask")
    primary = _guids(key, _PRIMARY)
    prompts = [(number, _text(key, f"{PROMPTS + number:08X}")) for number in _PURPOSES]
    return CardType(
        key.name,
        b"" if bad_mask else atr,
        mask,
        _text(key, _TEXTS[CSP]),
        _text(key, _TEXTS[KSP]),
        _text(key, _TEXTS[CARD_MODULE]),
        primary[0] if len(primary) == 1 else None,
        _guids(key, _INTERFACES),
        tuple((number, text) for number, text in prompts if text),
        bad_atr or bad_mask or _flaw(atr, mask),
    )


def _flaw(atr: bytes, mask: bytes) -> str:
    """Say why an entry can match no card, or return nothing."""
    if not 0 < len(atr) <= MAX_ATR_SIZE:
        return f"its ATR has {len(atr)} bytes, one has 1 to {MAX_ATR_SIZE}" if atr else "no ATR"
    if mask and len(mask) != len(atr):
        return f"its ATRMask has {len(mask)} bytes, its ATR {len(atr)}"
    if mask and under(atr, mask) != atr:
        return "its ATR has bits outside of its ATRMask"
    return ""


def _bytes(key: Key, name: str) -> tuple[bytes, str]:
    """Return a REG_BINARY value, and what is wrong with another one."""
    value = key.find_value(name)
    if value is None:
        return b"", ""
    if value.type != REG_BINARY:
        return b"", f"{name} is {value.type_name}, not REG_BINARY"
    return value.data, ""


def _text(key: Key, name: str) -> str:
    value = key.find_value(name)
    if value is None or value.type not in (REG_SZ, REG_EXPAND_SZ):
        return ""
    return str(value.decoded).partition("\0")[0]


def _guids(key: Key, name: str) -> tuple[UUID, ...]:
    """Return the GUIDs of a value; none where it is not made of whole ones."""
    data, _ = _bytes(key, name)
    if len(data) % _GUID_SIZE:
        return ()
    starts = range(0, len(data), _GUID_SIZE)
    return tuple(UUID(bytes_le=data[at : at + _GUID_SIZE]) for at in starts)
