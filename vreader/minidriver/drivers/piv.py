# SPDX-License-Identifier: Apache-2.0
"""The minidriver of PIV cards (NIST SP 800-73-5): read-only, as Windows' own is.

The files of Windows are made up of what the card has. Container *i* is always the same key: 9A, 9C,
9D, 9E, then the retired ones 82 to 95; it is there when its certificate is, for nothing else tells
of a key. The card's identifier is the GUID of the CHUID. As the counters in ``cardcf`` never move,
hosts are told to keep what they have read for the session only. The administrator is the PUK,
which unblocks and cannot be verified alone. The key 9C wants the PIN before each signature: that is
PIN 3, the same PIN under another policy. The page of Windows' own minidriver tells neither that
number nor which key specifications keys have; both are assumed.
"""

import hashlib
import uuid
from typing import Final

from vreader.cardfs import Container, encode_container_map
from vreader.host.scard import ScardApi
from vreader.minidriver.abi.blobs import PublicKey
from vreader.minidriver.abi.codes import VALUE_UNKNOWN, CacheMode, ContainerFlag, FileAc, KeySpec
from vreader.minidriver.abi.files import (
    CARD_APPS,
    CARD_CF,
    CARD_ID,
    CARD_ID_SIZE,
    CONTAINER_MAP,
    EMPTY_CARD_APPS,
    EMPTY_CARD_CF,
    FIXED_FILES,
    MSCP,
    certificate_file,
)
from vreader.minidriver.abi.pins import PinCache, Role, SecretPurpose, pin_set
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.abi.structs import (
    CARD_CAPABILITIES,
    CARD_FILE_INFO,
    CARD_FREE_SPACE_INFO,
    CARD_KEY_SIZES,
    PIN_CACHE_POLICY,
    PIN_INFO,
)
from vreader.minidriver.callbacks import CardData
from vreader.minidriver.drivers.agreement import KeyAgreement
from vreader.minidriver.drivers.base import CardKey, plain_signature
from vreader.minidriver.drivers.piv_card import PIN, PUK, SLOTS, PivCard
from vreader.minidriver.drivers.piv_slots import (
    CARD_AUTHENTICATION,
    CURVE_SPECS,
    SIGNATURE,
    Slot,
    read_slot,
)
from vreader.minidriver.drivers.readonly import ReadOnly
from vreader.minidriver.rules.base import require
from vreader.minidriver.values import ContainerInfo
from vreader.winscard.codes import SCARD
from vreader.winscard.probing import PIV

SIGNATURE_PIN: Final = 3
_ADMIN = pin_set([Role.ADMIN])
_PINS: Final[dict[int, PIN_INFO]] = {
    Role.USER: PIN_INFO(
        PinPurpose=SecretPurpose.PRIMARY_CARD,
        dwChangePermission=pin_set([Role.USER]),
        dwUnblockPermission=_ADMIN,
    ),
    Role.ADMIN: PIN_INFO(PinPurpose=SecretPurpose.UNBLOCK_ONLY, dwChangePermission=_ADMIN),
    SIGNATURE_PIN: PIN_INFO(
        PinPurpose=SecretPurpose.DIGITAL_SIGNATURE,
        dwChangePermission=pin_set([SIGNATURE_PIN]),
        dwUnblockPermission=_ADMIN,
        PinCachePolicy=PIN_CACHE_POLICY(PinCachePolicyType=PinCache.ALWAYS_PROMPT),
    ),
}


