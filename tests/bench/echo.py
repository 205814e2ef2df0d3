# SPDX-License-Identifier: Apache-2.0
"""The least a Python card can be, for ``vreader serve --card echo.py:EchoCard``."""

from functools import cached_property


class EchoCard:
    """Answers every command with 9000."""

    def __init__(self, atr: str = "3B80800101") -> None:
        self.atr = bytes.fromhex(atr)

    def power_on(self) -> bytes:
        return self.atr

    def reset(self) -> bytes:
        return self.atr

    def power_off(self) -> None:
        pass

    def transmit(self, c_apdu: bytes) -> bytes:
        return b"\x90\x00"


class SigningCard(EchoCard):
    """Answers every command of 38 bytes and more with a P-256 signature of its end, no more."""

    @cached_property
    def _sign(self):
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec, utils

        key = ec.generate_private_key(ec.SECP256R1())
        algorithm = ec.ECDSA(utils.Prehashed(hashes.SHA256()))
        return lambda digest: key.sign(digest, algorithm)

    def transmit(self, c_apdu: bytes) -> bytes:
        if len(c_apdu) < 38:
            return b"\x90\x00"
        return self._sign(c_apdu[-33:-1]) + b"\x90\x00"
