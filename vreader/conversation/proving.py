# SPDX-License-Identifier: Apache-2.0
"""Answers a card's challenge, as the program that was recorded did, with the key it knew.

That is what GENERAL AUTHENTICATE does with the management key of a PIV card, key reference 9B (NIST
SP 800-73-4 part 2, Appendix A.1): alone, or for the second half of a mutual authentication.
"""

from collections.abc import Sequence
from typing import Final

from vreader.errors import UsageError
from vreader.iso7816 import Tlv, TlvError

_MANAGEMENT: Final = 0x9B
_WITNESS, _CHALLENGE, _RESPONSE = 0x80, 0x81, 0x82
_3DES: Final = (0x00, 0x03)
_KEY_BYTES: Final = {0x00: 24, 0x03: 24, 0x08: 16, 0x0A: 24, 0x0C: 32}


class Prover:
    """Knows keys, and what the card has sent last.

    Args:
        keys: one for each proof in order, the last for all that follow; none proves nothing.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = list(keys)
        self._answer = b""

    def check(self, commands: Sequence[bytes]) -> None:
        """See whether all proofs can be given; raises UsageError for a key that cannot be."""
        if not self._keys:
            return
        keys = list(self._keys)
        for command in commands:
            if not _inner_of_proof(command):
                continue
            key, size = _next(keys), _KEY_BYTES[command[2]]
            if len(key) != size:
                raise UsageError(
                    f"a management key of {len(key)} bytes, where algorithm {command[2]:02X} has"
                    f" {size}",
                    hint="give the key that the card has now",
                )

    def heard(self, answer: bytes) -> None:
        """Take what the card has answered."""
        self._answer = answer

    def proven(self, command: bytes) -> bytes:
        """Return the command with the proof of it for this card; as it was if it has none."""
        inner = _inner_of_proof(command) if self._keys else []
        if not inner:
            return command
        key = _next(self._keys)
        challenge = _tags(self._answer[:-2])
        found: list[Tlv] = []
        for one in inner:
            asked = challenge.get(_WITNESS if one.tag == _WITNESS else _CHALLENGE, b"")
            proof = one.tag in (_WITNESS, _RESPONSE) and one.value and len(asked) == _block(command)
            value = _crypt(key, asked, command[2], decrypt=one.tag == _WITNESS) if proof else b""
            found.append(Tlv(one.tag, value or one.value))
        data = bytes(Tlv.of(0x7C, *found))
        return command[:4] + bytes((len(data),)) + data + command[5 + command[4] :]


def _inner_of_proof(command: bytes) -> list[Tlv]:
    """Return the objects of a command that proves something; none of any other."""
    if len(command) < 6 or command[1] != 0x87 or command[3] != _MANAGEMENT:
        return []
    if len(command) < 5 + command[4]:
        return []
    found = _tags(command[5 : 5 + command[4]])
    if command[2] not in _KEY_BYTES or not (found.get(_WITNESS) or found.get(_RESPONSE)):
        return []
    return [Tlv(tag, value) for tag, value in found.items()]


def _tags(data: bytes) -> dict[int, bytes]:
    try:
        return {one.tag: one.value for one in Tlv.parse(data).children()}
    except TlvError:
        return {}


def _next(keys: list[bytes]) -> bytes:
    return keys.pop(0) if len(keys) > 1 else keys[0]


def _block(command: bytes) -> int:
    return 8 if command[2] in _3DES else 16


def _crypt(key: bytes, block: bytes, algorithm: int, *, decrypt: bool) -> bytes:
    from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
    from cryptography.hazmat.primitives.ciphers import Cipher
    from cryptography.hazmat.primitives.ciphers.algorithms import AES
    from cryptography.hazmat.primitives.ciphers.modes import ECB

    cipher = Cipher((TripleDES if algorithm in _3DES else AES)(key), ECB())  # noqa: S305
    return (cipher.decryptor() if decrypt else cipher.encryptor()).update(block)
