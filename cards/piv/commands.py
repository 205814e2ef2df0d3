# SPDX-License-Identifier: Apache-2.0
"""The commands of SP 800-73-5 part 2 §3 as types, and their reading from C-APDUs.

The only place that knows P1, P2 and Lc of these commands. Who may do what, and whether a key or an
object exists, is not asked here. The types are named tuples, which load six times faster than
dataclasses; those with secrets do not show them. Yubico's commands are in
:mod:`cards.piv.yubico_commands`.
"""

from collections.abc import Callable
from enum import IntEnum
from typing import NamedTuple

from cards.piv.tables import (
    ATTESTATION,
    KNOWN_ALGORITHMS,
    MANAGEMENT,
    OWN_TAGS,
    RSA_BITS,
    SYMMETRIC,
    USER_SLOTS,
    Algorithm,
    PinPolicy,
    Policies,
    TouchPolicy,
)
from cards.platform import Refuse
from cards.platform.parsing import read_template, read_tlvs, require
from vreader.iso7816 import SW, CommandApdu

PIN_LENGTH = 8


class PinRef(IntEnum):
    """Key references of reference data (SP 800-73-5 part 1 §5.1, the first table)."""

    GLOBAL = 0x00
    PIN = 0x80
    PUK = 0x81
    PAIRING = 0x98


_VERIFIABLE = (PinRef.GLOBAL, PinRef.PIN, PinRef.PAIRING)
_CHANGEABLE = (PinRef.GLOBAL, PinRef.PIN, PinRef.PUK)


class GetData(NamedTuple):
    """GET DATA of one object (§3.1.2)."""

    tag: int


class PutData(NamedTuple):
    """PUT DATA (§3.3.1); an empty value deletes the object.

    Attributes:
        bare: the object came in its own tag, as 7E and 7F61 do, not as a tag list and 53.
    """

    tag: int
    value: bytes
    bare: bool = False

    def __repr__(self) -> str:
        return "PutData(…)"


class VerifyStatus(NamedTuple):
    """VERIFY without data: ask whether it is verified, how many tries are left (§3.2.1)."""

    ref: PinRef


class VerifyPin(NamedTuple):
    """VERIFY of a padded PIN or the pairing code (§3.2.1), whose form is judged later."""

    ref: PinRef
    pin: bytes

    def __repr__(self) -> str:
        return "VerifyPin(…)"


class Logout(NamedTuple):
    """VERIFY with P1=FF: it is not verified any more (§3.2.1)."""

    ref: PinRef


class ChangeReferenceData(NamedTuple):
    """CHANGE REFERENCE DATA of PIN, global PIN or PUK (§3.2.2)."""

    ref: PinRef
    old: bytes
    new: bytes

    def __repr__(self) -> str:
        return "ChangeReferenceData(…)"


class ResetRetryCounter(NamedTuple):
    """RESET RETRY COUNTER: the PUK sets a new PIN (§3.2.3), whose form is judged after the PUK."""

    puk: bytes
    new_pin: bytes

    def __repr__(self) -> str:
        return "ResetRetryCounter(…)"


class RequestWitness(NamedTuple):
    """The card shall make a witness: first half of mutual authentication (§A.1.2)."""


class ProveWitness(NamedTuple):
    """The decrypted witness, and a challenge for the card: second half of it (§A.1.2)."""

    witness: bytes
    challenge: bytes


class RequestChallenge(NamedTuple):
    """The card shall make a challenge: first half of external authentication (§A.1.1)."""


class AnswerChallenge(NamedTuple):
    """The encrypted challenge: second half of external authentication (§A.1.1)."""

    response: bytes


class InternalAuthenticate(NamedTuple):
    """The card shall encrypt a challenge with the management key."""

    challenge: bytes


Step = RequestWitness | ProveWitness | RequestChallenge | AnswerChallenge | InternalAuthenticate


class AuthenticateManagement(NamedTuple):
    """GENERAL AUTHENTICATE with the management key, key reference 9B (§3.2.4)."""

    algorithm: Algorithm
    step: Step


class UsePrivateKey(NamedTuple):
    """GENERAL AUTHENTICATE with the private key of a slot (§3.2.4, §A.2 to §A.4).

    Attributes:
        agreement: ``data`` is the other side's point (tag 85), not something to sign or decipher.
    """

    algorithm: Algorithm
    slot: int
    data: bytes
    agreement: bool


class GenerateKey(NamedTuple):
    """GENERATE ASYMMETRIC KEY PAIR (§3.3.2); the policies are Yubico's."""

    slot: int
    algorithm: Algorithm
    policies: Policies


StandardCommand = (
    GetData
    | PutData
    | VerifyStatus
    | VerifyPin
    | Logout
    | ChangeReferenceData
    | ResetRetryCounter
    | AuthenticateManagement
    | UsePrivateKey
    | GenerateKey
)


def read_policies(found: dict[int, bytes]) -> Policies:
    """Take Yubico's AA and AB out of ``found``; raises Refuse(6A80) for an unknown policy."""
    try:
        (pin,) = found.pop(0xAA, b"\0")
        (touch,) = found.pop(0xAB, b"\0")
        return Policies(PinPolicy(pin), TouchPolicy(touch))
    except ValueError:
        raise Refuse(SW.WRONG_DATA) from None


def _get_data(apdu: CommandApdu) -> GetData:
    require((apdu.p1, apdu.p2) == (0x3F, 0xFF), SW.INCORRECT_P1P2)
    found = read_tlvs(apdu.data)
    require(list(found) == [0x5C] and 1 <= len(found[0x5C]) <= 3, SW.WRONG_DATA)
    return GetData(int.from_bytes(found[0x5C], "big"))


