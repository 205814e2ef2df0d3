# SPDX-License-Identifier: Apache-2.0
"""The callbacks that a host puts into CARD_DATA."""

from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.callbacks import HostCallbacks
from vreader.minidriver.host.datacache import DataCache, Kind
from vreader.minidriver.padding import csp_pad, csp_unpad
from vreader.minidriver.values import DecryptInfo, SigningInfo
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
        """See :func:`vreader.minidriver.padding.csp_pad`."""
        return csp_pad(info, width)

    def CspGetDHAgreement(self, secret: int, flags: int) -> int:
        """Return the index behind a handle; SCARD_E_INVALID_PARAMETER for an unknown one."""
        if secret not in self.secrets:
            raise MinidriverError(SCARD.E_INVALID_PARAMETER)
        return self.secrets[secret]

    def CspUnpadData(self, info: DecryptInfo) -> bytes:
        """See :func:`vreader.minidriver.padding.csp_unpad`."""
        return csp_unpad(info, oaep=self._oaep)


def _name(tag: str) -> str:
    return f"tag:{tag}"
