# SPDX-License-Identifier: Apache-2.0
"""Key agreement: secrets on the card's side, and the keys that are made of them."""

from abc import abstractmethod

from cryptography.hazmat.primitives.asymmetric import ec

from vreader.host.scard import ScardApi
from vreader.minidriver.abi.blobs import BlobError, decode_public
from vreader.minidriver.abi.codes import BUFFER_SIZE_ONLY, RETURN_KEY_HANDLE
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.callbacks import CardData
from vreader.minidriver.drivers.base import CardKey, CardMinidriver
from vreader.minidriver.drivers.kdf import derive
from vreader.minidriver.rules.base import require
from vreader.minidriver.values import DeriveKeyInfo, DhAgreementInfo
from vreader.winscard.codes import SCARD

_MAX_SECRETS = 256


class KeyAgreement(CardMinidriver):
    """The functions of key agreement. A secret is known to its own context alone."""

    def __init__(
        self, api: ScardApi, data: CardData, version: int, *, no_card: bool = False
    ) -> None:
        super().__init__(api, data, version, no_card=no_card)
        self._secrets: dict[int, bytes] = {}

    @abstractmethod
    def _agree(self, key: CardKey, point: bytes) -> bytes:
        """Return the X coordinate of the secret with an uncompressed point."""

    def CardConstructDHAgreement(self, info: DhAgreementInfo | None) -> int:
        """See Minidriver; SCARD_E_INVALID_PARAMETER for a point on another curve."""
        assert info, "the rules have seen it"
        keys = [k for k in self._keys(info.container) if k.spec.is_exchange and not k.spec.is_rsa]
        require(keys)
        try:
            public, _ = decode_public(info.public_key or b"")
        except BlobError:
            raise MinidriverError(SCARD.E_INVALID_PARAMETER) from None
        if not isinstance(public, ec.EllipticCurvePublicKey) or public.key_size != keys[0].bits:
            raise MinidriverError(SCARD.E_INVALID_PARAMETER)
        free = next((i for i in range(_MAX_SECRETS) if i not in self._secrets), None)
        if free is None:
            raise MinidriverError(SCARD.E_NO_MEMORY)
        numbers = public.public_numbers()
        x, y = (n.to_bytes(keys[0].width, "big") for n in (numbers.x, numbers.y))
        self._secrets[free] = self._agree(keys[0], b"\x04" + x + y)
        return free

    def CardDeriveKey(self, info: DeriveKeyInfo | None) -> bytes | int:
        """See Minidriver; SCARD_E_UNSUPPORTED_FEATURE for a key that would stay on the card."""
        assert info, "the rules have seen it"
        require(info.secret in self._secrets)
        if info.flags & RETURN_KEY_HANDLE:
            raise MinidriverError(SCARD.E_UNSUPPORTED_FEATURE)
        found = derive(info.kdf, self._secrets[info.secret], info.parameters)
        return len(found) if info.flags & BUFFER_SIZE_ONLY else found

    def CardDestroyDHAgreement(self, secret: int, flags: int) -> None:
        """See Minidriver."""
        require(secret in self._secrets)
        del self._secrets[secret]

    def CardDeleteContext(self) -> None:
        """Forget the secrets; the card is not asked."""
        self._secrets.clear()
        super().CardDeleteContext()