def _put_data(apdu: CommandApdu) -> PutData:
    require((apdu.p1, apdu.p2) == (0x3F, 0xFF), SW.INCORRECT_P1P2)
    found = read_tlvs(apdu.data)
    if len(found) == 1:
        ((tag, value),) = found.items()
        require(tag in OWN_TAGS, SW.WRONG_DATA)
        return PutData(tag, value, bare=True)
    require(list(found) == [0x5C, 0x53] and 1 <= len(found[0x5C]) <= 3, SW.WRONG_DATA)
    return PutData(int.from_bytes(found[0x5C], "big"), found[0x53])


def _verify(apdu: CommandApdu) -> VerifyStatus | VerifyPin | Logout:
    require(apdu.p1 in (0x00, 0xFF), SW.INCORRECT_P1P2)
    require(apdu.p2 in _VERIFIABLE, SW.REFERENCE_NOT_FOUND)
    ref = PinRef(apdu.p2)
    if apdu.p1 == 0xFF:
        require(not apdu.data, SW.WRONG_DATA)
        return Logout(ref)
    if not apdu.data:
        return VerifyStatus(ref)
    require(len(apdu.data) == PIN_LENGTH, SW.WRONG_DATA)
    return VerifyPin(ref, apdu.data)


def _change_reference_data(apdu: CommandApdu) -> ChangeReferenceData:
    require(apdu.p1 == 0, SW.INCORRECT_P1P2)
    require(apdu.p2 in _CHANGEABLE, SW.REFERENCE_NOT_FOUND)
    require(len(apdu.data) == 2 * PIN_LENGTH, SW.WRONG_DATA)
    old, new = apdu.data[:PIN_LENGTH], apdu.data[PIN_LENGTH:]
    return ChangeReferenceData(PinRef(apdu.p2), old, new)


def _reset_retry_counter(apdu: CommandApdu) -> ResetRetryCounter:
    require(apdu.p1 == 0, SW.INCORRECT_P1P2)
    require(apdu.p2 == PinRef.PIN, SW.REFERENCE_NOT_FOUND)
    require(len(apdu.data) == 2 * PIN_LENGTH, SW.WRONG_DATA)
    return ResetRetryCounter(apdu.data[:PIN_LENGTH], apdu.data[PIN_LENGTH:])


_AUTHENTICATING = frozenset((MANAGEMENT, *USER_SLOTS))


def _general_authenticate(apdu: CommandApdu) -> AuthenticateManagement | UsePrivateKey:
    # Algorithm 00 is the default one of 9B; everything else must at least be known.
    known = apdu.p1 in KNOWN_ALGORITHMS or (apdu.p1 == 0 and apdu.p2 == MANAGEMENT)
    require(known and apdu.p2 in _AUTHENTICATING, SW.INCORRECT_P1P2)
    found = read_template(apdu.data, 0x7C)
    if apdu.p2 == MANAGEMENT:
        algorithm = apdu.p1 or Algorithm.TDES
        require(algorithm in SYMMETRIC, SW.INCORRECT_P1P2)
        return AuthenticateManagement(Algorithm(algorithm), _management_step(found))
    require(found.pop(0x82, None) == b"" and len(found) == 1, SW.WRONG_DATA)
    tag, data = found.popitem()
    require(tag in (0x81, 0x85) and bool(data), SW.WRONG_DATA)
    return UsePrivateKey(KNOWN_ALGORITHMS[apdu.p1], apdu.p2, data, agreement=tag == 0x85)


def _management_step(found: dict[int, bytes]) -> Step:
    witness, challenge, response = (found.pop(tag, None) for tag in (0x80, 0x81, 0x82))
    require(not found, SW.WRONG_DATA)
    match witness, challenge, response:
        case b"", None, None:
            return RequestWitness()
        case None, b"", None:
            return RequestChallenge()
        case None, None, bytes(answer) if answer:
            return AnswerChallenge(answer)
        case None, bytes(question), b"" if question:
            return InternalAuthenticate(question)
        case bytes(proof), bytes(question), (None | b"") if proof and question:
            return ProveWitness(proof, question)
        case _:
            raise Refuse(SW.WRONG_DATA)


def _generate(apdu: CommandApdu) -> GenerateKey:
    require(apdu.p1 == 0 and apdu.p2 in (*USER_SLOTS, ATTESTATION), SW.INCORRECT_P1P2)
    found = read_template(apdu.data, 0xAC)
    algorithm = found.pop(0x80, b"")
    require(len(algorithm) == 1 and algorithm[0] in KNOWN_ALGORITHMS, SW.WRONG_DATA)
    policies = read_policies(found)
    # Tag 81 is the public exponent of RSA; SP 800-78-5 §3.1 wants this one.
    exponent = found.pop(0x81, None) if algorithm[0] in RSA_BITS else None
    right = exponent is None or int.from_bytes(exponent, "big") == 65537
    require(right and not found, SW.WRONG_DATA)
    return GenerateKey(apdu.p2, Algorithm(algorithm[0]), policies)


PARSERS: dict[int, Callable[[CommandApdu], StandardCommand]] = {
    0x20: _verify,
    0x24: _change_reference_data,
    0x2C: _reset_retry_counter,
    0x47: _generate,
    0x87: _general_authenticate,
    0xCB: _get_data,
    0xDB: _put_data,
}
