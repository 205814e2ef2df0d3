# SPDX-License-Identifier: Apache-2.0
"""The callbacks that a host puts into CARD_DATA.

Padded data is big endian, ready for the private key; what CspUnpadData takes and returns is little
endian, as CardRSADecrypt returns it (the pages do not say; assumed).
"""

from vreader.minidriver.abi.codes import PADDING_INFO_PRESENT, Padding
from vreader.minidriver.abi.returncodes import CardWin32, MinidriverError
from vreader.minidriver.callbacks import HostCallbacks
from vreader.minidriver.host.datacache import DataCache, Kind
from vreader.minidriver.padding import hash_name, pad, unpad
from vreader.minidriver.values import DecryptInfo, Pkcs1, SigningInfo
from vreader.winscard.codes import SCARD


class Callbacks(HostCallbacks):
    """The callbacks of one context.

    Args:
        cache: the host's, for this card.
        oaep: whether CspUnpadData knows OAEP; the KSP's does, the CSP's does not.

    Attributes:
        secrets: handles of secret agreements → their index on the card.
    """

    def __init__(self, cache: DataCache, *, oaep: bool) -> None:
        self.secrets: dict[int, int] = {}
        self._cache = cache
        self._oaep = oaep

    def CspCacheAddFile(self, tag: str, flags: int, data: bytes) -> None:
        """Keep it under the counters of containers and files."""
        self._cache.add(Kind.MINIDRIVER, _name(tag), bytes(data))

    def CspCacheLookupFile(self, tag: str, flags: int) -> bytes:
        """Return it; SCARD_E_FILE_NOT_FOUND when nothing fresh is kept."""
        found = self._cache.find(Kind.MINIDRIVER, _name(tag))
        if found is None:
            raise MinidriverError(SCARD.E_FILE_NOT_FOUND)
        return found

    def CspCacheDeleteFile(self, tag: str, flags: int) -> None:
        """Forget it."""
        self._cache.forget(Kind.MINIDRIVER, _name(tag))

    def CspPadData(self, info: SigningInfo, width: int) -> bytes:
        """Pad as the signing information says; without padding information as PKCS #1."""
        if info.data is None:
            raise MinidriverError(SCARD.E_INVALID_PARAMETER)
        if not info.flags & PADDING_INFO_PRESENT:
            return pad(info.data, width, Pkcs1(hash_name(info.hash_alg)))
        if info.padding_type not in (Padding.PKCS1, Padding.PSS):
            raise MinidriverError(SCARD.E_UNSUPPORTED_FEATURE)
        return pad(info.data, width, info.padding)

    def CspGetDHAgreement(self, secret: int, flags: int) -> int:
        """Return the index behind a handle; SCARD_E_INVALID_PARAMETER for an unknown one."""
        if secret not in self.secrets:
            raise MinidriverError(SCARD.E_INVALID_PARAMETER)
        return self.secrets[secret]

    def CspUnpadData(self, info: DecryptInfo) -> bytes:
        """Remove PKCS #1 padding, and OAEP under the KSP."""
        if (info.version or 1) < 2:
            raise MinidriverError(CardWin32.REVISION_MISMATCH)
        known = (Padding.PKCS1, Padding.OAEP) if self._oaep else (Padding.PKCS1,)
        if info.data is None or info.padding_type not in known:
            raise MinidriverError(SCARD.E_INVALID_PARAMETER)
        return unpad(info.data[::-1], info.padding_type, info.padding)[::-1]


def _name(tag: str) -> str:
    return f"tag:{tag}"