class PivMinidriver(ReadOnly, KeyAgreement):
    """One context for a PIV card."""

    AID = PIV
    READ_ONLY = True
    CACHE_MODE = CacheMode.SESSION_ONLY

    def __init__(
        self, api: ScardApi, data: CardData, version: int, *, no_card: bool = False
    ) -> None:
        super().__init__(api, data, version, no_card=no_card)
        self._card = PivCard(self._link)
        self._known: dict[int, Slot] = {}
        self._manager: int | None = None  # resets of the link when the management key was verified

    @property
    def _pins(self) -> dict[int, PIN_INFO]:
        return _PINS

    # ------------------------------------------------------------------ what the card has

    def _slot(self, container: int, *, fresh: bool = False) -> Slot | None:
        """Return the key of a container; read again where it is not known, or must be fresh."""
        found = None if fresh else self._known.get(container)
        if found is None and container < len(SLOTS):
            self._known.pop(container, None)
            slot = SLOTS[container]
            der = self._card.certificate(slot)
            found = None if der is None else read_slot(slot, der)
            if found is not None:
                self._known[container] = found
        return found

    def _slots(self) -> dict[int, Slot]:
        """Return all keys, read afresh."""
        found = ((index, self._slot(index, fresh=True)) for index in range(len(SLOTS)))
        return {index: slot for index, slot in found if slot is not None}

    def _card_id(self) -> bytes:
        guid = self._card.guid()
        if guid is None or len(guid) != CARD_ID_SIZE:
            # A card without an identifier: cards of one kind then share theirs.
            return hashlib.sha256(self.data.atr or b"").digest()[:CARD_ID_SIZE]
        return guid

    def _map(self) -> bytes:
        """Return cmapfile: a record for each index up to the last key; the first is the default."""
        slots, card = self._slots(), self._card_id()
        records = [Container() for _ in range(max(slots, default=-1) + 1)]
        for index, slot in slots.items():
            mark = ContainerFlag.VALID
            if index == min(slots):
                mark |= ContainerFlag.DEFAULT
            digest = hashlib.sha256(card + bytes((slot.key.reference,))).digest()
            name = str(uuid.UUID(bytes=digest[:16], version=4))
            bits = slot.key.bits
            sizes = (0, bits) if slot.key.spec.is_exchange else (bits, 0)
            records[index] = Container(name, mark, *sizes)
        return encode_container_map(records)

    # ------------------------------------------------------------------ files

    def CardReadFile(self, directory: str | None, name: str | None, flags: int) -> bytes:
        """See Minidriver; certificates are plain DER."""
        where, wanted = (directory or "").lower(), (name or "").lower()
        if where not in ("", MSCP):
            raise MinidriverError(SCARD.E_DIR_NOT_FOUND)
        match where, wanted:
            case "", "cardid":
                return self._card_id()
            case "", "cardcf":
                return EMPTY_CARD_CF
            case "", "cardapps":
                return EMPTY_CARD_APPS
            case "mscp", "cmapfile":
                return self._map()
        number = wanted[3:]
        if where and number.isascii() and number.isdigit() and len(number) == 2:
            slot = self._slot(int(number), fresh=True)
            if slot is not None and certificate_file(int(number), slot.key.spec) == wanted:
                return slot.certificate
        raise MinidriverError(SCARD.E_FILE_NOT_FOUND)

    def CardEnumFiles(self, directory: str | None, flags: int) -> list[str]:
        """See Minidriver."""
        where = (directory or "").lower()
        if not where:
            return [CARD_ID, CARD_CF, CARD_APPS]
        if where != MSCP:
            raise MinidriverError(SCARD.E_DIR_NOT_FOUND)
        slots = self._slots().items()
        return [CONTAINER_MAP, *(certificate_file(index, one.key.spec) for index, one in slots)]

    def CardGetFileInfo(
        self, directory: str | None, name: str | None, info: CARD_FILE_INFO | None
    ) -> CARD_FILE_INFO:
        """See Minidriver."""
        size = len(self.CardReadFile(directory, name, 0))
        place = (directory or "").lower(), (name or "").lower()
        access = FIXED_FILES.get(place, FileAc.EVERYONE_READ_USER_WRITE)
        return CARD_FILE_INFO(1, size, access)

    def CardQueryCapabilities(self, info: CARD_CAPABILITIES | None) -> CARD_CAPABILITIES:
        """See Minidriver: compression of certificates is the card's own affair."""
        return CARD_CAPABILITIES(1, True, False)

    def CardQueryFreeSpace(
        self, flags: int, info: CARD_FREE_SPACE_INFO | None
    ) -> CARD_FREE_SPACE_INFO:
        """See Minidriver: there is no room on a card that nobody can write."""
        return CARD_FREE_SPACE_INFO(1, 0, 0, len(SLOTS))

    def CardQueryKeySizes(
        self, key_spec: int, flags: int, info: CARD_KEY_SIZES | None
    ) -> CARD_KEY_SIZES:
        """See Minidriver; SCARD_E_INVALID_PARAMETER for P-521."""
        spec = KeySpec(key_spec)
        if spec.is_rsa:
            return CARD_KEY_SIZES(1, 1024, 2048, 4096, 1024)
        require(spec in CURVE_SPECS)
        return CARD_KEY_SIZES(1, spec.bits, spec.bits, spec.bits, 1)

    # ------------------------------------------------------------------ keys

    def _keys(self, container: int) -> list[CardKey]:
        slot = self._slot(container)
        if slot is None:
            raise MinidriverError(SCARD.E_NO_KEY_CONTAINER)
        return [slot.key]

    def CardGetContainerInfo(
        self, container: int, flags: int, info: ContainerInfo | None
    ) -> ContainerInfo:
        """See Minidriver; the certificate is read again."""
        self._slot(container, fresh=True)
        return super().CardGetContainerInfo(container, flags, info)

    def _public(self, key: CardKey) -> PublicKey:
        return self._known[SLOTS.index(key.reference)].public

    def _pin_of(self, container: int) -> int:
        slot = SLOTS[container]
        if slot == CARD_AUTHENTICATION:
            return Role.EVERYONE
        return SIGNATURE_PIN if slot == SIGNATURE else Role.USER

    def _sign_block(self, key: CardKey, block: bytes) -> bytes:
        return self._card.use(key.reference, key.algorithm, block).rjust(key.width, b"\0")

    def _decrypt(self, key: CardKey, data: bytes) -> bytes:
        return self._sign_block(key, data)

    def _sign_hash(self, key: CardKey, value: bytes) -> bytes:
        # As wide as the curve, which some cards insist on; zeros in front change no number.
        wide = value.rjust(key.width, b"\0")
        return plain_signature(self._card.use(key.reference, key.algorithm, wide), key.width)

    def _agree(self, key: CardKey, point: bytes) -> bytes:
        return self._card.use(key.reference, key.algorithm, point, agree=True)

    # ------------------------------------------------------------------ PINs

    def CardGetChallenge(self) -> bytes:
        """Return a challenge for the management key, where it is a 3DES key."""
        return self._card.challenge()

    def CardAuthenticateChallenge(self, response: bytes | None) -> None:
        """Authenticate the management key. It opens nothing that a minidriver could do."""
        self._card.respond(response or b"")
        self._manager = self._link.resets

    def _verify(self, pin_id: int, pin: bytes) -> None:
        if pin_id == Role.ADMIN:
            raise MinidriverError(SCARD.E_UNSUPPORTED_FEATURE)
        self._card.verify(pin)

    def _verify_at_reader(self, pin_id: int) -> None:
        self._card.verify_with(self._pinpad)

    def _change(self, pin_id: int, current: bytes, new: bytes) -> None:
        self._card.change(PUK if pin_id == Role.ADMIN else PIN, current, new)

    def _unblock(self, authentication: bytes, new: bytes, *, response: bool) -> None:
        if response:
            raise MinidriverError(SCARD.E_UNSUPPORTED_FEATURE)
        self._card.unblock(authentication, new)

    def _change_at_reader(self, pin_id: int) -> None:
        self._card.change_with(self._pinpad)

    def _unblock_at_reader(self, authentication: bytes | None) -> None:
        self._card.unblock_with(self._pinpad, authentication)

    def _log_out(self, pins: frozenset[int]) -> None:
        if pins & {Role.USER, SIGNATURE_PIN}:
            self._card.log_out()
        if Role.ADMIN in pins:
            manager, self._manager = self._manager, None
            if manager == self._link.resets:
                raise MinidriverError(SCARD.E_UNSUPPORTED_FEATURE)  # the host resets the card now

    def _authenticated(self) -> frozenset[int]:
        return frozenset({int(Role.USER)} if self._card.status().ok else ())

    def _attempts(self, pin_id: int) -> int:
        return VALUE_UNKNOWN if pin_id == Role.ADMIN else self._card.attempts()
