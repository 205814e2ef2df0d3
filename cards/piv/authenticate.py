# SPDX-License-Identifier: Apache-2.0
"""GENERAL AUTHENTICATE (SP 800-73-5 part 2 §3.2.4 and appendix A).

With the management key: mutual, external and internal authentication. With the key of a slot: sign,
decipher, agree. The PIN policy of the key was checked by :mod:`cards.piv.applet`.
"""

from cards.piv import commands as std
from cards.piv.state import ManagementKey, PivState
from cards.piv.tables import SYMMETRIC, Algorithm
from cards.platform import Refuse
from cards.platform.crypto import encrypt_block
from cards.platform.parsing import require
from vreader.iso7816 import SW, Tlv

_WITNESS, _CHALLENGE, _RESPONSE = 0x80, 0x81, 0x82


def use_private_key(state: PivState, command: std.UsePrivateKey) -> bytes:
    """Use the key of a slot with the data of the client; 6A80 when the two do not fit."""
    record = state.key(command.slot)
    assert record is not None, "the gate has seen the key"
    try:
        return _template(_RESPONSE, record.use(command.data, agreement=command.agreement))
    except ValueError:
        raise Refuse(SW.WRONG_DATA) from None


def authenticate_management(state: PivState, algorithm: Algorithm, step: std.Step) -> bytes:
    """Take one step of an authentication with the management key.

    A witness or challenge of the card is good for one answer, and any other step forgets it, on
    every logical channel: what the card encrypts for one flow must not be usable in another.
    Failures are never counted, clients use challenges as a source of random numbers.
    """
    state.continue_authentication()
    security, key = state.security, state.management_key
    witness, security.witness = security.witness, None
    challenge, security.challenge = security.challenge, None
    require(algorithm is key.algorithm, SW.INCORRECT_P1P2)
    block = SYMMETRIC[key.algorithm][1]
    match step:
        case std.RequestWitness():
            security.witness = state.random(block)
            return _template(_WITNESS, _encrypt(key, security.witness))
        case std.RequestChallenge():
            security.challenge = state.random(block)
            return _template(_CHALLENGE, security.challenge)
        case std.ProveWitness(proof, question):
            require(len(question) == block, SW.WRONG_DATA)
            _prove(state, witness, proof)
            return _template(_RESPONSE, _encrypt(key, question))
        case std.AnswerChallenge(answer):
            expected = None if challenge is None else _encrypt(key, challenge)
            _prove(state, expected, answer)
            return b""
        case std.InternalAuthenticate(question):
            require(len(question) == block, SW.WRONG_DATA)
            return _template(_RESPONSE, _encrypt(key, question))


def _prove(state: PivState, expected: bytes | None, given: bytes) -> None:
    """Grant administration when ``given`` is what the card waits for, else end it (6982).

    The key may want to be touched, too; without it the answer is the same.
    """
    from hmac import compare_digest

    right = expected is not None and compare_digest(expected, given)
    state.security.admin = right and state.touched(state.management_key.touch_policy)
    require(state.security.admin, SW.SECURITY_STATUS_NOT_SATISFIED)


def _encrypt(key: ManagementKey, block: bytes) -> bytes:
    return encrypt_block(key.key, block, triple_des=key.algorithm is Algorithm.TDES)


def _template(tag: int, value: bytes) -> bytes:
    return bytes(Tlv(0x7C, bytes(Tlv(tag, value))))
