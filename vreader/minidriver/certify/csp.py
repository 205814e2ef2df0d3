# SPDX-License-Identifier: Apache-2.0
"""What a host does for a minidriver: callbacks, responses, padding."""

import threading

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.modes import CBC

from vreader.minidriver.abi.codes import Calg
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.minidriver.callbacks import HostCallbacks
from vreader.minidriver.padding import csp_pad, csp_unpad
from vreader.minidriver.values import DecryptInfo, SigningInfo
from vreader.winscard.codes import SCARD

# DER of AlgorithmIdentifier and the head of the digest (RFC 8017, 9.2).
DIGEST_INFO = {
    Calg.MD5: bytes.fromhex("3020300c06082a864886f70d020505000410"),
    Calg.SHA1: bytes.fromhex("3021300906052b0e03021a05000414"),
    Calg.SHA_256: bytes.fromhex("3031300d060960864801650304020105000420"),
    Calg.SHA_384: bytes.fromhex("3041300d060960864801650304020205000430"),
    Calg.SHA_512: bytes.fromhex("3051300d060960864801650304020305000440"),
}


def response(key: bytes, challenge: bytes) -> bytes:
    """Return the response to a challenge: 3DES in CBC mode, a vector of zeros."""
    encryptor = Cipher(TripleDES(key), CBC(bytes(8))).encryptor()
    return encryptor.update(challenge) + encryptor.finalize()


def pkcs1(data: bytes, width: int) -> bytes:
    """Return a block of type 1 (RFC 8017, 9.2)."""
    return b"\0\1" + b"\xff" * (width - len(data) - 3) + b"\0" + data


class Callbacks(HostCallbacks):
    """A host's callbacks.

    Attributes:
        cache: tag → data.
        padded: how often it was asked to pad or to unpad.
    """

    def __init__(self) -> None:
        self.cache: dict[str, bytes] = {}
        self.padded = 0
        self._lock = threading.Lock()

    def CspCacheAddFile(self, tag: str, flags: int, data: bytes) -> None:
        """See HostCallbacks."""
        with self._lock:
            self.cache[tag] = data

    def CspCacheLookupFile(self, tag: str, flags: int) -> bytes:
        """See HostCallbacks."""
        if tag not in self.cache:
            raise MinidriverError(SCARD.E_FILE_NOT_FOUND)
        return self.cache[tag]

    def CspCacheDeleteFile(self, tag: str, flags: int) -> None:
        """See HostCallbacks."""
        with self._lock:
            self.cache.pop(tag, None)

    def CspPadData(self, info: SigningInfo, width: int) -> bytes:
        """See HostCallbacks."""
        self.padded += 1
        return csp_pad(info, width)

    def CspGetDHAgreement(self, secret: int, flags: int) -> int:
        """See HostCallbacks."""
        return secret

    def CspUnpadData(self, info: DecryptInfo) -> bytes:
        """See HostCallbacks."""
        self.padded += 1
        return csp_unpad(info, oaep=True)
