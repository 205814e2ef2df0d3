# SPDX-License-Identifier: Apache-2.0
"""Authentication with the admin key: 3DES in CBC mode, zero vector, 24-byte key.

External authentication is what a minidriver's CardAuthenticateChallenge needs, mutual
authentication what OpenSC's gids-tool uses. A challenge is good for one answer.
"""

from cards.gids import commands as cmd
from cards.gids.state import GidsState
from cards.gids.tables import Template
from cards.platform import Refuse
from cards.platform.parsing import require
from vreader.iso7816 import SW, Tlv

Step = cmd.RequestChallenge | cmd.AnswerChallenge | cmd.StartMutual | cmd.FinishMutual


def authenticate(state: GidsState, step: Step) -> bytes:
    """Carry out one step and return its response; raises Refuse.

    6985: no key was chosen, or no challenge is open; 6982: the answer is wrong.
    """
    security = state.security
    environment = security.environment.get(Template.AUTHENTICATION)
    if environment is None:
        raise Refuse(SW.CONDITIONS_NOT_SATISFIED)
    challenge, security.challenge = security.challenge, b""
    match step:
        case cmd.RequestChallenge():
            security.admin = False
            security.challenge = state.random(8)
            return _reply(0x81, security.challenge)
        case cmd.StartMutual(host):
            security.admin = False
            # The host's part is kept behind the card's: that is how it will come back.
            security.challenge = state.random(16) + host
            return _reply(0x81, security.challenge[:16])
    key = state.admin_key(environment.reference)
    require(key is not None, SW.REFERENCE_NOT_FOUND)
    assert key is not None
    match step:
        case cmd.AnswerChallenge(response):
            require(len(challenge) == 8, SW.CONDITIONS_NOT_SATISFIED)
            _accept(state, tdes_cbc(key, challenge) == response)
            return b""
        case cmd.FinishMutual(token):
            require(len(challenge) == 32, SW.CONDITIONS_NOT_SATISFIED)
            plain = tdes_cbc(key, token, decrypt=True)
            _accept(state, plain[:32] == challenge)
            ours = challenge[16:] + challenge[:16] + state.random(7) + b"\x80"
            return _reply(0x82, tdes_cbc(key, ours))


def tdes_cbc(key: bytes, data: bytes, *, decrypt: bool = False) -> bytes:
    """Encrypt or decrypt whole blocks."""
    from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
    from cryptography.hazmat.primitives.ciphers import Cipher, modes

    cipher = Cipher(TripleDES(key), modes.CBC(bytes(8)))
    worker = cipher.decryptor() if decrypt else cipher.encryptor()
    return worker.update(data) + worker.finalize()


def _accept(state: GidsState, right: bool) -> None:
    state.security.admin = right
    require(right, SW.SECURITY_STATUS_NOT_SATISFIED)


def _reply(tag: int, value: bytes) -> bytes:
    return bytes(Tlv.of(0x7C, Tlv(tag, value)))
