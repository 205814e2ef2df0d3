# SPDX-License-Identifier: Apache-2.0
"""The symmetric keys of secure key injection: 3DES and AES in CBC mode.

What is encrypted is padded with bytes that tell their number (PKCS #7). That, and that a key
without mode and vector has CBC and zeros, is assumed.
"""

from typing import Final

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

from vreader.minidriver.abi.codes import ALGORITHM_3DES, ALGORITHM_AES
from vreader.minidriver.abi.returncodes import MinidriverError
from vreader.winscard.codes import SCARD

KEY_SIZES: Final = {ALGORITHM_3DES: (24,), ALGORITHM_AES: (16, 24, 32)}
"""Names of the ciphers, and the bytes that a key of theirs has."""

_CIPHERS: Final = {ALGORITHM_3DES: TripleDES, ALGORITHM_AES: AES}
_HIDDEN = "…"


class SessionKey:
    """A symmetric key in CBC mode, with its vector."""

    def __init__(self, algorithm: str, key: bytes) -> None:
        if len(key) not in KEY_SIZES[algorithm]:
            raise MinidriverError(SCARD.E_INVALID_PARAMETER)
        self._cipher = _CIPHERS[algorithm](key)
        self.block = block_length(algorithm)
        self.vector = bytes(self.block)

    def __repr__(self) -> str:
        return f"SessionKey({_HIDDEN})"

    def encrypt(self, data: bytes) -> bytes:
        """Pad and encrypt."""
        padder = PKCS7(8 * self.block).padder()
        worker = Cipher(self._cipher, CBC(self.vector)).encryptor()
        return worker.update(padder.update(data) + padder.finalize()) + worker.finalize()

    def decrypt(self, data: bytes) -> bytes:
        """Decrypt; SCARD_E_INVALID_PARAMETER for what was not encrypted so."""
        worker = Cipher(self._cipher, CBC(self.vector)).decryptor()
        unpadder = PKCS7(8 * self.block).unpadder()
        try:
            plain = worker.update(data) + worker.finalize()
            return unpadder.update(plain) + unpadder.finalize()
        except ValueError:
            raise MinidriverError(SCARD.E_INVALID_PARAMETER) from None


def block_length(algorithm: str) -> int:
    """Return the bytes of a cipher's block."""
    return 16 if algorithm == ALGORITHM_AES else 8
