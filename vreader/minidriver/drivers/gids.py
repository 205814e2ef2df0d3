# SPDX-License-Identifier: Apache-2.0
"""The minidriver of GIDS cards (Generic Identity Device Specification v2, Microsoft's profile).

The administrator is a 3DES key that answers challenges. A card may have a PUK instead of it, or
beside it; CardUnblockPin takes either. Keys can be injected
(:mod:`vreader.minidriver.drivers.injection`).
"""

from typing import Final

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.modes import CBC

from vreader.host.scard import ScardApi
from vreader.minidriver.abi.codes import VALUE_UNKNOWN
from vreader.minidriver.abi.files import CARD_ID, CARD_ID_SIZE
from vreader.minidriver.abi.pins import Role, SecretPurpose, SecretType, pin_set
from vreader.minidriver.abi.properties import CardProperty, ContainerProperty
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.abi.structs import PIN_INFO
from vreader.minidriver.callbacks import CardData
from vreader.minidriver.drivers.gids_card import ADMIN_KEY_SIZE, GidsCard
from vreader.minidriver.drivers.gids_files import GidsFiles
from vreader.minidriver.drivers.gids_keys import GidsKeys
from vreader.minidriver.drivers.injection import SecureKeyInjection
from vreader.minidriver.rules.base import require
from vreader.winscard.codes import SCARD
from vreader.winscard.probing import GIDS

_ADMIN = pin_set([Role.ADMIN])
_PINS: Final[dict[int, PIN_INFO]] = {
    Role.USER: PIN_INFO(
        PinType=SecretType.ALPHANUMERIC,
        PinPurpose=SecretPurpose.PRIMARY_CARD,
        dwChangePermission=pin_set([Role.USER]),
        dwUnblockPermission=_ADMIN,
    ),
    Role.ADMIN: PIN_INFO(
        PinType=SecretType.CHALLENGE_RESPONSE,
        PinPurpose=SecretPurpose.ADMINISTRATOR,
        dwChangePermission=_ADMIN,
    ),
}
_BLOCK = 8
_CHECK_VALUE = 3


class GidsMinidriver(SecureKeyInjection, GidsFiles, GidsKeys):
    """One context for a GIDS card."""

    AID = GIDS

    def __init__(
        self, api: ScardApi, data: CardData, version: int, *, no_card: bool = False
    ) -> None:
        super().__init__(api, data, version, no_card=no_card)
        self._card = GidsCard(self._link)

    @property
    def _pins(self) -> dict[int, PIN_INFO]:
        return _PINS

    def CardSetProperty(self, name: str | None, data: bytes | None, flags: int) -> None:
        """See CardMinidriver; the administrator can give the card another identifier."""
        if name != CardProperty.GUID:
            super().CardSetProperty(name, data, flags)
            return
        require(data and len(data) == CARD_ID_SIZE)
        self.CardWriteFile(None, CARD_ID, 0, data)

    def CardSetContainerProperty(
        self, container: int, name: str | None, data: bytes | None, flags: int
    ) -> None:
        """See Minidriver: a key can be the user's, which it is."""
        self._keys(container)
        if name != ContainerProperty.PIN_IDENTIFIER:
            raise MinidriverError(SCARD.E_UNSUPPORTED_FEATURE)
        require(data and len(data) == 4)
        pin_id = int.from_bytes(data or b"", "little")
        self._pin_info(pin_id)
        if pin_id != Role.USER:
            raise MinidriverError(SCARD.W_SECURITY_VIOLATION)

    # ------------------------------------------------------------------ PINs

    def CardGetChallenge(self) -> bytes:
        """See Minidriver."""
        return self._card.challenge()

    def CardAuthenticateChallenge(self, response: bytes | None) -> None:
        """See Minidriver."""
        self._verify(Role.ADMIN, response or b"")

    def CardGetChallengeEx(self, pin_id: int, flags: int) -> bytes:
        """See Minidriver: the administrator's."""
        self._pin_info(pin_id)
        require(pin_id == Role.ADMIN)
        return self._card.challenge()

    def _verify(self, pin_id: int, pin: bytes) -> None:
        if pin_id == Role.USER:
            self._card.verify(pin)
            return
        require(not len(pin) % _BLOCK)
        self._card.respond(pin)

    def _verify_at_reader(self, pin_id: int) -> None:
        self._card.verify_with(self._pinpad)

    def _attempts(self, pin_id: int) -> int:
        return self._card.attempts() if pin_id == Role.USER else VALUE_UNKNOWN

    def _change(self, pin_id: int, current: bytes, new: bytes) -> None:
        if pin_id == Role.USER:
            self._card.change(current, new)
            return
        require(len(new) == ADMIN_KEY_SIZE)
        self._verify(pin_id, current)
        zeros = Cipher(TripleDES(new), CBC(bytes(_BLOCK))).encryptor().update(bytes(_BLOCK))
        self._card.put_admin_key(new, zeros[:_CHECK_VALUE])

    def _unblock(self, authentication: bytes, new: bytes, *, response: bool) -> None:
        if not response:
            self._card.unblock_by_puk(authentication, new)
            return
        self._verify(Role.ADMIN, authentication)
        self._card.unblock_by_admin(new)

    def _change_at_reader(self, pin_id: int) -> None:
        self._card.change_with(self._pinpad)

    def _unblock_at_reader(self, authentication: bytes | None) -> None:
        # The administrator is never a PUK here: see CardUnblockPin for that.
        self._verify(Role.ADMIN, authentication or b"")
        self._card.unblock_with(self._pinpad)

    def _log_out(self, pins: frozenset[int]) -> None:
        if self._card.present - pins:
            present = self._card.who()
            if not present & pins:
                return
            if present - pins:  # the card only logs out of everything
                raise MinidriverError(SCARD.E_UNSUPPORTED_FEATURE)
        self._card.log_out()

    def _authenticated(self) -> frozenset[int]:
        return self._card.who()
